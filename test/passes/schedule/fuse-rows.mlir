// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-fuse-rows))' | FileCheck %s
// Kernels whose results of more than half a second-level cache lie between them run in strips of rows.

#point = affine_map<(n, oc, y, x, ic) -> (n, y, x, ic)>
#matrix = affine_map<(n, oc, y, x, ic) -> (oc, ic)>
#made = affine_map<(n, oc, y, x, ic) -> (n, y, x, oc)>
#window = affine_map<(n, c, y, x, ky, kx) -> (n, y + ky, x + kx, c)>
#halves = affine_map<(n, c, y, x, ky, kx) -> (n, y * 2 + ky, x * 2 + kx, c)>
#taps = affine_map<(n, c, y, x, ky, kx) -> (c, ky, kx)>
#slid = affine_map<(n, c, y, x, ky, kx) -> (n, y, x, c)>
#size = affine_map<(n, c, y, x, ky, kx) -> (ky, kx)>
#id = affine_map<(n, y, x, c) -> (n, y, x, c)>

// An expansion, a depthwise convolution of the padded result, a projection with a residual: 16 strips of 4 rows. The
// window holds 6 rows, of which 2 are kept from strip to strip; row 0 of the expansion is made before the loop, and the
// last strip begins a row earlier, above the padding.
// CHECK-LABEL: func.func @mobile
// CHECK-SAME: %[[X:.*]]: tensor<1x64x64x8xf32>
// CHECK: tensor.empty() : tensor<1x[[WINDOW:[0-9]]]x66x64xf32>
// CHECK: aot.kernel "conv" {{.*}} outs(%{{.*}} : tensor<1x1x64x64xf32>)
// CHECK: %[[FIRST:.*]] = tensor.insert_slice
// CHECK: scf.for %[[I:.*]] = %{{.*}} to %{{.*}} step %{{.*}} iter_args(%[[Y:.*]] = %{{.*}}, %[[W:.*]] = %[[FIRST]])
// CHECK: %[[KEPT:.*]] = tensor.extract_slice %[[W]][0, [[ROWS:[0-9]+]], 0, 0] [1, 2, 66, 64]
// CHECK: tensor.insert_slice %[[KEPT]] into %[[W]][0, 0, 0, 0]
// CHECK: arith.minui
// CHECK: tensor.extract_slice %[[X]][0, %{{.*}}, 0, 0] [1, [[ROWS]], 64, 8]
// CHECK: aot.kernel "conv" {{.*}} outs(%{{.*}} : tensor<1x[[ROWS]]x64x64xf32>)
// CHECK: aot.kernel "depthwise" ins({{.*}} : tensor<1x[[WINDOW]]x66x64xf32>, {{.*}}) outs(%{{.*}} : tensor<1x[[ROWS]]x64x64xf32>)
// CHECK: %[[R:.*]] = tensor.extract_slice %[[X]][0, %{{.*}}, 0, 0] [1, [[ROWS]], 64, 8]
// CHECK: %[[PART:.*]] = aot.kernel "conv" ins({{.*}}, %[[R]] : {{.*}}) outs(%{{.*}} : tensor<1x[[ROWS]]x64x8xf32>)
// CHECK: tensor.insert_slice %[[PART]] into %[[Y]]
// CHECK: scf.yield
// CHECK: } {aot.strips}
// CHECK-NOT: aot.kernel
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

// A pooling that halves what a convolution makes: one row is kept, and made before the loop; nothing is padded.
// CHECK-LABEL: func.func @pooled
// CHECK: aot.kernel "conv" {{.*}} outs(%{{.*}} : tensor<1x1x65x64xf32>)
// CHECK: scf.for
// CHECK: tensor.extract_slice %{{.*}} [1, 1, 65, 64]
// CHECK-NOT: minui
// CHECK: aot.kernel "conv"
// CHECK: aot.kernel "pool"
// CHECK: } {aot.strips}
func.func @pooled(%x: tensor<1x65x65x8xf32>) -> tensor<1x32x32x64xf32> {
  %wide = arith.constant dense<1.0> : tensor<64x8xf32>
  %e = tensor.empty() : tensor<1x65x65x64xf32>
  %size = tensor.empty() : tensor<3x3xi8>
  %a = aot.kernel "conv" ins(%x, %wide : tensor<1x65x65x8xf32>, tensor<64x8xf32>) outs(%e : tensor<1x65x65x64xf32>)
      maps [#point, #matrix, #made] iterators ["parallel", "parallel", "parallel", "parallel", "reduction"]
      identity 0.000000e+00 : f32 compute {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    %0 = math.fma %l, %r, %acc : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<1x65x65x64xf32>
  %n = tensor.empty() : tensor<1x32x32x64xf32>
  %c = aot.kernel "pool" ins(%a, %size : tensor<1x65x65x64xf32>, tensor<3x3xi8>) outs(%n : tensor<1x32x32x64xf32>)
      maps [#halves, #size, #slid]
      iterators ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]
      identity 0xFF800000 : f32 compute {
  ^bb0(%l: f32, %r: i8, %acc: f32):
    %0 = arith.maximumf %l, %acc : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%l: f32, %r: i8, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<1x32x32x64xf32>
  return %c : tensor<1x32x32x64xf32>
}

// What has another reader stays whole, and so does what is small.
// CHECK-LABEL: func.func @read_twice
// CHECK-NOT: scf.for
func.func @read_twice(%x: tensor<1x65x65x8xf32>) -> (tensor<1x65x65x64xf32>, tensor<1x32x32x64xf32>) {
  %wide = arith.constant dense<1.0> : tensor<64x8xf32>
  %e = tensor.empty() : tensor<1x65x65x64xf32>
  %size = tensor.empty() : tensor<3x3xi8>
  %a = aot.kernel "conv" ins(%x, %wide : tensor<1x65x65x8xf32>, tensor<64x8xf32>) outs(%e : tensor<1x65x65x64xf32>)
      maps [#point, #matrix, #made] iterators ["parallel", "parallel", "parallel", "parallel", "reduction"]
      identity 0.000000e+00 : f32 compute {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    %0 = math.fma %l, %r, %acc : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<1x65x65x64xf32>
  %n = tensor.empty() : tensor<1x32x32x64xf32>
  %c = aot.kernel "pool" ins(%a, %size : tensor<1x65x65x64xf32>, tensor<3x3xi8>) outs(%n : tensor<1x32x32x64xf32>)
      maps [#halves, #size, #slid]
      iterators ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]
      identity 0xFF800000 : f32 compute {
  ^bb0(%l: f32, %r: i8, %acc: f32):
    %0 = arith.maximumf %l, %acc : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%l: f32, %r: i8, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<1x32x32x64xf32>
  return %a, %c : tensor<1x65x65x64xf32>, tensor<1x32x32x64xf32>
}
