// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(aot-plan-arena,canonicalize)' --split-input-file --verify-diagnostics | FileCheck %s
// Buffers become slices of the arena. An elementwise operation takes over the place of an operand that dies there, but
// only if nothing else of it is read at that step.

#id = affine_map<(d0, d1) -> (d0, d1)>
#first = affine_map<(d0, d1) -> (0, d1)>

// CHECK-LABEL: func.func @chain(
// CHECK-SAME: %[[ARENA:[a-z0-9]+]]: memref<256xi8>)
// CHECK: %[[A:.*]] = memref.view %[[ARENA]][%c0]
// CHECK: linalg.exp {{.*}} outs(%[[A]]
// CHECK: %[[B:.*]] = memref.view %[[ARENA]][%c128]
// CHECK: linalg.transpose ins(%[[A]] : {{.*}} outs(%[[B]]
// CHECK: %[[C:.*]] = memref.view %[[ARENA]][%c0]
// CHECK: linalg.transpose ins(%[[B]] : {{.*}} outs(%[[C]]
func.func @chain(%x: memref<4x8xf32>, %y: memref<4x8xf32>) {
  %a = memref.alloc() : memref<4x8xf32>
  linalg.exp ins(%x : memref<4x8xf32>) outs(%a : memref<4x8xf32>)
  %b = memref.alloc() : memref<8x4xf32>
  linalg.transpose ins(%a : memref<4x8xf32>) outs(%b : memref<8x4xf32>) permutation = [1, 0]
  %c = memref.alloc() : memref<4x8xf32>
  linalg.transpose ins(%b : memref<8x4xf32>) outs(%c : memref<4x8xf32>) permutation = [1, 0]
  memref.copy %c, %y : memref<4x8xf32> to memref<4x8xf32>
  return
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#flat = affine_map<(d0) -> (d0)>

// CHECK-LABEL: func.func @in_place_through_a_reshape(
// CHECK-SAME: memref<128xi8>)
func.func @in_place_through_a_reshape(%x: memref<4x8xf32>, %y: memref<32xf32>) {
  %a = memref.alloc() : memref<4x8xf32>
  linalg.exp ins(%x : memref<4x8xf32>) outs(%a : memref<4x8xf32>)
  %flat = memref.collapse_shape %a [[0, 1]] : memref<4x8xf32> into memref<32xf32>
  %b = memref.alloc() : memref<32xf32>
  linalg.generic {indexing_maps = [#flat, #flat], iterator_types = ["parallel"]} ins(%flat : memref<32xf32>) outs(%b : memref<32xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = math.sin %in : f32
    linalg.yield %0 : f32
  }
  memref.copy %b, %y : memref<32xf32> to memref<32xf32>
  return
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#first = affine_map<(d0, d1) -> (0, d1)>

// The first row is read for every row: it must survive the first one.
// CHECK-LABEL: func.func @reads_a_slice_too(
// CHECK-SAME: memref<256xi8>)
func.func @reads_a_slice_too(%x: memref<4x8xf32>, %y: memref<4x8xf32>) {
  %a = memref.alloc() : memref<4x8xf32>
  linalg.exp ins(%x : memref<4x8xf32>) outs(%a : memref<4x8xf32>)
  %row = memref.subview %a[0, 0] [1, 8] [1, 1] : memref<4x8xf32> to memref<1x8xf32, strided<[8, 1]>>
  %b = memref.alloc() : memref<4x8xf32>
  linalg.generic {indexing_maps = [#id, #first, #id], iterator_types = ["parallel", "parallel"]} ins(%a, %row : memref<4x8xf32>, memref<1x8xf32, strided<[8, 1]>>) outs(%b : memref<4x8xf32>) {
  ^bb0(%in: f32, %head: f32, %out: f32):
    %0 = arith.subf %in, %head : f32
    linalg.yield %0 : f32
  }
  memref.copy %b, %y : memref<4x8xf32> to memref<4x8xf32>
  return
}

// -----

#flat = affine_map<(d0) -> (d0)>

// CHECK-LABEL: func.func @reads_it_in_the_body_too(
// CHECK-SAME: memref<256xi8>)
func.func @reads_it_in_the_body_too(%x: memref<32xf32>, %y: memref<32xf32>) {
  %zero = arith.constant 0 : index
  %a = memref.alloc() : memref<32xf32>
  linalg.exp ins(%x : memref<32xf32>) outs(%a : memref<32xf32>)
  %b = memref.alloc() : memref<32xf32>
  linalg.generic {indexing_maps = [#flat, #flat], iterator_types = ["parallel"]} ins(%a : memref<32xf32>) outs(%b : memref<32xf32>) {
  ^bb0(%in: f32, %out: f32):
    %head = memref.load %a[%zero] : memref<32xf32>
    %0 = arith.subf %in, %head : f32
    linalg.yield %0 : f32
  }
  memref.copy %b, %y : memref<32xf32> to memref<32xf32>
  return
}

// -----

#flat = affine_map<(d0) -> (d0)>

// What a branch chooses may be either buffer, so that both live until it is read.
// CHECK-LABEL: func.func @chosen_by_a_branch(
// CHECK-SAME: memref<384xi8>)
func.func @chosen_by_a_branch(%x: memref<32xf32>, %condition: i1, %y: memref<32xf32>) {
  %a = memref.alloc() : memref<32xf32>
  linalg.exp ins(%x : memref<32xf32>) outs(%a : memref<32xf32>)
  %b = memref.alloc() : memref<32xf32>
  linalg.log ins(%x : memref<32xf32>) outs(%b : memref<32xf32>)
  %chosen = scf.if %condition -> memref<32xf32> {
    scf.yield %a : memref<32xf32>
  } else {
    scf.yield %b : memref<32xf32>
  }
  %c = memref.alloc() : memref<32xf32>
  linalg.exp ins(%x : memref<32xf32>) outs(%c : memref<32xf32>)
  linalg.add ins(%c, %chosen : memref<32xf32>, memref<32xf32>) outs(%y : memref<32xf32>)
  return
}

// -----

// CHECK-LABEL: func.func @used_by_a_loop(
// CHECK-SAME: memref<384xi8>)
func.func @used_by_a_loop(%x: memref<32xf32>, %y: memref<32xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %ten = arith.constant 10 : index
  %a = memref.alloc() : memref<32xf32>
  linalg.exp ins(%x : memref<32xf32>) outs(%a : memref<32xf32>)
  scf.for %i = %zero to %ten step %one {
    %b = memref.alloc() : memref<32xf32>
    linalg.exp ins(%a : memref<32xf32>) outs(%b : memref<32xf32>)
    %c = memref.alloc() : memref<32xf32>
    linalg.exp ins(%b : memref<32xf32>) outs(%c : memref<32xf32>)
    linalg.add ins(%c, %x : memref<32xf32>, memref<32xf32>) outs(%y : memref<32xf32>)
  }
  return
}

// -----

// Each iteration writes one of two places while it reads the other; a byte says whose turn it is.
// CHECK-LABEL: func.func @carried_by_a_loop(
// CHECK-SAME: %[[ARENA:[a-z0-9]+]]: memref<257xi8>)
// CHECK: %[[TURN:.*]] = memref.view %[[ARENA]][%c256]
// CHECK: memref.store %c0_i8, %[[TURN]]
// CHECK: scf.for
// CHECK: %[[NOW:.*]] = memref.load %[[TURN]]
// CHECK: %[[NEXT:.*]] = arith.xori %[[NOW]], %c1_i8
// CHECK: memref.store %[[NEXT]], %[[TURN]]
// CHECK: %[[SECOND:.*]] = arith.cmpi eq, %[[NOW]], %c1_i8
// CHECK: %[[OFFSET:.*]] = arith.select %[[SECOND]], %c128, %c0
// CHECK: memref.view %[[ARENA]][%[[OFFSET]]][] : memref<257xi8> to memref<32xf32>
func.func @carried_by_a_loop(%x: memref<32xf32>, %y: memref<32xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %ten = arith.constant 10 : index
  %last = scf.for %i = %zero to %ten step %one iter_args(%present = %x) -> (memref<32xf32>) {
    %next = memref.alloc() : memref<32xf32>
    linalg.exp ins(%present : memref<32xf32>) outs(%next : memref<32xf32>)
    scf.yield %next : memref<32xf32>
  }
  memref.copy %last, %y : memref<32xf32> to memref<32xf32>
  return
}

// -----

// Two places would not be enough.
func.func @carried_twice(%x: memref<32xf32>, %y: memref<32xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %ten = arith.constant 10 : index
  %last:2 = scf.for %i = %zero to %ten step %one iter_args(%present = %x, %past = %x) -> (memref<32xf32>, memref<32xf32>) {
    // expected-error @+1 {{internal error: a loop carries a buffer beyond the next iteration}}
    %next = memref.alloc() : memref<32xf32>
    linalg.add ins(%present, %past : memref<32xf32>, memref<32xf32>) outs(%next : memref<32xf32>)
    scf.yield %next, %present : memref<32xf32>, memref<32xf32>
  }
  memref.copy %last#1, %y : memref<32xf32> to memref<32xf32>
  return
}

// -----

// Buffers of a loop's body take turns with each other, and with those before and behind it.
// CHECK-LABEL: func.func @reused_in_a_loop(
// CHECK-SAME: memref<256xi8>)
func.func @reused_in_a_loop(%x: memref<4x8xf32>, %y: memref<4x8xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %ten = arith.constant 10 : index
  %a = memref.alloc() : memref<8x4xf32>
  linalg.transpose ins(%x : memref<4x8xf32>) outs(%a : memref<8x4xf32>) permutation = [1, 0]
  linalg.transpose ins(%a : memref<8x4xf32>) outs(%y : memref<4x8xf32>) permutation = [1, 0]
  scf.for %i = %zero to %ten step %one {
    %b = memref.alloc() : memref<8x4xf32>
    linalg.transpose ins(%x : memref<4x8xf32>) outs(%b : memref<8x4xf32>) permutation = [1, 0]
    %c = memref.alloc() : memref<4x8xf32>
    linalg.transpose ins(%b : memref<8x4xf32>) outs(%c : memref<4x8xf32>) permutation = [1, 0]
    %d = memref.alloc() : memref<8x4xf32>
    linalg.transpose ins(%c : memref<4x8xf32>) outs(%d : memref<8x4xf32>) permutation = [1, 0]
    linalg.transpose ins(%d : memref<8x4xf32>) outs(%y : memref<4x8xf32>) permutation = [1, 0]
  }
  return
}
