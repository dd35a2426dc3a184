//===- WinogradEmitter.h - code of aot.winograd -------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_CPU_WINOGRADEMITTER_H
#define ONNX_AOT_CODEGEN_CPU_WINOGRADEMITTER_H

#include "dialects/aot/AotDialect.h"
#include "mlir/IR/Builders.h"

namespace onnx_aot {

/// Emits the loops of `op`, which is on memrefs and has its scratch memory, at the builder's insertion point.
void emitWinograd(mlir::OpBuilder &builder, aot::WinogradOp op);

} // namespace onnx_aot

#endif
