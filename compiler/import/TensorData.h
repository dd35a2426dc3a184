//===- TensorData.h - TensorProto -> ElementsAttr -----------------------------------------------------------------===//
//
// What it is for: every form in which ONNX stores a tensor becomes one MLIR attribute. How it works: (1) the shape and
// the data type give the number of bytes that must be there; (2) raw bytes and typed fields whose layout is already
// MLIR's are taken by reference, the rest (16-bit values in 32-bit fields, packed 4-bit values, ...) is unpacked into
// memory of its own; (3) up to 1 KB become a dense attribute, so that folding works on it, more becomes a resource that
// points at the bytes, without a copy.
//
//   onnx.Constant {value = dense<[2, 3]> : tensor<2xi64>}
//   onnx.Constant {value = dense_resource<conv1_weight> : tensor<64x3x7x7xf32>}
//
// Layout of resources: little endian, row-major; bool is one byte, 0 or 1; 4- and 2-bit elements take one byte each
// with the upper bits zero, as in dense attributes.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_COMPILER_IMPORT_TENSORDATA_H
#define ONNX_AOT_COMPILER_IMPORT_TENSORDATA_H

#include "mlir/IR/AsmState.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Error.h"

namespace onnx_aot {

class ExternalData;

namespace pb {
class SparseTensorProto;
class TensorProto;
} // namespace pb

/// Tensors of at most this many bytes become dense attributes.
inline constexpr uint64_t maxDenseBytes = 1024;

/// Reads the tensors of one model. Attributes point into the protos and into `external`, which must outlive them.
class TensorReader {
public:
  TensorReader(ExternalData &external, mlir::MLIRContext *context) : external(external), context(context) {}

  /// `name` is where the resource key comes from. The error is a reason without the tensor's name.
  llvm::Expected<mlir::ElementsAttr> read(const pb::TensorProto &tensor, llvm::StringRef name);

  /// The same for a sparse tensor, which becomes a dense one.
  llvm::Expected<mlir::ElementsAttr> read(const pb::SparseTensorProto &sparse, llvm::StringRef name);

private:
  struct Content;
  llvm::Expected<Content> contentOf(const pb::TensorProto &tensor);
  static void readRaw(llvm::ArrayRef<char> raw, Content &content);
  static llvm::Error readField(const pb::TensorProto &tensor, Content &content);
  mlir::ElementsAttr toAttribute(Content content, llvm::StringRef name);
  std::string uniqueKey(llvm::StringRef name);

  ExternalData &external;
  mlir::MLIRContext *context;
  llvm::StringSet<> keys;
};

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_IMPORT_TENSORDATA_H
