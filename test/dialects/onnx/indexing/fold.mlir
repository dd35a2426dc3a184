// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-infer-shapes))' | FileCheck %s

// Negative indices count from the end.
// CHECK-LABEL: @gather
func.func @gather() -> tensor<2xi64> {
  %x = onnx.Constant {value = dense<[5, 6, 7]> : tensor<3xi64>} : tensor<3xi64>
  %i = onnx.Constant {value = dense<[-1, 0]> : tensor<2xi64>} : tensor<2xi64>
  // CHECK: dense<[7, 5]>
  %y = "onnx.Gather"(%x, %i) : (tensor<3xi64>, tensor<2xi64>) -> tensor<2xi64>
  return %y : tensor<2xi64>
}

// CHECK-LABEL: @nonzero
func.func @nonzero() -> tensor<*xi64> {
  %x = onnx.Constant {value = dense<[[0.0, 1.0, -2.0], [-0.0, 0.0, 3.0]]> : tensor<2x3xf32>} : tensor<2x3xf32>
  // CHECK{LITERAL}: dense<[[0, 0, 1], [1, 2, 2]]> : tensor<2x3xi64>
  %y = "onnx.NonZero"(%x) : (tensor<2x3xf32>) -> tensor<*xi64>
  return %y : tensor<*xi64>
}
