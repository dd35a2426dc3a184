// RUN: onnx-aot-opt %s | onnx-aot-opt --pass-pipeline='builtin.module(func.func(aot-infer-shapes))' | FileCheck %s
// Shapes of the operators that resample.

// CHECK-LABEL: @scales
// CHECK: "onnx.Resize"{{.*}} -> tensor<1x3x8x2xf32>
func.func @scales(%x: tensor<1x3x4x4xf32>) -> tensor<*xf32> {
  %s = onnx.Constant {value = dense<[1.0, 1.0, 2.0, 0.6]> : tensor<4xf32>} : tensor<4xf32>
  %y = "onnx.Resize"(%x, %s) {operandSegmentSizes = array<i32: 1, 0, 1, 0>}
      : (tensor<1x3x4x4xf32>, tensor<4xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// The smaller of 9 / 4 and 7 / 2, for both axes.
// CHECK-LABEL: @not_larger
// CHECK: "onnx.Resize"{{.*}} -> tensor<1x3x9x5xf32>
func.func @not_larger(%x: tensor<1x3x4x2xf32>) -> tensor<*xf32> {
  %s = onnx.Constant {value = dense<[7, 9]> : tensor<2xi64>} : tensor<2xi64>
  %y = "onnx.Resize"(%x, %s)
      {axes = array<i64: 3, 2>, keep_aspect_ratio_policy = "not_larger", operandSegmentSizes = array<i32: 1, 0, 0, 1>}
      : (tensor<1x3x4x2xf32>, tensor<2xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// CHECK-LABEL: @grid
// CHECK: "onnx.GridSample"{{.*}} -> tensor<2x3x5x6xf32>
func.func @grid(%x: tensor<2x3x4x4xf32>, %grid: tensor<2x5x6x2xf32>) -> tensor<*xf32> {
  %y = "onnx.GridSample"(%x, %grid) : (tensor<2x3x4x4xf32>, tensor<2x5x6x2xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}
