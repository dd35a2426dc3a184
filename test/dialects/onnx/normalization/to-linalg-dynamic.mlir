// RUN: onnx-aot-opt %s --aot-onnx-to-linalg --canonicalize --cse --split-input-file | FileCheck %s
// Normalisations of extents that only the run knows.

// CHECK-LABEL: @layer
func.func @layer(%x: tensor<?x?x8xf32>, %s: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<?x?x8xf32> {
  // CHECK-NOT: aot.require
  // CHECK: tensor.empty(%{{.*}}, %{{.*}}) : tensor<?x?x1xf32>
  // CHECK: aot.kernel "reduce"
  // CHECK: aot.kernel "reduce"
  // CHECK: linalg.generic
  %y = "onnx.LayerNormalization"(%x, %s, %b) {axis = -1 : i64, resultSegmentSizes = array<i32: 1, 0, 0>}
      : (tensor<?x?x8xf32>, tensor<8xf32>, tensor<8xf32>) -> tensor<?x?x8xf32>
  return %y : tensor<?x?x8xf32>
}

// -----

// The number of elements of a plane divides as a value; parameters have to fit the channels.
// CHECK-LABEL: @instance
func.func @instance(%x: tensor<?x?x?x?xf32>, %s: tensor<3xf32>, %b: tensor<3xf32>) -> tensor<?x?x?x?xf32> {
  // CHECK: aot.require %{{.*}}, shape_mismatch
  // CHECK: %[[COUNT:.*]] = arith.sitofp
  // CHECK: arith.divf %{{.*}}, %[[COUNT]]
  %y = "onnx.InstanceNormalization"(%x, %s, %b)
      : (tensor<?x?x?x?xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<?x?x?x?xf32>
  return %y : tensor<?x?x?x?xf32>
}
