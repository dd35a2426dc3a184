// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-fold-batch-normalization,canonicalize))' | FileCheck %s
// Batch normalisation with constant statistics goes into the weights before it, or becomes one Mul and one Add.

// factor = 2 / sqrt(3 + 1) = 1 and 8 / sqrt(15 + 1) = 2; shift = 10 - 3 * 1 and 20 - 5 * 2.
// CHECK-LABEL: @after_conv
// CHECK-DAG: %[[W:.*]] = onnx.Constant {value = dense<{{\[\[\[}}1.000000e+00, 2.000000e+00]], {{\[\[}}6.000000e+00, 8.000000e+00]]]> : tensor<2x1x2xf32>}
// CHECK-DAG: %[[B:.*]] = onnx.Constant {value = dense<[7.000000e+00, 1.000000e+01]> : tensor<2xf32>}
// CHECK: %[[Y:.*]] = "onnx.Conv"(%{{.*}}, %[[W]], %[[B]])
// CHECK-NEXT: return %[[Y]]
func.func @after_conv(%x: tensor<1x1x4xf32>) -> tensor<1x2x3xf32> {
  %w = onnx.Constant {value = dense<[[[1.0, 2.0]], [[3.0, 4.0]]]> : tensor<2x1x2xf32>} : tensor<2x1x2xf32>
  %scale = onnx.Constant {value = dense<[2.0, 8.0]> : tensor<2xf32>} : tensor<2xf32>
  %bias = onnx.Constant {value = dense<[10.0, 20.0]> : tensor<2xf32>} : tensor<2xf32>
  %mean = onnx.Constant {value = dense<[3.0, 5.0]> : tensor<2xf32>} : tensor<2xf32>
  %var = onnx.Constant {value = dense<[3.0, 15.0]> : tensor<2xf32>} : tensor<2xf32>
  %c = "onnx.Conv"(%x, %w) : (tensor<1x1x4xf32>, tensor<2x1x2xf32>) -> tensor<1x2x3xf32>
  %y = "onnx.BatchNormalization"(%c, %scale, %bias, %mean, %var)
      {epsilon = 1.0 : f32, resultSegmentSizes = array<i32: 1, 0, 0>}
      : (tensor<1x2x3xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x3xf32>
  return %y : tensor<1x2x3xf32>
}

// With two groups of one output channel each, the channel is the first dim of the weights and not the second.
// CHECK-LABEL: @after_grouped_transposed
// CHECK-DAG: onnx.Constant {value = dense<{{\[\[\[}}1.000000e+00]], {{\[\[}}4.000000e+00]]]> : tensor<2x1x1xf32>}
// CHECK-DAG: onnx.Constant {value = dense<[8.000000e+00, 1.200000e+01]> : tensor<2xf32>}
// CHECK-NOT: onnx.BatchNormalization
func.func @after_grouped_transposed(%x: tensor<1x2x4xf32>) -> tensor<1x2x4xf32> {
  %w = onnx.Constant {value = dense<[[[1.0]], [[2.0]]]> : tensor<2x1x1xf32>} : tensor<2x1x1xf32>
  %b = onnx.Constant {value = dense<1.0> : tensor<2xf32>} : tensor<2xf32>
  %scale = onnx.Constant {value = dense<[2.0, 8.0]> : tensor<2xf32>} : tensor<2xf32>
  %bias = onnx.Constant {value = dense<[10.0, 20.0]> : tensor<2xf32>} : tensor<2xf32>
  %mean = onnx.Constant {value = dense<[3.0, 5.0]> : tensor<2xf32>} : tensor<2xf32>
  %var = onnx.Constant {value = dense<[3.0, 15.0]> : tensor<2xf32>} : tensor<2xf32>
  %c = "onnx.ConvTranspose"(%x, %w, %b) {group = 2 : i64}
      : (tensor<1x2x4xf32>, tensor<2x1x1xf32>, tensor<2xf32>) -> tensor<1x2x4xf32>
  %y = "onnx.BatchNormalization"(%c, %scale, %bias, %mean, %var)
      {epsilon = 1.0 : f32, resultSegmentSizes = array<i32: 1, 0, 0>}
      : (tensor<1x2x4xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x4xf32>
  return %y : tensor<1x2x4xf32>
}

// CHECK-LABEL: @after_gemm
// CHECK-DAG: onnx.Constant {value = dense<{{\[\[}}1.000000e+00, 4.000000e+00], [3.000000e+00, 8.000000e+00]]> : tensor<2x2xf32>}
// CHECK-DAG: onnx.Constant {value = dense<[8.000000e+00, 1.200000e+01]> : tensor<2xf32>}
// CHECK: "onnx.Gemm"(%{{.*}}) <{{.*}}beta = 1.000000e+00 : f32
func.func @after_gemm(%x: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %w = onnx.Constant {value = dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>} : tensor<2x2xf32>
  %c = onnx.Constant {value = dense<2.0> : tensor<f32>} : tensor<f32>
  %scale = onnx.Constant {value = dense<[2.0, 8.0]> : tensor<2xf32>} : tensor<2xf32>
  %bias = onnx.Constant {value = dense<[10.0, 20.0]> : tensor<2xf32>} : tensor<2xf32>
  %mean = onnx.Constant {value = dense<[3.0, 5.0]> : tensor<2xf32>} : tensor<2xf32>
  %var = onnx.Constant {value = dense<[3.0, 15.0]> : tensor<2xf32>} : tensor<2xf32>
  %g = "onnx.Gemm"(%x, %w, %c) {beta = 0.5 : f32} : (tensor<3x2xf32>, tensor<2x2xf32>, tensor<f32>) -> tensor<3x2xf32>
  %y = "onnx.BatchNormalization"(%g, %scale, %bias, %mean, %var)
      {epsilon = 1.0 : f32, resultSegmentSizes = array<i32: 1, 0, 0>}
      : (tensor<3x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// CHECK-LABEL: @alone
// CHECK-DAG: %[[FACTOR:.*]] = onnx.Constant {value = dense<{{\[\[}}1.000000e+00], [2.000000e+00]]> : tensor<2x1xf32>}
// CHECK-DAG: %[[SHIFT:.*]] = onnx.Constant {value = dense<{{\[\[}}7.000000e+00], [1.000000e+01]]> : tensor<2x1xf32>}
// CHECK: %[[P:.*]] = "onnx.Mul"(%{{.*}}, %[[FACTOR]])
// CHECK: "onnx.Add"(%[[P]], %[[SHIFT]])
func.func @alone(%x: tensor<1x2x3xf32>) -> tensor<1x2x3xf32> {
  %scale = onnx.Constant {value = dense<[2.0, 8.0]> : tensor<2xf32>} : tensor<2xf32>
  %bias = onnx.Constant {value = dense<[10.0, 20.0]> : tensor<2xf32>} : tensor<2xf32>
  %mean = onnx.Constant {value = dense<[3.0, 5.0]> : tensor<2xf32>} : tensor<2xf32>
  %var = onnx.Constant {value = dense<[3.0, 15.0]> : tensor<2xf32>} : tensor<2xf32>
  %y = "onnx.BatchNormalization"(%x, %scale, %bias, %mean, %var)
      {epsilon = 1.0 : f32, resultSegmentSizes = array<i32: 1, 0, 0>}
      : (tensor<1x2x3xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x3xf32>
  return %y : tensor<1x2x3xf32>
}

// Statistics that are not constant stay.
// CHECK-LABEL: @dynamic
// CHECK: onnx.BatchNormalization
func.func @dynamic(%x: tensor<1x2x3xf32>, %p: tensor<2xf32>) -> tensor<1x2x3xf32> {
  %y = "onnx.BatchNormalization"(%x, %p, %p, %p, %p) {resultSegmentSizes = array<i32: 1, 0, 0>}
      : (tensor<1x2x3xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x3xf32>
  return %y : tensor<1x2x3xf32>
}
