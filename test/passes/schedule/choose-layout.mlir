// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-choose-layout))' | FileCheck %s
// Images of many channels are stored channels last, between the operations that have to see them otherwise.

#data = affine_map<(n, oc, y, x, ic, ky, kx) -> (n, ic, y + ky, x + kx)>
#weights = affine_map<(n, oc, y, x, ic, ky, kx) -> (oc, ic, ky, kx)>
#result = affine_map<(n, oc, y, x, ic, ky, kx) -> (n, oc, y, x)>
#id = affine_map<(n, c, y, x) -> (n, c, y, x)>
#last = affine_map<(n, c, y, x) -> (n, y, x, c)>

// Both convolutions, the addition and the padding between them; the one transposition is at the end, while the first
// convolution reads its data as they come.
// CHECK-DAG: #[[IN:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d6, d2 + d4, d3 + d5)>
// CHECK-DAG: #[[W:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d1, d6, d4, d5)>
// CHECK-DAG: #[[OUT:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d2, d3, d1)>
// CHECK-DAG: #[[LAST:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d2 + d4, d3 + d5, d6)>
// CHECK-LABEL: func.func @two_convolutions
// CHECK: aot.kernel "conv" {{.*}} outs(%{{.*}} : tensor<1x6x6x16xf32>) maps [#[[IN]], #[[W]], #[[OUT]]]
// CHECK: tensor.insert_slice {{.*}}[0, 1, 1, 0] [1, 6, 6, 16] [1, 1, 1, 1] : tensor<1x6x6x16xf32> into tensor<1x8x8x16xf32>
// CHECK: aot.kernel "conv" {{.*}} maps [#[[LAST]], #[[W]], #[[OUT]]]
// CHECK: %[[SUM:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<1x6x6x16xf32>)
// CHECK: %[[BACK:.*]] = linalg.generic {{.*}} ins(%[[SUM]] : tensor<1x6x6x16xf32>) outs(%{{.*}} : tensor<1x16x6x6xf32>)
// CHECK: return %[[BACK]]
func.func @two_convolutions(%x: tensor<1x16x8x8xf32>, %w: tensor<16x16x3x3xf32>) -> tensor<1x16x6x6xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x16x6x6xf32>
  %a = aot.kernel "conv" ins(%x, %w : tensor<1x16x8x8xf32>, tensor<16x16x3x3xf32>) outs(%e : tensor<1x16x6x6xf32>)
      maps [#data, #weights, #result]
      iterators ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]
      identity 0.000000e+00 : f32 compute {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    %0 = math.fma %l, %r, %acc : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<1x16x6x6xf32>
  %p = tensor.empty() : tensor<1x16x8x8xf32>
  %f = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      outs(%p : tensor<1x16x8x8xf32>) {
  ^bb0(%out: f32):
    linalg.yield %zero : f32
  } -> tensor<1x16x8x8xf32>
  %padded = tensor.insert_slice %a into %f[0, 0, 1, 1] [1, 16, 6, 6] [1, 1, 1, 1]
      : tensor<1x16x6x6xf32> into tensor<1x16x8x8xf32>
  %b = aot.kernel "conv" ins(%padded, %w : tensor<1x16x8x8xf32>, tensor<16x16x3x3xf32>)
      outs(%e : tensor<1x16x6x6xf32>) maps [#data, #weights, #result]
      iterators ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]
      identity 0.000000e+00 : f32 compute {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    %0 = math.fma %l, %r, %acc : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<1x16x6x6xf32>
  %y = linalg.generic {indexing_maps = [#id, #id, #id],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%a, %b : tensor<1x16x6x6xf32>, tensor<1x16x6x6xf32>) outs(%e : tensor<1x16x6x6xf32>) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %s = arith.addf %l, %r : f32
    linalg.yield %s : f32
  } -> tensor<1x16x6x6xf32>
  return %y : tensor<1x16x6x6xf32>
}

// An elementwise operation alone stays as it is.
// CHECK-LABEL: func.func @elementwise
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<1x16x6x6xf32>)
// CHECK-NOT: linalg.generic
func.func @elementwise(%x: tensor<1x16x6x6xf32>) -> tensor<1x16x6x6xf32> {
  %e = tensor.empty() : tensor<1x16x6x6xf32>
  %y = linalg.generic {indexing_maps = [#id, #id],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x : tensor<1x16x6x6xf32>) outs(%e : tensor<1x16x6x6xf32>) {
  ^bb0(%l: f32, %out: f32):
    %s = arith.negf %l : f32
    linalg.yield %s : f32
  } -> tensor<1x16x6x6xf32>
  return %y : tensor<1x16x6x6xf32>
}
