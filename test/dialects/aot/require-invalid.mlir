// RUN: onnx-aot-opt %s --verify-diagnostics

func.func @in_a_kernel(%x: tensor<4xi32>, %init: tensor<i32>, %c: i1) -> tensor<i32> {
  %y = aot.kernel "reduce" ins(%x : tensor<4xi32>) outs(%init : tensor<i32>)
    maps [affine_map<(d0) -> (d0)>, affine_map<(d0) -> ()>] iterators ["reduction"] identity 0 : i32 compute {
  ^bb0(%e: i32, %acc: i32):
    // expected-error @+1 {{may not stand in a kernel}}
    aot.require %c, invalid_value
    %s = arith.addi %acc, %e : i32
    aot.yield %s : i32
  } epilogue {
  ^bb0(%e: i32, %acc: i32):
    aot.yield %acc : i32
  } -> tensor<i32>
  return %y : tensor<i32>
}
