//===- ModelSummary.h - A model, readable ---------------------------------===//
//
// What it is for: `onnx-aot MODEL.onnx --check`: says what is wrong with the model, or what it is and what it needs.
//
// How it works: the model goes through the stages up to the buffer stage, as if it were compiled, so that what is
// checked is what compiles; its errors are the compilation's. The operators that are counted are the file's own.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_COMPILER_MODELSUMMARY_H
#define ONNX_AOT_COMPILER_MODELSUMMARY_H

#include "llvm/ADT/StringRef.h"

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace onnx_aot {

class Diagnostics;
struct CompilerOptions;

/// Prints to `os` when there is nothing wrong. Returns the exit status.
int checkModel(llvm::StringRef path, const CompilerOptions &options, llvm::raw_ostream &os, Diagnostics &diagnostics);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_MODELSUMMARY_H
