// An index is checked before anything is read, and counted from the end where it is negative.
// RUN: onnx-aot-opt %s --aot-onnx-to-linalg --canonicalize | FileCheck %s

// CHECK-LABEL: @gather
func.func @gather(%x: tensor<4x3xf32>, %i: tensor<2xi64>) -> tensor<2x3xf32> {
  // CHECK-DAG: %[[EXTENT:.*]] = arith.constant 4 : i64
  // CHECK-DAG: %[[LIMIT:.*]] = arith.constant 8 : i64
  // CHECK: aot.kernel "reduce"
  // CHECK: %[[PLACE:.*]] = arith.addi %{{.*}}, %[[EXTENT]]
  // CHECK: arith.cmpi ult, %[[PLACE]], %[[LIMIT]]
  // CHECK: aot.require %{{.*}}, index_out_of_range
  // CHECK: linalg.generic
  // CHECK: %[[I:.*]] = arith.index_cast
  // CHECK-NOT: arith.maxsi
  // CHECK: %[[AT:.*]] = arith.select %{{.*}}, %{{.*}}, %[[I]]
  // CHECK: tensor.extract %{{.*}}[%[[AT]], %{{.*}}]
  %y = "onnx.Gather"(%x, %i) : (tensor<4x3xf32>, tensor<2xi64>) -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}

// Constants that are in range leave no check.
// CHECK-LABEL: @gather_constant
func.func @gather_constant(%x: tensor<4x3xf32>) -> tensor<2x3xf32> {
  %i = onnx.Constant {value = dense<[-4, 3]> : tensor<2xi64>} : tensor<2xi64>
  // CHECK-NOT: aot.require
  %y = "onnx.Gather"(%x, %i) : (tensor<4x3xf32>, tensor<2xi64>) -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}

// One known index is a view.
// CHECK-LABEL: @gather_one
func.func @gather_one(%x: tensor<4x3xf32>) -> tensor<3xf32> {
  %i = onnx.Constant {value = dense<-1> : tensor<i64>} : tensor<i64>
  // CHECK-NOT: linalg.generic
  // CHECK: tensor.extract_slice %{{.*}}[3, 0] [1, 3] [1, 1]
  %y = "onnx.Gather"(%x, %i) : (tensor<4x3xf32>, tensor<i64>) -> tensor<3xf32>
  return %y : tensor<3xf32>
}

// CHECK-LABEL: @scatter
func.func @scatter(%x: tensor<4xi32>, %i: tensor<3x1xi64>, %u: tensor<3xi32>) -> tensor<4xi32> {
  // CHECK: aot.require %{{.*}}, index_out_of_range
  // CHECK: scf.for {{.*}} iter_args(%[[Y:.*]] = %
  // CHECK: %[[AT:.*]] = arith.select
  // CHECK: tensor.extract %[[Y]][%[[AT]]]
  // CHECK: arith.addi
  // CHECK: tensor.insert %{{.*}} into %[[Y]][%[[AT]]]
  %y = "onnx.ScatterND"(%x, %i, %u) {reduction = "add"} : (tensor<4xi32>, tensor<3x1xi64>, tensor<3xi32>) -> tensor<4xi32>
  return %y : tensor<4xi32>
}
