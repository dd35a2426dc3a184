//===- Resampling.td - operators that read between elements ---------------===//
include "dialects/onnx/OnnxBase.td"

def Onnx_ResizeOp : Onnx_Op<"Resize", 19,
    (ins Onnx_Tensor:$X,
         Optional<Onnx_FloatTensor>:$roi,      // (C1) two elements per axis, for tf_crop_and_resize
         Optional<Onnx_FloatTensor>:$scales,   // (C2) one positive element per axis
         Optional<Onnx_I64Tensor>:$sizes),     // (C3) one element per axis; exactly one of scales and sizes
    (ins Onnx_IntDefault<0>:$antialias, OptionalAttr<Onnx_INTS>:$axes, // (C4) distinct, in range; absent: all
         Onnx_StringDefault<"half_pixel">:$coordinate_transformation_mode, // (C5) one of ONNX's words
         Onnx_FloatDefault<"-0.75">:$cubic_coeff_a, Onnx_IntDefault<0>:$exclude_outside,
         Onnx_FloatDefault<"0.0">:$extrapolation_value,
         Onnx_StringDefault<"stretch">:$keep_aspect_ratio_policy,   // (C5)
         Onnx_StringDefault<"nearest">:$mode,                       // (C5)
         Onnx_StringDefault<"round_prefer_floor">:$nearest_mode), // (C5); up to opset 10: ceil_if_shrinking
    (outs Onnx_Tensor:$Y), [AttrSizedOperandSegments]> {
  let summary = "Resizes a tensor along axes by interpolation";
}

def Onnx_GridSampleOp : Onnx_Op<"GridSample", 22,
    (ins TensorOf<[Onnx_Number, I1]>:$X, // (C1) rank >= 3
         Onnx_FloatTensor:$grid), // (C2) N x spatial dims x their number
    (ins Onnx_IntDefault<0>:$align_corners,
         Onnx_StringDefault<"linear">:$mode,        // (C3) linear, nearest, cubic
         Onnx_StringDefault<"zeros">:$padding_mode), // (C3) zeros, border, reflection
    (outs TensorOf<[Onnx_Number, I1]>:$Y)> {
  let summary = "Reads a tensor at the positions that a grid gives";
}

def Onnx_AffineGridOp : Onnx_Op<"AffineGrid", 20,
    (ins Onnx_FloatTensor:$theta, // (C1) N x 2 x 3 or N x 3 x 4
         Onnx_I64Tensor:$size),   // (C2) N, C and the 2 or 3 spatial extents
    (ins Onnx_IntDefault<0>:$align_corners), (outs Onnx_FloatTensor:$grid)> {
  let summary = "The positions that GridSample reads for an affine map";
}

def Onnx_RoiAlignOp : Onnx_Op<"RoiAlign", 22,
    (ins Onnx_FloatTensor:$X,            // (C1) rank 4
         Onnx_FloatTensor:$rois,         // (C2) regions x 4
         Onnx_I64Tensor:$batch_indices), // (C4) one for each region
    (ins Onnx_StringDefault<"half_pixel">:$coordinate_transformation_mode, Onnx_StringDefault<"avg">:$mode, // (C5)
         Onnx_IntDefault<1>:$output_height, Onnx_IntDefault<1>:$output_width, Onnx_IntDefault<0>:$sampling_ratio, // (C3)
         Onnx_FloatDefault<"1.0">:$spatial_scale),
    (outs Onnx_FloatTensor:$Y)> {
  let summary = "Mean or maximum of samples in the bins of each region";
}

def Onnx_MaxRoiPoolOp : Onnx_Op<"MaxRoiPool", 22,
    (ins Onnx_FloatTensor:$X,     // (C1)
         Onnx_FloatTensor:$rois), // (C2) regions x 5: batch, x1, y1, x2, y2
    (ins Onnx_INTS:$pooled_shape, Onnx_FloatDefault<"1.0">:$spatial_scale), // (C3)
    (outs Onnx_FloatTensor:$Y)> {
  let summary = "Maximum of the elements in the bins of each region";
}
