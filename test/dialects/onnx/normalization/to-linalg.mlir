// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(aot-onnx-to-linalg,canonicalize)' --split-input-file --verify-diagnostics | FileCheck %s
// Statistics are kernels that keep the reduced dims; the rest is one elementwise operation.

// CHECK-LABEL: @layer
// CHECK: %[[MEAN:.*]] = aot.kernel "reduce" ins(%arg0 : tensor<2x4xf32>) outs({{.*}} : tensor<2x1xf32>)
// CHECK: %[[INVERSE:.*]] = aot.kernel "reduce" ins(%arg0, %[[MEAN]] :
// CHECK: math.sqrt
// CHECK: linalg.generic {{.*}} ins(%arg0, %[[MEAN]], %[[INVERSE]], %arg1, %arg2 :
func.func @layer(%x: tensor<2x4xf32>, %s: tensor<4xf32>, %b: tensor<4xf32>) -> tensor<2x4xf32> {
  %y = "onnx.LayerNormalization"(%x, %s, %b) {resultSegmentSizes = array<i32: 1, 0, 0>}
      : (tensor<2x4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

// Half precision is summed up in single precision.
// CHECK-LABEL: @rms
// CHECK: aot.kernel "reduce" {{.*}} outs({{.*}} : tensor<2x1xf32>)
// CHECK-NOT: aot.kernel
// CHECK: arith.truncf
func.func @rms(%x: tensor<2x4xf16>, %s: tensor<4xf16>) -> tensor<2x4xf16> {
  %y = "onnx.RMSNormalization"(%x, %s) : (tensor<2x4xf16>, tensor<4xf16>) -> tensor<2x4xf16>
  return %y : tensor<2x4xf16>
}

// -----

// CHECK-LABEL: @channels
// CHECK: tensor.insert_slice %arg0 into %{{.*}}[0, 1, 0] {{.*}} into tensor<1x6x2xf32>
// CHECK: aot.kernel "pool"
// CHECK: math.powf
func.func @channels(%x: tensor<1x4x2xf32>) -> tensor<1x4x2xf32> {
  %y = "onnx.LRN"(%x) {size = 3 : i64} : (tensor<1x4x2xf32>) -> tensor<1x4x2xf32>
  return %y : tensor<1x4x2xf32>
}

// -----

func.func @training(%x: tensor<2x3xf32>, %t: tensor<i1>) -> tensor<2x3xf32> {
  // expected-error @+1 {{unsupported: Dropout in training mode; training_mode must be constant and false}}
  %y = "onnx.Dropout"(%x, %t) {operandSegmentSizes = array<i32: 1, 0, 1>}
      : (tensor<2x3xf32>, tensor<i1>) -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}
