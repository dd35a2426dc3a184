// Types follow the axes; reductions of shapes fold.
// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-infer-shapes))' | FileCheck %s

// CHECK-LABEL: @types
func.func @types(%x: tensor<2x3x4xf32>) -> tensor<*xf32> {
  %a = onnx.Constant {value = dense<[-1, 0]> : tensor<2xi64>} : tensor<2xi64>
  // CHECK: "onnx.ReduceSum"{{.*}} -> tensor<3xf32>
  %y = "onnx.ReduceSum"(%x, %a) {keepdims = 0 : i64} : (tensor<2x3x4xf32>, tensor<2xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// CHECK-LABEL: @elements
func.func @elements(%x: tensor<2x3x4xf32>) -> tensor<1xi64> {
  %shape = "onnx.Shape"(%x) : (tensor<2x3x4xf32>) -> tensor<3xi64>
  // CHECK: dense<24> : tensor<1xi64>
  %y = "onnx.ReduceProd"(%shape) : (tensor<3xi64>) -> tensor<1xi64>
  return %y : tensor<1xi64>
}
