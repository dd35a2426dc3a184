// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-emit-loops,canonicalize))' | FileCheck %s
// What moves elements across takes squares of them, which are turned in registers: eight loads, three rounds of
// shuffles, eight stores. The last rows and columns of a pure transposition overlap those before.

// CHECK-LABEL: func.func @transposed
// CHECK: scf.for
// CHECK: scf.for
// CHECK-COUNT-8: vector.load {{.*}} : memref<640xf32>, vector<8xf32>
// CHECK-COUNT-24: vector.shuffle
// CHECK-COUNT-8: vector.store {{.*}} : memref<640xf32>, vector<8xf32>
// CHECK-NOT: vector.from_elements
func.func @transposed(%x: memref<20x32xf32>, %y: memref<32x20xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (j, i)>, affine_map<(i, j) -> (i, j)>],
                  iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<20x32xf32>) outs(%y : memref<32x20xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  }
  return
}

// The destination may be the other input: no point is computed twice.
// CHECK-LABEL: func.func @added
// CHECK-COUNT-24: vector.shuffle
// CHECK: vector.from_elements {{.*}} : vector<4xf32>
func.func @added(%x: memref<20x32xf32>, %z: memref<32x20xf32>, %y: memref<32x20xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (j, i)>, affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
                  iterator_types = ["parallel", "parallel"]}
      ins(%x, %z : memref<20x32xf32>, memref<32x20xf32>) outs(%y : memref<32x20xf32>) {
  ^bb0(%in: f32, %other: f32, %out: f32):
    %0 = arith.addf %in, %other : f32
    linalg.yield %0 : f32
  }
  return
}
