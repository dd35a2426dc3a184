// RUN: onnx-aot-opt %s --aot-onnx-to-linalg --canonicalize --cse --split-input-file | FileCheck %s
// Functions along an axis of extents that only the run knows.

// CHECK-LABEL: @softmax
func.func @softmax(%x: tensor<?x?xf32>) -> tensor<?x?xf32> {
  // CHECK: tensor.empty(%{{.*}}) : tensor<?xf32>
  // CHECK: aot.kernel "reduce"
  // CHECK: linalg.generic
  // CHECK: aot.kernel "reduce"
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<?x?xf32>)
  %y = "onnx.Softmax"(%x) {axis = -1 : i64} : (tensor<?x?xf32>) -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
}

// -----

// Positions are computed.
// CHECK-LABEL: @hardmax
func.func @hardmax(%x: tensor<4x?xf32>) -> tensor<4x?xf32> {
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<?xi64>)
  // CHECK: linalg.index 0
  // CHECK: identity 9223372036854775807 : i64
  %y = "onnx.Hardmax"(%x) {axis = -1 : i64} : (tensor<4x?xf32>) -> tensor<4x?xf32>
  return %y : tensor<4x?xf32>
}
