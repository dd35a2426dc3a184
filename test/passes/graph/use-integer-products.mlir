// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-use-integer-products,canonicalize))' | FileCheck %s
// Products of dequantized data and constant dequantized weights are products of integers, scaled behind.

// Unsigned weights lose their zero point and become signed; scales are multiplied: 0.5 * {2, 4}.
// CHECK-LABEL: @conv
// CHECK-SAME: %[[X:.*]]: tensor<1x1x4xui8>
// CHECK-DAG: %[[ZERO:.*]] = onnx.Constant {value = dense<7> : tensor<ui8>}
// CHECK-DAG: %[[W:.*]] = onnx.Constant {value = dense<{{\[\[\[}}-128, 1]], {{\[\[}}0, 127]]]> : tensor<2x1x2xi8>}
// CHECK-DAG: %[[SCALES:.*]] = onnx.Constant {value = dense<{{\[\[}}1.000000e+00], [2.000000e+00]]> : tensor<2x1xf32>}
// CHECK-DAG: %[[BIAS:.*]] = onnx.Constant {value = dense<{{\[\[}}3.000000e+00], [5.000000e+00]]> : tensor<2x1xf32>}
// CHECK: %[[SUM:.*]] = "onnx.ConvInteger"(%[[X]], %[[W]], %[[ZERO]]) {{.*}}strides = array<i64: 1>{{.*}} -> tensor<1x2x3xi32>
// CHECK: %[[F:.*]] = "onnx.Cast"(%[[SUM]])
// CHECK: %[[M:.*]] = "onnx.Mul"(%[[F]], %[[SCALES]])
// CHECK: %[[Y:.*]] = "onnx.Add"(%[[M]], %[[BIAS]])
// CHECK: return %[[Y]]
func.func @conv(%x: tensor<1x1x4xui8>) -> tensor<1x2x3xf32> {
  %sx = onnx.Constant {value = dense<0.5> : tensor<f32>} : tensor<f32>
  %zx = onnx.Constant {value = dense<7> : tensor<ui8>} : tensor<ui8>
  %w = onnx.Constant {value = dense<[[[0, 129]], [[128, 255]]]> : tensor<2x1x2xui8>} : tensor<2x1x2xui8>
  %sw = onnx.Constant {value = dense<[2.0, 4.0]> : tensor<2xf32>} : tensor<2xf32>
  %zw = onnx.Constant {value = dense<128> : tensor<2xui8>} : tensor<2xui8>
  %b = onnx.Constant {value = dense<[3.0, 5.0]> : tensor<2xf32>} : tensor<2xf32>
  %dx = "onnx.DequantizeLinear"(%x, %sx, %zx) : (tensor<1x1x4xui8>, tensor<f32>, tensor<ui8>) -> tensor<1x1x4xf32>
  %dw = "onnx.DequantizeLinear"(%w, %sw, %zw) {axis = 0 : i64} : (tensor<2x1x2xui8>, tensor<2xf32>, tensor<2xui8>) -> tensor<2x1x2xf32>
  %y = "onnx.Conv"(%dx, %dw, %b) {strides = array<i64: 1>} : (tensor<1x1x4xf32>, tensor<2x1x2xf32>, tensor<2xf32>) -> tensor<1x2x3xf32>
  return %y : tensor<1x2x3xf32>
}

// Where 8 bits do not hold the difference, the zero point stays.
// CHECK-LABEL: @wide_zero_point
// CHECK-DAG: %[[W:.*]] = onnx.Constant {value = dense<{{.*}}> : tensor<2x2xi8>}
// CHECK-DAG: %[[ZERO:.*]] = onnx.Constant {value = dense<-100> : tensor<i8>}
// CHECK: "onnx.MatMulInteger"(%{{.*}}, %[[W]], %{{.*}}, %[[ZERO]])
func.func @wide_zero_point(%x: tensor<3x2xi8>) -> tensor<3x2xf32> {
  %s = onnx.Constant {value = dense<0.5> : tensor<f32>} : tensor<f32>
  %z = onnx.Constant {value = dense<1> : tensor<i8>} : tensor<i8>
  %w = onnx.Constant {value = dense<[[100, 2], [3, 4]]> : tensor<2x2xi8>} : tensor<2x2xi8>
  %zw = onnx.Constant {value = dense<-100> : tensor<i8>} : tensor<i8>
  %dx = "onnx.DequantizeLinear"(%x, %s, %z) : (tensor<3x2xi8>, tensor<f32>, tensor<i8>) -> tensor<3x2xf32>
  %dw = "onnx.DequantizeLinear"(%w, %s, %zw) : (tensor<2x2xi8>, tensor<f32>, tensor<i8>) -> tensor<2x2xf32>
  %y = "onnx.MatMul"(%dx, %dw) : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// Weights [N, K] are transposed, and their channels with them.
// CHECK-LABEL: @gemm
// CHECK-DAG: %[[W:.*]] = onnx.Constant {value = dense<{{\[\[}}1, 4], [2, 5], [3, 6]]> : tensor<3x2xi8>}
// CHECK-DAG: %[[SCALES:.*]] = onnx.Constant {value = dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>}
// CHECK: "onnx.MatMulInteger"(%{{.*}}, %[[W]])
// CHECK: "onnx.Mul"(%{{.*}}, %[[SCALES]])
// CHECK: "onnx.Add"(%{{.*}}, %arg1)
func.func @gemm(%x: tensor<1x3xi8>, %c: tensor<2xf32>) -> tensor<1x2xf32> {
  %sx = onnx.Constant {value = dense<0.5> : tensor<f32>} : tensor<f32>
  %w = onnx.Constant {value = dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi8>} : tensor<2x3xi8>
  %sw = onnx.Constant {value = dense<[2.0, 4.0]> : tensor<2xf32>} : tensor<2xf32>
  %dx = "onnx.DequantizeLinear"(%x, %sx) : (tensor<1x3xi8>, tensor<f32>) -> tensor<1x3xf32>
  %dw = "onnx.DequantizeLinear"(%w, %sw) {axis = 0 : i64} : (tensor<2x3xi8>, tensor<2xf32>) -> tensor<2x3xf32>
  %y = "onnx.Gemm"(%dx, %dw, %c) {transB = 1 : i64} : (tensor<1x3xf32>, tensor<2x3xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// A scale per row of the reduction cannot be taken out of the sum.
// CHECK-LABEL: @scales_along_the_sum
// CHECK-NOT: onnx.MatMulInteger
// CHECK: onnx.MatMul
func.func @scales_along_the_sum(%x: tensor<3x2xi8>) -> tensor<3x2xf32> {
  %s = onnx.Constant {value = dense<0.5> : tensor<f32>} : tensor<f32>
  %w = onnx.Constant {value = dense<[[1, 2], [3, 4]]> : tensor<2x2xi8>} : tensor<2x2xi8>
  %sw = onnx.Constant {value = dense<[2.0, 4.0]> : tensor<2xf32>} : tensor<2xf32>
  %dx = "onnx.DequantizeLinear"(%x, %s) : (tensor<3x2xi8>, tensor<f32>) -> tensor<3x2xf32>
  %dw = "onnx.DequantizeLinear"(%w, %sw) {axis = 0 : i64} : (tensor<2x2xi8>, tensor<2xf32>) -> tensor<2x2xf32>
  %y = "onnx.MatMul"(%dx, %dw) : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// A bias of the sum's scale (0.5 * 2) is added as integers; the scale of the result joins the factor, 0.5 * 2 / 4, and
// divides the bounds between them.
// CHECK-LABEL: @requantized
// CHECK-DAG: %[[BIAS:.*]] = onnx.Constant {value = dense<[{{\[}}10], [-20]]> : tensor<2x1xi32>}
// CHECK-DAG: %[[FACTOR:.*]] = onnx.Constant {value = dense<2.500000e-01> : tensor<f32>}
// CHECK-DAG: %[[BOUND:.*]] = onnx.Constant {value = dense<1.500000e+00> : tensor<f32>}
// CHECK-DAG: %[[ONE:.*]] = onnx.Constant {value = dense<1.000000e+00> : tensor<f32>}
// CHECK: %[[SUM:.*]] = "onnx.ConvInteger"
// CHECK: %[[BIASED:.*]] = "onnx.Add"(%[[SUM]], %[[BIAS]]) : (tensor<1x2x3xi32>
// CHECK: %[[F:.*]] = "onnx.Cast"(%[[BIASED]])
// CHECK: %[[M:.*]] = "onnx.Mul"(%[[F]], %[[FACTOR]])
// CHECK: %[[C:.*]] = "onnx.Clip"(%[[M]], %{{.*}}, %[[BOUND]])
// CHECK: "onnx.QuantizeLinear"(%[[C]], %[[ONE]], %{{.*}})
func.func @requantized(%x: tensor<1x1x4xui8>) -> tensor<1x2x3xui8> {
  %sx = onnx.Constant {value = dense<0.5> : tensor<f32>} : tensor<f32>
  %zx = onnx.Constant {value = dense<7> : tensor<ui8>} : tensor<ui8>
  %w = onnx.Constant {value = dense<[[[0, 1]], [[2, 3]]]> : tensor<2x1x2xi8>} : tensor<2x1x2xi8>
  %sw = onnx.Constant {value = dense<2.0> : tensor<f32>} : tensor<f32>
  %b = onnx.Constant {value = dense<[10, -20]> : tensor<2xi32>} : tensor<2xi32>
  %sb = onnx.Constant {value = dense<1.0> : tensor<f32>} : tensor<f32>
  %sy = onnx.Constant {value = dense<4.0> : tensor<f32>} : tensor<f32>
  %low = onnx.Constant {value = dense<0.0> : tensor<f32>} : tensor<f32>
  %high = onnx.Constant {value = dense<6.0> : tensor<f32>} : tensor<f32>
  %dx = "onnx.DequantizeLinear"(%x, %sx, %zx) : (tensor<1x1x4xui8>, tensor<f32>, tensor<ui8>) -> tensor<1x1x4xf32>
  %dw = "onnx.DequantizeLinear"(%w, %sw) : (tensor<2x1x2xi8>, tensor<f32>) -> tensor<2x1x2xf32>
  %db = "onnx.DequantizeLinear"(%b, %sb) : (tensor<2xi32>, tensor<f32>) -> tensor<2xf32>
  %c = "onnx.Conv"(%dx, %dw, %db) : (tensor<1x1x4xf32>, tensor<2x1x2xf32>, tensor<2xf32>) -> tensor<1x2x3xf32>
  %r = "onnx.Clip"(%c, %low, %high) {operandSegmentSizes = array<i32: 1, 1, 1>} : (tensor<1x2x3xf32>, tensor<f32>, tensor<f32>) -> tensor<1x2x3xf32>
  %y = "onnx.QuantizeLinear"(%r, %sy, %zx) : (tensor<1x2x3xf32>, tensor<f32>, tensor<ui8>) -> tensor<1x2x3xui8>
  return %y : tensor<1x2x3xui8>
}

// 32 bits do not hold 255 * 255 * 40000.
// CHECK-LABEL: @too_long
// CHECK-NOT: onnx.MatMulInteger
// CHECK: onnx.MatMul
func.func @too_long(%x: tensor<1x40000xui8>) -> tensor<1x1xf32> {
  %s = onnx.Constant {value = dense<1.0> : tensor<f32>} : tensor<f32>
  %z = onnx.Constant {value = dense<0> : tensor<ui8>} : tensor<ui8>
  %w = onnx.Constant {value = dense<255> : tensor<40000x1xui8>} : tensor<40000x1xui8>
  %dx = "onnx.DequantizeLinear"(%x, %s, %z) : (tensor<1x40000xui8>, tensor<f32>, tensor<ui8>) -> tensor<1x40000xf32>
  %dw = "onnx.DequantizeLinear"(%w, %s, %z) : (tensor<40000x1xui8>, tensor<f32>, tensor<ui8>) -> tensor<40000x1xf32>
  %y = "onnx.MatMul"(%dx, %dw) : (tensor<1x40000xf32>, tensor<40000x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// Nor a bias that is the largest integer and a product: it is added in floats. A bias without dims is one channel's.
// CHECK-LABEL: @large_bias
// CHECK: "onnx.MatMulInteger"
// CHECK-NEXT: "onnx.Cast"
// CHECK-NEXT: "onnx.Mul"
// CHECK-NEXT: "onnx.Add"{{.*}} : (tensor<1x1xf32>
// CHECK: "onnx.MatMulInteger"
// CHECK: "onnx.Add"{{.*}} : (tensor<1x1xf32>
func.func @large_bias(%x: tensor<1x2xi8>) -> (tensor<1x1xf32>, tensor<1x1xf32>) {
  %s = onnx.Constant {value = dense<1.0> : tensor<f32>} : tensor<f32>
  %w = onnx.Constant {value = dense<127> : tensor<2x1xi8>} : tensor<2x1xi8>
  %b = onnx.Constant {value = dense<2147483647> : tensor<1xi32>} : tensor<1xi32>
  %c = onnx.Constant {value = dense<3.0> : tensor<f32>} : tensor<f32>
  %dx = "onnx.DequantizeLinear"(%x, %s) : (tensor<1x2xi8>, tensor<f32>) -> tensor<1x2xf32>
  %dw = "onnx.DequantizeLinear"(%w, %s) : (tensor<2x1xi8>, tensor<f32>) -> tensor<2x1xf32>
  %db = "onnx.DequantizeLinear"(%b, %s) : (tensor<1xi32>, tensor<f32>) -> tensor<1xf32>
  %y = "onnx.Gemm"(%dx, %dw, %db) : (tensor<1x2xf32>, tensor<2x1xf32>, tensor<1xf32>) -> tensor<1x1xf32>
  %v = "onnx.Gemm"(%dx, %dw, %c) : (tensor<1x2xf32>, tensor<2x1xf32>, tensor<f32>) -> tensor<1x1xf32>
  return %y, %v : tensor<1x1xf32>, tensor<1x1xf32>
}

// A layer's weights, one scale per row, are transposed as floats.
// CHECK-LABEL: @transposed_weights
// CHECK-DAG: %[[W:.*]] = onnx.Constant {value = dense<{{\[\[}}1, 4], [2, 5], [3, 6]]> : tensor<3x2xi8>}
// CHECK: "onnx.MatMulInteger"(%{{.*}}, %[[W]])
func.func @transposed_weights(%x: tensor<1x3xi8>) -> tensor<1x2xf32> {
  %sx = onnx.Constant {value = dense<0.5> : tensor<f32>} : tensor<f32>
  %w = onnx.Constant {value = dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi8>} : tensor<2x3xi8>
  %sw = onnx.Constant {value = dense<[2.0, 4.0]> : tensor<2xf32>} : tensor<2xf32>
  %dx = "onnx.DequantizeLinear"(%x, %sx) : (tensor<1x3xi8>, tensor<f32>) -> tensor<1x3xf32>
  %dw = "onnx.DequantizeLinear"(%w, %sw) {axis = 0 : i64} : (tensor<2x3xi8>, tensor<2xf32>) -> tensor<2x3xf32>
  %t = "onnx.Transpose"(%dw) {perm = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %y = "onnx.MatMul"(%dx, %t) : (tensor<1x3xf32>, tensor<3x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}
