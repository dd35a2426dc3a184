//===- Passes.h - passes of the schedule stage ---===//
#ifndef ONNX_AOT_PASSES_SCHEDULE_PASSES_H
#define ONNX_AOT_PASSES_SCHEDULE_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir::func {
class FuncOp;
}
namespace onnx_aot {
namespace aot {
class KernelProvider;
class TargetModel;
} // namespace aot
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "passes/schedule/Passes.h.inc"

/// As the passes of these names, for the given target.
std::unique_ptr<mlir::Pass> createChooseLayoutPass(const aot::TargetModel &target);
std::unique_ptr<mlir::Pass> createUseWinogradPass(const aot::TargetModel &target);
std::unique_ptr<mlir::Pass> createFuseRowsPass(const aot::TargetModel &target);
std::unique_ptr<mlir::Pass> createUseDotProductsPass(const aot::TargetModel &target);
std::unique_ptr<mlir::Pass> createChooseStrategyPass(const aot::TargetModel &target,
                                                     aot::KernelProvider *provider = nullptr);
std::unique_ptr<mlir::Pass> createPackOperandsPass(const aot::TargetModel &target);
/// The same for the given provider; without one it does nothing.
std::unique_ptr<mlir::Pass> createFuseGeneratedPass(aot::KernelProvider *provider);
} // namespace onnx_aot

#endif
