//===- OnnxInterfaces.h - what every ONNX operator answers --------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_ONNXINTERFACES_H
#define ONNX_AOT_DIALECTS_ONNX_ONNXINTERFACES_H

#include "dialects/onnx/support/OpSignature.h"
#include "dialects/onnx/support/ShapeContext.h"
#include "mlir/IR/OpDefinition.h"

#include "dialects/onnx/OnnxInterfaces.h.inc"

namespace onnx_aot::onnx {
/// Runs the operator's inferResults and turns its answer into MLIR types: ranked where the rank is known, unranked
/// elsewhere. `op` needs its operands, attributes and regions only; its present result types are not read.
llvm::FailureOr<llvm::SmallVector<mlir::Type>> inferResultTypes(mlir::Operation *op, ShapeContext context = {});
/// The same answer as it was given.
llvm::FailureOr<llvm::SmallVector<ResultShape>> inferResultShapes(mlir::Operation *op, ShapeContext context);
mlir::Type typeOf(const ResultShape &shape);
} // namespace onnx_aot::onnx

#endif
