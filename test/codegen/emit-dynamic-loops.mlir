// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-emit-loops,canonicalize,cse))' | FileCheck %s
// Extents and strides that only the run knows: merged where that is provable, whole tiles, single vectors, points.

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(d0, d1) -> (d0, d1)>
#id3 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>

// One loop of 768 * s0 * s1 points, which is a whole number of tiles.
// CHECK-LABEL: func.func @merges
// CHECK: %[[EXTENT:.*]] = arith.muli %{{.*}}, %c768
// CHECK: scf.for %{{.*}} = %c0 to %[[EXTENT]] step %c32
// CHECK-COUNT-4: vector.store {{.*}} vector<8xf32>
// CHECK-NOT: scf.for
// CHECK: return
func.func @merges(%x: memref<?x?x768xf32>, %y: memref<?x?x768xf32>) {
  linalg.generic {indexing_maps = [#id3, #id3], iterator_types = ["parallel", "parallel", "parallel"]} ins(%x : memref<?x?x768xf32>) outs(%y : memref<?x?x768xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.negf %in : f32
    linalg.yield %0 : f32
  }
  return
}

// CHECK-LABEL: func.func @rest
// CHECK: scf.for {{.*}} step %c32
// CHECK: scf.for {{.*}} step %c8
// CHECK: vector.store {{.*}} vector<8xf32>
// CHECK: scf.for {{.*}} step %c1
// CHECK: memref.store
func.func @rest(%x: memref<?x?xf32>, %y: memref<?x?xf32>) {
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : memref<?x?xf32>) outs(%y : memref<?x?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.negf %in : f32
    linalg.yield %0 : f32
  }
  return
}

// Rows by two, then one by one; the columns that fill no vector are part of one that begins early.
// CHECK-LABEL: func.func @matmul
// CHECK: scf.for {{.*}} step %c8
// CHECK: scf.for {{.*}} step %c2
// CHECK: scf.for {{.*}} -> (vector<8xf32>, vector<8xf32>)
// CHECK: scf.for {{.*}} step %c1
// CHECK: scf.for {{.*}} -> (vector<8xf32>)
// CHECK: scf.if
// CHECK: arith.cmpi sge
// CHECK: arith.subi %{{.*}}, %c8
func.func @matmul(%a: memref<?x?xf32>, %b: memref<?x?xf32>, %c: memref<?x?xf32>) {
  aot.kernel "matmul" ins(%a, %b : memref<?x?xf32>, memref<?x?xf32>) outs(%c : memref<?x?xf32>)
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

// Where nobody knows the stride of the lanes: vectors if it is 1.
// CHECK-LABEL: func.func @guess
// CHECK: %[[UNIT:.*]] = arith.cmpi eq, %{{.*}}, %c1
// CHECK: scf.if %[[UNIT]]
// CHECK: vector.load
// CHECK: else
// CHECK-NOT: vector
// CHECK: return
func.func @guess(%x: memref<?x?xf32, strided<[?, ?], offset: ?>>, %y: memref<?x?xf32>) {
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : memref<?x?xf32, strided<[?, ?], offset: ?>>) outs(%y : memref<?x?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.negf %in : f32
    linalg.yield %0 : f32
  }
  return
}

// Dense on both sides: a memcpy. Anything else is loops, whatever the types do not say.
// CHECK-LABEL: func.func @copies
// CHECK: memref.copy
// CHECK-NOT: memref.copy
// CHECK: scf.for
// CHECK: return
func.func @copies(%x: memref<?x4xf32>, %y: memref<?x4xf32>, %z: memref<?x4xf32, strided<[4, 1], offset: ?>>, %e: memref<?x0xf32, strided<[4, 1], offset: ?>>) {
  memref.copy %x, %y : memref<?x4xf32> to memref<?x4xf32>
  memref.copy %x, %z : memref<?x4xf32> to memref<?x4xf32, strided<[4, 1], offset: ?>>
  memref.copy %e, %e : memref<?x0xf32, strided<[4, 1], offset: ?>> to memref<?x0xf32, strided<[4, 1], offset: ?>>
  return
}

// What has no linear addresses goes through linalg's scalar loops.
// CHECK-LABEL: func.func @scalar
// CHECK: memref.dim
// CHECK: scf.for
// CHECK: scf.for
// CHECK: memref.store
func.func @scalar(%x: memref<?x?xf32>, %y: memref<?xf32>) {
  linalg.generic {indexing_maps = [#id, affine_map<(d0, d1) -> (d0)>], iterator_types = ["parallel", "reduction"]} ins(%x : memref<?x?xf32>) outs(%y : memref<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %in, %out : f32
    linalg.yield %0 : f32
  }
  return
}
