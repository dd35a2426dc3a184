// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-infer-shapes))' | FileCheck %s

// CHECK-LABEL: @range
func.func @range() -> tensor<*xi64> {
  %start = onnx.Constant {value = dense<10> : tensor<i64>} : tensor<i64>
  %limit = onnx.Constant {value = dense<4> : tensor<i64>} : tensor<i64>
  %delta = onnx.Constant {value = dense<-3> : tensor<i64>} : tensor<i64>
  // CHECK: dense<[10, 7]> : tensor<2xi64>
  %y = "onnx.Range"(%start, %limit, %delta) : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<*xi64>
  return %y : tensor<*xi64>
}

// CHECK-LABEL: @fill
func.func @fill() -> tensor<*xi32> {
  %s = onnx.Constant {value = dense<[2, 3]> : tensor<2xi64>} : tensor<2xi64>
  // CHECK: dense<7> : tensor<2x3xi32>
  %y = "onnx.ConstantOfShape"(%s) {value = dense<7> : tensor<1xi32>} : (tensor<2xi64>) -> tensor<*xi32>
  return %y : tensor<*xi32>
}

// CHECK-LABEL: @window
func.func @window() -> tensor<*xf32> {
  %n = onnx.Constant {value = dense<4> : tensor<i64>} : tensor<i64>
  // CHECK: dense<[0.000000e+00, 5.000000e-01, 1.000000e+00, 5.000000e-01]> : tensor<4xf32>
  %y = "onnx.HannWindow"(%n) : (tensor<i64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}
