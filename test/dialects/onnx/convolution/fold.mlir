// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(canonicalize))' | FileCheck %s
// Zeros around the spatial dims become padding of the convolution.

// CHECK-LABEL: @pad
// CHECK: "onnx.Conv"(%arg0, %arg1) <{{.*}}pads = array<i64: 1, 3, 1, 4>
func.func @pad(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>) -> tensor<1x4x8x13xf32> {
  %amounts = onnx.Constant {value = dense<[0, 0, 1, 2, 0, 0, 1, 3]> : tensor<8xi64>} : tensor<8xi64>
  %p = "onnx.Pad"(%x, %amounts) {operandSegmentSizes = array<i32: 1, 1, 0, 0>}
      : (tensor<1x3x8x8xf32>, tensor<8xi64>) -> tensor<1x3x10x13xf32>
  %y = "onnx.Conv"(%p, %w) {pads = array<i64: 0, 1, 0, 1>}
      : (tensor<1x3x10x13xf32>, tensor<4x3x3x3xf32>) -> tensor<1x4x8x13xf32>
  return %y : tensor<1x4x8x13xf32>
}

// Other values stay.
// CHECK-LABEL: @ones
// CHECK: onnx.Pad
func.func @ones(%x: tensor<1x3x8xf32>, %w: tensor<4x3x3xf32>) -> tensor<1x4x8xf32> {
  %amounts = onnx.Constant {value = dense<[0, 0, 1, 0, 0, 1]> : tensor<6xi64>} : tensor<6xi64>
  %one = onnx.Constant {value = dense<1.0> : tensor<f32>} : tensor<f32>
  %p = "onnx.Pad"(%x, %amounts, %one) {operandSegmentSizes = array<i32: 1, 1, 1, 0>}
      : (tensor<1x3x8xf32>, tensor<6xi64>, tensor<f32>) -> tensor<1x3x10xf32>
  %y = "onnx.Conv"(%p, %w) : (tensor<1x3x10xf32>, tensor<4x3x3xf32>) -> tensor<1x4x8xf32>
  return %y : tensor<1x4x8xf32>
}

// So does padding of channels.
// CHECK-LABEL: @channels
// CHECK: onnx.Pad
func.func @channels(%x: tensor<1x3x8xf32>, %w: tensor<4x4x3xf32>) -> tensor<1x4x6xf32> {
  %amounts = onnx.Constant {value = dense<[0, 1, 0, 0, 0, 0]> : tensor<6xi64>} : tensor<6xi64>
  %p = "onnx.Pad"(%x, %amounts) {operandSegmentSizes = array<i32: 1, 1, 0, 0>}
      : (tensor<1x3x8xf32>, tensor<6xi64>) -> tensor<1x4x8xf32>
  %y = "onnx.Conv"(%p, %w) : (tensor<1x4x8xf32>, tensor<4x4x3xf32>) -> tensor<1x4x6xf32>
  return %y : tensor<1x4x6xf32>
}
