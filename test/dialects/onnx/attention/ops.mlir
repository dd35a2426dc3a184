// RUN: onnx-aot-opt %s | onnx-aot-opt --pass-pipeline='builtin.module(func.func(aot-infer-shapes))' | FileCheck %s
// Shapes of attention.

// Rank 3: six query heads of size 4 share three key heads; values have size 2.
// CHECK-LABEL: @grouped
// CHECK: "onnx.Attention"{{.*}} -> (tensor<2x5x12xf32>, tensor<2x3x9x4xf32>, tensor<2x6x5x9xf32>)
func.func @grouped(%q: tensor<2x5x24xf32>, %k: tensor<2x7x12xf32>, %v: tensor<2x7x6xf32>,
                   %pk: tensor<2x3x2x4xf32>, %pv: tensor<2x3x2x2xf32>) -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>) {
  %y:3 = "onnx.Attention"(%q, %k, %v, %pk, %pv) {q_num_heads = 6 : i64, kv_num_heads = 3 : i64,
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 1, 1, 0>, resultSegmentSizes = array<i32: 1, 1, 0, 1>}
      : (tensor<2x5x24xf32>, tensor<2x7x12xf32>, tensor<2x7x6xf32>, tensor<2x3x2x4xf32>, tensor<2x3x2x2xf32>)
      -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>)
  return %y#0, %y#1, %y#2 : tensor<*xf32>, tensor<*xf32>, tensor<*xf32>
}

// CHECK-LABEL: @rotary
// CHECK: "onnx.RotaryEmbedding"{{.*}} -> tensor<1x2x3x8xf32>
func.func @rotary(%x: tensor<1x2x3x8xf32>, %c: tensor<1x3x4xf32>) -> tensor<*xf32> {
  %y = "onnx.RotaryEmbedding"(%x, %c, %c)
      : (tensor<1x2x3x8xf32>, tensor<1x3x4xf32>, tensor<1x3x4xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}
