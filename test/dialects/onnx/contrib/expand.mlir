// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-expand-functions))' --split-input-file | FileCheck %s

// CHECK-LABEL: @fused_matmul
// CHECK-NEXT: %[[B:.*]] = "onnx.Transpose"(%arg1) <{perm = array<i64: 0, 2, 1>}>
// CHECK-NEXT: %[[P:.*]] = "onnx.MatMul"(%arg0, %[[B]])
// CHECK-NEXT: %[[ALPHA:.*]] = onnx.Constant
// CHECK-NEXT: onnx.Mul"(%[[P]], %[[ALPHA]])
func.func @fused_matmul(%a: tensor<2x3x4xf32>, %b: tensor<2x5x4xf32>) -> tensor<2x3x5xf32> {
  %0 = "onnx.com_microsoft.FusedMatMul"(%a, %b) {alpha = 0.125 : f32, transB = 1 : i64} : (tensor<2x3x4xf32>, tensor<2x5x4xf32>) -> tensor<2x3x5xf32>
  return %0 : tensor<2x3x5xf32>
}

// -----

// The float operator between dequantisation and quantisation.
// CHECK-LABEL: @pool
// CHECK: %[[X:.*]] = "onnx.DequantizeLinear"(%arg0
// CHECK: %[[Y:.*]] = "onnx.AveragePool"(%[[X]])
// CHECK: "onnx.QuantizeLinear"(%[[Y]]
func.func @pool(%x: tensor<1x2x4x4xi8>, %s: tensor<f32>, %z: tensor<i8>) -> tensor<1x2x2x2xi8> {
  %0 = "onnx.com_microsoft.QLinearAveragePool"(%x, %s, %z, %s, %z) {kernel_shape = array<i64: 2, 2>, strides = array<i64: 2, 2>, operandSegmentSizes = array<i32: 1, 1, 1, 1, 1>}
      : (tensor<1x2x4x4xi8>, tensor<f32>, tensor<i8>, tensor<f32>, tensor<i8>) -> tensor<1x2x2x2xi8>
  return %0 : tensor<1x2x2x2xi8>
}
