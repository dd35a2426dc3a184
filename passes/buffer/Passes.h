//===- Passes.h - passes of the buffer stage ---===//
#ifndef ONNX_AOT_PASSES_BUFFER_PASSES_H
#define ONNX_AOT_PASSES_BUFFER_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir::func {
class FuncOp;
}
namespace onnx_aot {
namespace aot {
class TargetModel;
}
struct ModelFacts;
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "passes/buffer/Passes.h.inc"

/// As aot-plan-arena{alignment=...}; `facts`, which may be null, gets what the entry does and where its buffers lie.
std::unique_ptr<mlir::Pass> createPlanArenaPass(int64_t alignment, ModelFacts *facts);
} // namespace onnx_aot

#endif
