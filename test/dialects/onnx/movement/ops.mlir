// Attributes survive a round trip.
// RUN: onnx-aot-opt %s | onnx-aot-opt | FileCheck %s

// CHECK-LABEL: @ops
func.func @ops(%x: tensor<2x3xf32>, %s: tensor<2xi64>) {
  // CHECK: "onnx.Transpose"(%{{.*}}) <{perm = array<i64: 1, 0>}>
  %0 = "onnx.Transpose"(%x) {perm = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  // CHECK: "onnx.Concat"(%{{.*}}) <{axis = -1 : i64}>
  %1 = "onnx.Concat"(%x, %x) {axis = -1 : i64} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x6xf32>
  // CHECK: "onnx.Pad"({{.*}}) <{mode = "edge", operandSegmentSizes = array<i32: 1, 1, 0, 0>}>
  %2 = "onnx.Pad"(%x, %s) {mode = "edge", operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<*xf32>
  return
}
