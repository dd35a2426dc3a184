//===- Passes.h - what holds at the end of each stage ---===//
#ifndef ONNX_AOT_PASSES_CONTRACTS_PASSES_H
#define ONNX_AOT_PASSES_CONTRACTS_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mlir::func {
class FuncOp;
}
namespace onnx_aot {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "passes/contracts/Passes.h.inc"
} // namespace onnx_aot

#endif
