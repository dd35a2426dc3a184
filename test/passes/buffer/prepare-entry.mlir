// RUN: onnx-aot-opt %s --aot-prepare-entry | FileCheck %s
// Results become destination arguments that keep their attributes; the entry returns a status.

// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[X:.*]]: memref<4xf32> {onnx.name = "x"}, %[[Y:.*]]: memref<4xf32> {bufferize.result, onnx.name = "y"}, %[[Z:.*]]: memref<4xf32> {bufferize.result, onnx.name = "z"}) -> i32
// CHECK: %[[T:.*]] = bufferization.to_tensor %[[X]] restrict
// CHECK: %[[E:.*]] = math.exp %[[T]]
// CHECK-DAG: bufferization.materialize_in_destination %[[E]] in restrict writable %[[Y]]
// CHECK-DAG: bufferization.materialize_in_destination %[[T]] in restrict writable %[[Z]]
// CHECK: %[[OK:.*]] = arith.constant 0 : i32
// CHECK: return %[[OK]]
func.func @main(%x: tensor<4xf32> {onnx.name = "x"}) -> (tensor<4xf32> {onnx.name = "y"}, tensor<4xf32> {onnx.name = "z"}) {
  %y = math.exp %x : tensor<4xf32>
  return %y, %x : tensor<4xf32>, tensor<4xf32>
}
