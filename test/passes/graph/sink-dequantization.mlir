// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-sink-dequantization,canonicalize))' | FileCheck %s
// What moves elements moves them as integers; a quantization with the same scale is undone.

// CHECK-LABEL: @between_equal_scales
// CHECK-SAME: %[[X:.*]]: tensor<1x2x4x4xi8>
// CHECK: %[[M:.*]] = "onnx.MaxPool"(%[[X]]) {{.*}} -> tensor<1x2x2x2xi8>
// CHECK-NEXT: %[[T:.*]] = "onnx.Transpose"(%[[M]]) {{.*}} -> tensor<1x2x2x2xi8>
// CHECK-NEXT: return %[[T]]
func.func @between_equal_scales(%x: tensor<1x2x4x4xi8>) -> tensor<1x2x2x2xi8> {
  %s = onnx.Constant {value = dense<0.3> : tensor<f32>} : tensor<f32>
  %z = onnx.Constant {value = dense<-5> : tensor<i8>} : tensor<i8>
  %d = "onnx.DequantizeLinear"(%x, %s, %z) : (tensor<1x2x4x4xi8>, tensor<f32>, tensor<i8>) -> tensor<1x2x4x4xf32>
  %m = "onnx.MaxPool"(%d) {kernel_shape = array<i64: 2, 2>, strides = array<i64: 2, 2>, resultSegmentSizes = array<i32: 1, 0>} : (tensor<1x2x4x4xf32>) -> tensor<1x2x2x2xf32>
  %t = "onnx.Transpose"(%m) {perm = array<i64: 0, 2, 3, 1>} : (tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %q = "onnx.QuantizeLinear"(%t, %s, %z) : (tensor<1x2x2x2xf32>, tensor<f32>, tensor<i8>) -> tensor<1x2x2x2xi8>
  return %q : tensor<1x2x2x2xi8>
}

// Another zero point: the values change.
// CHECK-LABEL: @other_zero_point
// CHECK: onnx.DequantizeLinear
// CHECK: onnx.QuantizeLinear
func.func @other_zero_point(%x: tensor<4xi8>) -> tensor<4xi8> {
  %s = onnx.Constant {value = dense<0.3> : tensor<f32>} : tensor<f32>
  %z = onnx.Constant {value = dense<-5> : tensor<i8>} : tensor<i8>
  %other = onnx.Constant {value = dense<-6> : tensor<i8>} : tensor<i8>
  %d = "onnx.DequantizeLinear"(%x, %s, %z) : (tensor<4xi8>, tensor<f32>, tensor<i8>) -> tensor<4xf32>
  %q = "onnx.QuantizeLinear"(%d, %s, %other) : (tensor<4xf32>, tensor<f32>, tensor<i8>) -> tensor<4xi8>
  return %q : tensor<4xi8>
}

// With a scale per channel a transposition would have to move the scales too; a mean is not one of integers.
// CHECK-LABEL: @left_alone
// CHECK: onnx.DequantizeLinear
// CHECK: onnx.Transpose
// CHECK: onnx.DequantizeLinear
// CHECK: onnx.AveragePool
func.func @left_alone(%x: tensor<2x3xi8>, %y: tensor<1x1x4xi8>) -> (tensor<3x2xf32>, tensor<1x1x2xf32>) {
  %s = onnx.Constant {value = dense<[0.3, 0.4, 0.5]> : tensor<3xf32>} : tensor<3xf32>
  %one = onnx.Constant {value = dense<0.3> : tensor<f32>} : tensor<f32>
  %d = "onnx.DequantizeLinear"(%x, %s) {axis = 1 : i64} : (tensor<2x3xi8>, tensor<3xf32>) -> tensor<2x3xf32>
  %t = "onnx.Transpose"(%d) {perm = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
  %e = "onnx.DequantizeLinear"(%y, %one) : (tensor<1x1x4xi8>, tensor<f32>) -> tensor<1x1x4xf32>
  %p = "onnx.AveragePool"(%e) {kernel_shape = array<i64: 2>, strides = array<i64: 2>} : (tensor<1x1x4xf32>) -> tensor<1x1x2xf32>
  return %t, %p : tensor<3x2xf32>, tensor<1x1x2xf32>
}
