//===- TensorFile.h - A tensor from a file of either form -----------------===//
//
// What it is for: reads .npy files and the .pb files of ONNX's tests (one TensorProto each).
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_COMPILER_TOOLS_RUN_TENSORFILE_H
#define ONNX_AOT_COMPILER_TOOLS_RUN_TENSORFILE_H

#include "compiler/tools/run/HostTensor.h"
#include "llvm/Support/Error.h"

namespace onnx_aot {

namespace pb {
class TensorProto;
} // namespace pb

/// The tensor of a message; `folder` is where its external data lies.
llvm::Expected<HostTensor> readTensor(const pb::TensorProto &proto, llvm::StringRef folder);

/// By the file's suffix. The tensor has the name that its TensorProto has; one from a .npy file has none. Errors begin
/// with the path.
llvm::Expected<HostTensor> readTensorFile(llvm::StringRef path);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_TOOLS_RUN_TENSORFILE_H
