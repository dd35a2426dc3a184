// RUN: onnx-aot-opt %s --aot-onnx-to-linalg --split-input-file | FileCheck %s
// Scales of extents that only the run knows.

// One scale, or one per column.
// CHECK-LABEL: @columns
// CHECK: aot.require %{{.*}}, shape_mismatch
// CHECK: %[[SCALE:.*]] = aot.broadcast %arg1
// CHECK: linalg.generic {{.*}} ins(%arg0, %[[SCALE]] :
func.func @columns(%x: tensor<?x?xf32> {onnx.dim_names = ["rows", "columns"]},
                   %s: tensor<?xf32> {onnx.dim_names = ["scales"]}) -> tensor<?x?xui8> {
  %0 = "onnx.QuantizeLinear"(%x, %s) {axis = 1 : i64} : (tensor<?x?xf32>, tensor<?xf32>) -> tensor<?x?xui8>
  return %0 : tensor<?x?xui8>
}

// -----

// A scale for each two elements; the number of elements is open.
// CHECK-LABEL: @blocks
// CHECK: aot.require %{{.*}}, shape_mismatch
// CHECK: linalg.generic
func.func @blocks(%x: tensor<?xi8> {onnx.dim_names = ["n"]}, %s: tensor<?xf32> {onnx.dim_names = ["scales"]}) -> tensor<?xf32> {
  %0 = "onnx.DequantizeLinear"(%x, %s) {axis = 0 : i64, block_size = 2 : i64} : (tensor<?xi8>, tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}
