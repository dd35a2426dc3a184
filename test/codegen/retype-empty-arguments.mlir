// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-retype-empty-arguments))' --allow-unregistered-dialect | FileCheck %s
// Only an empty buffer of several dims has strides that a bare pointer does not allow.

// CHECK-LABEL: func.func @main
// CHECK-SAME: (%[[EMPTY:.*]]: memref<0xi8>, %[[LIST:.*]]: memref<0xf32>, %[[FULL:.*]]: memref<2x3xf32>)
// CHECK: %[[ZERO:.*]] = arith.constant 0 : index
// CHECK: %[[VIEW:.*]] = memref.view %[[EMPTY]][%[[ZERO]]][] : memref<0xi8> to memref<2x0x4xf32>
// CHECK: "test.use"(%[[VIEW]], %[[LIST]], %[[FULL]])
func.func @main(%empty: memref<2x0x4xf32>, %list: memref<0xf32>, %full: memref<2x3xf32>) {
  "test.use"(%empty, %list, %full) : (memref<2x0x4xf32>, memref<0xf32>, memref<2x3xf32>) -> ()
  return
}
