// Two nodes that are alike but for their names stay two: their numbers differ.
// RUN: onnx-aot-opt %s --cse --canonicalize | FileCheck %s

// CHECK-LABEL: func.func @main
// CHECK-COUNT-2: onnx.RandomNormal
func.func @main() -> (tensor<4xf32>, tensor<4xf32>) {
  %first = "onnx.RandomNormal"() {shape = array<i64: 4>} : () -> tensor<4xf32> loc("first")
  %second = "onnx.RandomNormal"() {shape = array<i64: 4>} : () -> tensor<4xf32> loc("second")
  return %first, %second : tensor<4xf32>, tensor<4xf32>
}
