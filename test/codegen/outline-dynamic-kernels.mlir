// RUN: onnx-aot-opt %s --aot-outline-kernels | FileCheck %s
// A function gets the base of a buffer and what its type does not say; operations on equal types still share one.

#id = affine_map<(d0, d1) -> (d0, d1)>

// CHECK-LABEL: func.func @main
// CHECK: %[[X:.*]], %[[OFFSET:.*]], %[[XS:.*]]:2, %[[XT:.*]]:2 = memref.extract_strided_metadata
// CHECK: %[[Y:.*]], %{{.*}}, %[[YS:.*]]:2, %{{.*}}:2 = memref.extract_strided_metadata
// CHECK: call @elementwise_0(%[[X]], %[[OFFSET]], %[[XS]]#0, %[[XT]]#0, %[[Y]], %[[YS]]#0) : (memref<f32>, index, index, index, memref<f32>, index) -> ()
// CHECK: call @elementwise_0
// CHECK-LABEL: func.func private @elementwise_0
// CHECK-SAME: %[[X:.*]]: memref<f32>, %[[OFFSET:.*]]: index, %[[SIZE:.*]]: index, %[[STRIDE:.*]]: index, %[[Y:.*]]: memref<f32>, %[[YSIZE:.*]]: index
// CHECK: memref.reinterpret_cast %[[X]] to offset: [%[[OFFSET]]], sizes: [%[[SIZE]], 768], strides: [%[[STRIDE]], 1]
// CHECK: memref.reinterpret_cast %[[Y]] to offset: [0], sizes: [%[[YSIZE]], 768], strides: [768, 1]
// CHECK-NOT: func.func
func.func @main(%x: memref<?x768xf32, strided<[?, 1], offset: ?>>, %y: memref<?x768xf32>, %z: memref<?x768xf32>) {
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : memref<?x768xf32, strided<[?, 1], offset: ?>>) outs(%y : memref<?x768xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.negf %in : f32
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : memref<?x768xf32, strided<[?, 1], offset: ?>>) outs(%z : memref<?x768xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.negf %in : f32
    linalg.yield %0 : f32
  }
  return
}
