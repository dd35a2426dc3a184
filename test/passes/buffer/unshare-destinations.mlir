// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-unshare-destinations))' | FileCheck %s
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

// Results that were given one destination get one each, so that a buffer is in use no longer than its result.
// CHECK-LABEL: func.func @one_destination
// CHECK: %[[E:.*]] = tensor.empty
// CHECK: linalg.generic {{.*}} outs(%[[E]]
// CHECK: %[[F:.*]] = tensor.empty
// CHECK: linalg.generic {{.*}} outs(%[[F]]
func.func @one_destination(%a: tensor<4xf32>) -> tensor<4xf32> {
  %empty = tensor.empty() : tensor<4xf32>
  %x = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%a : tensor<4xf32>) outs(%empty : tensor<4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.addf %in, %in : f32
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%empty : tensor<4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %in, %in : f32
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// Borders, into which nothing but fills went, are made again for each image that goes between them.
// CHECK-LABEL: func.func @borders
// CHECK-COUNT-2: linalg.fill
// CHECK: tensor.insert_slice %arg0
// CHECK: linalg.fill
// CHECK: tensor.insert_slice %arg1
func.func @borders(%a: tensor<2x4xf32>, %b: tensor<2x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>) {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<4x4xf32>
  %line = tensor.empty() : tensor<1x4xf32>
  %fill = linalg.fill ins(%zero : f32) outs(%line : tensor<1x4xf32>) -> tensor<1x4xf32>
  %top = tensor.insert_slice %fill into %empty[0, 0] [1, 4] [1, 1] : tensor<1x4xf32> into tensor<4x4xf32>
  %both = tensor.insert_slice %fill into %top[3, 0] [1, 4] [1, 1] : tensor<1x4xf32> into tensor<4x4xf32>
  %x = tensor.insert_slice %a into %both[1, 0] [2, 4] [1, 1] : tensor<2x4xf32> into tensor<4x4xf32>
  %y = tensor.insert_slice %b into %both[1, 0] [2, 4] [1, 1] : tensor<2x4xf32> into tensor<4x4xf32>
  return %x, %y : tensor<4x4xf32>, tensor<4x4xf32>
}
