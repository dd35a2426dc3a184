// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-infer-shapes,canonicalize))' | FileCheck %s
// Sequences of known length become their elements.

// CHECK-LABEL: @list(%arg0: tensor<2x3xf32>, %arg1: tensor<4x3xf32>)
// CHECK-NOT: Sequence
// CHECK: %[[LENGTH:.*]] = onnx.Constant {{.*}}dense<3> : tensor<i64>
// CHECK: %[[ALL:.*]] = "onnx.Concat"(%arg1, %arg0, %arg1) <{axis = 0 : i64}> {{.*}} -> tensor<10x3xf32>
// CHECK: return %[[ALL]], %[[LENGTH]], %arg0
func.func @list(%x: tensor<2x3xf32>, %y: tensor<4x3xf32>) -> (tensor<*xf32>, tensor<i64>, tensor<*xf32>) {
  %zero = onnx.Constant {value = dense<0> : tensor<i64>} : tensor<i64>
  %last = onnx.Constant {value = dense<-2> : tensor<i64>} : tensor<i64>
  %a = "onnx.SequenceConstruct"(%x, %x, %y) : (tensor<2x3xf32>, tensor<2x3xf32>, tensor<4x3xf32>) -> !onnx.seq<f32>
  %b = "onnx.SequenceErase"(%a, %zero) : (!onnx.seq<f32>, tensor<i64>) -> !onnx.seq<f32>
  %c = "onnx.SequenceInsert"(%b, %y, %zero) : (!onnx.seq<f32>, tensor<4x3xf32>, tensor<i64>) -> !onnx.seq<f32>
  %all = "onnx.ConcatFromSequence"(%c) {axis = 0 : i64} : (!onnx.seq<f32>) -> tensor<*xf32>
  %length = "onnx.SequenceLength"(%c) : (!onnx.seq<f32>) -> tensor<i64>
  %at = "onnx.SequenceAt"(%c, %last) : (!onnx.seq<f32>, tensor<i64>) -> tensor<*xf32>
  return %all, %length, %at : tensor<*xf32>, tensor<i64>, tensor<*xf32>
}

// A stack stays one tensor for those who index or join it.
// CHECK-LABEL: @stack(%arg0: tensor<?x3x4xf32>, %arg1: tensor<i64>)
// CHECK-NOT: Sequence
// CHECK: "onnx.Gather"(%arg0, %{{.*}}) <{axis = 0 : i64}> {{.*}} -> tensor<3x4xf32>
// CHECK: "onnx.Transpose"(%arg0) <{perm = array<i64: 1, 0, 2>}> {{.*}} -> tensor<3x?x4xf32>
func.func @stack(%x: tensor<?x3x4xf32>, %i: tensor<i64>) -> (tensor<*xf32>, tensor<*xf32>) {
  %s = "onnx.SplitToSequence"(%x) {axis = 0 : i64, keepdims = 0 : i64} : (tensor<?x3x4xf32>) -> !onnx.seq<f32>
  %at = "onnx.SequenceAt"(%s, %i) : (!onnx.seq<f32>, tensor<i64>) -> tensor<*xf32>
  %all = "onnx.ConcatFromSequence"(%s) {axis = 1 : i64, new_axis = 1 : i64} : (!onnx.seq<f32>) -> tensor<*xf32>
  return %at, %all : tensor<*xf32>, tensor<*xf32>
}

// Appending in every iteration is a scan output.
// CHECK-LABEL: @append
// CHECK: %[[LOOP:.*]]:2 = "onnx.Loop"(%arg0, %arg1)
// CHECK: "onnx.Yield"(%{{.*}}, %[[NEXT:.*]], %[[NEXT]])
// CHECK-SAME: (tensor<i1>, tensor<4xf32>, tensor<4xf32>)
// CHECK: return %[[LOOP]]#1 : tensor<?x4xf32>
func.func @append(%m: tensor<i64>, %x: tensor<4xf32>) -> tensor<*xf32> {
  %empty = "onnx.SequenceEmpty"() : () -> !onnx.seq<f32>
  %y:2 = "onnx.Loop"(%m, %x, %empty) <{operandSegmentSizes = array<i32: 1, 0, 2>}> ({
  ^bb0(%i: tensor<i64>, %c: tensor<i1>, %v: tensor<4xf32>, %s: !onnx.seq<f32>):
    %next = "onnx.Relu"(%v) : (tensor<4xf32>) -> tensor<4xf32>
    %more = "onnx.SequenceInsert"(%s, %next) : (!onnx.seq<f32>, tensor<4xf32>) -> !onnx.seq<f32>
    "onnx.Yield"(%c, %next, %more) : (tensor<i1>, tensor<4xf32>, !onnx.seq<f32>) -> ()
  }) : (tensor<i64>, tensor<4xf32>, !onnx.seq<f32>) -> (tensor<*xf32>, !onnx.seq<f32>)
  %all = "onnx.ConcatFromSequence"(%y#1) {axis = 0 : i64, new_axis = 1 : i64} : (!onnx.seq<f32>) -> tensor<*xf32>
  return %all : tensor<*xf32>
}

// Elements of different shapes: the loop is unrolled. An optional without a value is one from the first iteration on.
// CHECK-LABEL: @unroll
// CHECK-SAME: -> (tensor<1xf32> {{{.*}}onnx.name = "y[0]"}, tensor<2xf32> {{{.*}}onnx.name = "y[1]"})
// CHECK-NOT: onnx.Loop
// CHECK: return %{{.*}}, %{{.*}} : tensor<1xf32>, tensor<2xf32>
func.func @unroll(%x: tensor<3xf32>) -> (!onnx.seq<f32> {onnx.name = "y"}) {
  %m = onnx.Constant {value = dense<2> : tensor<i64>} : tensor<i64>
  %none = "onnx.Optional"() {type = !onnx.seq<f32>} : () -> !onnx.opt<!onnx.seq<f32>>
  %zero = onnx.Constant {value = dense<0> : tensor<1xi64>} : tensor<1xi64>
  %one = onnx.Constant {value = dense<1> : tensor<1xi64>} : tensor<1xi64>
  %y = "onnx.Loop"(%m, %none) <{operandSegmentSizes = array<i32: 1, 0, 1>}> ({
  ^bb0(%i: tensor<i64>, %c: tensor<i1>, %o: !onnx.opt<!onnx.seq<f32>>):
    %has = "onnx.OptionalHasElement"(%o) : (!onnx.opt<!onnx.seq<f32>>) -> tensor<i1>
    %s = "onnx.If"(%has) ({
      %value = "onnx.OptionalGetElement"(%o) : (!onnx.opt<!onnx.seq<f32>>) -> !onnx.seq<f32>
      "onnx.Yield"(%value) : (!onnx.seq<f32>) -> ()
    }, {
      %empty = "onnx.SequenceEmpty"() : () -> !onnx.seq<f32>
      "onnx.Yield"(%empty) : (!onnx.seq<f32>) -> ()
    }) : (tensor<i1>) -> !onnx.seq<f32>
    %end = "onnx.Add"(%i, %one) : (tensor<i64>, tensor<1xi64>) -> tensor<*xi64>
    %part = "onnx.Slice"(%x, %zero, %end) <{operandSegmentSizes = array<i32: 1, 1, 1, 0, 0>}> : (tensor<3xf32>, tensor<1xi64>, tensor<*xi64>) -> tensor<*xf32>
    %more = "onnx.SequenceInsert"(%s, %part) : (!onnx.seq<f32>, tensor<*xf32>) -> !onnx.seq<f32>
    "onnx.Yield"(%c, %more) : (tensor<i1>, !onnx.seq<f32>) -> ()
  }) : (tensor<i64>, !onnx.opt<!onnx.seq<f32>>) -> !onnx.seq<f32>
  return %y : !onnx.seq<f32>
}

// Branches pass on tensors where their sequences have one length.
// CHECK-LABEL: @branches(%arg0: tensor<i1>
// CHECK: %[[IF:.*]]:2 = "onnx.If"(%arg0)
// CHECK: "onnx.Yield"(%arg1, %arg2)
// CHECK: "onnx.Yield"(%arg2, %arg1)
// CHECK: return %[[IF]]#0, %[[IF]]#1
func.func @branches(%c: tensor<i1>, %x: tensor<2xf32>, %y: tensor<2xf32>) -> !onnx.seq<f32> {
  %s = "onnx.If"(%c) ({
    %a = "onnx.SequenceConstruct"(%x, %y) : (tensor<2xf32>, tensor<2xf32>) -> !onnx.seq<f32>
    "onnx.Yield"(%a) : (!onnx.seq<f32>) -> ()
  }, {
    %a = "onnx.SequenceConstruct"(%y, %x) : (tensor<2xf32>, tensor<2xf32>) -> !onnx.seq<f32>
    "onnx.Yield"(%a) : (!onnx.seq<f32>) -> ()
  }) : (tensor<i1>) -> !onnx.seq<f32>
  return %s : !onnx.seq<f32>
}

// CHECK-LABEL: @map(%arg0: tensor<2xf32>, %arg1: tensor<3xf32>, %arg2: tensor<f32>)
// CHECK: %[[A:.*]] = "onnx.Mul"(%arg0, %arg2) {{.*}} -> tensor<2xf32>
// CHECK: %[[B:.*]] = "onnx.Mul"(%arg1, %arg2) {{.*}} -> tensor<3xf32>
// CHECK: return %[[A]], %[[B]]
func.func @map(%x: tensor<2xf32>, %y: tensor<3xf32>, %f: tensor<f32>) -> !onnx.seq<f32> {
  %s = "onnx.SequenceConstruct"(%x, %y) : (tensor<2xf32>, tensor<3xf32>) -> !onnx.seq<f32>
  %r = "onnx.SequenceMap"(%s, %f) ({
  ^bb0(%e: tensor<*xf32>, %g: tensor<f32>):
    %p = "onnx.Mul"(%e, %g) : (tensor<*xf32>, tensor<f32>) -> tensor<*xf32>
    "onnx.Yield"(%p) : (tensor<*xf32>) -> ()
  }) : (!onnx.seq<f32>, tensor<f32>) -> !onnx.seq<f32>
  return %r : !onnx.seq<f32>
}

// Elements of a fixed number and shape are carried one by one.
// CHECK-LABEL: @carry
// CHECK: "onnx.Loop"(%arg0, %arg1, %arg2)
// CHECK: ^bb0(%{{.*}}: tensor<i64>, %{{.*}}: tensor<i1>, %[[A:.*]]: tensor<2xf32>, %[[B:.*]]: tensor<2xf32>):
// CHECK: "onnx.Yield"(%{{.*}}, %[[B]], %[[A]])
func.func @carry(%m: tensor<i64>, %x: tensor<2xf32>, %y: tensor<2xf32>) -> !onnx.seq<f32> {
  %zero = onnx.Constant {value = dense<0> : tensor<i64>} : tensor<i64>
  %s = "onnx.SequenceConstruct"(%x, %y) : (tensor<2xf32>, tensor<2xf32>) -> !onnx.seq<f32>
  %r = "onnx.Loop"(%m, %s) <{operandSegmentSizes = array<i32: 1, 0, 1>}> ({
  ^bb0(%i: tensor<i64>, %c: tensor<i1>, %v: !onnx.seq<f32>):
    %first = "onnx.SequenceAt"(%v, %zero) : (!onnx.seq<f32>, tensor<i64>) -> tensor<*xf32>
    %rest = "onnx.SequenceErase"(%v, %zero) : (!onnx.seq<f32>, tensor<i64>) -> !onnx.seq<f32>
    %turned = "onnx.SequenceInsert"(%rest, %first) : (!onnx.seq<f32>, tensor<*xf32>) -> !onnx.seq<f32>
    "onnx.Yield"(%c, %turned) : (tensor<i1>, !onnx.seq<f32>) -> ()
  }) : (tensor<i64>, !onnx.seq<f32>) -> !onnx.seq<f32>
  return %r : !onnx.seq<f32>
}
