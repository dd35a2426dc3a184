// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-fuse-prologue,canonicalize))' | FileCheck %s
// A kernel that reads each element once or a few times widens it itself, seen through a reshape; one that reads it
// often does not.

#id = affine_map<(d0, d1) -> (d0, d1)>
#id3 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#none = affine_map<(d0, d1, d2) -> ()>
#row = affine_map<(d0, d1) -> (d0)>
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (n, k)>
#c = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: @mean
// CHECK-SAME: %[[X:.*]]: tensor<2x2x4xi8>, %[[SCALE:.*]]: tensor<f32>
// CHECK: %[[FLAT:.*]] = tensor.collapse_shape %[[X]] {{.*}} : tensor<2x2x4xi8> into tensor<2x8xi8>
// CHECK: aot.kernel "pool" ins(%[[FLAT]], %[[SCALE]] : tensor<2x8xi8>, tensor<f32>)
// CHECK: compute {
// CHECK-NEXT: ^bb0(%[[E:.*]]: i8, %[[S:.*]]: f32, %[[ACC:.*]]: f32):
// CHECK-NEXT: %[[F:.*]] = arith.sitofp %[[E]] : i8 to f32
// CHECK-NEXT: %[[D:.*]] = arith.mulf %[[F]], %[[S]] : f32
// CHECK-NEXT: arith.addf %[[ACC]], %[[D]] : f32
// CHECK: epilogue {
// CHECK-NEXT: ^bb0(%{{.*}}: i8, %{{.*}}: f32, %{{.*}}: f32):
func.func @mean(%x: tensor<2x2x4xi8>, %scale: tensor<f32>) -> tensor<2xf32> {
  %wide = tensor.empty() : tensor<2x2x4xf32>
  %d = linalg.generic {indexing_maps = [#id3, #none, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x, %scale : tensor<2x2x4xi8>, tensor<f32>) outs(%wide : tensor<2x2x4xf32>) {
  ^bb0(%in: i8, %s: f32, %out: f32):
    %0 = arith.sitofp %in : i8 to f32
    %1 = arith.mulf %0, %s : f32
    linalg.yield %1 : f32
  } -> tensor<2x2x4xf32>
  %flat = tensor.collapse_shape %d [[0], [1, 2]] : tensor<2x2x4xf32> into tensor<2x8xf32>
  %init = tensor.empty() : tensor<2xf32>
  %y = aot.kernel "pool" ins(%flat : tensor<2x8xf32>) outs(%init : tensor<2xf32>) maps [#id, #row]
      iterators ["parallel", "reduction"] identity 0.000000e+00 : f32 compute {
  ^bb0(%e: f32, %acc: f32):
    %0 = arith.addf %acc, %e : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%e: f32, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// CHECK-LABEL: @product
// CHECK: linalg.generic
// CHECK: aot.kernel "matmul" ins({{.*}} : tensor<4x8xf32>, tensor<16x8xf32>)
func.func @product(%x: tensor<4x8xi8>, %w: tensor<16x8xf32>) -> tensor<4x16xf32> {
  %wide = tensor.empty() : tensor<4x8xf32>
  %d = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x8xi8>) outs(%wide : tensor<4x8xf32>) {
  ^bb0(%in: i8, %out: f32):
    %0 = arith.sitofp %in : i8 to f32
    linalg.yield %0 : f32
  } -> tensor<4x8xf32>
  %init = tensor.empty() : tensor<4x16xf32>
  %y = aot.kernel "matmul" ins(%d, %w : tensor<4x8xf32>, tensor<16x8xf32>) outs(%init : tensor<4x16xf32>)
      maps [#a, #b, #c] iterators ["parallel", "parallel", "reduction"] identity 0.000000e+00 : f32 compute {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    %0 = math.fma %l, %r, %acc : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<4x16xf32>
  return %y : tensor<4x16xf32>
}
