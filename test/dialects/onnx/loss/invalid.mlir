// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-infer-shapes))' --split-input-file --verify-diagnostics

func.func @target(%x: tensor<2x3x4xf32>, %t: tensor<2x3xi64>) -> tensor<f32> {
  // expected-error @+1 {{the targets' shape is not that of the scores without the class dimension}}
  %0 = "onnx.NegativeLogLikelihoodLoss"(%x, %t) : (tensor<2x3x4xf32>, tensor<2x3xi64>) -> tensor<f32>
  return %0 : tensor<f32>
}

// -----

func.func @reduction(%x: tensor<2x3xf32>, %t: tensor<2xi64>) -> tensor<f32> {
  // expected-error @+1 {{reduction must be none, sum or mean, not 'median'}}
  %0 = "onnx.SoftmaxCrossEntropyLoss"(%x, %t) {reduction = "median"} : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<f32>
  return %0 : tensor<f32>
}
