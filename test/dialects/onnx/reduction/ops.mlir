// RUN: onnx-aot-opt %s | onnx-aot-opt | FileCheck %s

// CHECK-LABEL: @ops
func.func @ops(%x: tensor<2x3xf32>, %k: tensor<1xi64>) {
  // CHECK: "onnx.ReduceMean"(%{{.*}}) <{keepdims = 0 : i64,{{.*}}
  %0 = "onnx.ReduceMean"(%x) {keepdims = 0 : i64} : (tensor<2x3xf32>) -> tensor<f32>
  // CHECK: "onnx.ArgMax"(%{{.*}}) <{axis = 1 : i64, keepdims = 1 : i64, select_last_index = 1 : i64}>
  %1 = "onnx.ArgMax"(%x) {axis = 1 : i64, select_last_index = 1 : i64} : (tensor<2x3xf32>) -> tensor<2x1xi64>
  // CHECK: "onnx.TopK"
  %2:2 = "onnx.TopK"(%x, %k) : (tensor<2x3xf32>, tensor<1xi64>) -> (tensor<2x?xf32>, tensor<2x?xi64>)
  return
}
