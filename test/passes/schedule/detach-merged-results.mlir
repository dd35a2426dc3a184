// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-detach-merged-results))' | FileCheck %s
// Lanes run along all dims, which are one in memory. A slice that separates its rows costs them; one that is whole in
// memory does not.

#map = affine_map<(d0, d1, d2) -> (d0, d1, d2)>

// CHECK-LABEL: func.func @separated
// CHECK: %[[OWN:.*]] = bufferization.alloc_tensor() : tensor<4x2x3xf32>
// CHECK: aot.kernel "copy" {{.*}} outs(%[[OWN]] :
func.func @separated(%x: tensor<4x2x3xf32>, %d: tensor<4x4x5xf32>) -> tensor<4x4x5xf32> {
  %e = tensor.empty() : tensor<4x2x3xf32>
  %k = aot.kernel "copy" ins(%x : tensor<4x2x3xf32>) outs(%e : tensor<4x2x3xf32>)
      maps [#map, #map] iterators ["parallel", "parallel", "parallel"] identity 0.0 : f32
      strategy <provider = "loops", vector = 2, width = 8, vectors = 1, row = -1, rows = 1> compute {
  ^bb0(%in: f32, %acc: f32):
    aot.yield %in : f32
  } epilogue {
  ^bb0(%in: f32, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<4x2x3xf32>
  %y = tensor.insert_slice %k into %d[0, 1, 1] [4, 2, 3] [1, 1, 1] : tensor<4x2x3xf32> into tensor<4x4x5xf32>
  return %y : tensor<4x4x5xf32>
}

// CHECK-LABEL: func.func @whole
// CHECK: %[[EMPTY:.*]] = tensor.empty() : tensor<4x2x3xf32>
// CHECK: aot.kernel "copy" {{.*}} outs(%[[EMPTY]] :
func.func @whole(%x: tensor<4x2x3xf32>, %d: tensor<9x2x3xf32>) -> tensor<9x2x3xf32> {
  %e = tensor.empty() : tensor<4x2x3xf32>
  %k = aot.kernel "copy" ins(%x : tensor<4x2x3xf32>) outs(%e : tensor<4x2x3xf32>)
      maps [#map, #map] iterators ["parallel", "parallel", "parallel"] identity 0.0 : f32
      strategy <provider = "loops", vector = 2, width = 8, vectors = 1, row = -1, rows = 1> compute {
  ^bb0(%in: f32, %acc: f32):
    aot.yield %in : f32
  } epilogue {
  ^bb0(%in: f32, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<4x2x3xf32>
  %y = tensor.insert_slice %k into %d[2, 0, 0] [4, 2, 3] [1, 1, 1] : tensor<4x2x3xf32> into tensor<9x2x3xf32>
  return %y : tensor<9x2x3xf32>
}
