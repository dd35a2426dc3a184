// Shape arithmetic vanishes, and constants move at compile time.
// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-infer-shapes))' | FileCheck %s

// CHECK-LABEL: @flatten_by_shape
func.func @flatten_by_shape(%x: tensor<2x3x4xf32>) -> tensor<*xf32> {
  %zero = onnx.Constant {value = dense<0> : tensor<i64>} : tensor<i64>
  %axis = onnx.Constant {value = dense<0> : tensor<1xi64>} : tensor<1xi64>
  %rest = onnx.Constant {value = dense<-1> : tensor<1xi64>} : tensor<1xi64>
  %shape = "onnx.Shape"(%x) : (tensor<2x3x4xf32>) -> tensor<3xi64>
  %n = "onnx.Gather"(%shape, %zero) : (tensor<3xi64>, tensor<i64>) -> tensor<i64>
  %first = "onnx.Unsqueeze"(%n, %axis) : (tensor<i64>, tensor<1xi64>) -> tensor<1xi64>
  %target = "onnx.Concat"(%first, %rest) {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  // CHECK-DAG: onnx.Constant {value = dense<[2, -1]> : tensor<2xi64>}
  // CHECK: "onnx.Reshape"(%{{.*}}) <{allowzero = 0 : i64}> : (tensor<2x3x4xf32>, tensor<2xi64>) -> tensor<2x12xf32>
  %y = "onnx.Reshape"(%x, %target) : (tensor<2x3x4xf32>, tensor<2xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// CHECK-LABEL: @transpose
func.func @transpose() -> tensor<3x2xi32> {
  %x = onnx.Constant {value = dense<[[0, 1, 2], [3, 4, 5]]> : tensor<2x3xi32>} : tensor<2x3xi32>
  // CHECK: dense<{{\[\[}}0, 3], [1, 4], [2, 5]]>
  %y = "onnx.Transpose"(%x) : (tensor<2x3xi32>) -> tensor<3x2xi32>
  return %y : tensor<3x2xi32>
}

// CHECK-LABEL: @backwards
func.func @backwards() -> tensor<2xi64> {
  %x = onnx.Constant {value = dense<[10, 11, 12, 13, 14]> : tensor<5xi64>} : tensor<5xi64>
  %start = onnx.Constant {value = dense<-1> : tensor<1xi64>} : tensor<1xi64>
  %end = onnx.Constant {value = dense<-9223372036854775807> : tensor<1xi64>} : tensor<1xi64>
  %axes = onnx.Constant {value = dense<0> : tensor<1xi64>} : tensor<1xi64>
  %step = onnx.Constant {value = dense<-3> : tensor<1xi64>} : tensor<1xi64>
  // CHECK: dense<[14, 11]>
  %y = "onnx.Slice"(%x, %start, %end, %axes, %step) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1>} : (tensor<5xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  return %y : tensor<2xi64>
}

// CHECK-LABEL: @parts
func.func @parts() -> (tensor<2xi64>, tensor<1xi64>) {
  %x = onnx.Constant {value = dense<[1, 2, 3]> : tensor<3xi64>} : tensor<3xi64>
  // CHECK-DAG: dense<[1, 2]>
  // CHECK-DAG: dense<3>
  %y:2 = "onnx.Split"(%x) {num_outputs = 2 : i64} : (tensor<3xi64>) -> (tensor<2xi64>, tensor<1xi64>)
  return %y#0, %y#1 : tensor<2xi64>, tensor<1xi64>
}
