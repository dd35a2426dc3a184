// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(aot-plan-arena{use-outputs=true},canonicalize)' --split-input-file | FileCheck %s
// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(aot-plan-arena,canonicalize)' --split-input-file | FileCheck %s --check-prefix=ALONE
// Buffers that are dead before an output is written lie in it; the output becomes bytes.

// CHECK-LABEL: func.func @chain(
// CHECK-SAME: %[[OUT:[a-z0-9]+]]: memref<256xi8> {aot.buffer = memref<64xf32>, bufferize.result}, %[[ARENA:[a-z0-9]+]]: memref<128xi8>)
// CHECK: %[[Y:.*]] = memref.view %[[OUT]][%c0][] : memref<256xi8> to memref<64xf32>
// CHECK: %[[A:.*]] = memref.view %[[OUT]][%c0]
// CHECK: linalg.exp {{.*}} outs(%[[A]]
// CHECK: %[[B:.*]] = memref.view %[[ARENA]][%c0]
// CHECK: linalg.transpose ins(%[[A]] : {{.*}} outs(%[[B]]
// CHECK: linalg.broadcast {{.*}} outs(%[[Y2:.*]] : memref<2x32xf32>)

// ALONE-LABEL: func.func @chain(
// ALONE-SAME: memref<64xf32> {bufferize.result}, %{{.*}}: memref<256xi8>)
func.func @chain(%x: memref<4x8xf32>, %y: memref<64xf32> {bufferize.result}) {
  %a = memref.alloc() : memref<4x8xf32>
  linalg.exp ins(%x : memref<4x8xf32>) outs(%a : memref<4x8xf32>)
  %b = memref.alloc() : memref<8x4xf32>
  linalg.transpose ins(%a : memref<4x8xf32>) outs(%b : memref<8x4xf32>) permutation = [1, 0]
  %flat = memref.collapse_shape %b [[0, 1]] : memref<8x4xf32> into memref<32xf32>
  // A view is no use yet, wherever it stands.
  %rows = memref.expand_shape %y [[0, 1]] output_shape [2, 32] : memref<64xf32> into memref<2x32xf32>
  linalg.broadcast ins(%flat : memref<32xf32>) outs(%rows : memref<2x32xf32>) dimensions = [0]
  return
}

// -----

// Written first of all: nothing is spare.
// CHECK-LABEL: func.func @written_early(
// CHECK-SAME: memref<64xf32> {bufferize.result}, %{{.*}}: memref<256xi8>)
func.func @written_early(%x: memref<4x8xf32>, %y: memref<64xf32> {bufferize.result}, %z: memref<4x8xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%y : memref<64xf32>)
  %a = memref.alloc() : memref<4x8xf32>
  linalg.exp ins(%x : memref<4x8xf32>) outs(%a : memref<4x8xf32>)
  %b = memref.alloc() : memref<8x4xf32>
  linalg.transpose ins(%a : memref<4x8xf32>) outs(%b : memref<8x4xf32>) permutation = [1, 0]
  linalg.transpose ins(%b : memref<8x4xf32>) outs(%z : memref<4x8xf32>) permutation = [1, 0]
  return
}

// -----

// In the second round of the loop the output holds something.
// CHECK-LABEL: func.func @written_in_a_loop(
// CHECK-SAME: memref<4x8xf32> {bufferize.result}, %{{.*}}: memref<128xi8>)
func.func @written_in_a_loop(%x: memref<4x8xf32>, %y: memref<4x8xf32> {bufferize.result}) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %four = arith.constant 4 : index
  scf.for %i = %zero to %four step %one {
    %a = memref.alloc() : memref<4x8xf32>
    linalg.exp ins(%x : memref<4x8xf32>) outs(%a : memref<4x8xf32>)
    %row = memref.subview %a[%i, 0] [1, 8] [1, 1] : memref<4x8xf32> to memref<1x8xf32, strided<[8, 1], offset: ?>>
    %target = memref.subview %y[%i, 0] [1, 8] [1, 1] : memref<4x8xf32> to memref<1x8xf32, strided<[8, 1], offset: ?>>
    memref.copy %row, %target : memref<1x8xf32, strided<[8, 1], offset: ?>> to memref<1x8xf32, strided<[8, 1], offset: ?>>
  }
  return
}

// -----

// The output's first operation reads the buffer exactly where it writes.
#id = affine_map<(d0, d1) -> (d0, d1)>

// CHECK-LABEL: func.func @ends_in_the_output(
// CHECK-SAME: memref<128xi8> {aot.buffer = memref<4x8xf32>, bufferize.result}, %{{.*}}: memref<0xi8>)
func.func @ends_in_the_output(%x: memref<8x4xf32>, %y: memref<4x8xf32> {bufferize.result}) {
  %a = memref.alloc() : memref<4x8xf32>
  linalg.transpose ins(%x : memref<8x4xf32>) outs(%a : memref<4x8xf32>) permutation = [1, 0]
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%a : memref<4x8xf32>) outs(%y : memref<4x8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = math.sin %in : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// A later operation still reads the buffer.
#id = affine_map<(d0, d1) -> (d0, d1)>

// CHECK-LABEL: func.func @read_later(
// CHECK-SAME: memref<4x8xf32> {bufferize.result}, %{{.*}}: memref<8x4xf32> {bufferize.result}, %{{.*}}: memref<128xi8>)
func.func @read_later(%x: memref<8x4xf32>, %y: memref<4x8xf32> {bufferize.result}, %z: memref<8x4xf32> {bufferize.result}) {
  linalg.exp ins(%x : memref<8x4xf32>) outs(%z : memref<8x4xf32>)
  %a = memref.alloc() : memref<4x8xf32>
  linalg.transpose ins(%x : memref<8x4xf32>) outs(%a : memref<4x8xf32>) permutation = [1, 0]
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%a : memref<4x8xf32>) outs(%y : memref<4x8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = math.sin %in : f32
    linalg.yield %0 : f32
  }
  linalg.transpose ins(%a : memref<4x8xf32>) outs(%z : memref<8x4xf32>) permutation = [1, 0]
  return
}

// -----

// The caller aligns bytes to one: no numbers of four bytes lie there.
// CHECK-LABEL: func.func @bytes(
// CHECK-SAME: memref<512xi8> {bufferize.result}, %{{.*}}: memref<256xi8>)
func.func @bytes(%x: memref<4x8xf32>, %y: memref<512xi8> {bufferize.result}) {
  %a = memref.alloc() : memref<4x8xf32>
  linalg.exp ins(%x : memref<4x8xf32>) outs(%a : memref<4x8xf32>)
  %b = memref.alloc() : memref<8x4xf32>
  linalg.transpose ins(%a : memref<4x8xf32>) outs(%b : memref<8x4xf32>) permutation = [1, 0]
  %view = memref.collapse_shape %b [[0, 1]] : memref<8x4xf32> into memref<32xf32>
  %zero = arith.constant 0 : index
  %0 = memref.load %view[%zero] : memref<32xf32>
  %1 = arith.fptosi %0 : f32 to i8
  linalg.fill ins(%1 : i8) outs(%y : memref<512xi8>)
  return
}
