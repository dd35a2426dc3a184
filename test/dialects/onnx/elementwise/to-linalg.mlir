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

// float8 is stored as its bits, and computed in f32.
// CHECK-LABEL: @narrow
// CHECK: ^bb0(%[[BITS:.+]]: i8, %{{.*}}: i8):
// CHECK: arith.extui %[[BITS]] : i8 to i32
// CHECK-NOT: f8E
// CHECK: return %{{.*}} : tensor<3xi8>
func.func @narrow(%x: tensor<3xf8E4M3FN>) -> tensor<3xf8E5M2> {
  %0 = "onnx.Cast"(%x) {to = 19 : i64} : (tensor<3xf8E4M3FN>) -> tensor<3xf8E5M2>
  return %0 : tensor<3xf8E5M2>
}

// -----

// What becomes narrower than f32 is rounded once: the f32 between has an odd last bit where it is not exact.
// CHECK-LABEL: @rounded_once
// CHECK: arith.truncf %{{.*}} : f64 to f32
// CHECK: arith.ori
// CHECK: arith.truncf %{{.*}} : f32 to f16
func.func @rounded_once(%x: tensor<3xf64>) -> tensor<3xf16> {
  %0 = "onnx.Cast"(%x) {to = 10 : i64} : (tensor<3xf64>) -> tensor<3xf16>
  return %0 : tensor<3xf16>
}

// -----

// A 4-bit integer lies in a byte, extended by its sign: as int8 it is the same; from int8 its upper bits are replaced.
// CHECK-LABEL: @four_bits
// CHECK: %[[WRAPPED:.+]] = linalg.generic
// CHECK: arith.shli %{{.*}} : i8
// CHECK: arith.shrsi %{{.*}} : i8
// CHECK: return %arg0, %[[WRAPPED]] : tensor<3xi8>, tensor<3xi8>
func.func @four_bits(%x: tensor<3xi4>, %y: tensor<3xi8>) -> (tensor<3xi8>, tensor<3xi4>) {
  %0 = "onnx.Cast"(%x) {to = 3 : i64} : (tensor<3xi4>) -> tensor<3xi8>
  %1 = "onnx.Cast"(%y) {to = 22 : i64} : (tensor<3xi8>) -> tensor<3xi4>
  return %0, %1 : tensor<3xi8>, tensor<3xi4>
}

// -----

// Complex numbers are moved as the bits of their parts.
// CHECK-LABEL: @complex
// CHECK: arith.select %{{.*}}, %{{.*}}, %{{.*}} : i64
// CHECK: return %{{.*}} : tensor<3xi64>
func.func @complex(%c: tensor<3xi1>, %x: tensor<3xcomplex<f32>>) -> tensor<3xcomplex<f32>> {
  %0 = "onnx.Where"(%c, %x, %x) : (tensor<3xi1>, tensor<3xcomplex<f32>>, tensor<3xcomplex<f32>>) -> tensor<3xcomplex<f32>>
  return %0 : tensor<3xcomplex<f32>>
}

// -----

func.func @cast_complex(%x: tensor<3xcomplex<f32>>) -> tensor<3xf32> {
  // expected-error @+1 {{unsupported: element type 'complex<f32>'; supported are bool and all integer and floating-point types}}
  %0 = "onnx.Cast"(%x) {to = 1 : i64} : (tensor<3xcomplex<f32>>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}
