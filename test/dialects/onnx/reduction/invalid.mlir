// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-infer-shapes))' --split-input-file --verify-diagnostics

func.func @axis(%x: tensor<2x3xf32>) {
  %a = onnx.Constant {value = dense<2> : tensor<1xi64>} : tensor<1xi64>
  // expected-error @+1 {{axis 2 is outside a tensor of rank 2}}
  %y = "onnx.ReduceSum"(%x, %a) : (tensor<2x3xf32>, tensor<1xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @twice(%x: tensor<2x3xf32>) {
  %a = onnx.Constant {value = dense<[1, -1]> : tensor<2xi64>} : tensor<2xi64>
  // expected-error @+1 {{an axis appears twice}}
  %y = "onnx.ReduceMax"(%x, %a) : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @empty(%x: tensor<2x0xf32>) {
  // expected-error @+1 {{axis 1 is empty}}
  %y = "onnx.ArgMin"(%x) {axis = 1 : i64} : (tensor<2x0xf32>) -> tensor<*xi64>
  return
}

// -----

func.func @topk(%x: tensor<2x3xf32>) {
  %k = onnx.Constant {value = dense<4> : tensor<1xi64>} : tensor<1xi64>
  // expected-error @+1 {{K is 4 for an axis of 3}}
  %y:2 = "onnx.TopK"(%x, %k) : (tensor<2x3xf32>, tensor<1xi64>) -> (tensor<*xf32>, tensor<*xi64>)
  return
}
