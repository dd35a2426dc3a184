// RUN: onnx-aot-opt %s --aot-onnx-to-linalg --split-input-file | FileCheck %s

// Clamped to what the zero point leaves of the range, rounded by an addition whose low bits are the integer.
// CHECK-LABEL: @quantize
// CHECK: arith.divf
// CHECK: arith.cmpf ogt, %{{.*}}, %[[LOW:.+]] : f32
// CHECK: %[[SUM:.+]] = arith.addf %{{.*}}, %cst{{.*}} : f32
// CHECK: %[[BITS:.+]] = arith.bitcast %[[SUM]] : f32 to i32
// CHECK: arith.addi %[[BITS]], %{{.*}} : i32
// CHECK: arith.trunci %{{.*}} : i32 to i8
func.func @quantize(%x: tensor<2x3xf32>, %s: tensor<3xf32>, %z: tensor<3xui8>) -> tensor<2x3xui8> {
  %0 = "onnx.QuantizeLinear"(%x, %s, %z) : (tensor<2x3xf32>, tensor<3xf32>, tensor<3xui8>) -> tensor<2x3xui8>
  return %0 : tensor<2x3xui8>
}

// -----

// The blocked dim is split in two.
// CHECK: #[[ALL:.+]] = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
// CHECK: #[[BLOCK:.+]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-LABEL: @blocked
// CHECK: linalg.generic {indexing_maps = [#[[ALL]], #[[BLOCK]], #[[ALL]]]
// CHECK-SAME: ins(%{{.*}}, %arg1 : tensor<2x3x2xi8>, tensor<2x3xf32>)
func.func @blocked(%x: tensor<2x6xi8>, %s: tensor<2x3xf32>) -> tensor<2x6xf32> {
  %0 = "onnx.DequantizeLinear"(%x, %s) {block_size = 2 : i64} : (tensor<2x6xi8>, tensor<2x3xf32>) -> tensor<2x6xf32>
  return %0 : tensor<2x6xf32>
}

// -----

// Where the last block is not full, the scale is read by division.
// CHECK-DAG: #[[ALL:.+]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-DAG: #[[BLOCK:.+]] = affine_map<(d0, d1) -> (d0, d1 floordiv 2)>
// CHECK-LABEL: @uneven
// CHECK: linalg.generic {indexing_maps = [#[[ALL]], #[[BLOCK]], #[[ALL]]]
func.func @uneven(%x: tensor<2x5xi4>, %s: tensor<2x3xf32>) -> tensor<2x5xf32> {
  %0 = "onnx.DequantizeLinear"(%x, %s) {block_size = 2 : i64} : (tensor<2x5xi4>, tensor<2x3xf32>) -> tensor<2x5xf32>
  return %0 : tensor<2x5xf32>
}

// -----

// The quotient has the precision of the scale; floats are not rounded to integers.
// CHECK-LABEL: @narrow
// CHECK: arith.divf
// CHECK-NEXT: arith.truncf %{{.*}} : f32 to f16
// CHECK-NEXT: arith.extf
// CHECK-NOT: math.roundeven
// CHECK: return %{{.*}} : tensor<2xi8>
func.func @narrow(%x: tensor<2xf16>, %s: tensor<f16>) -> tensor<2xf8E4M3FN> {
  %0 = "onnx.QuantizeLinear"(%x, %s) {output_dtype = 17 : i64} : (tensor<2xf16>, tensor<f16>) -> tensor<2xf8E4M3FN>
  return %0 : tensor<2xf8E4M3FN>
}

// -----

// An absent zero point is not subtracted.
// CHECK-LABEL: @add
// CHECK: arith.subf
// CHECK-NOT: arith.subf
// CHECK: arith.addf
// CHECK: arith.divf
// CHECK: arith.bitcast
func.func @add(%a: tensor<2x3xui8>, %b: tensor<3xui8>, %s: tensor<f32>, %z: tensor<1xui8>) -> tensor<2x3xui8> {
  %0 = "onnx.com_microsoft.QLinearAdd"(%a, %s, %z, %b, %s, %s, %z) {operandSegmentSizes = array<i32: 1, 1, 1, 1, 1, 0, 1, 1>} : (tensor<2x3xui8>, tensor<f32>, tensor<1xui8>, tensor<3xui8>, tensor<f32>, tensor<f32>, tensor<1xui8>) -> tensor<2x3xui8>
  return %0 : tensor<2x3xui8>
}
