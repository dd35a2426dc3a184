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
