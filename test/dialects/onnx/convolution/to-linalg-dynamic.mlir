// RUN: onnx-aot-opt %s --aot-onnx-to-linalg --canonicalize --cse --split-input-file | FileCheck %s
// Convolutions of extents that only the run knows.

// The batch: nothing but the extents of tensors changes.
// CHECK: #[[DATA:.*]] = affine_map<{{.*}} -> (d0, d4, d2 + d5, d3 + d6)>
// CHECK-LABEL: @batch
func.func @batch(%x: tensor<?x3x8x8xf32>, %w: tensor<4x3x3x3xf32>) -> tensor<?x4x6x6xf32> {
  // CHECK-NOT: aot.require
  // CHECK: tensor.empty(%{{.*}}) : tensor<?x4x6x6xf32>
  // CHECK: aot.kernel "conv"
  // CHECK-SAME: maps [#[[DATA]],
  %y = "onnx.Conv"(%x, %w) : (tensor<?x3x8x8xf32>, tensor<4x3x3x3xf32>) -> tensor<?x4x6x6xf32>
  return %y : tensor<?x4x6x6xf32>
}

// -----

// Of a kernel of one element, positions are those of the data, so that the dims of a plane merge.
// CHECK: #[[DATA:.*]] = affine_map<{{.*}} -> (d0, d4, d2, d3)>
// CHECK-LABEL: @pointwise
func.func @pointwise(%x: tensor<?x3x?x?xf32>, %w: tensor<4x3x1x1xf32>) -> tensor<?x4x?x?xf32> {
  // CHECK: aot.kernel "conv" ins(%arg0, %arg1
  // CHECK-SAME: maps [#[[DATA]],
  %y = "onnx.Conv"(%x, %w) : (tensor<?x3x?x?xf32>, tensor<4x3x1x1xf32>) -> tensor<?x4x?x?xf32>
  return %y : tensor<?x4x?x?xf32>
}

// -----

// Padding is as declared; what the last window leaves is not cut off.
// CHECK-LABEL: @padded
func.func @padded(%x: tensor<1x3x?x8xf32>, %w: tensor<4x3x3x3xf32>) -> tensor<1x4x?x4xf32> {
  // CHECK: %[[SPREAD:.*]] = linalg.fill
  // CHECK: tensor.insert_slice %arg0 into %[[SPREAD]][0, 0, 1, 1]
  // CHECK: aot.kernel "conv"
  %y = "onnx.Conv"(%x, %w) {pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>}
      : (tensor<1x3x?x8xf32>, tensor<4x3x3x3xf32>) -> tensor<1x4x?x4xf32>
  return %y : tensor<1x4x?x4xf32>
}

// -----

// The run checks what the types do not say.
// CHECK: #[[DATA:.*]] = affine_map<{{.*}} -> (d0, d1, d5, d3 + d6, d4 + d7)>
// CHECK-LABEL: @open_channels
func.func @open_channels(%x: tensor<1x?x8x8xf32>, %w: tensor<?x?x3x3xf32>) -> tensor<1x?x6x6xf32> {
  // CHECK-COUNT-2: aot.require %{{.*}}, shape_mismatch
  // CHECK: aot.kernel "conv"
  // CHECK-SAME: maps [#[[DATA]],
  %y = "onnx.Conv"(%x, %w) {group = 2 : i64} : (tensor<1x?x8x8xf32>, tensor<?x?x3x3xf32>) -> tensor<1x?x6x6xf32>
  return %y : tensor<1x?x6x6xf32>
}

// -----

// CHECK-LABEL: @transposed
func.func @transposed(%x: tensor<?x3x?x4xf32>, %w: tensor<3x4x2x2xf32>) -> tensor<?x4x?x8xf32> {
  // CHECK: tensor.insert_slice {{.*}} [1, 1, 2, 2]
  // CHECK: aot.kernel "conv"
  %y = "onnx.ConvTranspose"(%x, %w) {strides = array<i64: 2, 2>}
      : (tensor<?x3x?x4xf32>, tensor<3x4x2x2xf32>) -> tensor<?x4x?x8xf32>
  return %y : tensor<?x4x?x8xf32>
}
