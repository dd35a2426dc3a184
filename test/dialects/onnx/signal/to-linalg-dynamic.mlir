// RUN: onnx-aot-opt %s --aot-onnx-to-linalg --canonicalize --split-input-file | FileCheck %s
// Signals of lengths that only the run knows.

// The frames have a known length: their transform has a table, and as many rows as the signal has frames.
// CHECK-LABEL: @stft
func.func @stft(%x: tensor<?x?xf32>, %w: tensor<4xf32>) -> tensor<?x?x3x2xf32> {
  %step = onnx.Constant {value = dense<2> : tensor<i64>} : tensor<i64>
  // CHECK: %[[TABLE:.+]] = arith.constant dense<{{.*}}> : tensor<3x2x4x1xf64>
  // CHECK: aot.require %{{.*}}, shape_mismatch
  // CHECK: aot.kernel "matmul"
  // CHECK-SAME: %[[TABLE]]
  %0 = "onnx.STFT"(%x, %step, %w) {operandSegmentSizes = array<i32: 1, 1, 1, 0>} : (tensor<?x?xf32>, tensor<i64>, tensor<4xf32>) -> tensor<?x?x3x2xf32>
  return %0 : tensor<?x?x3x2xf32>
}

// -----

// Without a table: sines and cosines of one turn.
// CHECK-LABEL: @dft
func.func @dft(%x: tensor<2x?x1xf32>) -> tensor<2x?x2xf32> {
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<?x2xf64>)
  // CHECK: math.cos
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<2x?x1x2xf32>)
  // CHECK: scf.for
  %0 = "onnx.DFT"(%x) {operandSegmentSizes = array<i32: 1, 0, 0>} : (tensor<2x?x1xf32>) -> tensor<2x?x2xf32>
  return %0 : tensor<2x?x2xf32>
}

// -----

// CHECK-LABEL: @mel
func.func @mel(%n: tensor<i64>, %l: tensor<i64>, %r: tensor<i64>, %low: tensor<f32>, %high: tensor<f32>) -> tensor<?x?xf32> {
  // CHECK: aot.require %{{.*}}, invalid_value
  // CHECK: aot.require %{{.*}}, invalid_value
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<?x?xf32>)
  %0 = "onnx.MelWeightMatrix"(%n, %l, %r, %low, %high) : (tensor<i64>, tensor<i64>, tensor<i64>, tensor<f32>, tensor<f32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}
