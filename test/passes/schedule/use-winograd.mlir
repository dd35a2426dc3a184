// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-use-winograd))' | FileCheck %s
// A 3x3 convolution of stride 1 with constant weights and channels last, with the zeros around its data.

#data = affine_map<(n, oc, y, x, ky, kx, ic) -> (n, y + ky, x + kx, ic)>
#strided = affine_map<(n, oc, y, x, ky, kx, ic) -> (n, y * 2 + ky, x * 2 + kx, ic)>
#weights = affine_map<(n, oc, y, x, ky, kx, ic) -> (oc, ic, ky, kx)>
#channel = affine_map<(n, oc, y, x, ky, kx, ic) -> (oc)>
#result = affine_map<(n, oc, y, x, ky, kx, ic) -> (n, y, x, oc)>
#id = affine_map<(n, y, x, c) -> (n, y, x, c)>

// CHECK: #[[CHANNEL:.*]] = affine_map<(d0, d1, d2, d3) -> (d3)>
// CHECK-LABEL: func.func @padded
// CHECK-SAME: %[[X:.*]]: tensor<1x16x16x32xf32>, %[[B:.*]]: tensor<32xf32>
// CHECK: aot.winograd tile 4 pads [1, 1] block {{[0-9]+}} group {{[0-9]+}} ins(%[[X]], %{{.*}}, %[[B]] :
// CHECK-SAME: maps [#[[CHANNEL]]] strategy <{{.*}}> error [{{[0-9.]+}}e-07, {{[0-9.]+}}e-07]
// CHECK: ^bb0(%[[BIAS:.*]]: f32, %[[SUM:.*]]: f32):
// CHECK: arith.addf %[[SUM]], %[[BIAS]]
// CHECK-NOT: aot.kernel
func.func @padded(%x: tensor<1x16x16x32xf32>, %b: tensor<32xf32>) -> tensor<1x16x16x32xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<1.0> : tensor<32x32x3x3xf32>
  %p = tensor.empty() : tensor<1x18x18x32xf32>
  %f = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      outs(%p : tensor<1x18x18x32xf32>) {
  ^bb0(%out: f32):
    linalg.yield %zero : f32
  } -> tensor<1x18x18x32xf32>
  %padded = tensor.insert_slice %x into %f[0, 1, 1, 0] [1, 16, 16, 32] [1, 1, 1, 1]
      : tensor<1x16x16x32xf32> into tensor<1x18x18x32xf32>
  %e = tensor.empty() : tensor<1x16x16x32xf32>
  %y = aot.kernel "conv" ins(%padded, %w, %b : tensor<1x18x18x32xf32>, tensor<32x32x3x3xf32>, tensor<32xf32>)
      outs(%e : tensor<1x16x16x32xf32>) maps [#data, #weights, #channel, #result]
      iterators ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]
      identity 0.000000e+00 : f32 compute {
  ^bb0(%l: f32, %r: f32, %bias: f32, %acc: f32):
    %0 = math.fma %l, %r, %acc : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%l: f32, %r: f32, %bias: f32, %acc: f32):
    %0 = arith.addf %acc, %bias : f32
    aot.yield %0 : f32
  } -> tensor<1x16x16x32xf32>
  return %y : tensor<1x16x16x32xf32>
}

// Other strides are not for it.
// CHECK-LABEL: func.func @strided
// CHECK: aot.kernel "conv"
// CHECK-NOT: aot.winograd
func.func @strided(%x: tensor<1x17x17x32xf32>) -> tensor<1x8x8x32xf32> {
  %w = arith.constant dense<1.0> : tensor<32x32x3x3xf32>
  %e = tensor.empty() : tensor<1x8x8x32xf32>
  %y = aot.kernel "conv" ins(%x, %w : tensor<1x17x17x32xf32>, tensor<32x32x3x3xf32>)
      outs(%e : tensor<1x8x8x32xf32>) maps [#strided, #weights, #result]
      iterators ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]
      identity 0.000000e+00 : f32 compute {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    %0 = math.fma %l, %r, %acc : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<1x8x8x32xf32>
  return %y : tensor<1x8x8x32xf32>
}
