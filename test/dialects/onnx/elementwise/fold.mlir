// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-infer-shapes))' | FileCheck %s
// Constants are folded by running the scalar bodies; numerics.test compares many more of their values.

// Broadcasting, also where the result had no rank.
// CHECK-LABEL: @broadcast
// CHECK: onnx.Constant {value = dense<{{\[\[}}1, 3], [-1, -3]]> : tensor<2x2xi64>}
func.func @broadcast() -> tensor<*xi64> {
  %a = onnx.Constant {value = dense<[[2], [-2]]> : tensor<2x1xi64>} : tensor<2x1xi64>
  %b = onnx.Constant {value = dense<[3, 7]> : tensor<2xi64>} : tensor<2xi64>
  %c = onnx.Constant {value = dense<4> : tensor<i64>} : tensor<i64>
  %0 = "onnx.Mul"(%a, %b) : (tensor<2x1xi64>, tensor<2xi64>) -> tensor<*xi64>
  %1 = "onnx.Div"(%0, %c) : (tensor<*xi64>, tensor<i64>) -> tensor<*xi64>
  return %1 : tensor<*xi64>
}

// CHECK-LABEL: @cast
// CHECK: value = dense<[1.500000e+00, 6.550400e+04, 0x7C00]> : tensor<3xf16>
func.func @cast() -> tensor<3xf16> {
  %a = onnx.Constant {value = dense<[1.5, 65519.0, 65520.0]> : tensor<3xf32>} : tensor<3xf32>
  %0 = "onnx.Cast"(%a) {to = 10 : i64} : (tensor<3xf32>) -> tensor<3xf16>
  return %0 : tensor<3xf16>
}

// CHECK-LABEL: @same_type
// CHECK-NEXT: return %arg0
func.func @same_type(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = "onnx.Identity"(%x) : (tensor<2xf32>) -> tensor<2xf32>
  %1 = "onnx.Cast"(%0) {to = 1 : i64} : (tensor<2xf32>) -> tensor<2xf32>
  %2 = "onnx.CastLike"(%1, %x) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %2 : tensor<2xf32>
}

// Above 1 KB arithmetic stays in the program, while a float weight is widened at any size.
// CHECK-LABEL: @large
// CHECK: value = dense_resource<cast> : tensor<600xf32>
// CHECK: onnx.Add
func.func @large() -> (tensor<600xf16>, tensor<600xf32>) {
  %a = onnx.Constant {value = dense<1.5> : tensor<600xf16>} : tensor<600xf16>
  %0 = "onnx.Add"(%a, %a) : (tensor<600xf16>, tensor<600xf16>) -> tensor<600xf16>
  %1 = "onnx.Cast"(%a) {to = 1 : i64} : (tensor<600xf16>) -> tensor<600xf32>
  return %0, %1 : tensor<600xf16>, tensor<600xf32>
}
