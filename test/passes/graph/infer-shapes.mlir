// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-infer-shapes))' | FileCheck %s
// One forward walk folds the arithmetic on shapes and refines what depends on it, up to the signature.

// CHECK-LABEL: func.func @reshape_by_computed_shape
// CHECK-SAME: -> tensor<2x12xf32>
// CHECK: "onnx.Reshape"(%[[X:.*]], %{{.*}}) {{.*}} : (tensor<2x3x4xf32>, tensor<2xi64>) -> tensor<2x12xf32>
// CHECK-NEXT: %[[Y:.*]] = "onnx.Relu"(%{{.*}}) : (tensor<2x12xf32>) -> tensor<2x12xf32>
// CHECK-NEXT: return %[[Y]] : tensor<2x12xf32>
func.func @reshape_by_computed_shape(%x: tensor<2x3x4xf32>) -> tensor<*xf32> {
  %shape = "onnx.Shape"(%x) {start = 0 : i64} : (tensor<2x3x4xf32>) -> tensor<3xi64>
  %first = onnx.Constant {value = dense<[0]> : tensor<1xi64>} : tensor<1xi64>
  %batch = "onnx.Gather"(%shape, %first) {axis = 0 : i64} : (tensor<3xi64>, tensor<1xi64>) -> tensor<1xi64>
  %rest = onnx.Constant {value = dense<[-1]> : tensor<1xi64>} : tensor<1xi64>
  %target = "onnx.Concat"(%batch, %rest) {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  %flat = "onnx.Reshape"(%x, %target) : (tensor<2x3x4xf32>, tensor<2xi64>) -> tensor<*xf32>
  %y = "onnx.Relu"(%flat) : (tensor<*xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// A type that says more than inference can tell is kept.
// CHECK-LABEL: func.func @keeps_the_more_precise
// CHECK: "onnx.Relu"({{.*}}) : (tensor<?xf32>) -> tensor<4xf32>
func.func @keeps_the_more_precise(%x: tensor<?xf32>) -> tensor<4xf32> {
  %y = "onnx.Relu"(%x) : (tensor<?xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}
