// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(aot-onnx-to-linalg,canonicalize)' | FileCheck %s
// Positions and weights are constant tables.

// CHECK-LABEL: @nearest
// CHECK: arith.constant dense<[0, 0, 1, 1]> : tensor<4xi32>
// CHECK: linalg.generic
// CHECK: tensor.extract %arg0
// CHECK-NOT: linalg.generic
func.func @nearest(%x: tensor<3x2xf32>) -> tensor<3x4xf32> {
  %s = onnx.Constant {value = dense<[1.0, 2.0]> : tensor<2xf32>} : tensor<2xf32>
  %y = "onnx.Resize"(%x, %s) {operandSegmentSizes = array<i32: 1, 0, 1, 0>}
      : (tensor<3x2xf32>, tensor<2xf32>) -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// The shrinking axis comes first.
// CHECK-LABEL: @linear
// CHECK: linalg.generic {{.*}} outs({{.*}} : tensor<2x2xf32>)
// CHECK: math.fma
// CHECK: linalg.generic {{.*}} outs({{.*}} : tensor<4x2xf32>)
// CHECK: math.fma
func.func @linear(%x: tensor<2x4xf32>) -> tensor<4x2xf32> {
  %s = onnx.Constant {value = dense<[2.0, 0.5]> : tensor<2xf32>} : tensor<2xf32>
  %y = "onnx.Resize"(%x, %s) {mode = "linear", operandSegmentSizes = array<i32: 1, 0, 1, 0>}
      : (tensor<2x4xf32>, tensor<2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// Scales that are not constant fill the tables when the model runs.
// CHECK-LABEL: @runtime
// CHECK: linalg.generic {{.*}} outs({{.*}} : tensor<4xi32>)
// CHECK: tensor.extract %arg1
// CHECK: math.ceil
// CHECK: linalg.generic {{.*}} outs({{.*}} : tensor<4xf32>)
// CHECK: tensor.extract %arg0
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
