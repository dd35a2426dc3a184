// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-emit-loops,canonicalize))' | FileCheck %s
// A kernel becomes loops over register tiles by its strategy; an elementwise operation one flat vector loop.

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(d0, d1) -> (d0, d1)>

// Two rows share each vector of B, and their sums stay in registers.
// CHECK-LABEL: func.func @matmul
// CHECK: %[[SUMS:.*]]:2 = scf.for {{.*}} -> (vector<8xf32>, vector<8xf32>)
// CHECK-COUNT-1: vector.load
// CHECK-COUNT-2: math.fma
// CHECK: vector.store %[[SUMS]]#0
// CHECK: vector.store %[[SUMS]]#1
func.func @matmul(%a: memref<2x16xf32>, %b: memref<16x8xf32>, %c: memref<2x8xf32>) {
  aot.kernel "matmul" ins(%a, %b : memref<2x16xf32>, memref<16x8xf32>) outs(%c : memref<2x8xf32>)
      maps [#a, #b, #c] iterators ["parallel", "parallel", "reduction"] identity 0.000000e+00 : f32
      strategy <provider = "loops", vector = 1, width = 8, vectors = 1, row = 0, rows = 2> compute {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    %0 = math.fma %l, %r, %acc : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    aot.yield %acc : f32
  }
  return
}

// 36 elements are one tile of four vectors and a rest of four, which no store overlaps: the destination may be the input.
// CHECK-LABEL: func.func @flat
// CHECK-NOT: scf.for
// CHECK-COUNT-4: vector.load {{.*}} vector<8xf32>
// CHECK-COUNT-4: vector.store {{.*}} vector<8xf32>
// CHECK: vector.store {{.*}} vector<4xf32>
// CHECK-NOT: vector.store
func.func @flat(%x: memref<4x9xf32>) {
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : memref<4x9xf32>) outs(%x : memref<4x9xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.negf %in : f32
    linalg.yield %0 : f32
  }
  return
}

// A block of a window is a tile of columns: for each of its rows, all channels.
#w = affine_map<(c, y, x, k) -> (y, x + k, c)>
#taps = affine_map<(c, y, x, k) -> (k)>
#r = affine_map<(c, y, x, k) -> (y, x, c)>
// CHECK-LABEL: func.func @channels_first
// CHECK: scf.for %[[X:.*]] = %c0 to %c4 step %c2
// CHECK: scf.for %[[Y:.*]] = %c0 to %c5 step %c1
// CHECK: scf.for %[[C:.*]] = %c0 to %c16 step %c8
// CHECK: arith.addi %[[C]]
// CHECK: vector.load
func.func @channels_first(%x: memref<5x6x16xf32>, %taps: memref<3xi8>, %y: memref<5x4x16xf32>) {
  aot.kernel "pool" ins(%x, %taps : memref<5x6x16xf32>, memref<3xi8>) outs(%y : memref<5x4x16xf32>)
      maps [#w, #taps, #r] iterators ["parallel", "parallel", "parallel", "reduction"] identity 0.000000e+00 : f32
      strategy <provider = "loops", vector = 0, width = 8, vectors = 1, row = 2, rows = 2, block = 2> compute {
  ^bb0(%l: f32, %t: i8, %acc: f32):
    %0 = arith.addf %l, %acc : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%l: f32, %t: i8, %acc: f32):
    aot.yield %acc : f32
  }
  return
}
