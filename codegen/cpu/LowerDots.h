//===- LowerDots.h - sums of products of bytes --------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_CPU_LOWERDOTS_H
#define ONNX_AOT_CODEGEN_CPU_LOWERDOTS_H

#include "dialects/aot/AotDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace onnx_aot {

/// The value of `dot` by extensions, multiplications and additions.
mlir::Value expandDot(mlir::ImplicitLocOpBuilder &b, aot::DotOp dot);

} // namespace onnx_aot

#endif
