//===- Quantization.td - between floats and scaled integers ---------------===//
//
// Scale and zero point are read as their shape tells: one element for the
// whole tensor; a vector along `axis`; with block_size, a tensor of the input's
// rank whose element along `axis` serves that many of the input's.
//
//===----------------------------------------------------------------------===//
include "dialects/onnx/OnnxBase.td"

def Onnx_QuantizeLinearOp : Onnx_Op<"QuantizeLinear", 25,
    (ins Onnx_Tensor:$x,                       // (C1) float or int32
         Onnx_Tensor:$y_scale,                 // (C2) shape fits x, axis and block_size
         Optional<Onnx_Tensor>:$y_zero_point), // (C3) shape of y_scale, or one element each
    (ins Onnx_IntDefault<1>:$axis, Onnx_IntDefault<0>:$block_size,
         Onnx_IntDefault<0>:$output_dtype,     // (C4) the zero point's type, where there is one; (C5) up to 16 bits
         Onnx_IntDefault<0>:$precision, Onnx_IntDefault<1>:$saturate),
    (outs Onnx_Tensor:$y)> {
  let summary = "saturate(round(x / y_scale) + y_zero_point), halves to even; float8 and float4 are not rounded";
}

def Onnx_DequantizeLinearOp : Onnx_Op<"DequantizeLinear", 25,
    (ins Onnx_Tensor:$x, Onnx_Tensor:$x_scale, Optional<Onnx_Tensor>:$x_zero_point), // (C2), (C3), (C4) x's type
    (ins Onnx_IntDefault<1>:$axis, Onnx_IntDefault<0>:$block_size, Onnx_IntDefault<0>:$output_dtype),
    (outs Onnx_Tensor:$y)> {
  let summary = "(x - x_zero_point) * x_scale";
}

def Onnx_DynamicQuantizeLinearOp : Onnx_Op<"DynamicQuantizeLinear", 11, (ins TensorOf<[F32]>:$x), (ins),
    (outs TensorOf<[UI8]>:$y, Optional<TensorOf<[F32]>>:$y_scale, Optional<TensorOf<[UI8]>>:$y_zero_point),
    [AttrSizedResultSegments]> {
  let summary = "QuantizeLinear to uint8 with scale and zero point by the input's range";
}

//===-- ONNX Runtime's operators ------------------------------------------===//
class Onnx_QLinearBinary<string name> : Onnx_Op<"com_microsoft." # name, 1,
    (ins Onnx_IntTensor:$A, Onnx_FloatTensor:$A_scale, Optional<Onnx_IntTensor>:$A_zero_point, // (C5) one element each
         Onnx_IntTensor:$B, Onnx_FloatTensor:$B_scale, Optional<Onnx_IntTensor>:$B_zero_point, // (C6) one integer type
         Onnx_FloatTensor:$C_scale, Optional<Onnx_IntTensor>:$C_zero_point),
    (ins), (outs Onnx_IntTensor:$C), [AttrSizedOperandSegments]>;

def Onnx_QLinearAddOp : Onnx_QLinearBinary<"QLinearAdd"> { let summary = "The sum of quantized tensors, broadcast"; }
def Onnx_QLinearMulOp : Onnx_QLinearBinary<"QLinearMul"> { let summary = "The product of quantized tensors, broadcast"; }
