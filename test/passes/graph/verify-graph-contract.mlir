// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-verify-graph-contract))' --split-input-file --verify-diagnostics
// What stays open is the user's to fix (inputs) or ours to support (a shape that depends on data), and is named.

func.func @symbolic(%x: tensor<?x3x?xf32> {onnx.name = "image", onnx.dim_names = ["batch", "", "width"]}) -> tensor<?x3x?xf32> {
  %y = "onnx.Relu"(%x) : (tensor<?x3x?xf32>) -> tensor<?x3x?xf32>
  return %y : tensor<?x3x?xf32>
}

// -----

// expected-error @+1 {{unsupported: input "x" has no fixed number of dimensions; fix them with --shape x=AxB...}}
func.func @unranked(%x: tensor<*xf32> {onnx.name = "x"}) -> tensor<*xf32> {
  return %x : tensor<*xf32>
}

// -----

// Only the first open result is reported: the others follow from it.
func.func @open_result(%x: tensor<4xf32>, %shape: tensor<?xi64> {onnx.dim_names = ["rank"]}) -> tensor<*xf32> {
  // expected-error @+1 {{unsupported: the number of dimensions of the result depends on data}}
  %open = "onnx.Reshape"(%x, %shape) : (tensor<4xf32>, tensor<?xi64>) -> tensor<*xf32>
  %y = "onnx.Neg"(%open) : (tensor<*xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

func.func @fixed(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = "onnx.Relu"(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// Nothing says how a caller stores these.
// expected-error @+3 {{unsupported: input "x" has elements of type 'ui3'; supported are bool and numbers}}
// expected-error @+2 {{unsupported: input "z" has elements of type 'f6E2M3FN'}}
// expected-error @+1 {{unsupported: output "y" has elements of type 'f6E2M3FN'; supported are bool and numbers}}
func.func @not_stored(%x: tensor<4xui3> {onnx.name = "x"}, %z: tensor<2xf6E2M3FN> {onnx.name = "z"}) -> (tensor<2xf32>, tensor<2xf6E2M3FN> {onnx.name = "y"}) {
  %y = "onnx.Constant"() {value = dense<0.0> : tensor<2xf32>} : () -> tensor<2xf32>
  return %y, %z : tensor<2xf32>, tensor<2xf6E2M3FN>
}

// -----

func.func @stored(%x: tensor<4xui4>, %y: tensor<2xf8E4M3FN>, %z: tensor<2xcomplex<f32>>) -> (tensor<4xui4>, tensor<2xf8E4M3FN>, tensor<2xcomplex<f32>>) {
  return %x, %y, %z : tensor<4xui4>, tensor<2xf8E4M3FN>, tensor<2xcomplex<f32>>
}
