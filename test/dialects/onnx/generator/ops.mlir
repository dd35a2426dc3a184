// RUN: onnx-aot-opt %s | onnx-aot-opt | FileCheck %s

// CHECK-LABEL: @ops
func.func @ops(%x: tensor<2x3xf32>, %s: tensor<2xi64>) {
  // CHECK: onnx.Constant {value = dense<1.000000e+00> : tensor<2xf32>} : tensor<2xf32>
  %0 = onnx.Constant {value = dense<1.0> : tensor<2xf32>} : tensor<2xf32>
  // CHECK: "onnx.EyeLike"(%{{.*}}) <{k = -1 : i64}>
  %1 = "onnx.EyeLike"(%x) {k = -1 : i64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: "onnx.ConstantOfShape"
  %2 = "onnx.ConstantOfShape"(%s) : (tensor<2xi64>) -> tensor<?x?xf32>
  return
}
