// RUN: onnx-aot-opt %s | onnx-aot-opt | FileCheck %s

// CHECK-LABEL: @ops
func.func @ops(%x: tensor<4x3xf32>, %i: tensor<2xi64>, %u: tensor<2x3xf32>, %n: tensor<2x1xi64>) {
  // CHECK: "onnx.Gather"({{.*}}) <{axis = 0 : i64}>
  %0 = "onnx.Gather"(%x, %i) {axis = 0 : i64} : (tensor<4x3xf32>, tensor<2xi64>) -> tensor<2x3xf32>
  // CHECK: "onnx.ScatterND"({{.*}}) <{reduction = "add"}>
  %1 = "onnx.ScatterND"(%x, %n, %u) {reduction = "add"} : (tensor<4x3xf32>, tensor<2x1xi64>, tensor<2x3xf32>) -> tensor<4x3xf32>
  return
}
