// RUN: onnx-aot-opt %s --aot-onnx-to-linalg --split-input-file --verify-diagnostics | FileCheck %s
// Everything ONNX is gone afterwards, types included: unsigned integers are signless and bools are bytes.

// CHECK-LABEL: func.func @types(
// CHECK-SAME: %{{.*}}: tensor<4xi8>, %{{.*}}: tensor<4xi8>) -> tensor<4xi8>
// CHECK-NOT: onnx.
func.func @types(%x: tensor<4xui8>, %condition: tensor<4xi1>) -> tensor<4xui8> {
  %y = "onnx.Where"(%condition, %x, %x) : (tensor<4xi1>, tensor<4xui8>, tensor<4xui8>) -> tensor<4xui8>
  return %y : tensor<4xui8>
}
