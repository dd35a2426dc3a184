// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(aot-onnx-to-linalg,canonicalize)' | FileCheck %s
// Pooling becomes kernels over padded data.

// CHECK-LABEL: @max
// CHECK: arith.constant 0xFF800000 : f32
// CHECK: linalg.fill
// CHECK: tensor.insert_slice
// CHECK: aot.kernel "pool" {{.*}} identity 0xFF800000 : f32
// CHECK: arith.maximumf
func.func @max(%x: tensor<1x2x7xf32>) -> tensor<1x2x4xf32> {
  %y = "onnx.MaxPool"(%x) {kernel_shape = array<i64: 3>, pads = array<i64: 1, 1>, strides = array<i64: 2>}
      : (tensor<1x2x7xf32>) -> tensor<1x2x4xf32>
  return %y : tensor<1x2x4xf32>
}

// CHECK-LABEL: @max_unsigned
// CHECK: aot.kernel "pool" {{.*}} identity 0 : i8
// CHECK: arith.maxui
func.func @max_unsigned(%x: tensor<1x2x7xui8>) -> tensor<1x2x6xui8> {
  %y = "onnx.MaxPool"(%x) {kernel_shape = array<i64: 2>} : (tensor<1x2x7xui8>) -> tensor<1x2x6xui8>
  return %y : tensor<1x2x6xui8>
}

// Every window holds three elements of padded data.
// CHECK-LABEL: @mean_with_padding
// CHECK: aot.kernel "pool"
// CHECK: arith.divf
func.func @mean_with_padding(%x: tensor<1x2x7xf32>) -> tensor<1x2x7xf32> {
  %y = "onnx.AveragePool"(%x) {count_include_pad = 1 : i64, kernel_shape = array<i64: 3>, pads = array<i64: 1, 1>}
      : (tensor<1x2x7xf32>) -> tensor<1x2x7xf32>
  return %y : tensor<1x2x7xf32>
}

// The windows at the ends hold two elements.
// CHECK-LABEL: @mean_without_padding
// CHECK: arith.constant dense<[5.000000e-01, 0.333333343, 5.000000e-01]> : tensor<3xf32>
// CHECK: aot.kernel "pool"
// CHECK: epilogue
// CHECK: arith.mulf
func.func @mean_without_padding(%x: tensor<1x2x3xf32>) -> tensor<1x2x3xf32> {
  %y = "onnx.AveragePool"(%x) {kernel_shape = array<i64: 3>, pads = array<i64: 1, 1>}
      : (tensor<1x2x3xf32>) -> tensor<1x2x3xf32>
  return %y : tensor<1x2x3xf32>
}

// The plane is one dim.
// CHECK-LABEL: @global
// CHECK: tensor.collapse_shape {{.*}} into tensor<1x2x12xf32>
// CHECK: aot.kernel "pool" {{.*}} iterators ["parallel", "parallel", "reduction"]
func.func @global(%x: tensor<1x2x3x4xf32>) -> tensor<1x2x1x1xf32> {
  %y = "onnx.GlobalAveragePool"(%x) : (tensor<1x2x3x4xf32>) -> tensor<1x2x1x1xf32>
  return %y : tensor<1x2x1x1xf32>
}
