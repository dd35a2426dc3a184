// RUN: split-file %s %t
// RUN: onnx-aot-opt %t/alone.mlir --aot-place-weights | FileCheck %t/alone.mlir
// RUN: onnx-aot-opt %t/after-another.mlir --aot-place-weights | FileCheck %t/after-another.mlir
// RUN: onnx-aot-opt %t/none.mlir --aot-place-weights | FileCheck %t/none.mlir

//--- alone.mlir
// All constants become aligned slices of one external section; equal bytes share one, whatever their type.

// CHECK: memref.global "private" @weights : memref<128xi8> {alignment = 64 : i64, aot.slices = [{offset = 0 : i64, value = dense<1.000000e+00> : tensor<4xf32>}, {offset = 64 : i64, value = dense<[1, 2, 3]> : tensor<3xi8>}]}
// CHECK-NOT: memref.global
memref.global "private" constant @ones : memref<4xf32> = dense<1.0>
memref.global "private" constant @bytes : memref<3xi8> = dense<[1, 2, 3]>
memref.global "private" constant @same_ones : memref<2x2xi32> = dense<1065353216>

// CHECK-LABEL: func.func @main
func.func @main() -> (memref<4xf32>, memref<3xi8>, memref<2x2xi32>) {
  // CHECK: %[[SECTION:.*]] = memref.get_global @weights : memref<128xi8>
  // CHECK: %[[ZERO:.*]] = arith.constant 0 : index
  // CHECK: memref.view %[[SECTION]][%[[ZERO]]][] : memref<128xi8> to memref<4xf32>
  %ones = memref.get_global @ones : memref<4xf32>
  // CHECK: arith.constant 64 : index
  // CHECK: to memref<3xi8>
  %bytes = memref.get_global @bytes : memref<3xi8>
  // CHECK: arith.constant 0 : index
  // CHECK: to memref<2x2xi32>
  %same = memref.get_global @same_ones : memref<2x2xi32>
  return %ones, %bytes, %same : memref<4xf32>, memref<3xi8>, memref<2x2xi32>
}

//--- after-another.mlir
// Another version of the model has two weights: they come first, and what is equal is shared with them.

// CHECK-NOT: aot.first_weights
// CHECK: memref.global "private" @weights : memref<192xi8> {alignment = 64 : i64, aot.slices = [{offset = 0 : i64, value = dense<1.000000e+00> : tensor<4xf32>}, {offset = 64 : i64, value = dense<7> : tensor<2xi8>}, {offset = 128 : i64, value = dense<[1, 2, 3]> : tensor<3xi8>}]}
module attributes {aot.first_weights = [{offset = 0 : i64, value = dense<1.0> : tensor<4xf32>},
                                        {offset = 64 : i64, value = dense<7> : tensor<2xi8>}]} {
  memref.global "private" constant @bytes : memref<3xi8> = dense<[1, 2, 3]>
  memref.global "private" constant @ones : memref<4xf32> = dense<1.0>
  // CHECK-LABEL: func.func @main
  func.func @main() -> (memref<4xf32>, memref<3xi8>) {
    // CHECK: %[[ZERO:.*]] = arith.constant 0 : index
    // CHECK: memref.view %{{.*}}[%[[ZERO]]][] : memref<192xi8> to memref<4xf32>
    %ones = memref.get_global @ones : memref<4xf32>
    // CHECK: arith.constant 128 : index
    %bytes = memref.get_global @bytes : memref<3xi8>
    return %ones, %bytes : memref<4xf32>, memref<3xi8>
  }
}

//--- none.mlir
// A version without constants of its own has those of the other too.

// CHECK: memref.global "private" @weights : memref<64xi8>
module attributes {aot.first_weights = [{offset = 0 : i64, value = dense<1.0> : tensor<4xf32>}]} {
  func.func @main() {
    return
  }
}
