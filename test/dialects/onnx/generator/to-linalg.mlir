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

// -----

// The element's number is mixed, and 24 of its bits are compared with the probability.
// CHECK-LABEL: @bernoulli
// CHECK: linalg.index 0
// CHECK: arith.xori
// CHECK: arith.shrui %{{.*}}, %{{.*}} : i64
// CHECK: arith.cmpf olt
func.func @bernoulli(%p: tensor<7xf32>) -> tensor<7xi1> {
  %0 = "onnx.Bernoulli"(%p) {dtype = 9 : i64, seed = 1.0 : f32} : (tensor<7xf32>) -> tensor<7xi1>
  return %0 : tensor<7xi1>
}

// -----

// CHECK-LABEL: @normal
// CHECK: math.log
// CHECK: math.sqrt
// CHECK: math.cos
func.func @normal() -> tensor<3x5xf32> {
  %0 = "onnx.RandomNormal"() {shape = array<i64: 3, 5>} : () -> tensor<3x5xf32>
  return %0 : tensor<3x5xf32>
}
