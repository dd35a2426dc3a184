// RUN: onnx-aot-opt %s | onnx-aot-opt | FileCheck %s

// CHECK-LABEL: @ops
func.func @ops(%x: tensor<2x3xf32>, %y: tensor<3xf32>, %i: tensor<4xui8>) -> tensor<2x3xf16> {
  // CHECK: "onnx.Add"(%arg0, %arg1)
  %0 = "onnx.Add"(%x, %y) : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  // CHECK: "onnx.Max"(%{{.*}}, %arg0, %arg1)
  %1 = "onnx.Max"(%0, %x, %y) : (tensor<2x3xf32>, tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %limit = onnx.Constant {value = dense<6.0> : tensor<f32>} : tensor<f32>
  // CHECK: "onnx.Clip"(%{{.*}}, %{{.*}}) <{operandSegmentSizes = array<i32: 1, 0, 1>}>
  %2 = "onnx.Clip"(%1, %limit) {operandSegmentSizes = array<i32: 1, 0, 1>} : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  // CHECK: "onnx.BitShift"(%arg2, %arg2) <{direction = "LEFT"}>
  %3 = "onnx.BitShift"(%i, %i) {direction = "LEFT"} : (tensor<4xui8>, tensor<4xui8>) -> tensor<4xui8>
  // CHECK: "onnx.Cast"(%{{.*}}) <{{{.*}}to = 10 : i64}>
  %4 = "onnx.Cast"(%2) {to = 10 : i64} : (tensor<2x3xf32>) -> tensor<2x3xf16>
  return %4 : tensor<2x3xf16>
}
