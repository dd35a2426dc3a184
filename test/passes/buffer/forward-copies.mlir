// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-forward-copies))' | FileCheck %s

// CHECK-LABEL: func.func @apart
// CHECK-SAME: %[[M:.*]]: memref<1x10x4xf32>
// CHECK-NOT: memref.alloc
// CHECK-DAG: %[[FROM:.*]] = memref.subview %[[M]][0, 8, 0]
// CHECK-DAG: %[[TO:.*]] = memref.subview %[[M]][0, 0, 0]
// CHECK: memref.copy %[[FROM]], %[[TO]]
func.func @apart(%m: memref<1x10x4xf32>) {
  %t = memref.alloc() : memref<1x2x4xf32>
  %from = memref.subview %m[0, 8, 0] [1, 2, 4] [1, 1, 1] : memref<1x10x4xf32> to memref<1x2x4xf32, strided<[40, 4, 1], offset: 32>>
  memref.copy %from, %t : memref<1x2x4xf32, strided<[40, 4, 1], offset: 32>> to memref<1x2x4xf32>
  %to = memref.subview %m[0, 0, 0] [1, 2, 4] [1, 1, 1] : memref<1x10x4xf32> to memref<1x2x4xf32, strided<[40, 4, 1]>>
  memref.copy %t, %to : memref<1x2x4xf32> to memref<1x2x4xf32, strided<[40, 4, 1]>>
  return
}

// Slices that share a row, or may, need the buffer; so does what is written meanwhile.
// CHECK-LABEL: func.func @overlapping
// CHECK: memref.alloc
// CHECK-COUNT-2: memref.copy
func.func @overlapping(%m: memref<1x10x4xf32>) {
  %t = memref.alloc() : memref<1x2x4xf32>
  %from = memref.subview %m[0, 1, 0] [1, 2, 4] [1, 1, 1] : memref<1x10x4xf32> to memref<1x2x4xf32, strided<[40, 4, 1], offset: 4>>
  memref.copy %from, %t : memref<1x2x4xf32, strided<[40, 4, 1], offset: 4>> to memref<1x2x4xf32>
  %to = memref.subview %m[0, 0, 0] [1, 2, 4] [1, 1, 1] : memref<1x10x4xf32> to memref<1x2x4xf32, strided<[40, 4, 1]>>
  memref.copy %t, %to : memref<1x2x4xf32> to memref<1x2x4xf32, strided<[40, 4, 1]>>
  return
}

// CHECK-LABEL: func.func @written
// CHECK: memref.alloc
// CHECK-COUNT-2: memref.copy
func.func @written(%m: memref<1x10x4xf32>, %v: f32, %i: index) {
  %t = memref.alloc() : memref<1x2x4xf32>
  %from = memref.subview %m[0, 8, 0] [1, 2, 4] [1, 1, 1] : memref<1x10x4xf32> to memref<1x2x4xf32, strided<[40, 4, 1], offset: 32>>
  memref.copy %from, %t : memref<1x2x4xf32, strided<[40, 4, 1], offset: 32>> to memref<1x2x4xf32>
  memref.store %v, %m[%i, %i, %i] : memref<1x10x4xf32>
  %to = memref.subview %m[0, 0, 0] [1, 2, 4] [1, 1, 1] : memref<1x10x4xf32> to memref<1x2x4xf32, strided<[40, 4, 1]>>
  memref.copy %t, %to : memref<1x2x4xf32> to memref<1x2x4xf32, strided<[40, 4, 1]>>
  return
}
