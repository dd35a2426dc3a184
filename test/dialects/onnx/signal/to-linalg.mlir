// RUN: onnx-aot-opt %s --aot-onnx-to-linalg --split-input-file | FileCheck %s

// A transform is a product with a table of cosines and sines: 3 of 4 frequencies, two parts each.
// CHECK-LABEL: @dft
// CHECK: %[[TABLE:.+]] = arith.constant dense<{{.*}}> : tensor<3x2x4x1xf64>
// CHECK: aot.kernel "matmul"
// CHECK-SAME: %[[TABLE]]
// CHECK-SAME: tensor<2x3x1x2xf32>
func.func @dft(%x: tensor<2x4x1xf32>) -> tensor<2x3x2xf32> {
  %0 = "onnx.DFT"(%x) {onesided = 1 : i64, operandSegmentSizes = array<i32: 1, 0, 0>} : (tensor<2x4x1xf32>) -> tensor<2x3x2xf32>
  return %0 : tensor<2x3x2xf32>
}

// -----

// An axis that is data selects among those that it may name.
// CHECK-LABEL: @axis
// CHECK: aot.kernel "matmul"
// CHECK: aot.kernel "matmul"
// CHECK: arith.select
// CHECK-NOT: aot.kernel "matmul"
func.func @axis(%x: tensor<2x4x1xf32>, %axis: tensor<i64>) -> tensor<2x4x2xf32> {
  %0 = "onnx.DFT"(%x, %axis) {operandSegmentSizes = array<i32: 1, 0, 1>} : (tensor<2x4x1xf32>, tensor<i64>) -> tensor<2x4x2xf32>
  return %0 : tensor<2x4x2xf32>
}

// -----

// Frames are copied out and windowed, then transformed as one batch.
// CHECK-LABEL: @stft
// CHECK: linalg.generic
// CHECK: arith.mulf
// CHECK: aot.kernel "matmul"
// CHECK-SAME: tensor<6x3x1x2xf32>
func.func @stft(%x: tensor<2x8xf32>, %w: tensor<4xf32>) -> tensor<2x3x3x2xf32> {
  %step = onnx.Constant {value = dense<2> : tensor<i64>} : tensor<i64>
  %0 = "onnx.STFT"(%x, %step, %w) {operandSegmentSizes = array<i32: 1, 1, 1, 0>} : (tensor<2x8xf32>, tensor<i64>, tensor<4xf32>) -> tensor<2x3x3x2xf32>
  return %0 : tensor<2x3x3x2xf32>
}
