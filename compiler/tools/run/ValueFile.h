//===- ValueFile.h - A tensor, a sequence or an optional from a file ------===//
//
// What it is for: .pb files hold a TensorProto, a SequenceProto or an OptionalProto and do not say which. The three use
// the same field numbers for different things, so what a file is shows in its fields: see isList in ValueFile.cpp.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_COMPILER_TOOLS_RUN_VALUEFILE_H
#define ONNX_AOT_COMPILER_TOOLS_RUN_VALUEFILE_H

#include "compiler/tools/run/HostTensor.h"
#include "llvm/Support/Error.h"

namespace onnx_aot {

/// One tensor, or the list of those in a sequence or optional. The files of a sequence of one tensor and of an optional
/// that holds one look the same.
struct HostValue {
  std::string name;
  bool isList = false;
  bool isNested = false; // a sequence in an optional
  std::vector<HostTensor> tensors;
};

/// By the file's suffix and content. Errors begin with the path.
llvm::Expected<HostValue> readValueFile(llvm::StringRef path);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_TOOLS_RUN_VALUEFILE_H
