// RUN: onnx-aot-opt %s --aot-onnx-to-linalg --split-input-file | FileCheck %s

// A zero point per column is read along n.
// CHECK-DAG: #[[COLUMN:.+]] = affine_map<(d0, d1, d2) -> (d1)>
// CHECK-LABEL: @integers
// CHECK: aot.kernel "matmul"
// CHECK-SAME: #[[COLUMN]]
// CHECK: arith.extui %{{.*}} : i8 to i32
// CHECK: arith.extsi %{{.*}} : i8 to i32
func.func @integers(%a: tensor<2x3xui8>, %b: tensor<3x4xi8>, %z: tensor<4xi8>) -> tensor<2x4xi32> {
  %0 = "onnx.MatMulInteger"(%a, %b, %z) {operandSegmentSizes = array<i32: 1, 1, 0, 1>} : (tensor<2x3xui8>, tensor<3x4xi8>, tensor<4xi8>) -> tensor<2x4xi32>
  return %0 : tensor<2x4xi32>
}

// -----

// Scales of one element make one factor.
// CHECK-LABEL: @quantized
// CHECK: arith.divf
// CHECK: aot.kernel "matmul"
// CHECK-NOT: arith.divf
// CHECK: arith.bitcast
func.func @quantized(%a: tensor<2x3xui8>, %b: tensor<3x4xi8>, %s: tensor<f32>, %z: tensor<ui8>, %w: tensor<4xi8>) -> tensor<2x4xui8> {
  %0 = "onnx.QLinearMatMul"(%a, %s, %z, %b, %s, %w, %s, %z) : (tensor<2x3xui8>, tensor<f32>, tensor<ui8>, tensor<3x4xi8>, tensor<f32>, tensor<4xi8>, tensor<f32>, tensor<ui8>) -> tensor<2x4xui8>
  return %0 : tensor<2x4xui8>
}

// -----

// Terms are indexing maps: a diagonal, a broadcast batch.
// CHECK-DAG: #[[DIAGONAL:.+]] = affine_map<(d0, d1, d2) -> (d0, d2, d2)>
// CHECK-DAG: #[[ONE:.+]] = affine_map<(d0, d1, d2) -> (0, d2, d1)>
// CHECK-DAG: #[[RESULT:.+]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-LABEL: @einsum
// CHECK: aot.kernel "matmul"
// CHECK-SAME: maps [#[[DIAGONAL]], #[[ONE]], #[[RESULT]]]
func.func @einsum(%a: tensor<5x3x3xf32>, %b: tensor<1x3x4xf32>) -> tensor<5x4xf32> {
  %0 = "onnx.Einsum"(%a, %b) {equation = "...ii, ...ij -> ...j"} : (tensor<5x3x3xf32>, tensor<1x3x4xf32>) -> tensor<5x4xf32>
  return %0 : tensor<5x4xf32>
}

// -----

// Nothing is summed.
// CHECK-LABEL: @outer
// CHECK-NOT: aot.kernel
// CHECK: linalg.generic
// CHECK: arith.mulf
func.func @outer(%a: tensor<5xf32>, %b: tensor<4xf32>) -> tensor<5x4xf32> {
  %0 = "onnx.Einsum"(%a, %b) {equation = "i,j"} : (tensor<5xf32>, tensor<4xf32>) -> tensor<5x4xf32>
  return %0 : tensor<5x4xf32>
}
