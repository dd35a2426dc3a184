// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-use-patches{bytes=134144}))' | FileCheck %s
// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-use-patches{bytes=134143}))' | FileCheck %s --check-prefix=LESS
// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-use-patches{bytes=10000000}))' | FileCheck %s --check-prefix=ENOUGH
// An expansion to 64 channels, a depthwise convolution of the padded result, a projection: in strips of two rows, the
// window has 4 rows of 66 * 64 numbers and room for 2 more, and what the projection reads has 2 of 64 * 64: 101376 + 32768
// bytes. With a byte less, strips have one row. Where all of it is within the budget, kernels stay whole.

#point = affine_map<(n, oc, y, x, ic) -> (n, y, x, ic)>
#matrix = affine_map<(n, oc, y, x, ic) -> (oc, ic)>
#made = affine_map<(n, oc, y, x, ic) -> (n, y, x, oc)>
#window = affine_map<(n, c, y, x, ky, kx) -> (n, y + ky, x + kx, c)>
#taps = affine_map<(n, c, y, x, ky, kx) -> (c, ky, kx)>
#slid = affine_map<(n, c, y, x, ky, kx) -> (n, y, x, c)>
#size = affine_map<(n, c, y, x, ky, kx) -> (ky, kx)>
#id = affine_map<(n, y, x, c) -> (n, y, x, c)>

// CHECK-LABEL: func.func @mobile
// CHECK-SAME: %[[X:.*]]: tensor<1x64x64x8xf32>
// CHECK: %[[STRIPS:.*]] = arith.constant 32 : index
// CHECK: scf.for %{{.*}} = %{{.*}} to %[[STRIPS]]
// The first strip begins with padding, so that the expansion begins with the first row; the last strip the other way round.
// Between the two, where it may begin a row later and a row earlier, lies a window of 4 rows and 2 more.
// CHECK: %[[LATE:.*]] = arith.maxsi
// CHECK: %[[START:.*]] = arith.minsi %[[LATE]]
// CHECK: tensor.extract_slice %[[X]][0, %[[START]], 0, 0] [1, 4, 64, 8]
// CHECK: aot.kernel "conv" {{.*}} outs(%{{.*}} : tensor<1x4x64x64xf32>)
// CHECK: tensor.insert_slice {{.*}} tensor<1x4x64x64xf32> into tensor<1x6x66x64xf32>
// CHECK: tensor.extract_slice %{{.*}}[0, 1, 0, 0] [1, 4, 66, 64]
// CHECK: aot.kernel "depthwise" {{.*}} outs(%{{.*}} : tensor<1x2x64x64xf32>)
// CHECK: aot.kernel "conv" {{.*}} outs(%{{.*}} : tensor<1x2x64x8xf32>)
// CHECK: } {aot.strips}
// CHECK-NOT: aot.kernel

// LESS-LABEL: func.func @mobile
// LESS: aot.kernel "depthwise" {{.*}} outs(%{{.*}} : tensor<1x1x64x64xf32>)
// LESS: } {aot.strips}

// ENOUGH-LABEL: func.func @mobile
// ENOUGH-NOT: scf.for
func.func @mobile(%x: tensor<1x64x64x8xf32>) -> tensor<1x64x64x8xf32> {
  %zero = arith.constant 0.0 : f32
  %wide = arith.constant dense<1.0> : tensor<64x8xf32>
  %taps = arith.constant dense<1.0> : tensor<64x3x3xf32>
  %narrow = arith.constant dense<1.0> : tensor<8x64xf32>
  %e = tensor.empty() : tensor<1x64x64x64xf32>
  %a = aot.kernel "conv" ins(%x, %wide : tensor<1x64x64x8xf32>, tensor<64x8xf32>) outs(%e : tensor<1x64x64x64xf32>)
      maps [#point, #matrix, #made] iterators ["parallel", "parallel", "parallel", "parallel", "reduction"]
      identity 0.000000e+00 : f32 compute {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    %0 = math.fma %l, %r, %acc : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<1x64x64x64xf32>
  %p = tensor.empty() : tensor<1x66x66x64xf32>
  %f = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      outs(%p : tensor<1x66x66x64xf32>) {
  ^bb0(%out: f32):
    linalg.yield %zero : f32
  } -> tensor<1x66x66x64xf32>
  %padded = tensor.insert_slice %a into %f[0, 1, 1, 0] [1, 64, 64, 64] [1, 1, 1, 1]
      : tensor<1x64x64x64xf32> into tensor<1x66x66x64xf32>
  %b = aot.kernel "depthwise" ins(%padded, %taps : tensor<1x66x66x64xf32>, tensor<64x3x3xf32>)
      outs(%e : tensor<1x64x64x64xf32>) maps [#window, #taps, #slid]
      iterators ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]
      identity 0.000000e+00 : f32 compute {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    %0 = math.fma %l, %r, %acc : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<1x64x64x64xf32>
  %n = tensor.empty() : tensor<1x64x64x8xf32>
  %c = aot.kernel "conv" ins(%b, %narrow, %x : tensor<1x64x64x64xf32>, tensor<8x64xf32>, tensor<1x64x64x8xf32>)
      outs(%n : tensor<1x64x64x8xf32>) maps [#point, #matrix, #made, #made]
      iterators ["parallel", "parallel", "parallel", "parallel", "reduction"] identity 0.000000e+00 : f32 compute {
  ^bb0(%l: f32, %r: f32, %res: f32, %acc: f32):
    %0 = math.fma %l, %r, %acc : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%l: f32, %r: f32, %res: f32, %acc: f32):
    %0 = arith.addf %acc, %res : f32
    aot.yield %0 : f32
  } -> tensor<1x64x64x8xf32>
  return %c : tensor<1x64x64x8xf32>
}
