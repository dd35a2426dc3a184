// RUN: onnx-aot-opt %s | onnx-aot-opt --pass-pipeline='builtin.module(func.func(aot-infer-shapes))' | FileCheck %s
// Shapes of recurrent operators.

// CHECK-LABEL: @bidirectional
// CHECK: "onnx.LSTM"{{.*}} -> (tensor<5x2x3x4xf32>, tensor<2x3x4xf32>, tensor<2x3x4xf32>)
func.func @bidirectional(%x: tensor<5x3x6xf32>, %w: tensor<2x16x6xf32>, %r: tensor<2x16x4xf32>)
    -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>) {
  %y:3 = "onnx.LSTM"(%x, %w, %r) {direction = "bidirectional", hidden_size = 4 : i64,
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 1, 1>}
      : (tensor<5x3x6xf32>, tensor<2x16x6xf32>, tensor<2x16x4xf32>) -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>)
  return %y#0, %y#1, %y#2 : tensor<*xf32>, tensor<*xf32>, tensor<*xf32>
}

// The batch comes first; only the last state is asked for.
// CHECK-LABEL: @batch_first
// CHECK: "onnx.GRU"{{.*}} -> tensor<3x1x4xf32>
func.func @batch_first(%x: tensor<3x5x6xf32>, %w: tensor<1x12x6xf32>, %r: tensor<1x12x4xf32>) -> tensor<*xf32> {
  %y = "onnx.GRU"(%x, %w, %r) {layout = 1 : i64,
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0>, resultSegmentSizes = array<i32: 0, 1>}
      : (tensor<3x5x6xf32>, tensor<1x12x6xf32>, tensor<1x12x4xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}
