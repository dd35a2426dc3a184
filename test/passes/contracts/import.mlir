// RUN: onnx-aot-opt %s --aot-verify-import-contract --split-input-file --verify-diagnostics
// After import: onnx operations alone, each at its node, and the bytes of large constants elsewhere.

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{internal error: contract of the import stage: 'math.exp' must not exist here}}
  %y = math.exp %x : tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{contract of the import stage: 'onnx.Relu' does not say which node it is}}
  %y = "onnx.Relu"(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = "onnx.Relu"(%x) : (tensor<4xf32>) -> tensor<4xf32> loc("\22relu1\22 (Relu)"("model.onnx":1:0))
  return %y : tensor<4xf32>
}
