// RUN: onnx-aot-opt %s | onnx-aot-opt | FileCheck %s

// CHECK-LABEL: @ops
func.func @ops(%x: tensor<2x3xf32>, %s: tensor<3xf32>, %z: tensor<3xi8>) -> tensor<2x3xf32> {
  // CHECK: "onnx.QuantizeLinear"(%arg0, %arg1, %arg2) <{axis = -1 : i64
  %0 = "onnx.QuantizeLinear"(%x, %s, %z) {axis = -1 : i64} : (tensor<2x3xf32>, tensor<3xf32>, tensor<3xi8>) -> tensor<2x3xi8>
  // CHECK: "onnx.DequantizeLinear"(%{{.*}}, %arg1, %arg2)
  %1 = "onnx.DequantizeLinear"(%0, %s, %z) : (tensor<2x3xi8>, tensor<3xf32>, tensor<3xi8>) -> tensor<2x3xf32>
  return %1 : tensor<2x3xf32>
}
