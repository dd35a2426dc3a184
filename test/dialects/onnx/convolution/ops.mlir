// RUN: onnx-aot-opt %s | onnx-aot-opt --pass-pipeline='builtin.module(func.func(aot-infer-shapes))' | FileCheck %s
// Shapes of the convolutions.

// CHECK-LABEL: @conv
// CHECK: -> tensor<1x8x16x15xf32>
func.func @conv(%x: tensor<1x3x32x32xf32>, %w: tensor<8x3x3x3xf32>, %b: tensor<8xf32>) -> tensor<*xf32> {
  %y = "onnx.Conv"(%x, %w, %b) {strides = array<i64: 2, 2>, pads = array<i64: 1, 0, 1, 0>}
      : (tensor<1x3x32x32xf32>, tensor<8x3x3x3xf32>, tensor<8xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// CHECK-LABEL: @same
// CHECK: -> tensor<1x8x11x11xf32>
func.func @same(%x: tensor<1x3x32x32xf32>, %w: tensor<8x3x3x3xf32>) -> tensor<*xf32> {
  %y = "onnx.Conv"(%x, %w) {strides = array<i64: 3, 3>, auto_pad = "SAME_UPPER"}
      : (tensor<1x3x32x32xf32>, tensor<8x3x3x3xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// The batch is not known; the window spans (3 - 1) * 2 + 1 = 5 elements.
// CHECK-LABEL: @dilated
// CHECK: -> tensor<?x6x6xf32>
func.func @dilated(%x: tensor<?x4x10xf32>, %w: tensor<6x2x3xf32>) -> tensor<*xf32> {
  %y = "onnx.Conv"(%x, %w) {dilations = array<i64: 2>, group = 2 : i64}
      : (tensor<?x4x10xf32>, tensor<6x2x3xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// 3 * (5 - 1) + 1 + 3 - 2 = 14.
// CHECK-LABEL: @transposed
// CHECK: -> tensor<1x6x14xf32>
func.func @transposed(%x: tensor<1x4x5xf32>, %w: tensor<4x3x3xf32>) -> tensor<*xf32> {
  %y = "onnx.ConvTranspose"(%x, %w)
      {group = 2 : i64, output_padding = array<i64: 1>, pads = array<i64: 1, 1>, strides = array<i64: 3>}
      : (tensor<1x4x5xf32>, tensor<4x3x3xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// CHECK-LABEL: @output_shape
// CHECK: -> tensor<1x3x16xf32>
func.func @output_shape(%x: tensor<1x4x5xf32>, %w: tensor<4x3x3xf32>) -> tensor<*xf32> {
  %y = "onnx.ConvTranspose"(%x, %w) {output_shape = array<i64: 16>, strides = array<i64: 3>}
      : (tensor<1x4x5xf32>, tensor<4x3x3xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// CHECK-LABEL: @integer
// CHECK: -> tensor<1x2x3xi32>
func.func @integer(%x: tensor<1x1x4xui8>, %w: tensor<2x1x2xi8>, %zero: tensor<ui8>) -> tensor<*xi32> {
  %y = "onnx.ConvInteger"(%x, %w, %zero) {operandSegmentSizes = array<i32: 1, 1, 1, 0>}
      : (tensor<1x1x4xui8>, tensor<2x1x2xi8>, tensor<ui8>) -> tensor<*xi32>
  return %y : tensor<*xi32>
}
