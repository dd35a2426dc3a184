// RUN: onnx-aot-opt %s --aot-onnx-to-linalg --split-input-file --verify-diagnostics | FileCheck %s
// Everything ONNX is gone afterwards, types included: unsigned integers are signless and bools are bytes.

// CHECK-LABEL: func.func @types(
// CHECK-SAME: %{{.*}}: tensor<4xi8>, %{{.*}}: tensor<4xi8>) -> tensor<4xi8>
// CHECK-NOT: onnx.
func.func @types(%x: tensor<4xui8>, %condition: tensor<4xi1>) -> tensor<4xui8> {
  %y = "onnx.Where"(%condition, %x, %x) : (tensor<4xi1>, tensor<4xui8>, tensor<4xui8>) -> tensor<4xui8>
  return %y : tensor<4xui8>
}

// -----

// Where no result has an element nothing is computed, whatever the operator.
// CHECK-LABEL: func.func @empty(
// CHECK-NEXT: %[[Y:.*]] = tensor.empty() : tensor<0x4x2x2xf32>
// CHECK-NEXT: %[[S:.*]] = tensor.empty() : tensor<0x4x2x2xi8>
// CHECK-NEXT: return %[[Y]], %[[S]]
func.func @empty(%x: tensor<0x4x2x2xf32>) -> (tensor<0x4x2x2xf32>, tensor<0x4x2x2xi1>) {
  %y = "onnx.LRN"(%x) {size = 3 : i64} : (tensor<0x4x2x2xf32>) -> tensor<0x4x2x2xf32>
  %s = "onnx.IsNaN"(%x) : (tensor<0x4x2x2xf32>) -> tensor<0x4x2x2xi1>
  return %y, %s : tensor<0x4x2x2xf32>, tensor<0x4x2x2xi1>
}

// -----

// A lowering that says why it refuses is not followed by what the conversion says.
func.func @refused(%x: tensor<2xf32>, %ratio: tensor<f32>, %training: tensor<i1>) -> tensor<2xf32> {
  // expected-error @+1 {{unsupported: Dropout in training mode}}
  %y = "onnx.Dropout"(%x, %ratio, %training) {operandSegmentSizes = array<i32: 1, 1, 1>}
      : (tensor<2xf32>, tensor<f32>, tensor<i1>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}
