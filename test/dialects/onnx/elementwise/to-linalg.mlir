// RUN: onnx-aot-opt %s --aot-onnx-to-linalg --split-input-file --verify-diagnostics | FileCheck %s

// Broadcasting is in the maps; bools are stored as i8.
// CHECK-DAG: #[[ROW:.+]] = affine_map<(d0, d1) -> (d1)>
// CHECK-DAG: #[[COLUMN:.+]] = affine_map<(d0, d1) -> (d0, 0)>
// CHECK-DAG: #[[ALL:.+]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-LABEL: @broadcast
// CHECK: linalg.generic {indexing_maps = [#[[ROW]], #[[COLUMN]], #[[ALL]]]
// CHECK: arith.cmpf olt
// CHECK: arith.extui %{{.*}} : i1 to i8
// CHECK: return %{{.*}} : tensor<2x3xi8>
func.func @broadcast(%x: tensor<3xf32>, %y: tensor<2x1xf32>) -> tensor<2x3xi1> {
  %0 = "onnx.Less"(%x, %y) : (tensor<3xf32>, tensor<2x1xf32>) -> tensor<2x3xi1>
  return %0 : tensor<2x3xi1>
}

// -----

// Half precision is computed in single precision, unsigned integers by unsigned operations.
// CHECK-LABEL: @types
// CHECK: arith.extf %{{.*}} : f16 to f32
// CHECK: math.sqrt %{{.*}} : f32
// CHECK: arith.truncf %{{.*}} : f32 to f16
// CHECK: arith.maxui %{{.*}} : i8
func.func @types(%x: tensor<3xf16>, %y: tensor<3xui8>) -> (tensor<3xf16>, tensor<3xui8>) {
  %0 = "onnx.Sqrt"(%x) : (tensor<3xf16>) -> tensor<3xf16>
  %1 = "onnx.Max"(%y, %y) : (tensor<3xui8>, tensor<3xui8>) -> tensor<3xui8>
  return %0, %1 : tensor<3xf16>, tensor<3xui8>
}

// -----

// Casts that do not change memory vanish.
// CHECK-LABEL: @free
// CHECK-NOT: linalg.generic
// CHECK: return %arg0, %arg1
func.func @free(%x: tensor<3xi8>, %y: tensor<3xi1>) -> (tensor<3xui8>, tensor<3xi8>) {
  %0 = "onnx.Cast"(%x) {to = 2 : i64} : (tensor<3xi8>) -> tensor<3xui8>
  %1 = "onnx.Cast"(%y) {to = 3 : i64} : (tensor<3xi1>) -> tensor<3xi8>
  return %0, %1 : tensor<3xui8>, tensor<3xi8>
}

// -----

// CHECK-LABEL: @square
// CHECK: arith.mulf %[[X:.+]], %[[X]]
// CHECK-NOT: math.powf
func.func @square(%x: tensor<3xf32>) -> tensor<3xf32> {
  %two = onnx.Constant {value = dense<2.0> : tensor<f32>} : tensor<f32>
  %0 = "onnx.Pow"(%x, %two) : (tensor<3xf32>, tensor<f32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----

func.func @narrow(%x: tensor<3xf32>) -> tensor<3xf8E5M2> {
  // expected-error @+1 {{unsupported: element type 'f8E5M2'; supported are bool, integers of 8 to 64 bits}}
  %0 = "onnx.Cast"(%x) {to = 19 : i64} : (tensor<3xf32>) -> tensor<3xf8E5M2>
  return %0 : tensor<3xf8E5M2>
}
