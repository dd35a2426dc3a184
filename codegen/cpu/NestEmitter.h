//===- NestEmitter.h - vectorised loops for a loop nest -----------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_CPU_NESTEMITTER_H
#define ONNX_AOT_CODEGEN_CPU_NESTEMITTER_H

#include "dialects/aot/AotDialect.h"
#include "dialects/aot/LoopNest.h"
#include "mlir/IR/Builders.h"

namespace onnx_aot {

/// Emits the loops of `nest` (on memrefs) at the builder's position, by `strategy` (provider "loops"). The code is
/// right for every strategy; dims that the strategy names and the nest does not have are ignored.
void emitLoopNest(mlir::OpBuilder &builder, mlir::Location loc, const aot::LoopNest &nest, aot::StrategyAttr strategy);

} // namespace onnx_aot

#endif
