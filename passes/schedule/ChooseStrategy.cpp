//===- ChooseStrategy.cpp - one choice per kernel -----------------------------------------------------------------===//
//
// Writes to every aot.kernel how it will be made. Nothing else in the compiler decides that.
//
// Before: kernels without a strategy.  After: every kernel has one, which can be read in the IR:
//
//   aot.kernel "matmul" ... strategy <provider = "loops", vector = 1, width = 8, vectors = 2, row = 0, rows = 6>
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/schedule/LoopStrategy.h"
#include "passes/schedule/Passes.h"

namespace onnx_aot {
#define GEN_PASS_DEF_CHOOSESTRATEGY
#include "passes/schedule/Passes.h.inc"

using namespace mlir;

namespace {
struct ChooseStrategy : impl::ChooseStrategyBase<ChooseStrategy> {
  explicit ChooseStrategy(const aot::TargetModel &target = genericTargetModel()) : target(&target) {}

  void runOnOperation() override {
    getOperation().walk([&](aot::KernelOp kernel) {
      FailureOr<aot::LoopNest> nest = aot::LoopNest::of(kernel);
      if (failed(nest)) {
        kernel.emitError("unsupported: the kernel's operands have no linear addresses");
        return signalPassFailure();
      }
      kernel.setStrategyAttr(chooseLoopStrategy(*nest, *target, &getContext()));
    });
  }

  const aot::TargetModel *target;
};
} // namespace

std::unique_ptr<Pass> createChooseStrategyPass(const aot::TargetModel &target) {
  return std::make_unique<ChooseStrategy>(target);
}
} // namespace onnx_aot
