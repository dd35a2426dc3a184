//===- VerifyBufferContract.cpp - what holds after the buffer stage -----------------------------------------------===//
//
// 1. No value is a tensor.
// 2. Nothing allocates: the entry's last argument is the arena, and every view of it lies inside it.
// 3. The only global is @weights, and every view of it lies inside it.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/support/Constants.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
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
      if (global.getSymName() != "weights")
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
    auto arena = entry.getNumArguments() == 0 ? MemRefType() : dyn_cast<MemRefType>(entry.getArgumentTypes().back());
    if (!arena || arena.getRank() != 1 || !arena.hasStaticShape() || !arena.getElementType().isInteger(8))
      contract.breach(entry) << "the entry's last argument is not an arena";
    entry.walk([&](Operation *op) {
      if (isa<memref::AllocOp, memref::AllocaOp, memref::ReallocOp, memref::DeallocOp>(op))
        contract.breach(op) << "'" << op->getName() << "' in the entry";
    });
  }

  static void verifyView(memref::ViewOp view, Contract &contract) {
    std::optional<int64_t> offset = getConstantIntValue(view.getByteShift());
    MemRefType type = view.getType(), source = cast<MemRefType>(view.getSource().getType());
    if (!offset || !type.hasStaticShape() || !source.hasStaticShape()) {
      contract.breach(view) << "a view whose place is not known";
      return;
    }
    int64_t end = *offset + type.getNumElements() * onnx::bytesPerElement(type.getElementType());
    if (*offset < 0 || end > source.getNumElements())
      contract.breach(view) << "a view of the bytes from " << *offset << " to " << end << " of a buffer of "
                            << source.getNumElements();
  }
};
} // namespace
} // namespace onnx_aot
