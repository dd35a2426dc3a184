// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-infer-shapes))' --split-input-file --verify-diagnostics

func.func @gather(%x: tensor<4x3xf32>, %i: tensor<2xi64>) {
  // expected-error @+1 {{axis 2 is outside a tensor of rank 2}}
  %y = "onnx.Gather"(%x, %i) {axis = 2 : i64} : (tensor<4x3xf32>, tensor<2xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @gather_nd(%x: tensor<4xf32>, %i: tensor<5x2xi64>) {
  // expected-error @+1 {{tuples of 2 indices for a tensor of rank 1}}
  %y = "onnx.GatherND"(%x, %i) : (tensor<4xf32>, tensor<5x2xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @scatter(%x: tensor<4x3xf32>, %i: tensor<2x3xi64>, %u: tensor<2x2xf32>) {
  // expected-error @+1 {{shapes of indices and updates differ}}
  %y = "onnx.ScatterElements"(%x, %i, %u) : (tensor<4x3xf32>, tensor<2x3xi64>, tensor<2x2xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @reduction(%x: tensor<4xf32>, %i: tensor<2x1xi64>, %u: tensor<2xf32>) {
  // expected-error @+1 {{reduction is 'mean', not none, add, mul, max or min}}
  %y = "onnx.ScatterND"(%x, %i, %u) {reduction = "mean"} : (tensor<4xf32>, tensor<2x1xi64>, tensor<2xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @constant_index(%x: tensor<4x3xf32>) {
  %i = "onnx.Constant"() {value = dense<[[0, -3], [2, 3]]> : tensor<2x2xi64>} : () -> tensor<2x2xi64>
  // expected-error @+1 {{index 3 is outside a dimension of 3 elements}}
  %y = "onnx.Gather"(%x, %i) {axis = 1 : i64} : (tensor<4x3xf32>, tensor<2x2xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @constant_elements(%x: tensor<4x3xf32>) {
  %i = "onnx.Constant"() {value = dense<[[0, -5]]> : tensor<1x2xi32>} : () -> tensor<1x2xi32>
  // expected-error @+1 {{index -5 is outside a dimension of 4 elements}}
  %y = "onnx.GatherElements"(%x, %i) : (tensor<4x3xf32>, tensor<1x2xi32>) -> tensor<*xf32>
  return
}

// -----

// The first of a tuple is an index into 4 elements, the second into 3.
func.func @constant_tuples(%x: tensor<2x4x3xf32>) {
  %i = "onnx.Constant"() {value = dense<[[3, 2], [2, 3]]> : tensor<2x2xi64>} : () -> tensor<2x2xi64>
  // expected-error @+1 {{index 3 is outside a dimension of 3 elements}}
  %y = "onnx.GatherND"(%x, %i) {batch_dims = 1 : i64} : (tensor<2x4x3xf32>, tensor<2x2xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @constant_scatter(%x: tensor<4xf32>, %u: tensor<2xf32>) {
  %i = "onnx.Constant"() {value = dense<[0, 4]> : tensor<2xi64>} : () -> tensor<2xi64>
  // expected-error @+1 {{index 4 is outside a dimension of 4 elements}}
  %y = "onnx.ScatterElements"(%x, %i, %u) : (tensor<4xf32>, tensor<2xi64>, tensor<2xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @constant_scatter_nd(%x: tensor<4x3xf32>, %u: tensor<2x3xf32>) {
  %i = "onnx.Constant"() {value = dense<[[1], [-7]]> : tensor<2x1xi64>} : () -> tensor<2x1xi64>
  // expected-error @+1 {{index -7 is outside a dimension of 4 elements}}
  %y = "onnx.ScatterND"(%x, %i, %u) : (tensor<4x3xf32>, tensor<2x1xi64>, tensor<2x3xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @compress(%x: tensor<4x3xf32>, %c: tensor<2x2xi1>) {
  // expected-error @+1 {{the condition must have rank 1, not 2}}
  %y = "onnx.Compress"(%x, %c) : (tensor<4x3xf32>, tensor<2x2xi1>) -> tensor<*xf32>
  return
}

// -----

func.func @unique(%x: tensor<4x3xf32>) {
  // expected-error @+1 {{axis 2 is outside a tensor of rank 2}}
  %y = "onnx.Unique"(%x) {axis = 2 : i64, resultSegmentSizes = array<i32: 1, 0, 0, 0>} : (tensor<4x3xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @suppression(%b: tensor<1x5x4xf32>, %s: tensor<1x2x6xf32>) {
  // expected-error @+1 {{boxes and scores do not fit each other}}
  %y = "onnx.NonMaxSuppression"(%b, %s) {operandSegmentSizes = array<i32: 1, 1, 0, 0, 0>} : (tensor<1x5x4xf32>, tensor<1x2x6xf32>) -> tensor<*xi64>
  return
}
