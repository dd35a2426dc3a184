//===- Matmul.td - matrix products ----------------------------------------===//
include "dialects/onnx/OnnxBase.td"

def Onnx_MatMulOp : Onnx_Op<"MatMul", 13,
    (ins Onnx_NumberTensor:$A,  // (C1) rank >= 1
         Onnx_NumberTensor:$B), // (C2) rank >= 1, same element type, inner dims agree, outer dims broadcast
    (ins), (outs Onnx_NumberTensor:$Y)> {
  let summary = "Matrix product with numpy.matmul's rules for vectors and batches";
}

def Onnx_GemmOp : Onnx_Op<"Gemm", 13,
    (ins Onnx_NumberTensor:$A, Onnx_NumberTensor:$B, // (C1) rank 2, (C2) inner dims agree
         Optional<Onnx_NumberTensor>:$C),            // (C3) broadcasts to the result
    (ins Onnx_FloatDefault<"1.0">:$alpha, Onnx_FloatDefault<"1.0">:$beta, // (C4) integers where the elements are
         Onnx_IntDefault<0>:$transA, Onnx_IntDefault<0>:$transB),
    (outs Onnx_NumberTensor:$Y)> {
  let summary = "Y = alpha * A' * B' + beta * C";
}

def Onnx_MatMulIntegerOp : Onnx_Op<"MatMulInteger", 10,
    (ins Onnx_IntTensor:$A, Onnx_IntTensor:$B,    // (C1) rank >= 1, (C2) inner dims agree, outer dims broadcast
         Optional<Onnx_IntTensor>:$a_zero_point,  // (C3) one element or one per row of A
         Optional<Onnx_IntTensor>:$b_zero_point), // (C4) one element or one per column of B
    (ins), (outs Onnx_IntTensor:$Y), [AttrSizedOperandSegments]> {
  let summary = "Matrix product of 8-bit integers into 32 bits";
}

def Onnx_QuantizedTensor : TensorOf<[Onnx_Int, F8E4M3FN, F8E4M3FNUZ, F8E5M2, F8E5M2FNUZ]>;
def Onnx_QLinearMatMulOp : Onnx_Op<"QLinearMatMul", 21,
    (ins Onnx_QuantizedTensor:$a, Onnx_FloatTensor:$a_scale, Onnx_QuantizedTensor:$a_zero_point,  // (C1) .. (C3)
         Onnx_QuantizedTensor:$b, Onnx_FloatTensor:$b_scale, Onnx_QuantizedTensor:$b_zero_point,  // (C4)
         Onnx_FloatTensor:$y_scale, Onnx_QuantizedTensor:$y_zero_point),                          // (C3)
    (ins), (outs Onnx_QuantizedTensor:$y)> {
  let summary = "Matrix product of quantized tensors";
}

def Onnx_EinsumOp : Onnx_Op<"Einsum", 12,
    (ins Variadic<Onnx_NumberTensor>:$Inputs), // (C1) at least one, of one element type
    (ins Onnx_STRING:$equation), // (C2) well formed, (C3) a term per input of its rank, (C4) extents of a label agree
    (outs Onnx_NumberTensor:$Output)> {
  let summary = "Sums of products by Einstein's convention";
}

def Onnx_DetOp : Onnx_Op<"Det", 22,
    (ins Onnx_FloatTensor:$X), // (C1) square matrices
    (ins), (outs Onnx_FloatTensor:$Y)> {
  let summary = "Determinants of a batch of matrices";
}
