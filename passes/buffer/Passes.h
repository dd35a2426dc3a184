//===- Passes.h - passes of the buffer stage ---===//
#ifndef ONNX_AOT_PASSES_BUFFER_PASSES_H
#define ONNX_AOT_PASSES_BUFFER_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir::func {
class FuncOp;
}
namespace onnx_aot {
namespace aot {
class KernelProvider;
class TargetModel;
} // namespace aot
struct ModelFacts;

/// On a module, for aot-place-weights: slices {offset, value} that its weights begin with.
inline constexpr llvm::StringLiteral kFirstWeightsAttr = "aot.first_weights";

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "passes/buffer/Passes.h.inc"

/// As aot-prepare-kernels with a provider, which may be null.
std::unique_ptr<mlir::Pass> createPrepareKernelsPass(aot::KernelProvider *provider);

/// As aot-plan-arena with what suits the target; `facts`, which may be null, gets what the entry does and where its
/// buffers lie.
std::unique_ptr<mlir::Pass> createPlanArenaPass(const aot::TargetModel &target, ModelFacts *facts);
} // namespace onnx_aot

#endif
