// RUN: onnx-aot-opt %s --aot-verify-tensor-contract --split-input-file --verify-diagnostics
// After the tensor stage: nothing of ONNX, neither an operation nor a type.

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{internal error: contract of the tensor stage: 'onnx.Relu' must not exist here}}
  %y = "onnx.Relu"(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

func.func @main() -> tensor<4xi1> {
  // expected-error @+1 {{contract of the tensor stage: a value has the type 'tensor<4xi1>'}}
  %y = tensor.empty() : tensor<4xi1>
  return %y : tensor<4xi1>
}

// -----

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = math.exp %x : tensor<4xf32>
  return %y : tensor<4xf32>
}
