// RUN: onnx-aot-opt %s --split-input-file --canonicalize | FileCheck %s
// RUN: onnx-aot-opt %s --split-input-file --one-shot-bufferize=allow-unknown-ops | FileCheck %s --check-prefix=BUFFER
// A broadcast that the run decides on: what the compiler can tell of it, and the view that it becomes.

// CHECK-LABEL: func.func @stays
// CHECK: aot.broadcast %{{.*}} sizes(%{{.*}}, %{{.*}}) : tensor<?x4xf32> to tensor<?x?x4xf32>
// BUFFER-LABEL: func.func @stays
// BUFFER: %[[BASE:.*]], %{{.*}}, %[[SIZES:.*]]:2, %[[STRIDES:.*]]:2 = memref.extract_strided_metadata
// BUFFER: %[[IS_ONE:.*]] = arith.cmpi eq, %[[SIZES]]#0, %c1
// BUFFER: %[[STRIDE:.*]] = arith.select %[[IS_ONE]], %c0{{.*}}, %[[STRIDES]]#0
// BUFFER: memref.reinterpret_cast %[[BASE]] to {{.*}} sizes: [%{{.*}}, %{{.*}}, 4], strides: [0, %[[STRIDE]], {{.*}}]
func.func @stays(%x: tensor<?x4xf32>, %m: index, %n: index) -> tensor<?x?x4xf32> {
  %y = aot.broadcast %x sizes(%m, %n) : tensor<?x4xf32> to tensor<?x?x4xf32>
  return %y : tensor<?x?x4xf32>
}

// -----

// CHECK-LABEL: func.func @nothing_repeats
// CHECK-NOT: aot.broadcast
func.func @nothing_repeats(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %c0 = arith.constant 0 : index
  %m = tensor.dim %x, %c0 : tensor<?x4xf32>
  %y = aot.broadcast %x sizes(%m) : tensor<?x4xf32> to tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -----

// CHECK-LABEL: func.func @constant_sizes
// CHECK: aot.broadcast %{{.*}} : tensor<?x4xf32> to tensor<8x4xf32>
func.func @constant_sizes(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %c8 = arith.constant 8 : index
  %y = aot.broadcast %x sizes(%c8) : tensor<?x4xf32> to tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -----

// CHECK-LABEL: func.func @dim(
// CHECK-SAME: %[[N:[a-z0-9]*]]: index
// CHECK: return %[[N]]
func.func @dim(%x: tensor<?xf32>, %n: index) -> index {
  %c0 = arith.constant 0 : index
  %y = aot.broadcast %x sizes(%n) : tensor<?xf32> to tensor<?xf32>
  %d = tensor.dim %y, %c0 : tensor<?xf32>
  return %d : index
}

// -----

// Nothing writes through the view: the insertion gets a copy.
// BUFFER-LABEL: func.func @copied_for_a_write
// BUFFER: memref.reinterpret_cast
// BUFFER: %[[COPY:.*]] = memref.alloc
// BUFFER: memref.copy %{{.*}}, %[[COPY]]
// BUFFER: memref.store %{{.*}}, %[[COPY]]
func.func @copied_for_a_write(%x: tensor<?xf32>, %n: index, %v: f32) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %y = aot.broadcast %x sizes(%n) : tensor<?xf32> to tensor<?xf32>
  %z = tensor.insert %v into %y[%c0] : tensor<?xf32>
  return %z : tensor<?xf32>
}
