//===- Generator.td - operators that make tensors -------------------------===//
include "dialects/onnx/OnnxBase.td"

def Onnx_ConstantOp : Onnx_Op<"Constant", 13, (ins), (ins Onnx_TENSOR:$value), (outs Onnx_Tensor:$output),
                              [ConstantLike]> {
  let summary = "A constant tensor";
  let description = [{
    The other forms of the ONNX operator (value_float, value_ints, sparse_value ...) become `value` at import.
    Tensors above 1 KB are resources, whose bytes stay outside of the IR.
  }];
  let hasFolder = 1;
  let assemblyFormat = "attr-dict `:` type($output)";
}
