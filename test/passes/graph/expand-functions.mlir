// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-expand-functions))' --split-input-file | FileCheck %s

// An operator that is a graph of others is replaced by these; its type is theirs.
// CHECK-LABEL: @quick_gelu
func.func @quick_gelu(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  // CHECK-NEXT: %[[Y:.*]] = "onnx.Swish"(%arg0) <{alpha = 1.702
  // CHECK-NEXT: return %[[Y]]
  %0 = "onnx.com_microsoft.QuickGelu"(%x) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

// A form that has a lowering stays.
// CHECK-LABEL: @inference
func.func @inference(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  // CHECK-NEXT: onnx.Dropout
  %0 = "onnx.Dropout"(%x) {operandSegmentSizes = array<i32: 1, 0, 0>, resultSegmentSizes = array<i32: 1, 0>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}
