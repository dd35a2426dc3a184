// RUN: onnx-aot-opt %s | onnx-aot-opt --pass-pipeline='builtin.module(func.func(aot-infer-shapes))' | FileCheck %s
// Shapes of the pooling operators.

// CHECK-LABEL: @indices
// CHECK: -> (tensor<1x2x3x4xf32>, tensor<1x2x3x4xi64>)
func.func @indices(%x: tensor<1x2x7x8xf32>) -> (tensor<*xf32>, tensor<*xi64>) {
  %y:2 = "onnx.MaxPool"(%x) {kernel_shape = array<i64: 2, 2>, strides = array<i64: 2, 2>}
      : (tensor<1x2x7x8xf32>) -> (tensor<*xf32>, tensor<*xi64>)
  return %y#0, %y#1 : tensor<*xf32>, tensor<*xi64>
}

// ceil_mode adds a window, but none that would start in the padding after the data.
// CHECK-LABEL: @ceil
// CHECK: -> tensor<1x2x4x1xf32>
func.func @ceil(%x: tensor<1x2x7x2xf32>) -> tensor<*xf32> {
  %y = "onnx.AveragePool"(%x) {ceil_mode = 1 : i64, kernel_shape = array<i64: 2, 1>, strides = array<i64: 2, 2>}
      : (tensor<1x2x7x2xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// CHECK-LABEL: @global
// CHECK: -> tensor<?x2x1x1xf32>
func.func @global(%x: tensor<?x2x7x?xf32>) -> tensor<*xf32> {
  %y = "onnx.GlobalAveragePool"(%x) : (tensor<?x2x7x?xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// CHECK-LABEL: @unpool
// CHECK: -> tensor<1x1x4x4xf32>
func.func @unpool(%x: tensor<1x1x2x2xf32>, %i: tensor<1x1x2x2xi64>) -> tensor<*xf32> {
  %y = "onnx.MaxUnpool"(%x, %i) {kernel_shape = array<i64: 2, 2>, strides = array<i64: 2, 2>}
      : (tensor<1x1x2x2xf32>, tensor<1x1x2x2xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}
