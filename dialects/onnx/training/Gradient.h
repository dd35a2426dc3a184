//===- Gradient.h - derivatives of a graph ------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_TRAINING_GRADIENT_H
#define ONNX_AOT_DIALECTS_ONNX_TRAINING_GRADIENT_H

#include "dialects/onnx/support/Functions.h"

namespace onnx_aot::onnx {
llvm::LogicalResult expandGradient(mlir::Operation *op, FunctionBuilder &f,
                                   llvm::SmallVectorImpl<mlir::Value> &results);
} // namespace onnx_aot::onnx

#endif
