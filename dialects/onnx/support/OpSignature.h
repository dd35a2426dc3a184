//===- OpSignature.h - an operator's inputs, outputs and attributes as data ---------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_SUPPORT_OPSIGNATURE_H
#define ONNX_AOT_DIALECTS_ONNX_SUPPORT_OPSIGNATURE_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

namespace onnx_aot::onnx {

/// One formal input or output. At most the last one is variadic.
struct FormalValue {
  enum Kind { Single, Optional, Variadic };
  llvm::StringRef name;
  Kind kind;
};

/// One attribute. `storage` is the C++ class of its MLIR attribute, e.g. `::mlir::IntegerAttr`.
struct FormalAttribute {
  llvm::StringRef name;
  llvm::StringRef storage;
  bool required;
};

/// Made from the ODS record of an operator (see Onnx_Op in OnnxBase.td).
struct OpSignature {
  /// The three texts are lists of "name:kind " items and must outlive the signature (they are string literals).
  OpSignature(llvm::StringRef operationName, int sinceVersion, llvm::StringRef inputs, llvm::StringRef outputs,
              llvm::StringRef attributes);

  /// The ONNX name, without the dialect prefix.
  llvm::StringRef name;
  int sinceVersion;
  llvm::SmallVector<FormalValue> inputs;
  llvm::SmallVector<FormalValue> outputs;
  llvm::SmallVector<FormalAttribute> attributes;

  /// The bounds of the number of actual inputs (SIZE_MAX: no bound).
  size_t minInputs() const;
  size_t maxInputs() const;
  const FormalAttribute *findAttribute(llvm::StringRef attribute) const;
};

} // namespace onnx_aot::onnx

#endif
