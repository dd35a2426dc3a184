// A check that holds vanishes, one that may fail stays in its place, and nothing in a loop moves out before it.
// RUN: onnx-aot-opt %s --canonicalize --cse --loop-invariant-code-motion | onnx-aot-opt | FileCheck %s

// CHECK-LABEL: @holds
func.func @holds() {
  // CHECK-NOT: aot.require
  %true = arith.constant true
  aot.require %true, index_out_of_range
  return
}

// CHECK-LABEL: @fails
func.func @fails() {
  // CHECK: aot.require %{{.*}}, shape_mismatch
  %false = arith.constant false
  aot.require %false, shape_mismatch
  return
}

// CHECK-LABEL: @loop
func.func @loop(%n: index, %d: memref<i32>, %x: memref<?xi32>, %i: index) {
  %zero = arith.constant 0 : i32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %divisor = memref.load %d[] : memref<i32>
  // CHECK: scf.for
  scf.for %k = %c0 to %n step %c1 {
    // CHECK: aot.require
    // CHECK: arith.divsi
    // CHECK: memref.load
    %ok = arith.cmpi ne, %divisor, %zero : i32
    aot.require %ok, division_by_zero
    %q = arith.divsi %divisor, %divisor : i32
    %v = memref.load %x[%i] : memref<?xi32>
    %s = arith.addi %q, %v : i32
    memref.store %s, %d[] : memref<i32>
  }
  return
}
