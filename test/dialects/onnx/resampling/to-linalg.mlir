// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(aot-onnx-to-linalg,canonicalize)' | FileCheck %s
// Integer scales have phases, others constant tables of positions and weights.

// CHECK-LABEL: @nearest
// CHECK-NOT: linalg.generic
// CHECK: aot.resample %arg0 : tensor<3x2xf32> outs(%{{.*}} : tensor<3x4xf32>)
// CHECK-SAME: [#aot.sampling<axis = 1, taps = 1, window = 1, scale = 2, offsets = [0, 0]>] moves maps []
func.func @nearest(%x: tensor<3x2xf32>) -> tensor<3x4xf32> {
  %s = onnx.Constant {value = dense<[1.0, 2.0]> : tensor<2xf32>} : tensor<2xf32>
  %y = "onnx.Resize"(%x, %s) {operandSegmentSizes = array<i32: 1, 0, 1, 0>}
      : (tensor<3x2xf32>, tensor<2xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// Rows that are made longer are kept, as many as a row of the result reads.
// CHECK-LABEL: @linear
// CHECK-DAG: %[[LEFT:.*]] = arith.constant dense<[0, 2]> : tensor<2xi32>
// CHECK-DAG: %[[RIGHT:.*]] = arith.constant dense<[1, 3]> : tensor<2xi32>
// CHECK: aot.resample %arg0 : tensor<2x4xf32> tables(%[[LEFT]], %[[RIGHT]],
// CHECK-SAME: outs(%{{.*}}, %{{.*}} : tensor<4x2xf32>, tensor<2x2xf32>)
// CHECK-SAME: window = 2, scale = 2, offsets = [-1, 0, 0, 1], weights = [2.500000e-01, 7.500000e-01, 7.500000e-01, 2.500000e-01]>
// CHECK-SAME: #aot.sampling<axis = 1, taps = 2, window = 2>] maps []
func.func @linear(%x: tensor<2x4xf32>) -> tensor<4x2xf32> {
  %s = onnx.Constant {value = dense<[2.0, 0.5]> : tensor<2xf32>} : tensor<2xf32>
  %y = "onnx.Resize"(%x, %s) {mode = "linear", operandSegmentSizes = array<i32: 1, 0, 1, 0>}
      : (tensor<2x4xf32>, tensor<2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// Rows that become fewer are summed before they are made longer.
// CHECK-LABEL: @rows_first
// CHECK: aot.resample {{.*}} outs(%{{.*}}, %{{.*}} : tensor<2x12xf32>, tensor<1x4xf32>)
// CHECK-SAME: rows_first
func.func @rows_first(%x: tensor<4x4xf32>) -> tensor<2x12xf32> {
  %s = onnx.Constant {value = dense<[0.5, 3.0]> : tensor<2xf32>} : tensor<2xf32>
  %y = "onnx.Resize"(%x, %s) {mode = "cubic", operandSegmentSizes = array<i32: 1, 0, 1, 0>}
      : (tensor<4x4xf32>, tensor<2xf32>) -> tensor<2x12xf32>
  return %y : tensor<2x12xf32>
}

// Weights that differ at the borders have tables, whatever the scale.
// CHECK-LABEL: @excludes_outside
// CHECK: aot.resample {{.*}} tables(
// CHECK-SAME: [#aot.sampling<axis = 0, taps = 4, window = 4>]
func.func @excludes_outside(%x: tensor<8xf32>) -> tensor<16xf32> {
  %s = onnx.Constant {value = dense<2.0> : tensor<1xf32>} : tensor<1xf32>
  %y = "onnx.Resize"(%x, %s) {mode = "cubic", exclude_outside = 1 : i64, operandSegmentSizes = array<i32: 1, 0, 1, 0>}
      : (tensor<8xf32>, tensor<1xf32>) -> tensor<16xf32>
  return %y : tensor<16xf32>
}

// The first of three axes goes by itself, the others together.
// CHECK-LABEL: @three_axes
// CHECK: aot.resample %arg0 : tensor<2x4x4xf32> outs(%{{.*}} : tensor<4x4x4xf32>) [#aot.sampling<axis = 0
// CHECK: aot.resample {{.*}} : tensor<4x4x4xf32> outs(%{{.*}}, %{{.*}} : tensor<4x8x8xf32>, tensor<2x8xf32>)
func.func @three_axes(%x: tensor<2x4x4xf32>) -> tensor<4x8x8xf32> {
  %s = onnx.Constant {value = dense<2.0> : tensor<3xf32>} : tensor<3xf32>
  %y = "onnx.Resize"(%x, %s) {mode = "linear", operandSegmentSizes = array<i32: 1, 0, 1, 0>}
      : (tensor<2x4x4xf32>, tensor<3xf32>) -> tensor<4x8x8xf32>
  return %y : tensor<4x8x8xf32>
}

// What is not computed in its own type is read by one gather per axis, and so are regions.
// CHECK-LABEL: @halves
// CHECK-NOT: aot.resample
// CHECK: tensor.extract %arg0
func.func @halves(%x: tensor<4xf16>) -> tensor<8xf16> {
  %s = onnx.Constant {value = dense<2.0> : tensor<1xf32>} : tensor<1xf32>
  %y = "onnx.Resize"(%x, %s) {mode = "linear", operandSegmentSizes = array<i32: 1, 0, 1, 0>}
      : (tensor<4xf16>, tensor<1xf32>) -> tensor<8xf16>
  return %y : tensor<8xf16>
}

// CHECK-LABEL: @region
// CHECK-NOT: aot.resample
// CHECK: tensor.extract %arg0
func.func @region(%x: tensor<8xf32>) -> tensor<8xf32> {
  %r = onnx.Constant {value = dense<[1.0, 0.0]> : tensor<2xf32>} : tensor<2xf32>
  %n = onnx.Constant {value = dense<8> : tensor<1xi64>} : tensor<1xi64>
  %y = "onnx.Resize"(%x, %r, %n) {coordinate_transformation_mode = "tf_crop_and_resize", operandSegmentSizes = array<i32: 1, 1, 0, 1>}
      : (tensor<8xf32>, tensor<2xf32>, tensor<1xi64>) -> tensor<8xf32>
  return %y : tensor<8xf32>
}

// Scales that are not constant fill the tables when the model runs.
// CHECK-LABEL: @runtime
// CHECK: linalg.generic {{.*}} outs({{.*}} : tensor<4xi32>)
// CHECK: tensor.extract %arg1
// CHECK: math.ceil
// CHECK: aot.resample %arg0 : tensor<2xf32> tables(%{{.*}} : tensor<4xi32>) outs({{.*}} : tensor<4xf32>)
func.func @runtime(%x: tensor<2xf32>, %s: tensor<1xf32>) -> tensor<4xf32> {
  %y = "onnx.Resize"(%x, %s) {operandSegmentSizes = array<i32: 1, 0, 1, 0>} : (tensor<2xf32>, tensor<1xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// Every position that the grid gives is brought inside before anything is read.
// CHECK-LABEL: @grid
// CHECK: linalg.generic
// CHECK: tensor.extract %arg1
// CHECK: math.roundeven
// CHECK: arith.fptosi
// CHECK: tensor.extract %arg0
func.func @grid(%x: tensor<1x1x4x4xf32>, %g: tensor<1x2x2x2xf32>) -> tensor<1x1x2x2xf32> {
  %y = "onnx.GridSample"(%x, %g) {mode = "nearest", padding_mode = "border"}
      : (tensor<1x1x4x4xf32>, tensor<1x2x2x2xf32>) -> tensor<1x1x2x2xf32>
  return %y : tensor<1x1x2x2xf32>
}

// -----

// The last column of theta is the offset.
// CHECK-LABEL: @affine_grid
// CHECK: linalg.generic
// CHECK-COUNT-2: math.fma
func.func @affine_grid(%theta: tensor<2x2x3xf32>, %size: tensor<4xi64>) -> tensor<2x5x7x2xf32> {
  %0 = "onnx.AffineGrid"(%theta, %size) : (tensor<2x2x3xf32>, tensor<4xi64>) -> tensor<2x5x7x2xf32>
  return %0 : tensor<2x5x7x2xf32>
}
