//===- Convolution.td - convolutions --------------------------------------===//
//
// Layouts are ONNX's: activations N x C x spatial dims, weights M x C/group x
// kernel dims (ConvTranspose: C x M/group x kernel dims). Attributes with one
// entry per spatial dim (two for `pads`) may be absent.
//
//===----------------------------------------------------------------------===//
include "dialects/onnx/OnnxBase.td"

defvar Window_attributes = (ins Onnx_StringDefault<"NOTSET">:$auto_pad, // (W1) NOTSET, SAME_UPPER, SAME_LOWER, VALID
    OptionalAttr<Onnx_INTS>:$dilations, // (W2) positive
    Onnx_IntDefault<1>:$group,          // (C5) positive, divides the channels
    OptionalAttr<Onnx_INTS>:$kernel_shape, // (W3) as in W
    OptionalAttr<Onnx_INTS>:$pads,
    OptionalAttr<Onnx_INTS>:$strides);  // (W2) positive

def Onnx_ConvOp : Onnx_Op<"Conv", 22,
    (ins Onnx_FloatTensor:$X,              // (C1) rank >= 3
         Onnx_FloatTensor:$W,              // (C2) the rank and element type of X, (C3) C/group input channels
         Optional<Onnx_FloatTensor>:$B),   // (C4) one element per output channel
    Window_attributes, (outs Onnx_FloatTensor:$Y)> {
  let summary = "Convolution";
  let hasCanonicalizer = 1;
}

def Onnx_ConvTransposeOp : Onnx_Op<"ConvTranspose", 22,
    (ins Onnx_FloatTensor:$X, Onnx_FloatTensor:$W, Optional<Onnx_FloatTensor>:$B), // (C1) .. (C4)
    !con(Window_attributes, (ins OptionalAttr<Onnx_INTS>:$output_padding, OptionalAttr<Onnx_INTS>:$output_shape)),
    (outs Onnx_FloatTensor:$Y)> {
  let summary = "Transposed convolution";
}

def Onnx_ConvIntegerOp : Onnx_Op<"ConvInteger", 10,
    (ins Onnx_IntTensor:$x, Onnx_IntTensor:$w,
         Optional<Onnx_IntTensor>:$x_zero_point,  // (C6) one element
         Optional<Onnx_IntTensor>:$w_zero_point), // (C7) one element or one per output channel
    Window_attributes, (outs Onnx_IntTensor:$y), [AttrSizedOperandSegments]> {
  let summary = "Convolution of 8-bit integers into 32 bits";
}

def Onnx_QLinearConvOp : Onnx_Op<"QLinearConv", 10,
    (ins Onnx_IntTensor:$x, Onnx_FloatTensor:$x_scale, Onnx_IntTensor:$x_zero_point, // (C6)
         Onnx_IntTensor:$w, Onnx_FloatTensor:$w_scale, Onnx_IntTensor:$w_zero_point, // (C7)
         Onnx_FloatTensor:$y_scale, Onnx_IntTensor:$y_zero_point,                    // (C6)
         Optional<Onnx_IntTensor>:$B),
    Window_attributes, (outs Onnx_IntTensor:$y)> {
  let summary = "Convolution of quantized tensors";
}

def Onnx_CausalConvWithStateOp : Onnx_Op<"CausalConvWithState", 27,
    (ins Onnx_FloatTensor:$input,                  // (C8) batch x channels x length
         Onnx_FloatTensor:$weight,                 // (C9) channels x 1 x kernel
         Optional<Onnx_FloatTensor>:$bias,         // (C4)
         Optional<Onnx_FloatTensor>:$past_state),  // (C10) batch x channels x (kernel - 1); absent: zeros
    (ins Onnx_StringDefault<"none">:$activation),  // (C11) none, silu, swish
    (outs Onnx_FloatTensor:$output, Optional<Onnx_FloatTensor>:$present_state), [AttrSizedOperandSegments]> {
  let summary = "Depthwise convolution of past positions, and the state for those to come";
}

def Onnx_DeformConvOp : Onnx_Op<"DeformConv", 22,
    (ins Onnx_FloatTensor:$X, Onnx_FloatTensor:$W, // (C1), (C2), (C3)
         Onnx_FloatTensor:$offset,                 // (C12) N x (offset_group * kernel elements * spatial dims) x output
         Optional<Onnx_FloatTensor>:$B,            // (C4)
         Optional<Onnx_FloatTensor>:$mask),        // (C13) N x (offset_group * kernel elements) x output
    (ins OptionalAttr<Onnx_INTS>:$dilations, Onnx_IntDefault<1>:$group, OptionalAttr<Onnx_INTS>:$kernel_shape,
         Onnx_IntDefault<1>:$offset_group, // (C14) divides the channels
         OptionalAttr<Onnx_INTS>:$pads, OptionalAttr<Onnx_INTS>:$strides),
    (outs Onnx_FloatTensor:$Y), [AttrSizedOperandSegments]> {
  let summary = "Convolution whose windows read at positions that are data";
}

def Onnx_Col2ImOp : Onnx_Op<"Col2Im", 18,
    (ins Onnx_NumberTensor:$input,     // (C15) N x (C * block elements) x blocks
         Onnx_I64Tensor:$image_shape, Onnx_I64Tensor:$block_shape), // (C16) one positive entry per spatial dim
    (ins OptionalAttr<Onnx_INTS>:$dilations, OptionalAttr<Onnx_INTS>:$pads, OptionalAttr<Onnx_INTS>:$strides), // (C17)
    (outs Onnx_NumberTensor:$output)> {
  let summary = "The sum of the blocks of an image, each at its place";
}
