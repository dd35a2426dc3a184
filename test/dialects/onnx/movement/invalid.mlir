// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-infer-shapes))' --split-input-file --verify-diagnostics

func.func @reshape_elements(%x: tensor<2x3xf32>) {
  %s = onnx.Constant {value = dense<[4, 2]> : tensor<2xi64>} : tensor<2xi64>
  // expected-error @+1 {{6 elements do not fit a shape of 8}}
  %y = "onnx.Reshape"(%x, %s) : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @reshape_two_unknown(%x: tensor<2x3xf32>) {
  %s = onnx.Constant {value = dense<-1> : tensor<2xi64>} : tensor<2xi64>
  // expected-error @+1 {{the shape has -1 twice}}
  %y = "onnx.Reshape"(%x, %s) : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @concat(%a: tensor<2x3xf32>, %b: tensor<3x3xf32>) {
  // expected-error @+1 {{dimension 0 of the inputs differs: 2 and 3}}
  %y = "onnx.Concat"(%a, %b) {axis = 1 : i64} : (tensor<2x3xf32>, tensor<3x3xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @transpose(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{perm is not a permutation}}
  %y = "onnx.Transpose"(%x) {perm = array<i64: 1, 1>} : (tensor<2x3xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @split(%x: tensor<5xf32>) {
  %s = onnx.Constant {value = dense<[2, 2]> : tensor<2xi64>} : tensor<2xi64>
  // expected-error @+1 {{the sizes add up to 4, the dimension is 5}}
  %y:2 = "onnx.Split"(%x, %s) : (tensor<5xf32>, tensor<2xi64>) -> (tensor<*xf32>, tensor<*xf32>)
  return
}

// -----

func.func @squeeze(%x: tensor<2x1xf32>) {
  %a = onnx.Constant {value = dense<0> : tensor<1xi64>} : tensor<1xi64>
  // expected-error @+1 {{dimension 0 has extent 2, not 1}}
  %y = "onnx.Squeeze"(%x, %a) : (tensor<2x1xf32>, tensor<1xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @pad(%x: tensor<2xf32>) {
  %p = onnx.Constant {value = dense<[-2, -1]> : tensor<2xi64>} : tensor<2xi64>
  // expected-error @+1 {{more elements are removed than dimension 0 has}}
  %y = "onnx.Pad"(%x, %p) {operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<2xf32>, tensor<2xi64>) -> tensor<*xf32>
  return
}

// -----

// The magnitude of the smallest number has no representation.
func.func @pad_smallest(%x: tensor<2xf32>) {
  %p = onnx.Constant {value = dense<[-9223372036854775808, 0]> : tensor<2xi64>} : tensor<2xi64>
  // expected-error @+1 {{an amount is too large}}
  %y = "onnx.Pad"(%x, %p) {operandSegmentSizes = array<i32: 1, 1, 0, 0>} : (tensor<2xf32>, tensor<2xi64>) -> tensor<*xf32>
  return
}

// -----

// No elements at all, but strides are computed from the other extents.
func.func @expand_empty(%x: tensor<1xf32>) {
  %s = onnx.Constant {value = dense<[0, 1099511627776, 1099511627776]> : tensor<3xi64>} : tensor<3xi64>
  // expected-error @+1 {{the size of result 0, 'tensor<0x1099511627776x1099511627776xf32>', overflows}}
  %y = "onnx.Expand"(%x, %s) : (tensor<1xf32>, tensor<3xi64>) -> tensor<*xf32>
  return
}
