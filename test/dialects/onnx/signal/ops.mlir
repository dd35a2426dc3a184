// RUN: onnx-aot-opt %s | onnx-aot-opt | FileCheck %s

// CHECK-LABEL: @ops
func.func @ops(%x: tensor<2x8x1xf32>, %axis: tensor<i64>, %w: tensor<4xf32>, %n: tensor<i32>, %f: tensor<f32>) {
  // CHECK: "onnx.DFT"(%arg0, %arg1) <{inverse = 0 : i64, onesided = 1 : i64
  %0 = "onnx.DFT"(%x, %axis) {onesided = 1 : i64, operandSegmentSizes = array<i32: 1, 0, 1>} : (tensor<2x8x1xf32>, tensor<i64>) -> tensor<2x5x2xf32>
  // CHECK: "onnx.STFT"(%arg0, %arg1, %arg2)
  %1 = "onnx.STFT"(%x, %axis, %w) {operandSegmentSizes = array<i32: 1, 1, 1, 0>} : (tensor<2x8x1xf32>, tensor<i64>, tensor<4xf32>) -> tensor<2x3x3x2xf32>
  // CHECK: "onnx.MelWeightMatrix"
  %2 = "onnx.MelWeightMatrix"(%n, %n, %n, %f, %f) : (tensor<i32>, tensor<i32>, tensor<i32>, tensor<f32>, tensor<f32>) -> tensor<9x8xf32>
  return
}
