// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-infer-shapes))' --split-input-file --verify-diagnostics

func.func @direction(%x: tensor<5x3x6xf32>, %w: tensor<1x4x6xf32>, %r: tensor<1x4x4xf32>) {
  // expected-error @+1 {{direction must be forward, reverse or bidirectional, not 'backward'}}
  %y = "onnx.RNN"(%x, %w, %r) {direction = "backward",
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0>}
      : (tensor<5x3x6xf32>, tensor<1x4x6xf32>, tensor<1x4x4xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @activation(%x: tensor<5x3x6xf32>, %w: tensor<1x4x6xf32>, %r: tensor<1x4x4xf32>) {
  // expected-error @+1 {{unknown activation "Cosine"}}
  %y = "onnx.RNN"(%x, %w, %r) {activations = ["Cosine"],
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0>}
      : (tensor<5x3x6xf32>, tensor<1x4x6xf32>, tensor<1x4x4xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @count(%x: tensor<5x3x6xf32>, %w: tensor<1x12x6xf32>, %r: tensor<1x12x4xf32>) {
  // expected-error @+1 {{2 activations are needed, not 1}}
  %y = "onnx.GRU"(%x, %w, %r) {activations = ["Tanh"],
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0>}
      : (tensor<5x3x6xf32>, tensor<1x12x6xf32>, tensor<1x12x4xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @weights(%x: tensor<5x3x6xf32>, %w: tensor<1x16x7xf32>, %r: tensor<1x16x4xf32>) {
  // expected-error @+1 {{the shape of W does not agree with X and R}}
  %y = "onnx.LSTM"(%x, %w, %r)
      {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0>}
      : (tensor<5x3x6xf32>, tensor<1x16x7xf32>, tensor<1x16x4xf32>) -> tensor<*xf32>
  return
}
