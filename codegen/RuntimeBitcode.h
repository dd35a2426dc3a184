//===- RuntimeBitcode.h - The runtime library as bitcode ------------------===//
//
// The functions of runtime_lib/core and runtime_lib/math, compiled to LLVM bitcode when the compiler is built and kept
// inside it. They use only types whose size is the same on every target.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_CODEGEN_RUNTIMEBITCODE_H
#define ONNX_AOT_CODEGEN_RUNTIMEBITCODE_H

#include "llvm/ADT/StringRef.h"

namespace onnx_aot {

llvm::StringRef runtimeBitcode();

} // namespace onnx_aot

#endif // ONNX_AOT_CODEGEN_RUNTIMEBITCODE_H
