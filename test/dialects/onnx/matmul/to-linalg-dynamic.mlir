// RUN: onnx-aot-opt %s --aot-onnx-to-linalg --split-input-file | FileCheck %s
// Products of extents that only the run knows.

// Equal names are equal extents: nothing is checked. The weights' extents are static.
// CHECK-LABEL: @rows
// CHECK-NOT: aot.require
// CHECK: aot.kernel "matmul" ins(%arg0, %arg1 : tensor<?x?x8xf32>, tensor<8x16xf32>) outs(%{{.*}} : tensor<?x?x16xf32>)
func.func @rows(%a: tensor<?x?x8xf32> {onnx.dim_names = ["batch", "seq", ""]}, %b: tensor<8x16xf32>) -> tensor<?x?x16xf32> {
  %0 = "onnx.MatMul"(%a, %b) : (tensor<?x?x8xf32>, tensor<8x16xf32>) -> tensor<?x?x16xf32>
  return %0 : tensor<?x?x16xf32>
}

// -----

// The inner dims have to agree, and each batch dim may repeat.
// CHECK-LABEL: @batches
// CHECK: aot.require %{{.*}}, shape_mismatch
// CHECK: aot.broadcast %arg0
// CHECK: aot.broadcast %arg1
// CHECK: aot.kernel "matmul"
func.func @batches(%a: tensor<?x?x?xf32> {onnx.dim_names = ["a", "m", "k"]},
                   %b: tensor<?x?x?xf32> {onnx.dim_names = ["b", "l", "n"]}) -> tensor<?x?x?xf32> {
  %0 = "onnx.MatMul"(%a, %b) : (tensor<?x?x?xf32>, tensor<?x?x?xf32>) -> tensor<?x?x?xf32>
  return %0 : tensor<?x?x?xf32>
}

// -----

// A C of five elements needs five columns.
// CHECK-LABEL: @gemm
// CHECK: %[[FITS:.*]] = arith.cmpi eq
// CHECK: aot.require %[[FITS]], shape_mismatch
// CHECK-NOT: aot.broadcast
// CHECK: aot.kernel "matmul"
func.func @gemm(%a: tensor<?x?xf32> {onnx.dim_names = ["m", "k"]}, %b: tensor<?x?xf32> {onnx.dim_names = ["k", "n"]},
                %c: tensor<5xf32>) -> tensor<?x?xf32> {
  %0 = "onnx.Gemm"(%a, %b, %c) : (tensor<?x?xf32>, tensor<?x?xf32>, tensor<5xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// -----

// One zero point, or one per column.
// CHECK-LABEL: @integers
// CHECK: %[[ZERO:.*]] = aot.broadcast %arg2
// CHECK: aot.kernel "matmul" ins(%arg0, %arg1, %[[ZERO]] :
func.func @integers(%a: tensor<?x3xui8> {onnx.dim_names = ["m", ""]}, %b: tensor<3x4xi8>,
                    %z: tensor<?xi8> {onnx.dim_names = ["zeros"]}) -> tensor<?x4xi32> {
  %0 = "onnx.MatMulInteger"(%a, %b, %z) {operandSegmentSizes = array<i32: 1, 1, 0, 1>} : (tensor<?x3xui8>, tensor<3x4xi8>, tensor<?xi8>) -> tensor<?x4xi32>
  return %0 : tensor<?x4xi32>
}

// -----

// CHECK-LABEL: @einsum
// CHECK: aot.require %{{.*}}, shape_mismatch
// CHECK: aot.kernel "matmul" {{.*}} outs(%{{.*}} : tensor<?x4xf32>)
func.func @einsum(%a: tensor<?x?xf32> {onnx.dim_names = ["m", "k"]}, %b: tensor<3x4xf32>) -> tensor<?x4xf32> {
  %0 = "onnx.Einsum"(%a, %b) {equation = "ij,jk->ik"} : (tensor<?x?xf32>, tensor<3x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// -----

// Matrices of an open size are eliminated by loops.
// CHECK-LABEL: @determinant
// CHECK-NOT: aot.require
// CHECK-COUNT-3: scf.for
// CHECK: tensor.insert
func.func @determinant(%x: tensor<?x?x?xf32> {onnx.dim_names = ["batch", "size", "size"]}) -> tensor<?xf32> {
  %0 = "onnx.Det"(%x) : (tensor<?x?x?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}
