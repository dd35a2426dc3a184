//===- Signature.h - The names and types of a model's C functions ---------===//
//
// What it is for: the header declares these functions and, where the model is written as C, model.c defines them; both
// take the parameters from here.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_COMPILER_ARTIFACT_SIGNATURE_H
#define ONNX_AOT_COMPILER_ARTIFACT_SIGNATURE_H

#include "llvm/ADT/StringRef.h"
#include <string>
#include <vector>

namespace onnx_aot {

struct ModelInterface;
struct TensorInterface;

/// How C sees the elements of an ONNX type.
struct CType {
  llvm::StringRef name;
  llvm::StringRef remark = ""; // what the C type does not say
  unsigned parts = 1;          // C elements per ONNX element
};

/// A tensor with the names that C knows it by.
struct Parameter {
  const TensorInterface *tensor;
  bool isOutput;
  CType type;
  std::string name;  // of the parameter
  std::string macro; // <PREFIX>_INPUT_<NAME>
  std::string dims;  // of the parameter that its dims are written to; empty where they are constant
};

/// All parameters of a run.
struct Signature {
  std::vector<Parameter> tensors;
  std::vector<std::string> dims;      // parameters
  std::vector<std::string> dimMacros; // <PREFIX>_DIM_<NAME>
  bool hasContext = false;

  /// `model` must outlive the signature.
  Signature(const ModelInterface &model, llvm::StringRef prefix);

  /// The declarations of the parameters of <prefix>_run, of those that are dims, and of those that take the dims of
  /// outputs.
  std::vector<std::string> runParameters() const;
  std::vector<std::string> dimParameters() const;
  std::vector<std::string> outputDimsParameters() const;
};

/// `start(items);` in one line, or one item per line where it does not fit.
std::string prototype(llvm::StringRef start, const std::vector<std::string> &items);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_ARTIFACT_SIGNATURE_H
