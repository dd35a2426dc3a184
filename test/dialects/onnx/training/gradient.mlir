// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-expand-functions))' --split-input-file --verify-diagnostics | FileCheck %s

// d (a + b) * a: a receives what comes over both ways.
// CHECK-LABEL: @two_ways
func.func @two_ways(%a: tensor<f32>, %b: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
  // CHECK: %[[SUM:.*]] = "onnx.Add"(%arg0, %arg1)
  %c = "onnx.Add"(%a, %b) : (tensor<f32>, tensor<f32>) -> tensor<f32>
  // CHECK: "onnx.Mul"(%[[SUM]], %arg0)
  %d = "onnx.Mul"(%c, %a) : (tensor<f32>, tensor<f32>) -> tensor<f32>
  // CHECK: %[[ONE:.*]] = onnx.Constant {value = dense<1.000000e+00>
  // CHECK: %[[BYSUM:.*]] = "onnx.Mul"(%[[ONE]], %arg0)
  // CHECK: %[[DIRECT:.*]] = "onnx.Mul"(%[[ONE]], %[[SUM]])
  // CHECK: %[[BYA:.*]] = "onnx.Add"(%[[DIRECT]], %[[BYSUM]])
  // CHECK: return %[[BYA]], %[[BYSUM]]
  %0:2 = "onnx.ai_onnx_preview_training.Gradient"(%a, %b, %a, %b, %d) {xs = ["a", "b"], y = "d"}
      : (tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>, tensor<f32>) -> (tensor<f32>, tensor<f32>)
  return %0#0, %0#1 : tensor<f32>, tensor<f32>
}

// -----

func.func @unsupported(%a: tensor<2xf32>) -> tensor<2xf32> {
  %axis = "onnx.Constant"() {value = dense<0> : tensor<i64>} : () -> tensor<i64>
  %y = "onnx.CumSum"(%a, %axis) : (tensor<2xf32>, tensor<i64>) -> tensor<2xf32>
  // expected-error @+1 {{unsupported: the derivative of CumSum; supported are arithmetic, activations, MatMul}}
  %0 = "onnx.ai_onnx_preview_training.Gradient"(%a, %a, %y) {xs = ["a"], y = "y"}
      : (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}
