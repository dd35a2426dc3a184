//===- VerifyBufferContract.cpp - what holds after the buffer stage -----------------------------------------------===//
//
// 1. No value is a tensor.
// 2. Nothing allocates: behind the entry's other arguments there is the arena, and behind that the context where there
//    are slots. Every view of the arena whose place is known lies inside it; where the arena's size is a function of
//    the entry's dims, or a view's own size only known to the run, views are of the arena or of a slot.
// 3. The only global is @weights, and every view of it lies inside it.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/DeviceOps.h"
#include "dialects/onnx/support/Constants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/BuiltinOps.h"
#include "passes/contracts/Contract.h"
#include "passes/contracts/Passes.h"

namespace onnx_aot {
#define GEN_PASS_DEF_VERIFYBUFFERCONTRACT
#include "passes/contracts/Passes.h.inc"

using namespace mlir;

namespace {
struct VerifyBufferContract : impl::VerifyBufferContractBase<VerifyBufferContract> {
  void runOnOperation() override {
    Contract contract("buffer");
    getOperation().walk([&](Operation *op) { verifyTypes(op, contract); });
    getOperation().walk([&](memref::GlobalOp global) {
      bool isShared = cast<MemRefType>(global.getType()).getMemorySpace() != Attribute(); // by the threads of a block
      if (global.getSymName() != "weights" && !isShared)
        contract.breach(global) << "the global @" << global.getSymName() << " is not part of @weights";
    });
    getOperation().walk([&](memref::ViewOp view) { verifyView(view, contract); });
    if (auto entry = getOperation().lookupSymbol<func::FuncOp>("main"))
      verifyEntry(entry, contract);
    if (contract.isBroken())
      signalPassFailure();
  }

  static void verifyTypes(Operation *op, Contract &contract) {
    auto isTensor = [](Type type) { return isa<TensorType>(type); };
    bool found = llvm::any_of(op->getResultTypes(), isTensor);
    for (Region &region : op->getRegions())
      for (Block &block : region)
        found |= llvm::any_of(block.getArgumentTypes(), isTensor);
    if (found)
      contract.breach(op) << "'" << op->getName() << "' makes a tensor";
  }

  static void verifyEntry(func::FuncOp entry, Contract &contract) {
    unsigned arguments = entry.getNumArguments();
    bool usesContext = arguments > 0 && isa<LLVM::LLVMPointerType>(entry.getArgumentTypes().back());
    if (usesContext != entry->hasAttr("aot.slots"))
      contract.breach(entry) << "the entry has a context or slots, but not both";
    arguments -= usesContext;
    auto arena = arguments == 0 ? MemRefType() : dyn_cast<MemRefType>(entry.getArgumentTypes()[arguments - 1]);
    int64_t rank = entry->hasAttr("aot.arena_function") ? 0 : 1;
    if (!arena || arena.getRank() != rank || !arena.hasStaticShape() || !arena.getElementType().isInteger(8))
      contract.breach(entry) << "the entry's last argument is not an arena";
    entry.walk([&](Operation *op) {
      if (isa<memref::AllocOp, memref::AllocaOp, memref::ReallocOp, memref::DeallocOp>(op))
        contract.breach(op) << "'" << op->getName() << "' in the entry";
    });
  }

  /// An argument of the entry, the weights, a slot, memory of a device, or an arena whose size is computed.
  static bool isArena(Value memory) {
    Operation *op = memory.getDefiningOp();
    auto shaped = dyn_cast_if_present<memref::ReinterpretCastOp>(op);
    return !op || isa<memref::GetGlobalOp, aot::SlotOp, aot::DeviceMemoryOp, aot::DeviceWeightsOp>(op) ||
           (shaped && isa<BlockArgument>(shaped.getSource()));
  }

  /// One of two known places.
  static bool isChosen(Value offset) {
    auto select = offset.getDefiningOp<arith::SelectOp>();
    return select && getConstantIntValue(select.getTrueValue()) && getConstantIntValue(select.getFalseValue());
  }

  static void verifyView(memref::ViewOp view, Contract &contract) {
    std::optional<int64_t> offset = getConstantIntValue(view.getByteShift());
    MemRefType type = view.getType(), source = cast<MemRefType>(view.getSource().getType());
    bool isComputed = !source.hasStaticShape();
    if (!isArena(view.getSource()) || (!isComputed && !offset && !isChosen(view.getByteShift()))) {
      contract.breach(view) << "a view whose place is not known";
      return;
    }
    if (!offset || isComputed || !type.hasStaticShape())
      return;
    int64_t end = *offset + type.getNumElements() * onnx::bytesPerElement(type.getElementType());
    if (*offset < 0 || end > source.getNumElements())
      contract.breach(view) << "a view of the bytes from " << *offset << " to " << end << " of a buffer of "
                            << source.getNumElements();
  }
};
} // namespace
} // namespace onnx_aot
