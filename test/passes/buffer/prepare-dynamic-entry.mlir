// RUN: onnx-aot-opt %s --aot-prepare-entry --canonicalize --cse --split-input-file | FileCheck %s
// Tensors with open dims cross as bare pointers; the dims of results go to arguments of their own, and a function says
// them before the run.

// CHECK-LABEL: func.func @output_dims(
// CHECK-SAME: %[[BATCH:.*]]: index, %[[DIMS:.*]]: memref<2xi64>) -> i32 attributes {aot.plan}
// CHECK: %[[OK:.*]] = arith.cmpi sge, %[[BATCH]]
// CHECK: aot.require %[[OK]], dim_out_of_bounds
// CHECK: %[[ROWS:.*]] = arith.index_cast %[[BATCH]]
// CHECK-DAG: memref.store %[[ROWS]], %[[DIMS]]
// CHECK-DAG: memref.store %c3_i64, %[[DIMS]]

// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[X:.*]]: memref<f32> {aot.dims = array<i64: -1, 3>, aot.tensor = tensor<?x3xf32>, onnx.dim_names = ["batch", ""]},
// CHECK-SAME: %[[Y:.*]]: memref<f32> {aot.dims = array<i64: -1, 3>, aot.max_dims = array<i64: 8, 3>, aot.tensor = tensor<?x3xf32>, bufferize.result, onnx.name = "y"},
// CHECK-SAME: %[[B:.*]]: index {aot.bounds = array<i64: 1, 8>, aot.dim = "batch"}, %[[D:.*]]: memref<2xi64> {aot.dims_of = 0 : i64}) -> i32
// CHECK-DAG: %[[XB:.*]] = memref.reinterpret_cast %[[X]] to offset: [0], sizes: [%[[B]], 3], strides: [3, 1] : memref<f32> to memref<?x3xf32>
// CHECK-DAG: %[[YB:.*]] = memref.reinterpret_cast %[[Y]] to offset: [0], sizes: [%[[B]], 3], strides: [3, 1] : memref<f32> to memref<?x3xf32>
// CHECK: %[[XT:.*]] = bufferization.to_tensor %[[XB]] restrict
// CHECK: %[[E:.*]] = linalg.exp ins(%[[XT]]
// CHECK: bufferization.materialize_in_destination %[[E]] in restrict writable %[[YB]]
// CHECK: memref.store %{{.*}}, %[[D]][%c0]
func.func @main(%x: tensor<?x3xf32> {onnx.dim_names = ["batch", ""]}, %batch: index {aot.dim = "batch", aot.bounds = array<i64: 1, 8>}) -> (tensor<?x3xf32> {onnx.name = "y"}) {
  %c1 = arith.constant 1 : index
  %ok = arith.cmpi sge, %batch, %c1 : index
  aot.require %ok, dim_out_of_bounds
  %e = tensor.empty(%batch) : tensor<?x3xf32>
  %y = linalg.exp ins(%x : tensor<?x3xf32>) outs(%e : tensor<?x3xf32>) -> tensor<?x3xf32>
  return %y : tensor<?x3xf32>
}

// -----

// A count that the data decide, but that is clamped: the caller's buffer holds the most. Without a clamp: a slot.

// CHECK-LABEL: func.func @output_dims(
// CHECK-SAME: %[[FEW:.*]]: memref<1xi64>, %[[MANY:.*]]: memref<2xi64>
// CHECK-DAG: memref.store %c16_i64, %[[FEW]][%c0]
// CHECK-DAG: memref.store %c-1_i64, %[[MANY]][%c0]
// CHECK-DAG: memref.store %c2_i64, %[[MANY]][%c1]

// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[X:.*]]: memref<1xi32>, %[[A:.*]]: memref<f32> {aot.dims = array<i64: -9223372036854775808>, aot.max_dims = array<i64: 16>, aot.tensor = tensor<?xf32>, bufferize.result},
// CHECK-SAME: %[[B:.*]]: memref<i64> {aot.dims = array<i64: -9223372036854775808, 2>, aot.max_dims = array<i64: 9223372036854775807, 2>, aot.slot, aot.tensor = tensor<?x2xf32>, bufferize.result},
// CHECK-SAME: %[[AD:.*]]: memref<1xi64> {aot.dims_of = 0 : i64}, %[[BD:.*]]: memref<2xi64> {aot.dims_of = 1 : i64}) -> i32
// CHECK-DAG: %[[FEW:.*]] = memref.reinterpret_cast %[[A]]
// CHECK-DAG: %[[MANY:.*]] = memref.alloc({{.*}}) {alignment = 64 : i64} : memref<?x2xf32>
// CHECK-DAG: %[[ADDRESS:.*]] = memref.extract_aligned_pointer_as_index %[[MANY]]
// CHECK-DAG: %[[NUMBER:.*]] = arith.index_cast %[[ADDRESS]] : index to i64
// CHECK-DAG: memref.store %[[NUMBER]], %[[B]][]
// CHECK-DAG: bufferization.materialize_in_destination %{{.*}} in restrict writable %[[MANY]]
func.func @main(%x: tensor<1xi32>) -> (tensor<?xf32>, tensor<?x2xf32>) {
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %one = arith.constant 1.0 : f32
  %n = tensor.extract %x[%c0] : tensor<1xi32>
  %m = arith.index_cast %n : i32 to index
  %wide = arith.muli %m, %m : index
  %count = arith.maxsi %wide, %c0 : index
  %few = arith.minsi %count, %c16 : index
  %a0 = tensor.empty(%few) : tensor<?xf32>
  %a = linalg.fill ins(%one : f32) outs(%a0 : tensor<?xf32>) -> tensor<?xf32>
  %b0 = tensor.empty(%count) : tensor<?x2xf32>
  %b = linalg.fill ins(%one : f32) outs(%b0 : tensor<?x2xf32>) -> tensor<?x2xf32>
  return %a, %b : tensor<?xf32>, tensor<?x2xf32>
}

// -----

// Functions of dims: a quotient is guarded in the copy that stands before the checks.

// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[X:[^:]*]]: memref<f32> {{{[^}]*}}}, %[[Y:[^:]*]]: memref<f32> {aot.dims = array<i64: -9223372036854775808, -1>, {{[^}]*}}}, %[[N:[^:]*]]: index {{{[^}]*}}}, %[[M:[^:]*]]: index
// CHECK: %[[ONE:.*]] = arith.maxsi %[[M]], %c1
// CHECK: arith.divsi %{{.*}}, %[[ONE]]
func.func @main(%x: tensor<?x?xf32> {onnx.dim_names = ["n", "m"]}, %n: index {aot.dim = "n"}, %m: index {aot.dim = "m"}) -> (tensor<?x?xf32>) {
  %c0 = arith.constant 0 : index
  %c6 = arith.constant 6 : index
  %one = arith.constant 1.0 : f32
  %p = arith.muli %n, %c6 : index
  %q = arith.divsi %p, %m : index
  %d = tensor.dim %x, %c0 : tensor<?x?xf32>
  %y0 = tensor.empty(%q, %d) : tensor<?x?xf32>
  %y = linalg.fill ins(%one : f32) outs(%y0 : tensor<?x?xf32>) -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
}
