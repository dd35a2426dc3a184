// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(aot-onnx-to-linalg,canonicalize)' | FileCheck %s
// Convolutions become one kernel each; windows, strides, groups and dilations are in its maps.

// CHECK-DAG: #[[X:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d4, d2 * 2 + d5, d3 * 2 + d6)>
// CHECK-DAG: #[[W:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d1, d4, d5, d6)>
// CHECK-DAG: #[[B:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d1)>
// CHECK-DAG: #[[POINT:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d4, d2, d3)>
// CHECK-DAG: #[[DEPTHWISE:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2 + d3 * 2)>
// CHECK-DAG: #[[GROUPED:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1 * 2 + d4, d3 + d5)>
// CHECK-DAG: #[[GROUPS:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d1, d2, d4, d5)>
// CHECK-DAG: #[[RESULT:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1 * 3 + d2, d3)>

// The last row of padding is read by no window.
// CHECK-LABEL: @padded
// CHECK: linalg.fill
// CHECK: tensor.insert_slice %{{.*}}[0, 0, 1, 1] {{.*}} into tensor<1x3x9x9xf32>
// CHECK: aot.kernel "conv" {{.*}} maps [#[[X]], #[[W]], #[[B]], #{{.*}}]
// CHECK: math.fma
// CHECK: epilogue
// CHECK: arith.addf
func.func @padded(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>, %b: tensor<4xf32>) -> tensor<1x4x4x4xf32> {
  %y = "onnx.Conv"(%x, %w, %b) {pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>}
      : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>, tensor<4xf32>) -> tensor<1x4x4x4xf32>
  return %y : tensor<1x4x4x4xf32>
}

// CHECK-LABEL: @pointwise
// CHECK-NOT: insert_slice
// CHECK: aot.kernel "conv" {{.*}} maps [#[[POINT]],
func.func @pointwise(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x1x1xf32>) -> tensor<1x4x8x8xf32> {
  %y = "onnx.Conv"(%x, %w) : (tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<1x4x8x8xf32>
  return %y : tensor<1x4x8x8xf32>
}

// CHECK-LABEL: @depthwise
// CHECK: aot.kernel "conv" {{.*}} maps [#[[DEPTHWISE]],
func.func @depthwise(%x: tensor<1x3x8xf32>, %w: tensor<3x1x3xf32>) -> tensor<1x3x4xf32> {
  %y = "onnx.Conv"(%x, %w) {group = 3 : i64, dilations = array<i64: 2>}
      : (tensor<1x3x8xf32>, tensor<3x1x3xf32>) -> tensor<1x3x4xf32>
  return %y : tensor<1x3x4xf32>
}

// CHECK-LABEL: @grouped
// CHECK: tensor.expand_shape {{.*}} into tensor<2x3x2x3xf32>
// CHECK: aot.kernel "conv" {{.*}} maps [#[[GROUPED]], #[[GROUPS]], #[[RESULT]]]
func.func @grouped(%x: tensor<1x4x8xf32>, %w: tensor<6x2x3xf32>) -> tensor<1x6x6xf32> {
  %y = "onnx.Conv"(%x, %w) {group = 2 : i64} : (tensor<1x4x8xf32>, tensor<6x2x3xf32>) -> tensor<1x6x6xf32>
  return %y : tensor<1x6x6xf32>
}

// Data spread by the strides, weights reversed.
// CHECK-LABEL: @transposed
// CHECK: tensor.insert_slice %{{.*}}[0, 0, 0] [1, 1, 4] [1, 1, 2] : tensor<1x1x4xf32> into tensor<1x1x7xf32>
// CHECK: aot.kernel "conv"
func.func @transposed(%x: tensor<1x1x4xf32>, %w: tensor<1x1x3xf32>) -> tensor<1x1x9xf32> {
  %y = "onnx.ConvTranspose"(%x, %w) {strides = array<i64: 2>}
      : (tensor<1x1x4xf32>, tensor<1x1x3xf32>) -> tensor<1x1x9xf32>
  return %y : tensor<1x1x9xf32>
}

// Constant weights: a convolution per phase of the result, here of two taps (1 and 3, in the order in which they meet the
// data) and of one (2), whose results alternate.
// CHECK-LABEL: @phases
// CHECK-DAG: %[[ONE:.*]] = arith.constant dense<2.000000e+00> : tensor<1x1x1xf32>
// CHECK-DAG: %[[TWO:.*]] = arith.constant dense<{{\[\[}}[3.000000e+00, 1.000000e+00]]]> : tensor<1x1x2xf32>
// CHECK: %[[PADDED:.*]] = tensor.insert_slice %arg0 into %{{.*}}[0, 0, 1] [1, 1, 4] [1, 1, 1] : tensor<1x1x4xf32> into tensor<1x1x6xf32>
// CHECK: %[[EVEN:.*]] = aot.kernel "conv" ins(%[[PADDED]], %[[TWO]] :
// CHECK: tensor.insert_slice %[[EVEN]] into %{{.*}}[0, 0, 0] [1, 1, 5] [1, 1, 2]
// CHECK: %[[ODD:.*]] = aot.kernel "conv" ins(%arg0, %[[ONE]] :
// CHECK: tensor.insert_slice %[[ODD]] into %{{.*}}[0, 0, 1] [1, 1, 4] [1, 1, 2]
func.func @phases(%x: tensor<1x1x4xf32>) -> tensor<1x1x9xf32> {
  %w = onnx.Constant {value = dense<[[[1.0, 2.0, 3.0]]]> : tensor<1x1x3xf32>} : tensor<1x1x3xf32>
  %y = "onnx.ConvTranspose"(%x, %w) {strides = array<i64: 2>}
      : (tensor<1x1x4xf32>, tensor<1x1x3xf32>) -> tensor<1x1x9xf32>
  return %y : tensor<1x1x9xf32>
}

// Padding holds the zero point; what is subtracted in the reduction makes it vanish.
// CHECK-LABEL: @integer
// CHECK: %[[ZERO:.*]] = tensor.extract %arg2[]
// CHECK: linalg.fill ins(%[[ZERO]] : i8)
// CHECK: aot.kernel "conv" {{.*}} identity 0 : i32
// CHECK: arith.extui
// CHECK: arith.subi
// CHECK: arith.muli
func.func @integer(%x: tensor<1x1x4xui8>, %w: tensor<2x1x2xui8>, %zero: tensor<ui8>) -> tensor<1x2x5xi32> {
  %y = "onnx.ConvInteger"(%x, %w, %zero) {pads = array<i64: 1, 1>, operandSegmentSizes = array<i32: 1, 1, 1, 0>}
      : (tensor<1x1x4xui8>, tensor<2x1x2xui8>, tensor<ui8>) -> tensor<1x2x5xi32>
  return %y : tensor<1x2x5xi32>
}

// Zeros before the input stand for the past.
// CHECK-LABEL: @causal
// CHECK: aot.kernel "conv"
// CHECK-SAME: tensor<1x2x7xf32>
// CHECK: tensor.extract_slice %{{.*}}[0, 0, 5] [1, 2, 2]
func.func @causal(%x: tensor<1x2x5xf32>, %w: tensor<2x1x3xf32>) -> (tensor<1x2x5xf32>, tensor<1x2x2xf32>) {
  %0:2 = "onnx.CausalConvWithState"(%x, %w) {activation = "silu", operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<1x2x5xf32>, tensor<2x1x3xf32>) -> (tensor<1x2x5xf32>, tensor<1x2x2xf32>)
  return %0#0, %0#1 : tensor<1x2x5xf32>, tensor<1x2x2xf32>
}
