//===- Passes.h - passes of the tensor stage ---===//
#ifndef ONNX_AOT_PASSES_TENSOR_PASSES_H
#define ONNX_AOT_PASSES_TENSOR_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir::func {
class FuncOp;
}
namespace onnx_aot {
namespace aot {
class KernelProvider;
}
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "passes/tensor/Passes.h.inc"

/// As aot-generate-resize, for the given provider; without one it does nothing.
std::unique_ptr<mlir::Pass> createGenerateResizePass(aot::KernelProvider *provider);
} // namespace onnx_aot

#endif
