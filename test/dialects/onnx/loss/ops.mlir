// RUN: onnx-aot-opt %s | onnx-aot-opt | FileCheck %s

// CHECK-LABEL: @ops
func.func @ops(%x: tensor<2x3x4xf32>, %t: tensor<2x4xi64>) -> (tensor<2x4xf32>, tensor<f32>) {
  // CHECK: "onnx.NegativeLogLikelihoodLoss"(%arg0, %arg1) <{reduction = "none"}>
  %0 = "onnx.NegativeLogLikelihoodLoss"(%x, %t) {reduction = "none"} : (tensor<2x3x4xf32>, tensor<2x4xi64>) -> tensor<2x4xf32>
  // CHECK: "onnx.SoftmaxCrossEntropyLoss"(%arg0, %arg1) <{ignore_index = -1 : i64
  %1 = "onnx.SoftmaxCrossEntropyLoss"(%x, %t) {ignore_index = -1 : i64} : (tensor<2x3x4xf32>, tensor<2x4xi64>) -> tensor<f32>
  return %0, %1 : tensor<2x4xf32>, tensor<f32>
}
