//===- ElementwiseBodies.h - the table of scalar bodies of the elementwise operators ------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_ELEMENTWISE_ELEMENTWISEBODIES_H
#define ONNX_AOT_DIALECTS_ONNX_ELEMENTWISE_ELEMENTWISEBODIES_H

#include "dialects/onnx/support/Elementwise.h"

namespace onnx_aot::onnx {

/// One row per operator that broadcasts all its operands.
llvm::ArrayRef<ScalarRow> getElementwiseBodies();

/// The body of Cast and CastLike, from operand 0 to the result's element type.
mlir::Value castBody(mlir::Operation *op, ScalarBody &s);

} // namespace onnx_aot::onnx

#endif
