//===- DataTypes.h - ONNX's numbers of element types --------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_SUPPORT_DATATYPES_H
#define ONNX_AOT_DIALECTS_ONNX_SUPPORT_DATATYPES_H

#include "mlir/IR/BuiltinTypes.h"

namespace onnx_aot::onnx {

/// The element type for a TensorProto.DataType, as attributes such as `to` and `dtype` hold it; null for strings,
/// complex numbers and numbers that ONNX does not define.
mlir::Type elementTypeOfDataType(mlir::MLIRContext *context, int64_t dataType);

/// Emits "unsupported" on `op` and fails where an operand or a result has elements that scalar code does not compute
/// with: float8 and smaller, 2- and 4-bit integers, complex numbers, strings.
llvm::LogicalResult requireArithmeticTypes(mlir::Operation *op);

} // namespace onnx_aot::onnx

#endif
