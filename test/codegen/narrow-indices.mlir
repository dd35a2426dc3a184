// RUN: onnx-aot-opt %s --split-input-file --aot-narrow-indices | FileCheck %s
// RUN: onnx-aot-opt %s --split-input-file --aot-narrow-indices=address-bits=64 | FileCheck %s --check-prefix=WIDE
// RUN: onnx-aot-opt %s --split-input-file --aot-narrow-indices --aot-convert-to-llvm | FileCheck %s --check-prefix=LLVM

// Values of 64 bits become the nearest index; so do constants.
// CHECK: module attributes {dlti.dl_spec = #dlti.dl_spec<index = 32 : i64>}
// CHECK-LABEL: func.func @pick
// CHECK: %[[TRIPS:.*]] = arith.constant 2147483647 : index
// CHECK: %[[MOST:.*]] = arith.constant 2147483647 : i64
// CHECK: %[[BELOW:.*]] = arith.minsi %{{.*}}, %[[MOST]] : i64
// CHECK: %[[LEAST:.*]] = arith.constant -2147483648 : i64
// CHECK: %[[INSIDE:.*]] = arith.maxsi %[[BELOW]], %[[LEAST]] : i64
// CHECK: arith.index_cast %[[INSIDE]] : i64 to index
// CHECK: memref.store %{{.*}}, %{{.*}}[%[[TRIPS]]]
// WIDE-NOT: dlti
// WIDE-NOT: arith.minsi
// LLVM-LABEL: llvm.func @pick
// LLVM: llvm.trunc %{{.*}} : i64 to i32
// LLVM: llvm.getelementptr {{.*}} : (!llvm.ptr, i32) -> !llvm.ptr, f32
func.func @pick(%x: memref<8xf32>, %indices: memref<1xi64>, %y: memref<1xf32>) -> i32 {
  %zero = arith.constant 0 : index
  %trips = arith.constant 9223372036854775807 : index
  %status = arith.constant 0 : i32
  %wide = memref.load %indices[%zero] : memref<1xi64>
  %index = arith.index_cast %wide : i64 to index
  %value = memref.load %x[%index] : memref<8xf32>
  memref.store %value, %y[%trips] : memref<1xf32>
  return %status : i32
}

// -----

// Vectors are read at such indices too.
// LLVM-LABEL: llvm.func @vectors
// LLVM: llvm.getelementptr {{.*}} : (!llvm.ptr, i32) -> !llvm.ptr, f32
// LLVM: llvm.load %{{.*}} -> vector<4xf32>
func.func @vectors(%x: memref<64xf32>, %at: memref<1xi32>) -> vector<4xf32> {
  %zero = arith.constant 0 : index
  %narrow = memref.load %at[%zero] : memref<1xi32>
  %index = arith.index_cast %narrow : i32 to index
  %value = vector.load %x[%index] : memref<64xf32>, vector<4xf32>
  return %value : vector<4xf32>
}

// -----

// A size that only the run knows keeps all indices wide.
// CHECK: module {
// CHECK-NEXT: func.func @open
// LLVM-LABEL: llvm.func @open
// LLVM-SAME: i64
func.func @open(%x: memref<64xf32>, %batch: index) -> f32 {
  %value = memref.load %x[%batch] : memref<64xf32>
  return %value : f32
}
