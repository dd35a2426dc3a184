// RUN: onnx-aot-opt %s --aot-onnx-to-linalg --canonicalize --cse --split-input-file | FileCheck %s
// The batch, and the number of classes, that only the run knows.

// CHECK-LABEL: @mean
func.func @mean(%x: tensor<?x?xf32>, %t: tensor<?xi64>) -> tensor<f32> {
  // CHECK: aot.require %{{.*}}, shape_mismatch
  // CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<?xi64>)
  // CHECK: %[[COUNT:.*]] = arith.sitofp
  // CHECK: arith.divf %{{.*}}, %[[COUNT]]
  %y = "onnx.NegativeLogLikelihoodLoss"(%x, %t) {reduction = "mean"} : (tensor<?x?xf32>, tensor<?xi64>) -> tensor<f32>
  return %y : tensor<f32>
}
