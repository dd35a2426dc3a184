// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-infer-shapes))' --split-input-file --verify-diagnostics

func.func @both(%x: tensor<4xf32>, %s: tensor<1xf32>, %n: tensor<1xi64>) {
  // expected-error @+1 {{needs exactly one of scales and sizes}}
  %y = "onnx.Resize"(%x, %s, %n) {operandSegmentSizes = array<i32: 1, 0, 1, 1>}
      : (tensor<4xf32>, tensor<1xf32>, tensor<1xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @negative(%x: tensor<4xf32>) {
  %s = onnx.Constant {value = dense<[-1.0]> : tensor<1xf32>} : tensor<1xf32>
  // expected-error @+1 {{the scale of axis 0 must be positive and finite}}
  %y = "onnx.Resize"(%x, %s) {operandSegmentSizes = array<i32: 1, 0, 1, 0>} : (tensor<4xf32>, tensor<1xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @mode(%x: tensor<4xf32>, %s: tensor<1xf32>) {
  // expected-error @+1 {{mode "lanczos" is not known}}
  %y = "onnx.Resize"(%x, %s) {mode = "lanczos", operandSegmentSizes = array<i32: 1, 0, 1, 0>}
      : (tensor<4xf32>, tensor<1xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @twice(%x: tensor<4x4xf32>, %s: tensor<2xf32>) {
  // expected-error @+1 {{axis 1 appears twice}}
  %y = "onnx.Resize"(%x, %s) {axes = array<i64: 1, -1>, operandSegmentSizes = array<i32: 1, 0, 1, 0>}
      : (tensor<4x4xf32>, tensor<2xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @ratio(%x: tensor<1x1099511627776xf32>) {
  %s = onnx.Constant {value = dense<[2147483648, 1]> : tensor<2xi64>} : tensor<2xi64>
  // expected-error @+1 {{axis 1 of extent 1099511627776 cannot be scaled by}}
  %y = "onnx.Resize"(%x, %s) {keep_aspect_ratio_policy = "not_smaller", operandSegmentSizes = array<i32: 1, 0, 0, 1>}
      : (tensor<1x1099511627776xf32>, tensor<2xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @affine_grid(%theta: tensor<2x2x4xf32>, %size: tensor<4xi64>) -> tensor<*xf32> {
  // expected-error @+1 {{theta does not fit the number of spatial dims}}
  %0 = "onnx.AffineGrid"(%theta, %size) : (tensor<2x2x4xf32>, tensor<4xi64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}
