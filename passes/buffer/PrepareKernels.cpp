//===- PrepareKernels.cpp - the provider makes what it was chosen for ---------------------------------------------===//
//
// Hands all kernels whose strategy names the provider to it at once, so that it can make them side by side. How their
// operands lie is final here: weights are packed, and views of buffers have their strides.
//
// Before: structured operations on memrefs.  After: strategies name the provider only where it has the kernel; others
// say what loops do instead, which the report then shows too:
//
//   aot.kernel "pool" ... strategy <provider = "halide", ...>   =>   ... strategy <provider = "loops", ...>
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/AotDialect.h"
#include "dialects/aot/KernelProvider.h"
#include "dialects/aot/KernelSpecification.h"
#include "passes/buffer/Passes.h"

namespace onnx_aot {
#define GEN_PASS_DEF_PREPAREKERNELS
#include "passes/buffer/Passes.h.inc"

using namespace mlir;

namespace {
struct PrepareKernels : impl::PrepareKernelsBase<PrepareKernels> {
  explicit PrepareKernels(aot::KernelProvider *provider = nullptr) : provider(provider) {}

  void runOnOperation() override {
    if (!provider)
      return;
    SmallVector<aot::KernelOp> kernels;
    std::vector<aot::KernelRequest> requests;
    getOperation().walk([&](aot::KernelOp kernel) {
      aot::StrategyAttr strategy = kernel.getStrategyAttr();
      if (!strategy || strategy.getProvider() != provider->name())
        return;
      FailureOr<aot::LoopNest> nest = aot::LoopNest::of(kernel);
      std::string reason = "its operands have no linear addresses";
      if (std::optional<std::string> text =
              succeeded(nest) ? aot::specifyWindow(*nest, strategy, reason) : std::nullopt) {
        kernels.push_back(kernel);
        requests.push_back({*text, kernel.getLoc()});
      } else {
        provider->refuse(kernel.getLoc(), reason);
        useLoops(kernel);
      }
    });
    for (auto [kernel, request, made] : llvm::zip(kernels, requests, provider->prepare(requests))) {
      if (made && made->scratchBytes == 0)
        continue;
      if (made)
        provider->refuse(kernel.getLoc(), "it needs memory of its own");
      useLoops(kernel);
    }
  }

  /// With the tiles that the strategy has.
  void useLoops(aot::KernelOp kernel) {
    aot::StrategyAttr strategy = kernel.getStrategyAttr();
    kernel.setStrategyAttr(aot::StrategyAttr::get(&getContext(), "loops", strategy.getVector(), strategy.getWidth(),
                                                  strategy.getVectors(), strategy.getRow(), strategy.getRows(),
                                                  strategy.getBlock()));
  }

  aot::KernelProvider *provider;
};
} // namespace

std::unique_ptr<Pass> createPrepareKernelsPass(aot::KernelProvider *provider) {
  return std::make_unique<PrepareKernels>(provider);
}
} // namespace onnx_aot
