// RUN: onnx-aot-opt %s --aot-onnx-to-linalg --canonicalize --cse --split-input-file | FileCheck %s
// Pooling over extents that only the run knows.

// A window that does not fit is an error of the run.
// CHECK: #[[DATA:.*]] = affine_map<{{.*}} -> (d0, d1, d2 * 2 + d4, d3 * 2 + d5)>
// CHECK-LABEL: @max
func.func @max(%x: tensor<?x3x?x?xf32>) -> tensor<?x3x?x?xf32> {
  // CHECK-COUNT-2: aot.require %{{.*}}, shape_mismatch
  // CHECK: aot.kernel "pool"
  // CHECK-SAME: maps [#[[DATA]],
  %y = "onnx.MaxPool"(%x) {kernel_shape = array<i64: 3, 3>, strides = array<i64: 2, 2>} : (tensor<?x3x?x?xf32>) -> tensor<?x3x?x?xf32>
  return %y : tensor<?x3x?x?xf32>
}

// -----

// Without padding every window has the same number of elements.
// CHECK-LABEL: @mean
func.func @mean(%x: tensor<1x3x?xf32>) -> tensor<1x3x?xf32> {
  // CHECK-NOT: linalg.generic
  // CHECK: arith.divf
  %y = "onnx.AveragePool"(%x) {kernel_shape = array<i64: 2>, strides = array<i64: 2>} : (tensor<1x3x?xf32>) -> tensor<1x3x?xf32>
  return %y : tensor<1x3x?xf32>
}

// -----

// With padding, their numbers are computed.
// CHECK-LABEL: @mean_at_borders
func.func @mean_at_borders(%x: tensor<1x3x?xf32>) -> tensor<1x3x?xf32> {
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<?xf32>)
  // CHECK: arith.divf
  // CHECK: aot.kernel "pool"
  %y = "onnx.AveragePool"(%x) {kernel_shape = array<i64: 3>, pads = array<i64: 1, 1>} : (tensor<1x3x?xf32>) -> tensor<1x3x?xf32>
  return %y : tensor<1x3x?xf32>
}

// -----

// CHECK-LABEL: @global
func.func @global(%x: tensor<?x3x?x?xf32>) -> tensor<?x3x1x1xf32> {
  // CHECK: tensor.collapse_shape
  // CHECK: %[[COUNT:.*]] = arith.sitofp
  // CHECK: aot.kernel "pool"
  // CHECK: arith.divf %{{.*}}, %[[COUNT]]
  %y = "onnx.GlobalAveragePool"(%x) : (tensor<?x3x?x?xf32>) -> tensor<?x3x1x1xf32>
  return %y : tensor<?x3x1x1xf32>
}
