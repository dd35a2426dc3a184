// RUN: onnx-aot-opt %s --aot-lower-slots | FileCheck %s
// A slot becomes a call of the runtime; no memory is no pointer.

// CHECK: llvm.func @onnx_aot_context_slot(!llvm.ptr, i64, i64) -> !llvm.ptr
// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[CTX:.*]]: !llvm.ptr, %[[SLOT:.*]]: index, %[[N:.*]]: index)
// CHECK: %[[I:.*]] = arith.index_cast %[[SLOT]] : index to i64
// CHECK: %[[BYTES:.*]] = arith.index_cast %[[N]] : index to i64
// CHECK: %[[P:.*]] = llvm.call @onnx_aot_context_slot(%[[CTX]], %[[I]], %[[BYTES]])
// CHECK: %[[OK:.*]] = llvm.icmp "ne" %[[P]], %{{.*}} : !llvm.ptr
// CHECK: llvm.insertvalue %[[P]], %{{.*}}[1]
// CHECK: %[[SIZE:.*]] = arith.index_cast %[[N]] : index to i64
// CHECK: llvm.insertvalue %[[SIZE]], %{{.*}}[3, 0]
// CHECK: builtin.unrealized_conversion_cast %{{.*}} to memref<?xi8>
// CHECK: aot.require %[[OK]], out_of_memory
func.func @main(%ctx: !llvm.ptr, %slot: index, %n: index) -> i32 {
  %status = arith.constant 0 : i32
  %buffer, %ok = aot.slot %ctx[%slot], %n : !llvm.ptr -> memref<?xi8>
  aot.require %ok, out_of_memory
  %value = arith.constant 1 : i8
  memref.store %value, %buffer[%slot] : memref<?xi8>
  return %status : i32
}
