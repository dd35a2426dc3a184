// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-unshare-fills))' | FileCheck %s
// Two paddings that were merged into one filled tensor get one each; what reads its destination is no fill.

#id = affine_map<(d0) -> (d0)>

// CHECK-LABEL: func.func @two_paddings
// CHECK-SAME: %[[A:.*]]: tensor<2xf32>, %[[B:.*]]: tensor<2xf32>
// CHECK: %[[F:.*]] = linalg.fill
// CHECK: tensor.insert_slice %[[A]] into %[[F]][1]
// CHECK: %[[G:.*]] = linalg.fill
// CHECK: tensor.insert_slice %[[B]] into %[[G]][2]
func.func @two_paddings(%a: tensor<2xf32>, %b: tensor<2xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<4xf32>
  %filled = linalg.fill ins(%zero : f32) outs(%empty : tensor<4xf32>) -> tensor<4xf32>
  %x = tensor.insert_slice %a into %filled[1] [2] [1] : tensor<2xf32> into tensor<4xf32>
  %y = tensor.insert_slice %b into %filled[2] [2] [1] : tensor<2xf32> into tensor<4xf32>
  return %x, %y : tensor<4xf32>, tensor<4xf32>
}

// CHECK-LABEL: func.func @adds_to_its_destination
// CHECK-COUNT-1: linalg.generic
// CHECK-NOT: linalg.generic
func.func @adds_to_its_destination(%a: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %one = arith.constant 1.0 : f32
  %next = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]} outs(%a : tensor<4xf32>) {
  ^bb0(%present: f32):
    %0 = arith.addf %present, %one : f32
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  %x = math.exp %next : tensor<4xf32>
  %y = math.sin %next : tensor<4xf32>
  return %x, %y : tensor<4xf32>, tensor<4xf32>
}
