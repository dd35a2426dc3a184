// RUN: onnx-aot-opt %s | onnx-aot-opt --pass-pipeline='builtin.module(func.func(aot-infer-shapes))' | FileCheck %s
// Shapes of the normalisations.

// Of the optional results only InvStdDev is there.
// CHECK-LABEL: @layer
// CHECK: -> (tensor<2x3x4xf32>, tensor<2x1x1xf32>)
func.func @layer(%x: tensor<2x3x4xf32>, %s: tensor<4xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  %y:2 = "onnx.LayerNormalization"(%x, %s) {axis = -2 : i64, resultSegmentSizes = array<i32: 1, 0, 1>}
      : (tensor<2x3x4xf32>, tensor<4xf32>) -> (tensor<*xf32>, tensor<*xf32>)
  return %y#0, %y#1 : tensor<*xf32>, tensor<*xf32>
}

// CHECK-LABEL: @batch
// CHECK: -> tensor<2x3x4xf32>
func.func @batch(%x: tensor<2x3x4xf32>, %p: tensor<3xf32>) -> tensor<*xf32> {
  %y = "onnx.BatchNormalization"(%x, %p, %p, %p, %p) {resultSegmentSizes = array<i32: 1, 0, 0>}
      : (tensor<2x3x4xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// CHECK-LABEL: @mask
// CHECK: -> (tensor<2x3xf32>, tensor<2x3xi1>)
func.func @mask(%x: tensor<2x3xf32>) -> (tensor<*xf32>, tensor<*xi1>) {
  %y:2 = "onnx.Dropout"(%x) {operandSegmentSizes = array<i32: 1, 0, 0>} : (tensor<2x3xf32>) -> (tensor<*xf32>, tensor<*xi1>)
  return %y#0, %y#1 : tensor<*xf32>, tensor<*xi1>
}

// In inference Dropout is nothing.
// CHECK-LABEL: @dropout
// CHECK-NOT: onnx.Dropout
// CHECK: return %arg0
func.func @dropout(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %false = onnx.Constant {value = dense<false> : tensor<i1>} : tensor<i1>
  %y = "onnx.Dropout"(%x, %false) {operandSegmentSizes = array<i32: 1, 0, 1>}
      : (tensor<2x3xf32>, tensor<i1>) -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}
