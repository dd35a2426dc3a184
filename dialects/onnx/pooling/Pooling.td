//===- Pooling.td - windows and whole planes reduced per channel ----------===//
//
// Every operator takes N x C x spatial dims. Window attributes have one entry
// per spatial dim (two for `pads`).
//
//===----------------------------------------------------------------------===//
include "dialects/onnx/OnnxBase.td"

def Onnx_MaxPoolOp : Onnx_Op<"MaxPool", 22,
    (ins Onnx_NumberTensor:$X), // (C1) rank >= 3
    (ins Onnx_StringDefault<"NOTSET">:$auto_pad, Onnx_IntDefault<0>:$ceil_mode, OptionalAttr<Onnx_INTS>:$dilations,
         Onnx_INTS:$kernel_shape, OptionalAttr<Onnx_INTS>:$pads, Onnx_IntDefault<0>:$storage_order,
         OptionalAttr<Onnx_INTS>:$strides),
    (outs Onnx_NumberTensor:$Y, Optional<Onnx_I64Tensor>:$Indices)> {
  let summary = "Maximum of each window, and where it lies";
}

def Onnx_AveragePoolOp : Onnx_Op<"AveragePool", 22,
    (ins Onnx_FloatTensor:$X), // (C1)
    (ins Onnx_StringDefault<"NOTSET">:$auto_pad, Onnx_IntDefault<0>:$ceil_mode, Onnx_IntDefault<0>:$count_include_pad,
         OptionalAttr<Onnx_INTS>:$dilations, Onnx_INTS:$kernel_shape, OptionalAttr<Onnx_INTS>:$pads,
         OptionalAttr<Onnx_INTS>:$strides),
    (outs Onnx_FloatTensor:$Y)> {
  let summary = "Mean of each window";
}

def Onnx_LpPoolOp : Onnx_Op<"LpPool", 22,
    (ins Onnx_FloatTensor:$X), // (C1)
    (ins Onnx_StringDefault<"NOTSET">:$auto_pad, Onnx_IntDefault<0>:$ceil_mode, OptionalAttr<Onnx_INTS>:$dilations,
         Onnx_INTS:$kernel_shape,
         Onnx_IntDefault<2>:$p, // (C2) positive
         OptionalAttr<Onnx_INTS>:$pads, OptionalAttr<Onnx_INTS>:$strides),
    (outs Onnx_FloatTensor:$Y)> {
  let summary = "p-norm of each window";
}

def Onnx_GlobalAveragePoolOp : Onnx_Op<"GlobalAveragePool", 22,
    (ins Onnx_FloatTensor:$X), (ins), (outs Onnx_FloatTensor:$Y)> { // (C1)
  let summary = "Mean of each channel";
}

def Onnx_GlobalMaxPoolOp : Onnx_Op<"GlobalMaxPool", 22,
    (ins Onnx_FloatTensor:$X), (ins), (outs Onnx_FloatTensor:$Y)> { // (C1)
  let summary = "Maximum of each channel";
}

def Onnx_GlobalLpPoolOp : Onnx_Op<"GlobalLpPool", 22,
    (ins Onnx_FloatTensor:$X), (ins Onnx_IntDefault<2>:$p), (outs Onnx_FloatTensor:$Y)> { // (C1) (C2)
  let summary = "p-norm of each channel";
}

def Onnx_MaxUnpoolOp : Onnx_Op<"MaxUnpool", 22,
    (ins Onnx_FloatTensor:$X,               // (C1)
         Onnx_I64Tensor:$I,                 // (C3) the shape of X
         Optional<Onnx_I64Tensor>:$output_shape),
    (ins Onnx_INTS:$kernel_shape, OptionalAttr<Onnx_INTS>:$pads, OptionalAttr<Onnx_INTS>:$strides),
    (outs Onnx_FloatTensor:$output)> {
  let summary = "Puts elements back where MaxPool found them";
}
