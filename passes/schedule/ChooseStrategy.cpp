//===- ChooseStrategy.cpp - one choice per kernel -----------------------------------------------------------------===//
//
// Writes to every aot.kernel how it will be made. Nothing else in the compiler decides that.
//
// Before: kernels without a strategy.  After: every kernel has one, which can be read in the IR:
//
//   aot.kernel "matmul" ... strategy <provider = "loops", vector = 1, width = 8, vectors = 2, row = 0, rows = 6>
//
// The provider of generated kernels gets what it wants of windows that share nothing between channels, where words
// suffice. It computes the tiles that loops would: what it refuses once strides are final (aot-prepare-kernels) still
// becomes loops.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/KernelProvider.h"
#include "dialects/aot/KernelSpecification.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/schedule/LoopStrategy.h"
#include "passes/schedule/Passes.h"

namespace onnx_aot {
#define GEN_PASS_DEF_CHOOSESTRATEGY
#include "passes/schedule/Passes.h.inc"

using namespace mlir;

namespace {
struct ChooseStrategy : impl::ChooseStrategyBase<ChooseStrategy> {
  explicit ChooseStrategy(const aot::TargetModel &target = genericTargetModel(),
                          aot::KernelProvider *provider = nullptr)
      : target(&target), provider(provider) {}

  void runOnOperation() override {
    getOperation().walk([&](aot::KernelOp kernel) {
      FailureOr<aot::LoopNest> nest = aot::LoopNest::of(kernel);
      if (failed(nest)) {
        kernel.emitError("unsupported: the kernel's operands have no linear addresses");
        return signalPassFailure();
      }
      aot::StrategyAttr strategy = chooseLoopStrategy(*nest, *target, &getContext());
      if (provider && isGenerated(kernel, *nest, strategy))
        strategy =
            aot::StrategyAttr::get(&getContext(), provider->name(), strategy.getVector(), strategy.getWidth(),
                                   strategy.getVectors(), strategy.getRow(), strategy.getRows(), strategy.getBlock());
      kernel.setStrategyAttr(strategy);
    });
  }

  /// Whether results of a channel read data of that channel alone, or of a few.
  static bool isDepthwise(const aot::LoopNest &nest) {
    if (nest.inputs.size() < 2)
      return false;
    bool hasChannels = false;
    for (auto [index, dim] : llvm::enumerate(nest.dims)) {
      if (dim.reduction && !(dim.extent.isStatic() && dim.extent.factor <= aot::LoopNest::kMostTaps))
        return false;
      hasChannels |= !dim.reduction && !nest.inputs[0].strides[index].is(0) && !nest.inputs[1].strides[index].is(0);
    }
    return hasChannels;
  }

  static int64_t resultsOf(const aot::LoopNest &nest) {
    int64_t results = 1;
    for (const aot::LoopDim &dim : nest.dims)
      results *= dim.reduction ? 1 : dim.extent.estimate();
    return results;
  }

  bool isGenerated(aot::KernelOp kernel, const aot::LoopNest &nest, aot::StrategyAttr strategy) const {
    bool isPool = kernel.getKind() == "pool";
    if (!nest.hasReduction() || !(isPool || (kernel.getKind() == "conv" && isDepthwise(nest))) ||
        !provider->wants(isPool ? aot::KernelFamily::Pool : aot::KernelFamily::Depthwise, resultsOf(nest)))
      return false;
    std::string reason;
    if (aot::specifyWindow(nest, strategy, reason))
      return provider->isReady(kernel.getLoc());
    provider->refuse(kernel.getLoc(), reason);
    return false;
  }

  const aot::TargetModel *target;
  aot::KernelProvider *provider;
};
} // namespace

std::unique_ptr<Pass> createChooseStrategyPass(const aot::TargetModel &target, aot::KernelProvider *provider) {
  return std::make_unique<ChooseStrategy>(target, provider);
}
} // namespace onnx_aot
