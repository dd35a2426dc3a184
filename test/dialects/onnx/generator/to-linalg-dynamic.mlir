// RUN: onnx-aot-opt %s --aot-onnx-to-linalg --canonicalize --cse --split-input-file | FileCheck %s
// Tensors whose extents only the run knows.

// CHECK-LABEL: @window
func.func @window(%n: tensor<i64>) -> tensor<?xf32> {
  // CHECK: aot.require %{{.*}}, invalid_value
  // CHECK: tensor.empty(%{{.*}}) : tensor<?xf32>
  // CHECK: math.cos
  %y = "onnx.HannWindow"(%n) : (tensor<i64>) -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// -----

// The position is counted in the extents of the run.
// CHECK-LABEL: @random
func.func @random(%x: tensor<2x?xf32>) -> tensor<2x?xf32> {
  // CHECK: %[[EXTENT:.+]] = tensor.dim %{{.*}}, %c1
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<2x?xf32>)
  // CHECK: arith.index_cast %[[EXTENT]] : index to i64
  %y = "onnx.RandomUniformLike"(%x) : (tensor<2x?xf32>) -> tensor<2x?xf32>
  return %y : tensor<2x?xf32>
}
