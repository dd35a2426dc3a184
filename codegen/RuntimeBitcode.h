//===- RuntimeBitcode.h - The runtime library as bitcode ------------------===//
//
// The functions of runtime_lib, compiled to LLVM bitcode when the compiler is built and kept inside it. Those of core/
// and math/ use only types whose size is the same on every target; those of platform/cuda/ are for 64-bit targets.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_CODEGEN_RUNTIMEBITCODE_H
#define ONNX_AOT_CODEGEN_RUNTIMEBITCODE_H

#include "llvm/ADT/StringRef.h"

namespace onnx_aot {

llvm::StringRef runtimeBitcode();

} // namespace onnx_aot

#endif // ONNX_AOT_CODEGEN_RUNTIMEBITCODE_H
