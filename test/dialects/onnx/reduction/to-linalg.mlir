// A reduction is a kernel whose result leaves out the reduced dims; what follows the sum is its epilogue.
// RUN: onnx-aot-opt %s --aot-onnx-to-linalg --canonicalize | FileCheck %s

// CHECK-LABEL: @mean
func.func @mean(%x: tensor<4x8xf16>) -> tensor<4x1xf16> {
  %a = onnx.Constant {value = dense<1> : tensor<1xi64>} : tensor<1xi64>
  // CHECK: aot.kernel "reduce"
  // CHECK-SAME: iterators ["parallel", "reduction"] identity 0.000000e+00 : f32
  // CHECK: arith.addf
  // CHECK: epilogue
  // CHECK: arith.divf
  // CHECK: arith.truncf
  // CHECK: tensor.expand_shape
  %y = "onnx.ReduceMean"(%x, %a) : (tensor<4x8xf16>, tensor<1xi64>) -> tensor<4x1xf16>
  return %y : tensor<4x1xf16>
}

// NaN wins.
// CHECK-LABEL: @max
func.func @max(%x: tensor<4x8xf32>) -> tensor<f32> {
  // CHECK: identity 0xFF800000 : f32
  // CHECK: arith.maximumf
  %y = "onnx.ReduceMax"(%x) {keepdims = 0 : i64} : (tensor<4x8xf32>) -> tensor<f32>
  return %y : tensor<f32>
}

// The maximum is taken first, so that no exponential overflows.
// CHECK-LABEL: @log_sum_exp
func.func @log_sum_exp(%x: tensor<8xf32>) -> tensor<f32> {
  // CHECK: arith.maximumf
  // CHECK: math.exp
  // CHECK: math.log
  %y = "onnx.ReduceLogSumExp"(%x) {keepdims = 0 : i64} : (tensor<8xf32>) -> tensor<f32>
  return %y : tensor<f32>
}

// An empty list of axes with noop_with_empty_axes squares the elements.
// CHECK-LABEL: @noop
func.func @noop(%x: tensor<8xf32>) -> tensor<8xf32> {
  // CHECK-NOT: aot.kernel
  // CHECK: linalg.generic
  // CHECK: math.fma
  %y = "onnx.ReduceSumSquare"(%x) {noop_with_empty_axes = 1 : i64} : (tensor<8xf32>) -> tensor<8xf32>
  return %y : tensor<8xf32>
}

// CHECK-LABEL: @cumsum
func.func @cumsum(%x: tensor<8xf32>) -> tensor<8xf32> {
  %a = onnx.Constant {value = dense<0> : tensor<i64>} : tensor<i64>
  // CHECK: scf.for {{.*}} iter_args(%{{.*}}, %[[SUM:.*]] = %
  // CHECK: arith.addf %[[SUM]]
  %y = "onnx.CumSum"(%x, %a) : (tensor<8xf32>, tensor<i64>) -> tensor<8xf32>
  return %y : tensor<8xf32>
}

// Where axes are data, each dim has a loop that keeps it and one that reduces it.
// CHECK-LABEL: @axes_by_data
func.func @axes_by_data(%x: tensor<3x2x2xf32>, %a: tensor<1xi64>) -> tensor<3x2xf32> {
  // CHECK: aot.require %{{.*}}, index_out_of_range
  // CHECK: aot.kernel "reduce"
  // CHECK-SAME: tensor<?x?x?xi8>
  // CHECK-SAME: iterators ["parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]
  %y = "onnx.ReduceSum"(%x, %a) {keepdims = 0 : i64} : (tensor<3x2x2xf32>, tensor<1xi64>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}
