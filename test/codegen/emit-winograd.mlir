// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(aot-emit-winograd)' | FileCheck %s
// Two convolutions of one shape: loops of their own, and one function that multiplies for both. Tiles at the border go
// through the stack, where data stand in for what does not exist by zeros.

// CHECK-LABEL: func.func @winograd
// CHECK-DAG: memref.alloca() {{.*}} : memref<64xf32>
// CHECK-DAG: memref.alloca() {{.*}} : memref<16xf32>
// CHECK: scf.if
// CHECK: arith.select %{{.*}}, %{{.*}}, %{{.*}} : vector<4xf32>
// CHECK: call @winograd_products_0(%{{.*}}, %{{.*}}, %{{.*}})
// CHECK: math.exp %{{.*}} : vector<4xf32>
// CHECK: vector.store {{.*}} : memref<128xf32>, vector<4xf32>
// CHECK: call @winograd_products_0(
// CHECK-NOT: aot.winograd
func.func @winograd(%x: memref<1x4x4x8xf32>, %w: memref<1x16x1x8x8xf32>, %y: memref<1x4x4x8xf32>,
                    %s: memref<1152xf32>) {
  aot.winograd tile 2 pads [1, 1] block 2 group 1 ins(%x, %w : memref<1x4x4x8xf32>, memref<1x16x1x8x8xf32>)
      outs(%y : memref<1x4x4x8xf32>) scratch(%s : memref<1152xf32>) maps []
      strategy <provider = "winograd", vector = 3, width = 4, vectors = 2, row = -1, rows = 4> epilogue {
  ^bb0(%acc: f32):
    %e = math.exp %acc : f32
    aot.yield %e : f32
  }
  aot.winograd tile 2 pads [1, 1] block 2 group 1 ins(%y, %w : memref<1x4x4x8xf32>, memref<1x16x1x8x8xf32>)
      outs(%x : memref<1x4x4x8xf32>) scratch(%s : memref<1152xf32>) maps []
      strategy <provider = "winograd", vector = 3, width = 4, vectors = 2, row = -1, rows = 4> epilogue {
  ^bb0(%acc: f32):
    aot.yield %acc : f32
  }
  return
}

// CHECK-LABEL: func.func private @winograd_products_0
// CHECK: aot.kernel "matmul" {{.*}} strategy <provider = "loops", vector = 2, width = 4, vectors = 2, row = 1, rows = 4>
// CHECK-NOT: winograd_products_1
