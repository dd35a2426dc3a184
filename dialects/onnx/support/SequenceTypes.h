//===- SequenceTypes.h - the types of values that are not tensors -------------------------------------------------===//
//
//   !onnx.seq<f32>             a sequence of float tensors
//   !onnx.opt<f32>             a float tensor, or nothing
//   !onnx.opt<!onnx.seq<f32>>  a sequence of float tensors, or nothing
//
// Only the elements' type is part of them: neither the length nor the shapes, which differ from element to element and
// which models declare wrongly. Values of these types live until the graph stage, which replaces them by tensors
// (passes/graph/ResolveSequences.cpp).
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_SUPPORT_SEQUENCETYPES_H
#define ONNX_AOT_DIALECTS_ONNX_SUPPORT_SEQUENCETYPES_H

#include "mlir/IR/BuiltinTypes.h"

namespace mlir {
class AsmParser;
class AsmPrinter;
} // namespace mlir

namespace onnx_aot::onnx {

namespace detail {
/// A type made of one other type.
struct WrapperTypeStorage : mlir::TypeStorage {
  using KeyTy = mlir::Type;
  explicit WrapperTypeStorage(mlir::Type wrapped) : wrapped(wrapped) {}
  bool operator==(const KeyTy &key) const { return key == wrapped; }
  static WrapperTypeStorage *construct(mlir::TypeStorageAllocator &allocator, const KeyTy &key) {
    return new (allocator.allocate<WrapperTypeStorage>()) WrapperTypeStorage(key);
  }
  mlir::Type wrapped;
};
} // namespace detail

class SequenceType : public mlir::Type::TypeBase<SequenceType, mlir::Type, detail::WrapperTypeStorage> {
public:
  using Base::Base;
  static constexpr llvm::StringLiteral name = "onnx.seq";
  static SequenceType get(mlir::Type element) { return Base::get(element.getContext(), element); }
  /// The type of the tensors' elements.
  mlir::Type getElementType() const { return getImpl()->wrapped; }
};

class OptionalType : public mlir::Type::TypeBase<OptionalType, mlir::Type, detail::WrapperTypeStorage> {
public:
  using Base::Base;
  static constexpr llvm::StringLiteral name = "onnx.opt";
  static OptionalType get(mlir::Type wrapped) { return Base::get(wrapped.getContext(), wrapped); }
  /// The type of a tensor's elements, or a sequence.
  mlir::Type getWrapped() const { return getImpl()->wrapped; }
};

/// Whether values of `type` are sequences or optionals.
inline bool isCompound(mlir::Type type) { return llvm::isa<SequenceType, OptionalType>(type); }

/// The type of the elements of the tensors in a value of type `type`, whatever they are packed in.
mlir::Type tensorElementType(mlir::Type type);

/// `seq<f32>`, without the dialect's prefix.
mlir::Type parseSequenceType(mlir::AsmParser &parser);
void printSequenceType(mlir::Type type, mlir::AsmPrinter &printer);

} // namespace onnx_aot::onnx

MLIR_DECLARE_EXPLICIT_TYPE_ID(onnx_aot::onnx::SequenceType)
MLIR_DECLARE_EXPLICIT_TYPE_ID(onnx_aot::onnx::OptionalType)

#endif
