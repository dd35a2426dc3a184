// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-infer-shapes))' | FileCheck %s

// The branch that is taken replaces the operator, whatever the other one's shape; also inside of a branch.
// CHECK-LABEL: @taken
// CHECK-SAME: -> tensor<2x3xf32>
// CHECK-NOT: onnx.If
// CHECK: "onnx.Relu"(%arg0) : (tensor<2x3xf32>) -> tensor<2x3xf32>
func.func @taken(%x: tensor<2x3xf32>, %z: tensor<4xf32>) -> tensor<*xf32> {
  %true = onnx.Constant {value = dense<true> : tensor<i1>} : tensor<i1>
  %y = "onnx.If"(%true) ({
    %not = "onnx.Not"(%true) : (tensor<i1>) -> tensor<i1>
    %w = "onnx.If"(%not) ({
      "onnx.Yield"(%z) : (tensor<4xf32>) -> ()
    }, {
      %a = "onnx.Relu"(%x) : (tensor<2x3xf32>) -> tensor<*xf32>
      "onnx.Yield"(%a) : (tensor<*xf32>) -> ()
    }) : (tensor<i1>) -> tensor<*xf32>
    "onnx.Yield"(%w) : (tensor<*xf32>) -> ()
  }, {
    "onnx.Yield"(%z) : (tensor<4xf32>) -> ()
  }) : (tensor<i1>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// CHECK-LABEL: @differ
// CHECK-SAME: -> tensor<?x3xf32>
func.func @differ(%c: tensor<i1>, %x: tensor<2x3xf32>, %z: tensor<4x3xf32>) -> tensor<*xf32> {
  %y = "onnx.If"(%c) ({
    "onnx.Yield"(%x) : (tensor<2x3xf32>) -> ()
  }, {
    "onnx.Yield"(%z) : (tensor<4x3xf32>) -> ()
  }) : (tensor<i1>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// No iteration: nothing is collected, and what is carried keeps its shape whatever the body does.
// CHECK-LABEL: @never
// CHECK-SAME: -> (tensor<4xf32>, tensor<0x8xf32>)
func.func @never(%x: tensor<4xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  %m = onnx.Constant {value = dense<0> : tensor<i64>} : tensor<i64>
  %y:2 = "onnx.Loop"(%m, %x) <{operandSegmentSizes = array<i32: 1, 0, 1>}> ({
  ^bb0(%i: tensor<i64>, %c: tensor<i1>, %v: tensor<*xf32>):
    %s = "onnx.Concat"(%v, %v) {axis = 0 : i64} : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
    "onnx.Yield"(%c, %s, %s) : (tensor<i1>, tensor<*xf32>, tensor<*xf32>) -> ()
  }) : (tensor<i64>, tensor<4xf32>) -> (tensor<*xf32>, tensor<*xf32>)
  return %y#0, %y#1 : tensor<*xf32>, tensor<*xf32>
}

// A shape that grows stays open.
// CHECK-LABEL: @grows
// CHECK-SAME: -> tensor<?xf32>
func.func @grows(%x: tensor<4xf32>) -> tensor<*xf32> {
  %m = onnx.Constant {value = dense<2> : tensor<i64>} : tensor<i64>
  %y = "onnx.Loop"(%m, %x) <{operandSegmentSizes = array<i32: 1, 0, 1>}> ({
  ^bb0(%i: tensor<i64>, %c: tensor<i1>, %v: tensor<*xf32>):
    %s = "onnx.Concat"(%v, %v) {axis = 0 : i64} : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
    "onnx.Yield"(%c, %s) : (tensor<i1>, tensor<*xf32>) -> ()
  }) : (tensor<i64>, tensor<4xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}
