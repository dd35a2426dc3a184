// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-infer-shapes),aot-onnx-to-linalg)' | FileCheck %s

// A condition is a byte in memory. Branches use the values around them.
// CHECK-LABEL: @branches
// CHECK: %[[BIT:.*]] = arith.cmpi ne
// CHECK: scf.if %[[BIT]] -> (tensor<2x3xf32>)
// CHECK: linalg.generic
// CHECK: scf.yield
// CHECK: } else {
// CHECK-NEXT: scf.yield %arg1
func.func @branches(%c: tensor<i1>, %x: tensor<2x3xf32>) -> tensor<*xf32> {
  %y = "onnx.If"(%c) ({
    %a = "onnx.Relu"(%x) : (tensor<2x3xf32>) -> tensor<*xf32>
    "onnx.Yield"(%a) : (tensor<*xf32>) -> ()
  }, {
    "onnx.Yield"(%x) : (tensor<2x3xf32>) -> ()
  }) : (tensor<i1>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// A loop that its condition never ends: carried values, and slices collected in order.
// CHECK-LABEL: @counted
// CHECK: %[[ALL:.*]] = tensor.empty() : tensor<5x4xf32>
// CHECK: scf.for %[[I:.*]] = {{.*}} iter_args(%{{.*}} = %arg0, %[[PART:.*]] = %[[ALL]]) -> (tensor<4xf32>, tensor<5x4xf32>)
// CHECK: %[[SUM:.*]] = linalg.generic
// CHECK: tensor.insert_slice %[[SUM]] into %[[PART]][%[[I]], 0] [1, 4] [1, 1]
func.func @counted(%x: tensor<4xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  %m = onnx.Constant {value = dense<5> : tensor<i64>} : tensor<i64>
  %y:2 = "onnx.Loop"(%m, %x) <{operandSegmentSizes = array<i32: 1, 0, 1>}> ({
  ^bb0(%i: tensor<i64>, %c: tensor<i1>, %v: tensor<*xf32>):
    %s = "onnx.Add"(%v, %x) : (tensor<*xf32>, tensor<4xf32>) -> tensor<*xf32>
    "onnx.Yield"(%c, %s, %s) : (tensor<i1>, tensor<*xf32>, tensor<*xf32>) -> ()
  }) : (tensor<i64>, tensor<4xf32>) -> (tensor<*xf32>, tensor<*xf32>)
  return %y#0, %y#1 : tensor<*xf32>, tensor<*xf32>
}

// The bound need not be constant where nothing is collected.
// CHECK-LABEL: @open_bound
// CHECK: scf.for
func.func @open_bound(%m: tensor<i64>, %x: tensor<4xf32>) -> tensor<*xf32> {
  %y = "onnx.Loop"(%m, %x) <{operandSegmentSizes = array<i32: 1, 0, 1>}> ({
  ^bb0(%i: tensor<i64>, %c: tensor<i1>, %v: tensor<4xf32>):
    %s = "onnx.Add"(%v, %x) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    "onnx.Yield"(%c, %s) : (tensor<i1>, tensor<4xf32>) -> ()
  }) : (tensor<i64>, tensor<4xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// CHECK-LABEL: @conditional
// CHECK: scf.while (%[[V:.*]] = %arg2, %[[I:.*]] = %c0{{.*}}, %[[C:.*]] = %{{.*}})
// CHECK: %[[LEFT:.*]] = arith.cmpi slt, %[[I]]
// CHECK: %[[AGAIN:.*]] = arith.andi %[[C]], %[[LEFT]]
// CHECK: scf.condition(%[[AGAIN]]) %[[V]], %[[I]], %[[C]]
func.func @conditional(%m: tensor<i64>, %c: tensor<i1>, %x: tensor<4xi64>) -> tensor<*xi64> {
  %y = "onnx.Loop"(%m, %c, %x) <{operandSegmentSizes = array<i32: 1, 1, 1>}> ({
  ^bb0(%i: tensor<i64>, %d: tensor<i1>, %v: tensor<*xi64>):
    %s = "onnx.Add"(%v, %i) : (tensor<*xi64>, tensor<i64>) -> tensor<*xi64>
    %again = "onnx.Less"(%i, %m) : (tensor<i64>, tensor<i64>) -> tensor<i1>
    "onnx.Yield"(%again, %s) : (tensor<i1>, tensor<*xi64>) -> ()
  }) : (tensor<i64>, tensor<i1>, tensor<4xi64>) -> tensor<*xi64>
  return %y : tensor<*xi64>
}

// CHECK-LABEL: @never
// CHECK: %[[NONE:.*]] = tensor.empty() : tensor<0x8xf32>
// CHECK: return %arg0, %[[NONE]]
func.func @never(%x: tensor<4xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  %m = onnx.Constant {value = dense<0> : tensor<i64>} : tensor<i64>
  %y:2 = "onnx.Loop"(%m, %x) <{operandSegmentSizes = array<i32: 1, 0, 1>}> ({
  ^bb0(%i: tensor<i64>, %c: tensor<i1>, %v: tensor<*xf32>):
    %s = "onnx.Concat"(%v, %v) {axis = 0 : i64} : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
    "onnx.Yield"(%c, %s, %s) : (tensor<i1>, tensor<*xf32>, tensor<*xf32>) -> ()
  }) : (tensor<i64>, tensor<4xf32>) -> (tensor<*xf32>, tensor<*xf32>)
  return %y#0, %y#1 : tensor<*xf32>, tensor<*xf32>
}

// Slices along axis 1, from the last one on; results collected along axis 1.
// CHECK-LABEL: @scan
// CHECK: tensor.empty() : tensor<4x3xf32>
// CHECK: scf.for %[[I:.*]] = %{{.*}} to %c3
// CHECK: %[[PLACE:.*]] = arith.subi %{{.*}}, %[[I]]
// CHECK: tensor.extract_slice %arg1[0, %[[PLACE]]] [4, 1] [1, 1] : tensor<4x3xf32> to tensor<4xf32>
// CHECK: tensor.insert_slice %{{.*}}[0, %[[I]]] [4, 1] [1, 1] : tensor<4xf32> into tensor<4x3xf32>
func.func @scan(%s: tensor<4xf32>, %x: tensor<4x3xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  %y:2 = "onnx.Scan"(%s, %x) ({
  ^bb0(%t: tensor<*xf32>, %v: tensor<*xf32>):
    %a = "onnx.Add"(%t, %v) : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
    "onnx.Yield"(%a, %a) : (tensor<*xf32>, tensor<*xf32>) -> ()
  }) {num_scan_inputs = 1 : i64, scan_input_axes = array<i64: 1>, scan_input_directions = array<i64: 1>,
      scan_output_axes = array<i64: -1>} : (tensor<4xf32>, tensor<4x3xf32>) -> (tensor<*xf32>, tensor<*xf32>)
  return %y#0, %y#1 : tensor<*xf32>, tensor<*xf32>
}
