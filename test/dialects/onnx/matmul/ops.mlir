// RUN: onnx-aot-opt %s | onnx-aot-opt | FileCheck %s

// CHECK-LABEL: @ops
func.func @ops(%a: tensor<2x3xui8>, %b: tensor<3x4xi8>, %s: tensor<f32>, %z: tensor<ui8>, %w: tensor<4xi8>, %m: tensor<2x3x3xf32>) {
  // CHECK: "onnx.MatMulInteger"(%arg0, %arg1, %arg4) <{operandSegmentSizes = array<i32: 1, 1, 0, 1>}>
  %0 = "onnx.MatMulInteger"(%a, %b, %w) {operandSegmentSizes = array<i32: 1, 1, 0, 1>} : (tensor<2x3xui8>, tensor<3x4xi8>, tensor<4xi8>) -> tensor<2x4xi32>
  // CHECK: "onnx.QLinearMatMul"
  %1 = "onnx.QLinearMatMul"(%a, %s, %z, %b, %s, %w, %s, %z) : (tensor<2x3xui8>, tensor<f32>, tensor<ui8>, tensor<3x4xi8>, tensor<f32>, tensor<4xi8>, tensor<f32>, tensor<ui8>) -> tensor<2x4xui8>
  // CHECK: "onnx.Einsum"(%arg5, %arg5) <{equation = "...ij,...jk"}>
  %2 = "onnx.Einsum"(%m, %m) {equation = "...ij,...jk"} : (tensor<2x3x3xf32>, tensor<2x3x3xf32>) -> tensor<2x3x3xf32>
  // CHECK: "onnx.Det"(%arg5)
  %3 = "onnx.Det"(%m) : (tensor<2x3x3xf32>) -> tensor<2xf32>
  return
}
