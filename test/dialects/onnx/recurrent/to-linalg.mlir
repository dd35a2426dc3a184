// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(aot-onnx-to-linalg,canonicalize)' | FileCheck %s
// The input's product of all steps stands before the loop; the loop updates its states in place.

// CHECK-LABEL: @lstm
// CHECK: %[[Z:.*]] = aot.kernel "matmul" ins(%arg0, {{.*}} outs(%{{.*}} : tensor<5x3x16xf32>)
// CHECK: scf.for {{.*}} iter_args(%[[H:.*]] = %{{.*}}, %[[C:.*]] = %{{.*}}, %[[Y:.*]] = %{{.*}})
// CHECK: tensor.extract_slice %[[Z]]
// CHECK: aot.kernel "matmul" ins(%[[H]], {{.*}} outs(%{{.*}} : tensor<3x16xf32>)
// CHECK: linalg.generic {{.*}} outs(%[[C]] : tensor<3x4xf32>)
// CHECK: linalg.generic {{.*}} outs(%[[H]] : tensor<3x4xf32>)
// CHECK: tensor.insert_slice {{.*}} into %[[Y]]
func.func @lstm(%x: tensor<5x3x6xf32>, %w: tensor<1x16x6xf32>, %r: tensor<1x16x4xf32>) -> tensor<5x1x3x4xf32> {
  %y = "onnx.LSTM"(%x, %w, %r)
      {operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0>, resultSegmentSizes = array<i32: 1, 0, 0>}
      : (tensor<5x3x6xf32>, tensor<1x16x6xf32>, tensor<1x16x4xf32>) -> tensor<5x1x3x4xf32>
  return %y : tensor<5x1x3x4xf32>
}

// Steps run backwards; behind its sequence's end a state stays and the result is zero.
// CHECK-LABEL: @lengths
// CHECK: arith.cmpi slt
// CHECK: aot.kernel "matmul"
// CHECK: scf.for %[[I:.*]] = {{.*}} iter_args(%[[H:.*]] = %{{.*}}, %{{.*}} = %{{.*}})
// CHECK: arith.subi %{{.*}}, %[[I]]
// CHECK-COUNT-2: aot.kernel "matmul"
// CHECK: arith.select
// CHECK: linalg.generic {{.*}} outs(%[[H]] : tensor<3x4xf32>)
func.func @lengths(%x: tensor<5x3x6xf32>, %w: tensor<1x12x6xf32>, %r: tensor<1x12x4xf32>, %n: tensor<3xi32>)
    -> tensor<5x1x3x4xf32> {
  %y = "onnx.GRU"(%x, %w, %r, %n) {direction = "reverse",
      operandSegmentSizes = array<i32: 1, 1, 1, 0, 1, 0>, resultSegmentSizes = array<i32: 1, 0>}
      : (tensor<5x3x6xf32>, tensor<1x12x6xf32>, tensor<1x12x4xf32>, tensor<3xi32>) -> tensor<5x1x3x4xf32>
  return %y : tensor<5x1x3x4xf32>
}
