//===- Constants.h - reading and making constant tensors ----------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_SUPPORT_CONSTANTS_H
#define ONNX_AOT_DIALECTS_ONNX_SUPPORT_CONSTANTS_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Value.h"
#include <optional>

namespace onnx_aot::onnx {

/// The value of the onnx.Constant that defines `value`, or null (also for a null value).
mlir::ElementsAttr getConstant(mlir::Value value);

/// The elements of a constant integer or bool tensor of rank 0 or 1, sign- or zero-extended by its type.
std::optional<llvm::SmallVector<int64_t>> getConstantIntegers(mlir::Value value);

/// The same of any rank, row-major.
std::optional<llvm::SmallVector<int64_t>> getIntegerElements(mlir::Value value);

/// The elements of a constant floating-point tensor (any float type, also when stored as a resource).
std::optional<llvm::SmallVector<double>> getConstantFloats(mlir::Value value);

/// The bytes of a constant as they lie in memory (row-major, host order; bools one byte each); empty and false when
/// `value` has a form that does not give them. A splat is expanded.
bool getRawBytes(mlir::ElementsAttr value, llvm::SmallVectorImpl<char> &storage, llvm::ArrayRef<char> &bytes);

/// A constant of type `type` over `bytes` (as getRawBytes gives them): a dense attribute up to 1 KB, a resource over a
/// copy above that, named after `hint`.
mlir::ElementsAttr makeConstant(mlir::RankedTensorType type, llvm::ArrayRef<char> bytes, llvm::StringRef hint);

/// The same over numbers that are as wide as the type's elements.
template <typename T>
mlir::ElementsAttr makeConstantOf(mlir::RankedTensorType type, llvm::ArrayRef<T> numbers, llvm::StringRef hint) {
  return makeConstant(type, llvm::ArrayRef(reinterpret_cast<const char *>(numbers.data()), numbers.size() * sizeof(T)),
                      hint);
}

/// onnx.Constant of a 1-D int64 tensor.
mlir::Value makeIntegers(mlir::OpBuilder &builder, mlir::Location loc, llvm::ArrayRef<int64_t> values);

/// Bytes that one element takes in memory: bools and 8-bit types 1, 4-bit types are rounded up to 1.
int64_t bytesPerElement(mlir::Type elementType);

} // namespace onnx_aot::onnx

#endif
