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
    (ins Onnx_FloatDefault<"1.0">:$alpha, Onnx_FloatDefault<"1.0">:$beta,
         Onnx_IntDefault<0>:$transA, Onnx_IntDefault<0>:$transB),
    (outs Onnx_NumberTensor:$Y)> {
  let summary = "Y = alpha * A' * B' + beta * C";
}
