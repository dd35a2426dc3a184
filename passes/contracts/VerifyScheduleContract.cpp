//===- VerifyScheduleContract.cpp - what holds after the schedule stage -------------------------------------------===//
//
// Every kernel carries the choice of how it will be made, over dims that it has. Later stages choose nothing for it.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/AotDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "passes/contracts/Contract.h"
#include "passes/contracts/Passes.h"

namespace onnx_aot {
#define GEN_PASS_DEF_VERIFYSCHEDULECONTRACT
#include "passes/contracts/Passes.h.inc"

using namespace mlir;

namespace {
struct VerifyScheduleContract : impl::VerifyScheduleContractBase<VerifyScheduleContract> {
  void runOnOperation() override {
    Contract contract("schedule");
    getOperation().walk([&](aot::KernelOp kernel) {
      aot::StrategyAttr strategy = kernel.getStrategyAttr();
      if (!strategy) {
        contract.breach(kernel) << "a kernel has no strategy";
        return;
      }
      int64_t loops = kernel.getNumLoops(), vector = strategy.getVector(), row = strategy.getRow();
      for (int64_t dim : {vector, row})
        if (dim < -1 || dim >= loops)
          contract.breach(kernel) << "the strategy names dim " << dim << " of a kernel with " << loops;
      if (vector >= 0 && vector == row)
        contract.breach(kernel) << "the strategy uses dim " << vector << " twice";
      if (strategy.getWidth() < 1 || strategy.getVectors() < 1 || strategy.getRows() < 1)
        contract.breach(kernel) << "the strategy has an empty tile";
    });
    if (contract.isBroken())
      signalPassFailure();
  }
};
} // namespace
} // namespace onnx_aot
