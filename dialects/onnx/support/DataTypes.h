//===- DataTypes.h - ONNX's numbers of element types --------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_SUPPORT_DATATYPES_H
#define ONNX_AOT_DIALECTS_ONNX_SUPPORT_DATATYPES_H

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/StringRef.h"

namespace onnx_aot::onnx {

/// The element type for a TensorProto.DataType, as attributes such as `to` and `dtype` hold it; null for strings,
/// complex numbers and numbers that ONNX does not define.
mlir::Type elementTypeOfDataType(mlir::MLIRContext *context, int64_t dataType);

/// Whether operators compute with elements of `type` (or of a tensor of it): not with float8 and smaller, 2- and 4-bit
/// integers, which are only moved and converted, complex numbers, which are only moved, and strings.
bool isArithmeticType(mlir::Type type);
/// They in words.
inline constexpr llvm::StringLiteral kArithmeticTypes =
    "bool, integers of 8 to 64 bits, float16, bfloat16, float and double";

/// Whether `type` (or the element type of a tensor) is a number of ONNX, complex ones included, or bool: what the C
/// interface says how to store.
bool isNumberType(mlir::Type type);
/// The same without complex numbers: what Cast, QuantizeLinear and DequantizeLinear convert.
bool isRealType(mlir::Type type);

/// Emits "unsupported" on `op` and fails where an operand or a result has elements of another type.
llvm::LogicalResult requireArithmeticTypes(mlir::Operation *op);
llvm::LogicalResult requireRealTypes(mlir::Operation *op);

} // namespace onnx_aot::onnx

#endif
