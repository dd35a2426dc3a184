// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-infer-shapes))' --split-input-file --verify-diagnostics

func.func @axis(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  // expected-error @+1 {{axis 2 is outside a tensor of rank 2}}
  %0 = "onnx.Softmax"(%x) {axis = 2 : i64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

func.func @slope(%x: tensor<3xf32>, %slope: tensor<2x3xf32>) -> tensor<3xf32> {
  // expected-error @+1 {{slope does not broadcast to the shape of X}}
  %0 = "onnx.PRelu"(%x, %slope) : (tensor<3xf32>, tensor<2x3xf32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----

func.func @approximate(%x: tensor<3xf32>) -> tensor<3xf32> {
  // expected-error @+1 {{approximate must be none or tanh, not 'fast'}}
  %0 = "onnx.Gelu"(%x) {approximate = "fast"} : (tensor<3xf32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}
