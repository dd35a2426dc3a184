// RUN: onnx-aot-opt %s --aot-onnx-to-linalg | FileCheck %s
// Steps and batch of the run; the hidden size is static.

// CHECK-LABEL: @lstm
// CHECK-NOT: aot.require
// CHECK: aot.kernel "matmul" ins(%arg0, {{.*}} outs(%{{.*}} : tensor<?x?x16xf32>)
// CHECK: scf.for
// CHECK: aot.kernel "matmul" {{.*}} outs(%{{.*}} : tensor<?x16xf32>)
// CHECK: tensor.insert_slice {{.*}} : tensor<?x4xf32> into tensor<?x1x?x4xf32>
func.func @lstm(%x: tensor<?x?x6xf32> {onnx.dim_names = ["steps", "batch", ""]}, %w: tensor<1x16x6xf32>,
                %r: tensor<1x16x4xf32>) -> tensor<?x1x?x4xf32> {
  %y = "onnx.LSTM"(%x, %w, %r)
      {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0>}
      : (tensor<?x?x6xf32>, tensor<1x16x6xf32>, tensor<1x16x4xf32>) -> tensor<?x1x?x4xf32>
  return %y : tensor<?x1x?x4xf32>
}

// An initial state of another batch ends the run.
// CHECK-LABEL: @state
// CHECK: aot.require %{{.*}}, shape_mismatch
// CHECK: scf.for
func.func @state(%x: tensor<?x?x6xf32> {onnx.dim_names = ["steps", "batch", ""]}, %w: tensor<1x12x6xf32>,
                 %r: tensor<1x12x4xf32>, %h: tensor<1x?x4xf32> {onnx.dim_names = ["", "other", ""]}) -> tensor<?x1x?x4xf32> {
  %y = "onnx.GRU"(%x, %w, %r, %h)
      {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1>, resultSegmentSizes = array<i32: 1, 0>}
      : (tensor<?x?x6xf32>, tensor<1x12x6xf32>, tensor<1x12x4xf32>, tensor<1x?x4xf32>) -> tensor<?x1x?x4xf32>
  return %y : tensor<?x1x?x4xf32>
}
