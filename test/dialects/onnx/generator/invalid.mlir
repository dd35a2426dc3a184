// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-infer-shapes))' --split-input-file --verify-diagnostics

func.func @range() {
  %a = onnx.Constant {value = dense<1> : tensor<i64>} : tensor<i64>
  %zero = onnx.Constant {value = dense<0> : tensor<i64>} : tensor<i64>
  // expected-error @+1 {{delta is 0}}
  %y = "onnx.Range"(%a, %a, %zero) : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<*xi64>
  return
}

// -----

func.func @negative() {
  %s = onnx.Constant {value = dense<-3> : tensor<1xi64>} : tensor<1xi64>
  // expected-error @+1 {{the shape has the extent -3}}
  %y = "onnx.ConstantOfShape"(%s) : (tensor<1xi64>) -> tensor<*xf32>
  return
}
