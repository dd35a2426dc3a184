// RUN: onnx-aot-opt %s --aot-narrow-index --aot-convert-to-llvm | FileCheck %s
// RUN: onnx-aot-opt %s --aot-convert-to-llvm | FileCheck %s --check-prefix=WIDE
// Indices have the width of the data layout, also where vectors are read; memrefs are bare pointers.

// CHECK: module attributes {dlti.dl_spec = #dlti.dl_spec<index = 32 : i64>
// CHECK-LABEL: llvm.func @pick(%arg0: !llvm.ptr, %arg1: !llvm.ptr) -> vector<4xf32>
// CHECK: %[[INDEX:.*]] = llvm.trunc %{{.*}} : i64 to i32
// CHECK: llvm.getelementptr {{.*}}[%[[INDEX]]] : (!llvm.ptr, i32) -> !llvm.ptr, f32
// CHECK: llvm.load %{{.*}} -> vector<4xf32>
// CHECK-NOT: unrealized
// WIDE-LABEL: llvm.func @pick
// WIDE: llvm.getelementptr {{.*}} : (!llvm.ptr, i64) -> !llvm.ptr, f32
func.func @pick(%x: memref<64xf32>, %indices: memref<1xi64>) -> vector<4xf32> {
  %zero = arith.constant 0 : index
  %wide = memref.load %indices[%zero] : memref<1xi64>
  %index = arith.index_cast %wide : i64 to index
  %value = vector.load %x[%index] : memref<64xf32>, vector<4xf32>
  return %value : vector<4xf32>
}

// A size that a caller gives is an argument of that width.
// CHECK-LABEL: llvm.func @open(%arg0: !llvm.ptr, %arg1: i32) -> f32
// WIDE-LABEL: llvm.func @open(%arg0: !llvm.ptr, %arg1: i64) -> f32
func.func @open(%x: memref<64xf32>, %batch: index) -> f32 {
  %value = memref.load %x[%batch] : memref<64xf32>
  return %value : f32
}
