//===- Npy.h - NumPy's .npy files -----------------------------------------===//
//
// What it is for: reads and writes arrays of every dtype that crosses the C ABI and that NumPy knows.
//
// How it works: "\x93NUMPY", a version, the length of a header, and the header, a Python dictionary of three entries
//
//   {'descr': '<f4', 'fortran_order': False, 'shape': (1, 10), }
//
// then the elements. Versions 1 to 3 are read, version 1 is written; big-endian and column-major files are turned.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_COMPILER_TOOLS_RUN_NPY_H
#define ONNX_AOT_COMPILER_TOOLS_RUN_NPY_H

#include "compiler/tools/run/HostTensor.h"
#include "llvm/Support/Error.h"

namespace onnx_aot {

/// Errors are reasons without the file's name. The tensor has no name.
llvm::Expected<HostTensor> parseNpy(llvm::StringRef content);
std::string formatNpy(const HostTensor &tensor);

llvm::Expected<HostTensor> readNpy(llvm::StringRef path);
llvm::Error writeNpy(llvm::StringRef path, const HostTensor &tensor);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_TOOLS_RUN_NPY_H
