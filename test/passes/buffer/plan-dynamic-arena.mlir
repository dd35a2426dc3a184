// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(aot-plan-arena,canonicalize,cse)' --split-input-file | FileCheck %s
// Where a buffer lies depends on who knows its size: the compiler, the caller, or the run alone.

// A dim with bounds takes its largest value: the arena is constant.
// CHECK-NOT: @arena_bytes
// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[ARENA:[a-z0-9]+]]: memref<256xi8>)
// CHECK: memref.view %[[ARENA]][%c0][%arg1] : memref<256xi8> to memref<?x8xf32>
func.func @main(%y: memref<f32>, %batch: index {aot.dim = "batch", aot.bounds = array<i64: 1, 8>}) {
  %zero = arith.constant 0.0 : f32
  %a = memref.alloc(%batch) : memref<?x8xf32>
  linalg.fill ins(%zero : f32) outs(%a : memref<?x8xf32>)
  %out = memref.reinterpret_cast %y to offset: [0], sizes: [%batch, 8], strides: [8, 1] : memref<f32> to memref<?x8xf32>
  memref.copy %a, %out : memref<?x8xf32> to memref<?x8xf32>
  return
}

// -----

// Two buffers that are live at once, of batch * 64 bytes each, behind 128 bytes of known size. The third takes over the
// place of the first.
// CHECK-LABEL: func.func @arena_bytes(
// CHECK-SAME: %[[BATCH:.*]]: index) -> index
// CHECK: %[[N:.*]] = arith.index_cast %[[BATCH]] : index to i64
// CHECK: %[[LOW:.*]], %[[HIGH:.*]] = arith.mului_extended %[[N]], %c64_i64
// CHECK: %[[SCALE:.*]] = arith.select %{{.*}}, %c9223372036854775807_i64, %[[LOW]]
// CHECK: arith.mului_extended %[[SCALE]], %c2_i64
// CHECK: arith.addi %{{.*}}, %c128_i64
// CHECK: arith.select %{{.*}}, %c-1_i64
// CHECK: return

// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[P:[a-z0-9]+]]: memref<i8> {aot.arena})
// CHECK-SAME: aot.arena_function = @arena_bytes
// CHECK: aot.require %{{.*}}, dim_out_of_bounds
// CHECK: %[[ARENA:.*]] = memref.reinterpret_cast %[[P]] to offset: [0], sizes: [%{{.*}}], strides: [1] : memref<i8> to memref<?xi8>
// CHECK: memref.view %[[ARENA]][%c0][] : memref<?xi8> to memref<32xf32>
// CHECK: %[[A:.*]] = memref.view %[[ARENA]][%c128][%arg2] : memref<?xi8> to memref<?x16xf32>
// CHECK: %[[B:.*]] = memref.view %[[ARENA]][%{{.*}}][%arg2] : memref<?xi8> to memref<?x16xf32>
// CHECK: memref.copy %[[A]], %[[B]]
// CHECK: memref.copy %[[B]], %[[A]]
func.func @main(%x: memref<32xf32>, %y: memref<f32>, %batch: index {aot.dim = "batch"}) {
  %zero = arith.constant 0.0 : f32
  %k = memref.alloc() : memref<32xf32>
  linalg.exp ins(%x : memref<32xf32>) outs(%k : memref<32xf32>)
  %a = memref.alloc(%batch) : memref<?x16xf32>
  linalg.fill ins(%zero : f32) outs(%a : memref<?x16xf32>)
  %b = memref.alloc(%batch) : memref<?x16xf32>
  memref.copy %a, %b : memref<?x16xf32> to memref<?x16xf32>
  %c = memref.alloc(%batch) : memref<?x16xf32>
  memref.copy %b, %c : memref<?x16xf32> to memref<?x16xf32>
  linalg.exp ins(%k : memref<32xf32>) outs(%x : memref<32xf32>)
  %out = memref.reinterpret_cast %y to offset: [0], sizes: [%batch, 16], strides: [16, 1] : memref<f32> to memref<?x16xf32>
  memref.copy %c, %out : memref<?x16xf32> to memref<?x16xf32>
  return
}

// -----

// A count that data decide, no larger than a dim: the dim is what the caller provides for.
// CHECK-LABEL: func.func @arena_bytes(
// CHECK-LABEL: func.func @main(
// CHECK-NOT: aot.slot
func.func @main(%x: memref<1xi64>, %n: index {aot.dim = "n"}) {
  %first = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %found = memref.load %x[%first] : memref<1xi64>
  %count = arith.index_cast %found : i64 to index
  %bounded = arith.minsi %count, %n : index
  %a = memref.alloc(%bounded) : memref<?xf32>
  linalg.fill ins(%zero : f32) outs(%a : memref<?xf32>)
  return
}

// -----

// Only the run knows: a slot of the context; two in turn where a loop carries it.
// CHECK-LABEL: func.func @main(
// CHECK-SAME: memref<1xi8>, %[[CTX:[a-z0-9]+]]: !llvm.ptr {aot.context})
// CHECK-SAME: aot.slots = 3
// CHECK: %[[A:.*]], %[[OK:.*]] = aot.slot %[[CTX]][%c0], %{{.*}} : !llvm.ptr -> memref<?xi8>
// CHECK: aot.require %[[OK]], out_of_memory
// CHECK: memref.view %[[A]][%c0][%[[N:.*]]] : memref<?xi8> to memref<?xf32>
// CHECK: scf.for
// CHECK: %[[SLOT:.*]] = arith.select %{{.*}}, %c2, %c1
// CHECK: aot.slot %[[CTX]][%[[SLOT]]]
func.func @main(%x: memref<1xi64>, %y: memref<1xi64>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %value = arith.constant 0.0 : f32
  %found = memref.load %x[%zero] : memref<1xi64>
  %count = arith.index_cast %found : i64 to index
  %a = memref.alloc(%count) : memref<?xf32>
  linalg.fill ins(%value : f32) outs(%a : memref<?xf32>)
  %last = scf.for %i = %zero to %count step %one iter_args(%p = %a) -> (memref<?xf32>) {
    %size = memref.dim %p, %zero : memref<?xf32>
    %more = arith.addi %size, %one : index
    %next = memref.alloc(%more) : memref<?xf32>
    linalg.fill ins(%value : f32) outs(%next : memref<?xf32>)
    scf.yield %next : memref<?xf32>
  }
  %size = memref.dim %last, %zero : memref<?xf32>
  %number = arith.index_cast %size : index to i64
  memref.store %number, %y[%zero] : memref<1xi64>
  return
}

// -----

// Memory whose address leaves the run is a slot, whatever its size.
// CHECK-LABEL: func.func @main(
// CHECK-SAME: aot.slots = 1
// CHECK: aot.slot
func.func @main(%y: memref<1xi64>, %n: index {aot.dim = "n"}) {
  %zero = arith.constant 0 : index
  %a = memref.alloc(%n) : memref<?xf32>
  %address = memref.extract_aligned_pointer_as_index %a : memref<?xf32> -> index
  %number = arith.index_cast %address : index to i64
  memref.store %number, %y[%zero] : memref<1xi64>
  return
}

// -----

// The caller's own buffers must have a size.
// CHECK-LABEL: func.func @main(
// CHECK: %[[LOW:.*]], %{{.*}} = arith.mului_extended
// CHECK: aot.require %{{.*}}, dim_out_of_bounds
func.func @main(%x: memref<f32>, %n: index {aot.dim = "n"}, %m: index {aot.dim = "m"}, %y: memref<1xf32>) {
  %zero = arith.constant 0 : index
  %in = memref.reinterpret_cast %x to offset: [0], sizes: [%n, %m], strides: [%m, 1] : memref<f32> to memref<?x?xf32>
  %value = memref.load %in[%zero, %zero] : memref<?x?xf32>
  memref.store %value, %y[%zero] : memref<1xf32>
  return
}
