// RUN: onnx-aot-opt %s --aot-onnx-to-linalg --canonicalize --cse --split-input-file | FileCheck %s
// Resampling of extents that only the run knows.

// Batch and channels keep their extents. Phases are the same for all extents, so there are no tables.
// CHECK-LABEL: @resize
func.func @resize(%x: tensor<?x3x?x?xf32>) -> tensor<?x3x?x?xf32> {
  %scales = onnx.Constant {value = dense<[1.0, 1.0, 2.0, 2.0]> : tensor<4xf32>} : tensor<4xf32>
  // CHECK-NOT: linalg.generic
  // CHECK: aot.resample %{{.*}} outs(%{{.*}} : tensor<?x3x?x?xf32>) [#aot.sampling<axis = 2, {{.*}}, scale = 2, {{.*}}>, #aot.sampling<axis = 3, {{.*}}, scale = 2, {{.*}}>] moves
  %y = "onnx.Resize"(%x, %scales) {mode = "nearest", operandSegmentSizes = array<i32: 1, 0, 1, 0>} : (tensor<?x3x?x?xf32>, tensor<4xf32>) -> tensor<?x3x?x?xf32>
  return %y : tensor<?x3x?x?xf32>
}

// -----

// Extents by value are checked.
// CHECK-LABEL: @sizes
func.func @sizes(%x: tensor<4x4xf32>, %sizes: tensor<2xi64>) -> tensor<?x?xf32> {
  // CHECK: aot.require %{{.*}}, invalid_value
  // CHECK: aot.require %{{.*}}, invalid_value
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<?xi32>)
  // CHECK: aot.resample {{.*}} outs(%{{.*}}, %{{.*}} : tensor<?x?xf32>, tensor<2x?xf32>)
  %y = "onnx.Resize"(%x, %sizes) {mode = "linear", operandSegmentSizes = array<i32: 1, 0, 0, 1>} : (tensor<4x4xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
}

// -----

// How many elements a filter covers is known to the run only.
// CHECK-LABEL: @antialias
func.func @antialias(%x: tensor<?xf32>, %scales: tensor<1xf32>) -> tensor<?xf32> {
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<?x?xf32>)
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<?xf32>)
  // CHECK: scf.for
  // CHECK: math.fma
  %y = "onnx.Resize"(%x, %scales) {antialias = 1 : i64, mode = "linear", operandSegmentSizes = array<i32: 1, 0, 1, 0>} : (tensor<?xf32>, tensor<1xf32>) -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// -----

// CHECK-LABEL: @grid_sample
func.func @grid_sample(%x: tensor<?x2x?x?xf32>, %g: tensor<?x4x4x2xf32>) -> tensor<?x2x4x4xf32> {
  // CHECK: aot.require %{{.*}}, shape_mismatch
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<?x2x4x4xf32>)
  %y = "onnx.GridSample"(%x, %g) : (tensor<?x2x?x?xf32>, tensor<?x4x4x2xf32>) -> tensor<?x2x4x4xf32>
  return %y : tensor<?x2x4x4xf32>
}

// -----

// CHECK-LABEL: @affine_grid
func.func @affine_grid(%t: tensor<?x2x3xf32>, %s: tensor<4xi64>) -> tensor<?x?x?x2xf32> {
  // CHECK: aot.require %{{.*}}, invalid_value
  // CHECK: aot.require %{{.*}}, shape_mismatch
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<?x?x?x2xf32>)
  %y = "onnx.AffineGrid"(%t, %s) : (tensor<?x2x3xf32>, tensor<4xi64>) -> tensor<?x?x?x2xf32>
  return %y : tensor<?x?x?x2xf32>
}
