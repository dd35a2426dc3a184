// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-place-region-results))' | FileCheck %s

// CHECK-LABEL: @branch
func.func @branch(%c: i1, %x: tensor<4xf32>, %z: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: scf.if
  // CHECK: %[[BUFFER:.*]] = bufferization.alloc_tensor() : tensor<4xf32>
  // CHECK: %[[PLACED:.*]] = bufferization.materialize_in_destination %arg1 in %[[BUFFER]]
  // CHECK: scf.yield %[[PLACED]]
  %y = scf.if %c -> tensor<4xf32> {
    scf.yield %x : tensor<4xf32>
  } else {
    scf.yield %z : tensor<4xf32>
  }
  return %y : tensor<4xf32>
}

// Both values are read before one is written.
// CHECK-LABEL: @exchange
func.func @exchange(%n: index, %x: tensor<4xf32>, %z: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // CHECK: scf.for {{.*}} iter_args(%[[A:.*]] = %arg1, %[[B:.*]] = %arg2)
  // CHECK: %[[NEXT_A:.*]] = bufferization.materialize_in_destination %[[B]]
  // CHECK: %[[NEXT_B:.*]] = bufferization.materialize_in_destination %[[A]]
  // CHECK: bufferization.materialize_in_destination %[[NEXT_A]] in %[[A]]
  // CHECK: bufferization.materialize_in_destination %[[NEXT_B]] in %[[B]]
  %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x, %b = %z) -> (tensor<4xf32>, tensor<4xf32>) {
    scf.yield %b, %a : tensor<4xf32>, tensor<4xf32>
  }
  return %r#0, %r#1 : tensor<4xf32>, tensor<4xf32>
}

// CHECK-LABEL: @collect
func.func @collect(%n: index, %x: tensor<4xf32>, %all: tensor<8x4xf32>) -> tensor<8x4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // CHECK: %[[INSERTED:.*]] = tensor.insert_slice
  // CHECK-NEXT: scf.yield %[[INSERTED]]
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%a = %all) -> (tensor<8x4xf32>) {
    %b = tensor.insert_slice %x into %a[%i, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<8x4xf32>
    scf.yield %b : tensor<8x4xf32>
  }
  return %r : tensor<8x4xf32>
}

// What may change its size is yielded in the body's own buffer; the producer writes into it.
// CHECK-LABEL: @grow
func.func @grow(%n: index, %x: tensor<?xf32>) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // CHECK: scf.for {{.*}} iter_args(%[[A:.*]] = %arg1)
  // CHECK: %[[BUFFER:.*]] = bufferization.alloc_tensor(%{{.*}}) : tensor<?xf32>
  // CHECK: %[[FILLED:.*]] = linalg.fill {{.*}} outs(%[[BUFFER]]
  // CHECK: scf.yield %[[FILLED]]
  %zero = arith.constant 0.0 : f32
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x) -> (tensor<?xf32>) {
    %s = tensor.dim %a, %c0 : tensor<?xf32>
    %t = arith.addi %s, %c1 : index
    %e = tensor.empty(%t) : tensor<?xf32>
    %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
    scf.yield %f : tensor<?xf32>
  }
  return %r : tensor<?xf32>
}

// A value that is passed on to another place is copied, as it must live for one more iteration.
// CHECK-LABEL: @pass_on
func.func @pass_on(%n: index, %x: tensor<?xf32>, %z: tensor<?xf32>) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // CHECK: scf.for {{.*}} iter_args(%[[A:.*]] = %arg1, %[[B:.*]] = %arg2)
  // CHECK: %[[NEXT_A:.*]] = bufferization.materialize_in_destination %[[B]] in %
  // CHECK: %[[NEXT_B:.*]] = bufferization.materialize_in_destination %[[A]] in %
  // CHECK: scf.yield %[[NEXT_A]], %[[NEXT_B]]
  %r:2 = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x, %b = %z) -> (tensor<?xf32>, tensor<?xf32>) {
    scf.yield %b, %a : tensor<?xf32>, tensor<?xf32>
  }
  return %r#0 : tensor<?xf32>
}
