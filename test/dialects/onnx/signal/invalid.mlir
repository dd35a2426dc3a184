// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-infer-shapes))' --split-input-file --verify-diagnostics

func.func @parts(%x: tensor<2x8x3xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{the last of at least two dims must be 1 (real) or 2 (complex)}}
  %0 = "onnx.DFT"(%x) {operandSegmentSizes = array<i32: 1, 0, 0>} : (tensor<2x8x3xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @axis(%x: tensor<2x8x1xf32>) -> tensor<*xf32> {
  %axis = onnx.Constant {value = dense<2> : tensor<i64>} : tensor<i64>
  // expected-error @+1 {{the axis is that of real and imaginary parts}}
  %0 = "onnx.DFT"(%x, %axis) {operandSegmentSizes = array<i32: 1, 0, 1>} : (tensor<2x8x1xf32>, tensor<i64>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @onesided(%x: tensor<2x8x2xf32>) -> tensor<*xf32> {
  // expected-error @+1 {{a one-sided transform of complex elements}}
  %0 = "onnx.DFT"(%x) {onesided = 1 : i64, operandSegmentSizes = array<i32: 1, 0, 0>} : (tensor<2x8x2xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @frames(%x: tensor<2x8xf32>, %w: tensor<9xf32>) -> tensor<*xf32> {
  %step = onnx.Constant {value = dense<2> : tensor<i64>} : tensor<i64>
  // expected-error @+1 {{the signal is shorter than one frame}}
  %0 = "onnx.STFT"(%x, %step, %w) {operandSegmentSizes = array<i32: 1, 1, 1, 0>} : (tensor<2x8xf32>, tensor<i64>, tensor<9xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

func.func @step(%x: tensor<2x8xf32>, %w: tensor<4xf32>) -> tensor<*xf32> {
  %step = onnx.Constant {value = dense<0> : tensor<i64>} : tensor<i64>
  // expected-error @+1 {{frame_step must be positive, and is 0}}
  %0 = "onnx.STFT"(%x, %step, %w) {operandSegmentSizes = array<i32: 1, 1, 1, 0>} : (tensor<2x8xf32>, tensor<i64>, tensor<4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}
