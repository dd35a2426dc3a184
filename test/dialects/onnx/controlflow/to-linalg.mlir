// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-infer-shapes),aot-onnx-to-linalg)' | FileCheck %s

// A condition is a byte in memory. Branches use the values around them.
// CHECK-LABEL: @branches
// CHECK: %[[BIT:.*]] = arith.cmpi ne
// CHECK: scf.if %[[BIT]] -> (tensor<2x3xf32>)
// CHECK: linalg.generic
// CHECK: scf.yield
// CHECK: } else {
// CHECK-NEXT: scf.yield %arg1
func.func @branches(%c: tensor<i1>, %x: tensor<2x3xf32>) -> tensor<*xf32> {
  %y = "onnx.If"(%c) ({
    %a = "onnx.Relu"(%x) : (tensor<2x3xf32>) -> tensor<*xf32>
    "onnx.Yield"(%a) : (tensor<*xf32>) -> ()
  }, {
    "onnx.Yield"(%x) : (tensor<2x3xf32>) -> ()
  }) : (tensor<i1>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}
