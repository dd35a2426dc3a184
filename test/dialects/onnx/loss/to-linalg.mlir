// RUN: onnx-aot-opt %s --aot-onnx-to-linalg | FileCheck %s

// The target's class, which is checked, is selected by comparing it with all of them; nothing is addressed by data.
// CHECK-LABEL: @weighted
// CHECK: aot.require %{{.*}}, index_out_of_range
// CHECK-NOT: tensor.extract
// CHECK: aot.kernel "reduce" ins(%arg0, %arg1, %{{.*}}, %arg2 : tensor<2x3xf32>, tensor<2xi64>, tensor<3xi64>, tensor<3xf32>)
// CHECK: arith.cmpi eq
// CHECK: arith.mulf
// CHECK: aot.kernel "reduce" {{.*}} outs(%{{.*}} : tensor<f32>)
// CHECK: aot.kernel "reduce" ins(%arg0, %arg1,
// CHECK: aot.kernel "reduce" {{.*}} outs(%{{.*}} : tensor<f32>)
// CHECK: arith.divf
func.func @weighted(%x: tensor<2x3xf32>, %t: tensor<2xi64>, %w: tensor<3xf32>) -> tensor<f32> {
  %0 = "onnx.NegativeLogLikelihoodLoss"(%x, %t, %w) : (tensor<2x3xf32>, tensor<2xi64>, tensor<3xf32>) -> tensor<f32>
  return %0 : tensor<f32>
}
