// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-infer-shapes))' --split-input-file --verify-diagnostics

func.func @heads(%q: tensor<1x5x8xf32>) {
  // expected-error @+1 {{q_num_heads and kv_num_heads must be given for inputs of rank 3}}
  %y = "onnx.Attention"(%q, %q, %q)
      {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0>}
      : (tensor<1x5x8xf32>, tensor<1x5x8xf32>, tensor<1x5x8xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @mask(%q: tensor<1x2x5x8xf32>, %m: tensor<5x6xf32>) {
  // expected-error @+1 {{the mask is longer than the keys}}
  %y = "onnx.Attention"(%q, %q, %q, %m)
      {operandSegmentSizes = array<i32: 1, 1, 1, 1, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0>}
      : (tensor<1x2x5x8xf32>, tensor<1x2x5x8xf32>, tensor<1x2x5x8xf32>, tensor<5x6xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @caches(%x: tensor<1x2x3x8xf32>, %c: tensor<1x3x8xf32>) {
  // expected-error @+1 {{the caches do not have half of the rotated extent}}
  %y = "onnx.RotaryEmbedding"(%x, %c, %c)
      : (tensor<1x2x3x8xf32>, tensor<1x3x8xf32>, tensor<1x3x8xf32>) -> tensor<*xf32>
  return
}
