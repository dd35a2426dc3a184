// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-fold-dequantization,canonicalize))' | FileCheck %s
// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-fold-dequantization{weights=false},canonicalize))' | FileCheck --check-prefix=BIAS %s
// What is dequantized from constants is a constant; matrices only where they may take four times their bytes.

// CHECK-LABEL: @constants
// CHECK-DAG: onnx.Constant {value = dense<{{\[\[}}0.000000e+00, 5.000000e-01], [4.000000e+00, -2.580000e+02]]> : tensor<2x2xf32>}
// CHECK-DAG: onnx.Constant {value = dense<[2.000000e+00, -4.000000e+00]> : tensor<2xf32>}
// CHECK-NOT: onnx.DequantizeLinear
// BIAS-LABEL: @constants
// BIAS-DAG: onnx.Constant {value = dense<[2.000000e+00, -4.000000e+00]> : tensor<2xf32>}
// BIAS: "onnx.DequantizeLinear"(%{{.*}}) {{.*}} -> tensor<2x2xf32>
func.func @constants() -> (tensor<2x2xf32>, tensor<2xf32>) {
  %w = onnx.Constant {value = dense<[[1, 2], [3, -128]]> : tensor<2x2xi8>} : tensor<2x2xi8>
  %sw = onnx.Constant {value = dense<[0.5, 2.0]> : tensor<2xf32>} : tensor<2xf32>
  %zw = onnx.Constant {value = dense<1> : tensor<2xi8>} : tensor<2xi8>
  %b = onnx.Constant {value = dense<[8, -16]> : tensor<2xi32>} : tensor<2xi32>
  %sb = onnx.Constant {value = dense<0.25> : tensor<f32>} : tensor<f32>
  %dw = "onnx.DequantizeLinear"(%w, %sw, %zw) {axis = 0 : i64} : (tensor<2x2xi8>, tensor<2xf32>, tensor<2xi8>) -> tensor<2x2xf32>
  %db = "onnx.DequantizeLinear"(%b, %sb) : (tensor<2xi32>, tensor<f32>) -> tensor<2xf32>
  return %dw, %db : tensor<2x2xf32>, tensor<2xf32>
}

// CHECK-LABEL: @data
// CHECK: onnx.DequantizeLinear
func.func @data(%x: tensor<2xi8>) -> tensor<2xf32> {
  %s = onnx.Constant {value = dense<0.5> : tensor<f32>} : tensor<f32>
  %y = "onnx.DequantizeLinear"(%x, %s) : (tensor<2xi8>, tensor<f32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}
