//===- LowerSlots.cpp - memory of the context is asked of the runtime ---------------------------------------------===//
//
// Each aot.slot becomes a call.
//
//   %buffer, %ok = aot.slot %ctx[%i], %bytes : !llvm.ptr -> memref<?xi8>
// becomes
//   %pointer = llvm.call @onnx_aot_context_slot(%ctx, %i64, %bytes64)
//   %ok = llvm.icmp "ne" %pointer, null
//   %buffer = builtin.unrealized_conversion_cast {%pointer, %pointer, 0, [%bytes64], [1]} to memref<?xi8>
//
// Before: memrefs are not converted yet.  After: no aot.slot is left; the cast vanishes with the memrefs.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/MemrefOfPointer.h"
#include "codegen/cpu/Passes.h"
#include "dialects/aot/AotDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace onnx_aot {
#define GEN_PASS_DEF_LOWERSLOTS
#include "codegen/cpu/Passes.h.inc"

using namespace mlir;

namespace {
struct LowerSlots : impl::LowerSlotsBase<LowerSlots> {
  void runOnOperation() override {
    SmallVector<aot::SlotOp> slots;
    getOperation().walk([&](aot::SlotOp slot) { slots.push_back(slot); });
    if (slots.empty())
      return;
    LLVM::LLVMFuncOp allocate = declareAllocate();
    for (aot::SlotOp slot : slots)
      lower(slot, allocate);
  }

  LLVM::LLVMFuncOp declareAllocate() {
    constexpr StringLiteral name = "onnx_aot_context_slot";
    if (auto function = getOperation().lookupSymbol<LLVM::LLVMFuncOp>(name))
      return function;
    OpBuilder builder = OpBuilder::atBlockBegin(getOperation().getBody());
    Type pointer = LLVM::LLVMPointerType::get(&getContext()), i64 = builder.getI64Type();
    return LLVM::LLVMFuncOp::create(builder, getOperation().getLoc(), name,
                                    LLVM::LLVMFunctionType::get(pointer, {pointer, i64, i64}));
  }

  static void lower(aot::SlotOp slot, LLVM::LLVMFuncOp allocate) {
    Location loc = slot.getLoc();
    OpBuilder builder(slot);
    Type pointer = LLVM::LLVMPointerType::get(builder.getContext()), i64 = builder.getI64Type();
    Value index = arith::IndexCastOp::create(builder, loc, i64, slot.getSlot());
    Value bytes = arith::IndexCastOp::create(builder, loc, i64, slot.getBytes());
    Value memory = LLVM::CallOp::create(builder, loc, allocate, ValueRange{slot.getCtx(), index, bytes}).getResult();
    Value null = LLVM::ZeroOp::create(builder, loc, pointer);
    Value ok = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::ne, memory, null);

    Value buffer = memrefOfPointer(builder, loc, memory, slot.getBytes(), slot.getBuffer().getType());
    slot.getBuffer().replaceAllUsesWith(buffer);
    slot.getOk().replaceAllUsesWith(ok);
    slot.erase();
  }
};
} // namespace
} // namespace onnx_aot
