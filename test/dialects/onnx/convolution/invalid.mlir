// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-infer-shapes))' --split-input-file --verify-diagnostics

func.func @channels(%x: tensor<1x3x8x8xf32>, %w: tensor<4x2x3x3xf32>) {
  // expected-error @+1 {{the data has 3 channels, the weights are for 2}}
  %y = "onnx.Conv"(%x, %w) : (tensor<1x3x8x8xf32>, tensor<4x2x3x3xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @group(%x: tensor<1x3x8x8xf32>, %w: tensor<4x1x3x3xf32>) {
  // expected-error @+1 {{group 2 does not divide 3 channels}}
  %y = "onnx.Conv"(%x, %w) {group = 2 : i64} : (tensor<1x3x8x8xf32>, tensor<4x1x3x3xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @stride(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>) {
  // expected-error @+1 {{attribute strides has the entry 0}}
  %y = "onnx.Conv"(%x, %w) {strides = array<i64: 0, 1>} : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @entries(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>) {
  // expected-error @+1 {{attribute pads has 2 entries, 4 are needed}}
  %y = "onnx.Conv"(%x, %w) {pads = array<i64: 0, 1>} : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @kernel_shape(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>) {
  // expected-error @+1 {{kernel_shape has 5 where the weights have 3}}
  %y = "onnx.Conv"(%x, %w) {kernel_shape = array<i64: 3, 5>}
      : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @too_large(%x: tensor<1x3x2x2xf32>, %w: tensor<4x3x3x3xf32>) {
  // expected-error @+1 {{a window of 3 elements does not fit into 2 (padding included)}}
  %y = "onnx.Conv"(%x, %w) : (tensor<1x3x2x2xf32>, tensor<4x3x3x3xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @bias(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>, %b: tensor<3xf32>) {
  // expected-error @+1 {{the bias does not have one element per output channel}}
  %y = "onnx.Conv"(%x, %w, %b) : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>, tensor<3xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @too_long(%x: tensor<1x1x8589934592xf32>, %w: tensor<1x1x3xf32>) {
  // expected-error @+1 {{the data has the extent 8589934592, more than 2^32}}
  %y = "onnx.ConvTranspose"(%x, %w) {strides = array<i64: 1073741824>}
      : (tensor<1x1x8589934592xf32>, tensor<1x1x3xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @causal_state(%x: tensor<1x2x5xf32>, %w: tensor<2x1x3xf32>, %past: tensor<1x2x3xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{the past state must be batch x channels x (kernel - 1)}}
  %0 = "onnx.CausalConvWithState"(%x, %w, %past) {operandSegmentSizes = array<i32: 1, 1, 0, 1>} : (tensor<1x2x5xf32>, tensor<2x1x3xf32>, tensor<1x2x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}
