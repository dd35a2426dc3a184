// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-infer-shapes))' --split-input-file --verify-diagnostics

func.func @scale(%x: tensor<2x3xf32>, %s: tensor<2xf32>) -> tensor<2x3xui8> {
  // expected-error @+1 {{the scale's shape does not fit the input, its axis and block_size}}
  %0 = "onnx.QuantizeLinear"(%x, %s) : (tensor<2x3xf32>, tensor<2xf32>) -> tensor<2x3xui8>
  return %0 : tensor<2x3xui8>
}

// -----

func.func @zero_point(%x: tensor<2x3xi8>, %s: tensor<3xf32>, %z: tensor<2xi8>) -> tensor<2x3xf32> {
  // expected-error @+1 {{scale and zero point have different shapes}}
  %0 = "onnx.DequantizeLinear"(%x, %s, %z) : (tensor<2x3xi8>, tensor<3xf32>, tensor<2xi8>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

func.func @output(%x: tensor<2xf32>, %s: tensor<f32>, %z: tensor<i8>) -> tensor<2xi8> {
  // expected-error @+1 {{output_dtype differs from the zero point's type}}
  %0 = "onnx.QuantizeLinear"(%x, %s, %z) {output_dtype = 2 : i64} : (tensor<2xf32>, tensor<f32>, tensor<i8>) -> tensor<2xi8>
  return %0 : tensor<2xi8>
}

// -----

func.func @too_wide(%x: tensor<2xf32>, %s: tensor<f32>) -> tensor<2xi32> {
  // expected-error @+1 {{cannot quantize to elements of type 'i32'}}
  %0 = "onnx.QuantizeLinear"(%x, %s) {output_dtype = 6 : i64} : (tensor<2xf32>, tensor<f32>) -> tensor<2xi32>
  return %0 : tensor<2xi32>
}

// -----

func.func @per_axis(%a: tensor<2x3xui8>, %s: tensor<f32>, %t: tensor<3xf32>) -> tensor<2x3xui8> {
  // expected-error @+1 {{a scale or zero point is not one element}}
  %0 = "onnx.com_microsoft.QLinearMul"(%a, %s, %a, %t, %s) {operandSegmentSizes = array<i32: 1, 1, 0, 1, 1, 0, 1, 0>} : (tensor<2x3xui8>, tensor<f32>, tensor<2x3xui8>, tensor<3xf32>, tensor<f32>) -> tensor<2x3xui8>
  return %0 : tensor<2x3xui8>
}
