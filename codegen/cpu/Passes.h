//===- Passes.h - passes of the code generation for CPUs ---===//
#ifndef ONNX_AOT_CODEGEN_CPU_PASSES_H
#define ONNX_AOT_CODEGEN_CPU_PASSES_H

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
#include "codegen/cpu/Passes.h.inc"
/// As aot-emit-loops, for the given target.
std::unique_ptr<mlir::Pass> createEmitLoopsPass(const aot::TargetModel &target);
/// As aot-emit-resample, for the given target.
std::unique_ptr<mlir::Pass> createEmitResamplePass(const aot::TargetModel &target);
/// As aot-call-generated-kernels, for the provider that made them; without one there may be no such kernel of loops.
std::unique_ptr<mlir::Pass> createCallGeneratedKernelsPass(aot::KernelProvider *provider);
} // namespace onnx_aot

#endif
