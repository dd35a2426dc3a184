// RUN: onnx-aot-opt %s | onnx-aot-opt | FileCheck %s
// The textual form, on tensors and on memrefs.

#a = affine_map<(m, k) -> (m, k)>
#c = affine_map<(m, k) -> (m)>

// CHECK-LABEL: func.func @on_tensors
// CHECK: %[[Y:.*]] = aot.kernel "sum" ins(%{{.*}} : tensor<4x8xf32>) outs(%{{.*}} : tensor<4xf32>) maps [#{{.*}}, #{{.*}}] iterators ["parallel", "reduction"] identity 0.000000e+00 : f32 strategy <provider = "loops", vector = 1, width = 8, vectors = 1, row = -1, rows = 1> compute {
// CHECK: aot.yield
// CHECK: } epilogue {
// CHECK: aot.yield
// CHECK: } -> tensor<4xf32>
func.func @on_tensors(%x: tensor<4x8xf32>, %init: tensor<4xf32>) -> tensor<4xf32> {
  %y = aot.kernel "sum" ins(%x : tensor<4x8xf32>) outs(%init : tensor<4xf32>)
      maps [#a, #c] iterators ["parallel", "reduction"] identity 0.000000e+00 : f32
      strategy <provider = "loops", vector = 1, width = 8, vectors = 1, row = -1, rows = 1> compute {
  ^bb0(%in: f32, %acc: f32):
    %0 = arith.addf %acc, %in : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%in: f32, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// CHECK-LABEL: func.func @on_memrefs
// CHECK: aot.kernel "fill" outs(%{{.*}} : memref<4xf32>)
// CHECK-NOT: strategy
func.func @on_memrefs(%y: memref<4xf32>) {
  aot.kernel "fill" outs(%y : memref<4xf32>) maps [affine_map<(m) -> (m)>] iterators ["parallel"] identity 1.000000e+00 : f32 compute {
  ^bb0(%acc: f32):
    aot.yield %acc : f32
  } epilogue {
  ^bb0(%acc: f32):
    aot.yield %acc : f32
  }
  return
}

// CHECK-LABEL: func.func @resample
// CHECK: aot.resample %{{.*}} : tensor<4x8xf32> tables(%{{.*}}, %{{.*}} : tensor<9xi32>, tensor<9xf32>) ins(%{{.*}} : tensor<8xf32>) outs(%{{.*}} : tensor<9x8xf32>) [#aot.sampling<axis = 0, taps = 1, window = 1>] maps [#{{.*}}] epilogue {
// CHECK: aot.yield
// CHECK: } -> tensor<9x8xf32>
func.func @resample(%x: tensor<4x8xf32>, %p: tensor<9xi32>, %w: tensor<9xf32>, %z: tensor<8xf32>, %init: tensor<9x8xf32>) -> tensor<9x8xf32> {
  %y = aot.resample %x : tensor<4x8xf32> tables(%p, %w : tensor<9xi32>, tensor<9xf32>) ins(%z : tensor<8xf32>) outs(%init : tensor<9x8xf32>)
      [#aot.sampling<axis = 0, taps = 1, window = 1>] maps [affine_map<(r, c) -> (c)>] epilogue {
  ^bb0(%in: f32, %sum: f32):
    %0 = arith.addf %in, %sum : f32
    aot.yield %0 : f32
  } -> tensor<9x8xf32>
  return %y : tensor<9x8xf32>
}
