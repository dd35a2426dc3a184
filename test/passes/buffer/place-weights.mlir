// RUN: onnx-aot-opt %s --aot-place-weights | FileCheck %s
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
