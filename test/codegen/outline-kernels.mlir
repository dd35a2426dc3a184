// RUN: onnx-aot-opt %s --aot-outline-kernels | FileCheck %s
// Equal operations share a function; those wired differently inside do not, and small ones stay where they are.

#id = affine_map<(d0) -> (d0)>

// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[A:.*]]: memref<4096xf32>, %[[B:.*]]: memref<4096xf32>, %[[C:.*]]: memref<4096xf32>
// CHECK: call @elementwise_0(%[[A]], %[[B]], %[[C]])
// CHECK-NEXT: call @elementwise_1(%[[A]], %[[B]], %[[C]])
// CHECK-NEXT: call @elementwise_0(%[[B]], %[[B]], %[[C]])
// CHECK-NEXT: linalg.generic
// CHECK-LABEL: func.func private @elementwise_0
// CHECK: ^bb0(%[[L:.*]]: f32, %[[R:.*]]: f32, %{{.*}}: f32):
// CHECK: arith.subf %{{.*}}, %[[L]]
// CHECK-LABEL: func.func private @elementwise_1
// CHECK: ^bb0(%[[L:.*]]: f32, %[[R:.*]]: f32, %{{.*}}: f32):
// CHECK: arith.subf %{{.*}}, %[[R]]
func.func @main(%a: memref<4096xf32>, %b: memref<4096xf32>, %c: memref<4096xf32>, %small: memref<8xf32>) {
  %two = arith.constant 2.0 : f32
  linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]} ins(%a, %b : memref<4096xf32>, memref<4096xf32>) outs(%c : memref<4096xf32>) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %0 = arith.mulf %l, %two : f32
    %1 = arith.subf %0, %l : f32
    %2 = arith.addf %1, %r : f32
    linalg.yield %2 : f32
  }
  linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]} ins(%a, %b : memref<4096xf32>, memref<4096xf32>) outs(%c : memref<4096xf32>) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %0 = arith.mulf %l, %two : f32
    %1 = arith.subf %0, %r : f32
    %2 = arith.addf %1, %r : f32
    linalg.yield %2 : f32
  }
  linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]} ins(%b, %b : memref<4096xf32>, memref<4096xf32>) outs(%c : memref<4096xf32>) {
  ^bb0(%l: f32, %r: f32, %out: f32):
    %0 = arith.mulf %l, %two : f32
    %1 = arith.subf %0, %l : f32
    %2 = arith.addf %1, %r : f32
    linalg.yield %2 : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%small : memref<8xf32>) outs(%small : memref<8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %in, %two : f32
    linalg.yield %0 : f32
  }
  return
}
