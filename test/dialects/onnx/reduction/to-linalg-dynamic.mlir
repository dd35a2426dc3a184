// RUN: onnx-aot-opt %s --aot-onnx-to-linalg --canonicalize --cse --split-input-file | FileCheck %s
// Extents, the number of elements of a mean, axes and K that only the run knows.

// CHECK-LABEL: @mean
// CHECK-SAME: %[[X:.*]]: tensor<?x8x?xf32>
func.func @mean(%x: tensor<?x8x?xf32>) -> tensor<?x1x?xf32> {
  %axes = "onnx.Constant"() {value = dense<1> : tensor<1xi64>} : () -> tensor<1xi64>
  // CHECK: %[[INIT:.*]] = tensor.empty(%{{.*}}, %{{.*}}) : tensor<?x?xf32>
  // CHECK: aot.kernel "reduce" ins(%[[X]] : tensor<?x8x?xf32>) outs(%[[INIT]] : tensor<?x?xf32>)
  %y = "onnx.ReduceMean"(%x, %axes) : (tensor<?x8x?xf32>, tensor<1xi64>) -> tensor<?x1x?xf32>
  return %y : tensor<?x1x?xf32>
}

// -----

// CHECK-LABEL: @open_count
func.func @open_count(%x: tensor<4x?xf32>) -> tensor<4xf32> {
  %axes = "onnx.Constant"() {value = dense<1> : tensor<1xi64>} : () -> tensor<1xi64>
  // CHECK: %[[N:.*]] = tensor.dim
  // CHECK: %[[WIDE:.*]] = arith.index_cast %[[N]] : index to i64
  // CHECK: %[[COUNT:.*]] = arith.sitofp %[[WIDE]] : i64 to f32
  // CHECK: epilogue
  // CHECK: arith.divf %{{.*}}, %[[COUNT]]
  %y = "onnx.ReduceMean"(%x, %axes) {keepdims = 0 : i64} : (tensor<4x?xf32>, tensor<1xi64>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// CHECK-LABEL: @arg_max
func.func @arg_max(%x: tensor<4x?xf32>) -> tensor<4xi64> {
  // An axis without elements has no maximum.
  // CHECK: aot.require %{{.*}}, empty_reduction
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<?xi32>)
  %y = "onnx.ArgMax"(%x) {axis = 1 : i64, keepdims = 0 : i64} : (tensor<4x?xf32>) -> tensor<4xi64>
  return %y : tensor<4xi64>
}

// -----

// CHECK-LABEL: @top_k
func.func @top_k(%x: tensor<4x?xf32>, %k: tensor<1xi64>) -> (tensor<4x?xf32>, tensor<4x?xi64>) {
  // CHECK: aot.require %{{.*}}, k_out_of_range
  // CHECK: arith.minsi
  // CHECK: tensor.empty(%[[K:.*]]) : tensor<4x?xf32>
  // CHECK: tensor.empty(%[[K]]) : tensor<4x?xi64>
  %v, %i = "onnx.TopK"(%x, %k) : (tensor<4x?xf32>, tensor<1xi64>) -> (tensor<4x?xf32>, tensor<4x?xi64>)
  return %v, %i : tensor<4x?xf32>, tensor<4x?xi64>
}
