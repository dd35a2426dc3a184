// RUN: onnx-aot-opt %s | onnx-aot-opt | FileCheck %s

// CHECK-LABEL: @ops
func.func @ops(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  // CHECK: "onnx.Relu"(%arg0)
  %0 = "onnx.Relu"(%x) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: "onnx.Gelu"(%{{.*}}) <{approximate = "tanh"}>
  %1 = "onnx.Gelu"(%0) {approximate = "tanh"} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: "onnx.Softmax"(%{{.*}}) <{axis = 0 : i64}>
  %2 = "onnx.Softmax"(%1) {axis = 0 : i64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %2 : tensor<2x3xf32>
}
