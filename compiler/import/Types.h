//===- Types.h - ONNX types as MLIR types -------------------------------------------------------------------------===//
//
// What it is for: the one table between TensorProto.DataType and MLIR element types (bool is i1, signed integers are
// signless, unsigned ones ui8 .. ui64), and TypeProto -> Type with symbolic dimensions bound by --dim.
//
// Holds after: a ranked tensor type made here has no negative dimension, and its size in bits fits 63 bits.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_COMPILER_IMPORT_TYPES_H
#define ONNX_AOT_COMPILER_IMPORT_TYPES_H

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace onnx_aot {

namespace pb {
class TypeProto;
} // namespace pb

/// The element type for a TensorProto.DataType; null where there is none (strings, undefined, unknown numbers).
mlir::Type elementTypeOf(int32_t dataType, mlir::MLIRContext *context);

/// The inverse; 0 where there is none.
int32_t dataTypeOf(mlir::Type elementType);

/// What ONNX calls a data type, for messages: "float16", or "data type 99".
std::string dataTypeName(int32_t dataType);

/// The number of elements of `dims`, and their size at `bitsPerElement` packed; nothing when a dimension is negative or
/// the number of bits does not fit 63 bits, dimensions of extent 0 left aside (strides are computed from them).
struct TensorSize {
  uint64_t elements;
  uint64_t packedBytes;
};
std::optional<TensorSize> sizeOf(llvm::ArrayRef<int64_t> dims, unsigned bitsPerElement);

/// Bits of one element as ONNX stores it: 8 for bool, 4 for int4, 64 for complex64.
unsigned storageBits(mlir::Type elementType);

/// Whether a value can have both types: equal element types and shapes that agree where both are known.
bool agree(mlir::Type a, mlir::Type b);

/// For messages: a type as MLIR prints it, a shape as "[2,3]".
std::string shown(mlir::Type type);
std::string shown(llvm::ArrayRef<int64_t> dims);

/// The type that `proto` declares; symbolic dimensions found in `dims` become static, all others dynamic.
llvm::Expected<mlir::Type> typeOf(const pb::TypeProto &proto, const std::map<std::string, int64_t> &dims,
                                  mlir::MLIRContext *context);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_IMPORT_TYPES_H
