// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-choose-strategy))' | FileCheck %s
// Every kernel gets its strategy, for 16 registers of 256 bits where no target is given.

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>

// Lanes run along the columns, where B and C are contiguous; the rows share the loads of B.
// CHECK-LABEL: func.func @matmul
// CHECK: strategy <provider = "loops", vector = 1, width = 8, vectors = 1, row = 0, rows = 4>
func.func @matmul(%a: tensor<4x16xf32>, %b: tensor<16x8xf32>) -> tensor<4x8xf32> {
  %init = tensor.empty() : tensor<4x8xf32>
  %c = aot.kernel "matmul" ins(%a, %b : tensor<4x16xf32>, tensor<16x8xf32>) outs(%init : tensor<4x8xf32>)
      maps [#a, #b, #c] iterators ["parallel", "parallel", "reduction"] identity 0.000000e+00 : f32 compute {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    %0 = math.fma %l, %r, %acc : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<4x8xf32>
  return %c : tensor<4x8xf32>
}

// A single column: lanes run along the sum, as partial sums.
// CHECK-LABEL: func.func @dot
// CHECK: strategy <provider = "loops", vector = 2, width = 8
func.func @dot(%a: tensor<4x64xf32>, %b: tensor<64x1xf32>) -> tensor<4x1xf32> {
  %init = tensor.empty() : tensor<4x1xf32>
  %c = aot.kernel "matmul" ins(%a, %b : tensor<4x64xf32>, tensor<64x1xf32>) outs(%init : tensor<4x1xf32>)
      maps [#a, #b, #c] iterators ["parallel", "parallel", "reduction"] identity 0.000000e+00 : f32 compute {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    %0 = math.fma %l, %r, %acc : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<4x1xf32>
  return %c : tensor<4x1xf32>
}

// Windows over what does not stay in the second-level cache go along the channels first, in the order in which they lie;
// over less, down a column of a few channels.
#w = affine_map<(n, c, y, x, ky, kx) -> (n, y + ky, x + kx, c)>
#taps = affine_map<(n, c, y, x, ky, kx) -> (ky, kx)>
#r = affine_map<(n, c, y, x, ky, kx) -> (n, y, x, c)>

// CHECK-LABEL: func.func @far
// CHECK: strategy <provider = "loops", vector = 1, width = 8, vectors = 1, row = 3, rows = 5, block = 5>
func.func @far(%x: tensor<1x32x32x96xf32>, %taps: tensor<3x3xi8>) -> tensor<1x30x30x96xf32> {
  %init = tensor.empty() : tensor<1x30x30x96xf32>
  %y = aot.kernel "pool" ins(%x, %taps : tensor<1x32x32x96xf32>, tensor<3x3xi8>) outs(%init : tensor<1x30x30x96xf32>)
      maps [#w, #taps, #r] iterators ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]
      identity 0.000000e+00 : f32 compute {
  ^bb0(%l: f32, %t: i8, %acc: f32):
    %0 = arith.addf %l, %acc : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%l: f32, %t: i8, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<1x30x30x96xf32>
  return %y : tensor<1x30x30x96xf32>
}

// CHECK-LABEL: func.func @near
// CHECK: strategy <provider = "loops", vector = 1, width = 8, vectors = 1, row = 3, rows = 5> compute
func.func @near(%x: tensor<1x17x17x96xf32>, %taps: tensor<3x3xi8>) -> tensor<1x15x15x96xf32> {
  %init = tensor.empty() : tensor<1x15x15x96xf32>
  %y = aot.kernel "pool" ins(%x, %taps : tensor<1x17x17x96xf32>, tensor<3x3xi8>) outs(%init : tensor<1x15x15x96xf32>)
      maps [#w, #taps, #r] iterators ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]
      identity 0.000000e+00 : f32 compute {
  ^bb0(%l: f32, %t: i8, %acc: f32):
    %0 = arith.addf %l, %acc : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%l: f32, %t: i8, %acc: f32):
    aot.yield %acc : f32
  } -> tensor<1x15x15x96xf32>
  return %y : tensor<1x15x15x96xf32>
}
