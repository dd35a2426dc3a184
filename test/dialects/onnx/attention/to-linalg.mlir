// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(aot-onnx-to-linalg,canonicalize)' | FileCheck %s
// Two products and two reductions; shared key heads are an indexing map.

// CHECK-DAG: #[[KEY:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d4, d5)>
// CHECK-LABEL: @causal
// CHECK: %[[Q:.*]] = tensor.expand_shape %arg0 {{.*}} into tensor<1x2x3x5x8xf32>
// CHECK: aot.kernel "matmul" ins(%[[Q]], %arg1 : {{.*}} maps [#{{.*}}, #[[KEY]], #{{.*}}]
// CHECK: linalg.generic
// CHECK: arith.cmpi sle
// CHECK-COUNT-2: aot.kernel "reduce"
// CHECK: linalg.generic
// CHECK: aot.kernel "matmul"
// CHECK: tensor.collapse_shape {{.*}} into tensor<1x6x5x4xf32>
func.func @causal(%q: tensor<1x6x5x8xf32>, %k: tensor<1x2x7x8xf32>, %v: tensor<1x2x7x4xf32>) -> tensor<1x6x5x4xf32> {
  %y = "onnx.Attention"(%q, %k, %v) {is_causal = 1 : i64,
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0, 0>}
      : (tensor<1x6x5x8xf32>, tensor<1x2x7x8xf32>, tensor<1x2x7x4xf32>) -> tensor<1x6x5x4xf32>
  return %y : tensor<1x6x5x4xf32>
}
