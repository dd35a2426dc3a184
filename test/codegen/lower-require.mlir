// Checks branch to one early return. The node's number is that of the location the importer gives; 17 | 3 << 8 is 785.
// RUN: onnx-aot-opt %s --aot-lower-require | FileCheck %s

// CHECK-LABEL: @main
func.func @main(%a: i1, %b: i1, %x: memref<4xi32>, %i: index) -> i32 {
  // CHECK: %[[INDEX:.*]] = arith.constant 785 : i32
  // CHECK: cf.cond_br %{{.*}} weights([2000, 1]), ^[[NEXT:.*]], ^[[FAIL:.*]](%[[INDEX]] : i32)
  aot.require %a, index_out_of_range loc("\"g1\" (Gather)"("model.onnx":3:0))
  // CHECK: ^[[NEXT]]:
  // CHECK-NEXT: memref.load
  %v = memref.load %x[%i] : memref<4xi32>
  memref.store %v, %x[%i] : memref<4xi32>
  // No node: only the code.
  // CHECK: %[[DIVISION:.*]] = arith.constant 20 : i32
  // CHECK: cf.cond_br %{{.*}}, ^[[LAST:.*]], ^[[FAIL]](%[[DIVISION]] : i32)
  aot.require %b, division_by_zero
  // CHECK: ^[[LAST]]:
  %ok = arith.constant 0 : i32
  return %ok : i32
  // CHECK: ^[[FAIL]](%[[STATUS:.*]]: i32):
  // CHECK-NEXT: return %[[STATUS]]
}

// A fused location still names its node.
// CHECK-LABEL: @fused
func.func @fused(%a: i1) -> i32 {
  // CHECK: arith.constant 529 : i32
  aot.require %a, index_out_of_range loc(fused["here", "\"g\" (Gather)"("model.onnx":2:0)])
  %ok = arith.constant 0 : i32
  return %ok : i32
}
