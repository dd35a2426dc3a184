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
