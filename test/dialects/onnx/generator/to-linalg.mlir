// RUN: onnx-aot-opt %s --aot-onnx-to-linalg --canonicalize | FileCheck %s

// CHECK-LABEL: @fill
func.func @fill(%s: tensor<2xi64>) -> tensor<2x3xf32> {
  // CHECK: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
  // CHECK: linalg.fill ins(%[[ZERO]] : f32)
  %y = "onnx.ConstantOfShape"(%s) : (tensor<2xi64>) -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}

// CHECK-LABEL: @eye
func.func @eye(%x: tensor<3x3xi32>) -> tensor<3x3xi32> {
  // CHECK: linalg.index 0
  // CHECK: linalg.index 1
  // CHECK: arith.cmpi eq
  %y = "onnx.EyeLike"(%x) : (tensor<3x3xi32>) -> tensor<3x3xi32>
  return %y : tensor<3x3xi32>
}
