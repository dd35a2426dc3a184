// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-emit-resample,canonicalize,cse))' | FileCheck %s
// Rows are expanded once, into memory that keeps the latest; the ends of a row are a scalar loop.

// CHECK-LABEL: func.func @linear
// CHECK: scf.for %{{.*}} = %{{.*}} to %c16 step %c1 iter_args(%[[NEXT:.*]] = %c0)
// CHECK: %[[FROM:.*]] = arith.maxsi %[[NEXT]],
// CHECK: scf.for %[[READ:.*]] = %[[FROM]] to
// CHECK: %[[SLOT:.*]] = arith.remui %[[READ]], %c2
// CHECK: scf.for %{{.*}} = %c0 to %c2 step %c1
// CHECK: memref.store %{{.*}}, %arg2[%[[SLOT]],
// CHECK: scf.for %{{.*}} = %c1 to %c39 step %c8
// CHECK-COUNT-3: vector.load %arg0[%c0, %{{.*}}, %[[READ]], %{{.*}}] : memref<1x3x8x40xf32>, vector<8xf32>
// CHECK: vector.interleave
// CHECK: vector.store %{{.*}}, %arg2[%[[SLOT]], %{{.*}}] : memref<2x80xf32>, vector<16xf32>
// CHECK: scf.for %{{.*}} = %c0 to %c80 step %c8
// CHECK-COUNT-2: vector.load %arg2[
// CHECK: vector.store %{{.*}}, %arg1[
// CHECK-NOT: aot.resample
func.func @linear(%x: memref<1x3x8x40xf32>, %y: memref<1x3x16x80xf32>, %rows: memref<2x80xf32>) {
  aot.resample %x : memref<1x3x8x40xf32> outs(%y, %rows : memref<1x3x16x80xf32>, memref<2x80xf32>)
      [#aot.sampling<axis = 2, taps = 2, window = 2, scale = 2, offsets = [-1, 0, 0, 1], weights = [0.25, 0.75, 0.75, 0.25]>,
       #aot.sampling<axis = 3, taps = 2, window = 2, scale = 2, offsets = [-1, 0, 0, 1], weights = [0.25, 0.75, 0.75, 0.25]>] maps []
  return
}

// Where only the run knows whether a row has a vector of elements there is code for both; a row like the one before it
// is copied.
// CHECK-LABEL: func.func @nearest
// CHECK: scf.for {{.*}} iter_args(%[[BEFORE:.*]] = %c-1)
// CHECK: %[[SAME:.*]] = arith.cmpi eq, %{{.*}}, %[[BEFORE]]
// CHECK: scf.if %[[SAME]]
// CHECK: vector.load %arg1
// CHECK: } else {
// CHECK: memref.store
// CHECK: scf.if
// CHECK: vector.shuffle %{{.*}}, %{{.*}} [0, 0, 0, 1, 1, 1, {{.*}}7] : vector<8xf32>, vector<8xf32>
// CHECK: vector.store {{.*}}, vector<24xf32>
func.func @nearest(%x: memref<?x?xf32>, %y: memref<?x?xf32>) {
  aot.resample %x : memref<?x?xf32> outs(%y : memref<?x?xf32>)
      [#aot.sampling<axis = 0, taps = 1, window = 1, scale = 3, offsets = [0, 0, 0]>,
       #aot.sampling<axis = 1, taps = 1, window = 1, scale = 3, offsets = [0, 0, 0]>] moves maps []
  return
}

// Tables: of an axis that is not the last one, whole rows; along rows, gathers. What follows is applied to vectors.
// CHECK-LABEL: func.func @tables
// CHECK: %[[ROW:.*]] = memref.load %arg2[
// CHECK: %[[WEIGHT:.*]] = memref.load %arg3[
// CHECK: arith.mulf %{{.*}}, %{{.*}} : vector<8xf32>
// CHECK: vector.store %{{.*}}, %arg6[%c0, %{{.*}}] : memref<1x32xf32>, vector<8xf32>
// CHECK: %[[AT:.*]] = vector.load %arg4[%{{.*}}] : memref<48xi32>, vector<8xi32>
// CHECK: vector.gather %arg6[%c0, %c0] [%[[AT]]]
// CHECK: arith.maximumf
// CHECK: vector.store %{{.*}}, %arg1[
func.func @tables(%x: memref<16x32xf32>, %y: memref<9x48xf32>, %p: memref<9xi32>, %w: memref<9xf32>, %q: memref<48xi32>,
                  %v: memref<48xf32>, %row: memref<1x32xf32>, %z: memref<f32>) {
  aot.resample %x : memref<16x32xf32> tables(%p, %w, %q, %v : memref<9xi32>, memref<9xf32>, memref<48xi32>, memref<48xf32>)
      ins(%z : memref<f32>) outs(%y, %row : memref<9x48xf32>, memref<1x32xf32>)
      [#aot.sampling<axis = 0, taps = 1, window = 1>, #aot.sampling<axis = 1, taps = 1, window = 1>] rows_first
      maps [affine_map<(r, c) -> ()>] epilogue {
  ^bb0(%in: f32, %sum: f32):
    %0 = arith.maximumf %in, %sum : f32
    aot.yield %0 : f32
  }
  return
}
