// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-emit-loops))' | FileCheck %s
// The four bytes that an aot.dot takes are one load; where they do not lie side by side, they are multiplied one by one.

#x = affine_map<(m, n, k, q) -> (m, 4 * k + q)>
#w = affine_map<(m, n, k, q) -> (k, n, q)>
#y = affine_map<(m, n, k, q) -> (m, n)>

// CHECK-LABEL: func.func @words
// CHECK: scf.for
// CHECK: vector.load {{.*}} : memref<24xi8>, vector<4xi8>
// CHECK: aot.dot {{.*}} : i32, vector<4xi8>
// CHECK-NOT: arith.muli {{.*}} : i32
func.func @words(%x: memref<3x8xi8>, %w: memref<2x5x4xi8>, %y: memref<3x5xi32>) {
  aot.kernel "matmul" ins(%x, %w : memref<3x8xi8>, memref<2x5x4xi8>) outs(%y : memref<3x5xi32>)
      maps [#x, #w, #y] iterators ["parallel", "parallel", "reduction", "reduction"] identity 0 : i32
      strategy <provider = "loops", vector = 1, width = 1, vectors = 5, row = -1, rows = 1> compute {
  ^bb0(%l: i8, %r: i8, %acc: i32):
    %0 = aot.dot %acc, %l, %r : i32, i8
    aot.yield %0 : i32
  } epilogue {
  ^bb0(%l: i8, %r: i8, %acc: i32):
    aot.yield %acc : i32
  }
  return
}

// CHECK-LABEL: func.func @every_second
// CHECK-NOT: aot.dot
// CHECK: arith.extsi {{.*}} : i8 to i32
// CHECK: arith.muli {{.*}} : i32
// CHECK-NOT: aot.dot
// CHECK: return
func.func @every_second(%x: memref<3x8xi8, strided<[16, 2]>>, %w: memref<2x5x4xi8>, %y: memref<3x5xi32>) {
  aot.kernel "matmul" ins(%x, %w : memref<3x8xi8, strided<[16, 2]>>, memref<2x5x4xi8>) outs(%y : memref<3x5xi32>)
      maps [#x, #w, #y] iterators ["parallel", "parallel", "reduction", "reduction"] identity 0 : i32
      strategy <provider = "loops", vector = 1, width = 1, vectors = 5, row = -1, rows = 1> compute {
  ^bb0(%l: i8, %r: i8, %acc: i32):
    %0 = aot.dot %acc, %l, %r : i32, i8
    aot.yield %0 : i32
  } epilogue {
  ^bb0(%l: i8, %r: i8, %acc: i32):
    aot.yield %acc : i32
  }
  return
}
