// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-infer-shapes))' | FileCheck %s

// CHECK-LABEL: @broadcast
func.func @broadcast(%x: tensor<2x1x?xf32>, %y: tensor<3x1xf32>, %c: tensor<5x1x1x1xi1>) -> (tensor<*xi1>, tensor<*xf32>, tensor<*xi64>) {
  // CHECK: "onnx.Less"({{.*}}) -> tensor<2x3x?xi1>
  %0 = "onnx.Less"(%x, %y) : (tensor<2x1x?xf32>, tensor<3x1xf32>) -> tensor<*xi1>
  // CHECK: "onnx.Where"({{.*}}) -> tensor<5x2x3x?xf32>
  %1 = "onnx.Where"(%c, %x, %y) : (tensor<5x1x1x1xi1>, tensor<2x1x?xf32>, tensor<3x1xf32>) -> tensor<*xf32>
  // CHECK: "onnx.Cast"({{.*}}to = 7 : i64}> : (tensor<5x2x3x?xf32>) -> tensor<5x2x3x?xi64>
  %2 = "onnx.Cast"(%1) {to = 7 : i64} : (tensor<*xf32>) -> tensor<*xi64>
  return %0, %1, %2 : tensor<*xi1>, tensor<*xf32>, tensor<*xi64>
}

// The types of base and exponent may differ.
// CHECK-LABEL: @pow
func.func @pow(%x: tensor<2xf32>, %y: tensor<2xi64>) -> tensor<*xf32> {
  // CHECK: -> tensor<2xf32>
  %0 = "onnx.Pow"(%x, %y) : (tensor<2xf32>, tensor<2xi64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}
