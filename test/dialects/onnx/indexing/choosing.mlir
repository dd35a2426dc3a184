// Operators whose extents only the elements tell: counts are clamped to what they cannot exceed.
// RUN: onnx-aot-opt %s --aot-onnx-to-linalg --canonicalize --split-input-file | FileCheck %s

// CHECK-LABEL: @nonzero
func.func @nonzero(%x: tensor<?x3xf32>) -> tensor<2x?xi64> {
  // CHECK: aot.kernel "reduce"
  // CHECK: arith.maxsi
  // CHECK: %[[COUNT:.+]] = arith.minsi
  // CHECK: tensor.empty(%[[COUNT]]) : tensor<?xi64>
  // CHECK: scf.for
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<2x?xi64>)
  %y = "onnx.NonZero"(%x) : (tensor<?x3xf32>) -> tensor<2x?xi64>
  return %y : tensor<2x?xi64>
}

// -----

// A condition that may be longer than the axis is cut.
// CHECK-LABEL: @compress
func.func @compress(%x: tensor<4x?xf16>, %c: tensor<?xi1>) -> tensor<4x?xf16> {
  // CHECK: %[[LENGTH:.+]] = arith.minsi
  // CHECK: tensor.extract_slice %{{.*}}[0] [%[[LENGTH]]] [1]
  // CHECK: scf.for
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<4x?xf16>)
  %y = "onnx.Compress"(%x, %c) {axis = 1 : i64} : (tensor<4x?xf16>, tensor<?xi1>) -> tensor<4x?xf16>
  return %y : tensor<4x?xf16>
}

// -----

// Slices are sorted, then compared with their neighbours.
// CHECK-LABEL: @unique
func.func @unique(%x: tensor<?x2xi32>) -> (tensor<?x2xi32>, tensor<?xi64>) {
  // CHECK: scf.for {{.*}} iter_args(%{{.*}}) -> (tensor<2x?xi64>)
  // CHECK: scf.for {{.*}} -> (tensor<2x?xi64>, index, index)
  // CHECK: scf.for {{.*}} -> (tensor<?xi64>, tensor<?xi64>, tensor<?xi64>, index)
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<?x2xi32>)
  %y, %n = "onnx.Unique"(%x) {axis = 0 : i64, resultSegmentSizes = array<i32: 1, 0, 0, 1>} : (tensor<?x2xi32>) -> (tensor<?x2xi32>, tensor<?xi64>)
  return %y, %n : tensor<?x2xi32>, tensor<?xi64>
}

// -----

// The table has a place for each box that may be selected: 2 x 3 classes of at most 5.
// CHECK-LABEL: @suppression
func.func @suppression(%b: tensor<2x20x4xf32>, %s: tensor<2x3x20xf32>) -> tensor<?x3xi64> {
  %most = onnx.Constant {value = dense<5> : tensor<1xi64>} : tensor<1xi64>
  // CHECK-DAG: tensor.empty() : tensor<2x20xi64>
  // CHECK-DAG: tensor.empty() : tensor<30x3xi64>
  // CHECK: scf.for
  // CHECK: scf.for
  // CHECK: %[[COUNT:.+]] = arith.minsi %{{.*}}, %c30
  // CHECK: tensor.empty(%[[COUNT]]) : tensor<?x3xi64>
  %y = "onnx.NonMaxSuppression"(%b, %s, %most) {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>} : (tensor<2x20x4xf32>, tensor<2x3x20xf32>, tensor<1xi64>) -> tensor<?x3xi64>
  return %y : tensor<?x3xi64>
}
