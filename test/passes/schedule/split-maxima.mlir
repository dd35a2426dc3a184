// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-split-maxima))' | FileCheck %s
// The maximum over a window of 5x5 is taken along columns first, for all 12 rows of the data, then along rows, with the
// epilogue; 3x3 is not worth it, and a sum is none.

#w = affine_map<(n, c, y, x, ky, kx) -> (n, y * 2 + ky, x + kx, c)>
#near = affine_map<(n, c, y, x, ky, kx) -> (n, y + ky, x + kx, c)>
#taps = affine_map<(n, c, y, x, ky, kx) -> (ky, kx)>
#bias = affine_map<(n, c, y, x, ky, kx) -> (c)>
#r = affine_map<(n, c, y, x, ky, kx) -> (n, y, x, c)>

// CHECK-DAG: #[[COLUMNS:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d2, d3 + d4, d1)>
// CHECK-DAG: #[[ROWS:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d2 + d4, d3, d1)>
// CHECK-DAG: #[[BIAS:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d1)>
// CHECK-DAG: #[[RESULT:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d2, d3, d1)>

// CHECK-LABEL: @five
// CHECK-SAME: %[[X:.*]]: tensor<1x12x12x4xf32>, %{{.*}}: tensor<5x5xi8>, %[[B:.*]]: tensor<4xf32>
// CHECK: %[[ONCE:.*]] = aot.kernel "pool" ins(%[[X]], %{{.*}} : tensor<1x12x12x4xf32>, tensor<5xi8>) outs(%{{.*}} : tensor<1x12x8x4xf32>)
// CHECK-SAME: maps [#[[COLUMNS]], #{{.*}}, #[[RESULT]]] iterators ["parallel", "parallel", "parallel", "parallel", "reduction"] identity 0xFF800000
// CHECK: arith.maximumf
// CHECK: aot.kernel "pool" ins(%[[ONCE]], %{{.*}}, %[[B]] : tensor<1x12x8x4xf32>, tensor<5xi8>, tensor<4xf32>) outs(%{{.*}} : tensor<1x8x8x4xf32>)
// CHECK-SAME: maps [#[[ROWS]], #{{.*}}, #[[BIAS]], #[[RESULT]]]
// CHECK: arith.maximumf
// CHECK: ^bb0(%{{.*}}: f32, %{{.*}}: i8, %[[V:.*]]: f32, %[[ACC:.*]]: f32):
// CHECK-NEXT: arith.addf %[[ACC]], %[[V]]
func.func @five(%x: tensor<1x12x12x4xf32>, %taps: tensor<5x5xi8>, %b: tensor<4xf32>) -> tensor<1x8x8x4xf32> {
  %init = tensor.empty() : tensor<1x8x8x4xf32>
  %y = aot.kernel "pool" ins(%x, %taps, %b : tensor<1x12x12x4xf32>, tensor<5x5xi8>, tensor<4xf32>) outs(%init : tensor<1x8x8x4xf32>)
      maps [#near, #taps, #bias, #r] iterators ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]
      identity 0xFF800000 : f32 compute {
  ^bb0(%e: f32, %t: i8, %v: f32, %acc: f32):
    %0 = arith.maximumf %acc, %e : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%e: f32, %t: i8, %v: f32, %acc: f32):
    %0 = arith.addf %acc, %v : f32
    aot.yield %0 : f32
  } -> tensor<1x8x8x4xf32>
  return %y : tensor<1x8x8x4xf32>
}

// CHECK-LABEL: @three
// CHECK-COUNT-1: aot.kernel
// CHECK-NOT: aot.kernel
func.func @three(%x: tensor<1x10x10x4xf32>, %taps: tensor<3x3xi8>) -> tensor<1x8x8x4xf32> {
  %init = tensor.empty() : tensor<1x8x8x4xf32>
  %y = aot.kernel "pool" ins(%x, %taps : tensor<1x10x10x4xf32>, tensor<3x3xi8>) outs(%init : tensor<1x8x8x4xf32>)
      maps [#near, #taps, #r] iterators ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]
      identity 0xFF800000 : f32 compute {
  ^bb0(%e: f32, %t: i8, %acc: f32):
    %0 = arith.maximumf %acc, %e : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%e: f32, %t: i8, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<1x8x8x4xf32>
  return %y : tensor<1x8x8x4xf32>
}

// Of every second row fewer maxima are shared.
// CHECK-LABEL: @far_apart
// CHECK-COUNT-1: aot.kernel
// CHECK-NOT: aot.kernel
func.func @far_apart(%x: tensor<1x19x12x4xf32>, %taps: tensor<5x5xi8>) -> tensor<1x8x8x4xf32> {
  %init = tensor.empty() : tensor<1x8x8x4xf32>
  %y = aot.kernel "pool" ins(%x, %taps : tensor<1x19x12x4xf32>, tensor<5x5xi8>) outs(%init : tensor<1x8x8x4xf32>)
      maps [#w, #taps, #r] iterators ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]
      identity 0xFF800000 : f32 compute {
  ^bb0(%e: f32, %t: i8, %acc: f32):
    %0 = arith.maximumf %acc, %e : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%e: f32, %t: i8, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<1x8x8x4xf32>
  return %y : tensor<1x8x8x4xf32>
}

// CHECK-LABEL: @sum
// CHECK-COUNT-1: aot.kernel
// CHECK-NOT: aot.kernel
func.func @sum(%x: tensor<1x12x12x4xf32>, %taps: tensor<5x5xi8>) -> tensor<1x8x8x4xf32> {
  %init = tensor.empty() : tensor<1x8x8x4xf32>
  %y = aot.kernel "pool" ins(%x, %taps : tensor<1x12x12x4xf32>, tensor<5x5xi8>) outs(%init : tensor<1x8x8x4xf32>)
      maps [#near, #taps, #r] iterators ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]
      identity 0.000000e+00 : f32 compute {
  ^bb0(%e: f32, %t: i8, %acc: f32):
    %0 = arith.addf %acc, %e : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%e: f32, %t: i8, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<1x8x8x4xf32>
  return %y : tensor<1x8x8x4xf32>
}
