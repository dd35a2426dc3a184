// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-place-scratch))' | FileCheck %s
// A kernel's scratch memory is a buffer from now on: 16 positions of 4 tiles of 8 channels and a vector more, and the
// same of products.

// CHECK-LABEL: func.func @winograd
// CHECK: %[[S:.*]] = memref.alloc() : memref<1152xf32>
// CHECK: aot.winograd {{.*}} scratch(%[[S]] : memref<1152xf32>)
func.func @winograd(%x: memref<1x4x4x8xf32>, %w: memref<1x16x1x8x8xf32>, %y: memref<1x4x4x8xf32>) {
  aot.winograd tile 2 pads [1, 1] block 2 group 1 ins(%x, %w : memref<1x4x4x8xf32>, memref<1x16x1x8x8xf32>)
      outs(%y : memref<1x4x4x8xf32>) maps []
      strategy <provider = "winograd", vector = 3, width = 4, vectors = 2, row = -1, rows = 4> epilogue {
  ^bb0(%acc: f32):
    aot.yield %acc : f32
  }
  return
}
