// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-pack-weights))' | FileCheck %s
// A constant that lanes run along is laid out in panels of one tile's lanes at compile time, filled up with zeros.

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n, k)>
#c = affine_map<(m, n, k) -> (m, n)>

// CHECK-DAG: #[[A:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG: #[[B:.*]] = affine_map<(d0, d1, d2) -> (d1 floordiv 2, d2, d1 mod 2)>
// CHECK-LABEL: func.func @matmul
// CHECK: %[[W:.*]] = arith.constant dense<{{\[\[\[}}1.000000e+00, 3.000000e+00], [2.000000e+00, 4.000000e+00]], {{\[\[}}5.000000e+00, 0.000000e+00], [6.000000e+00, 0.000000e+00]]]> : tensor<2x2x2xf32>
// CHECK: aot.kernel "matmul" ins(%{{.*}}, %[[W]] : {{.*}} maps [#[[A]], #[[B]], #{{.*}}]
func.func @matmul(%a: tensor<4x2xf32>) -> tensor<4x3xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
  %init = tensor.empty() : tensor<4x3xf32>
  %c = aot.kernel "matmul" ins(%a, %w : tensor<4x2xf32>, tensor<3x2xf32>) outs(%init : tensor<4x3xf32>)
      maps [#a, #b, #c] iterators ["parallel", "parallel", "reduction"] identity 0.000000e+00 : f32
      strategy <provider = "loops", vector = 1, width = 2, vectors = 1, row = 0, rows = 4> compute {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    %0 = math.fma %l, %r, %acc : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<4x3xf32>
  return %c : tensor<4x3xf32>
}
