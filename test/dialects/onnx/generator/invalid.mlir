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

// -----

func.func @random_integers() -> tensor<*xi32> {
  // expected-error @+1 {{dtype is not a floating-point type's}}
  %0 = "onnx.RandomUniform"() {dtype = 6 : i64, shape = array<i64: 2>} : () -> tensor<*xi32>
  return %0 : tensor<*xi32>
}

// -----

func.func @random_like(%x: tensor<3xi32>) -> tensor<*xi32> {
  // expected-error @+1 {{without dtype the input must be of a floating-point type}}
  %0 = "onnx.RandomNormalLike"(%x) : (tensor<3xi32>) -> tensor<*xi32>
  return %0 : tensor<*xi32>
}
