// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-resolve-reshapes,canonicalize))' | FileCheck %s

// CHECK-LABEL: func.func @two_in_a_group(
// CHECK-SAME: %[[X:.*]]: memref<?x4xf32>, %[[A:.*]]: index, %[[B:.*]]: index)
// CHECK: %[[STRIDE:.*]] = arith.muli %[[B]], %c4
// CHECK: memref.reinterpret_cast %{{.*}} to offset: [0], sizes: [%[[A]], %[[B]], 4], strides: [%[[STRIDE]], 4, 1]
// CHECK-NOT: expand_shape
func.func @two_in_a_group(%x: memref<?x4xf32>, %a: index, %b: index) -> memref<?x?x4xf32> {
  %y = memref.expand_shape %x [[0, 1], [2]] output_shape [%a, %b, 4] : memref<?x4xf32> into memref<?x?x4xf32>
  return %y : memref<?x?x4xf32>
}

// CHECK-LABEL: func.func @one_in_a_group(
// CHECK: memref.expand_shape
func.func @one_in_a_group(%x: memref<?x4xf32>, %a: index) -> memref<?x2x4xf32> {
  %y = memref.expand_shape %x [[0, 1], [2]] output_shape [%a, 2, 4] : memref<?x4xf32> into memref<?x2x4xf32>
  return %y : memref<?x2x4xf32>
}
