//===- Compiler.h - the whole way from a model to its files -------------------------------------------------------===//
#ifndef ONNX_AOT_COMPILER_COMPILER_H
#define ONNX_AOT_COMPILER_COMPILER_H

#include "compiler/Options.h"
#include "llvm/ADT/StringRef.h"

namespace onnx_aot {

class Diagnostics;

/// Compiles the model in the file `path` to what `options` (complete, see completeOptions) ask for. What goes wrong is
/// in `diagnostics`; returns the exit status, 0 on success. No output is left behind on failure. One process, no state
/// but the result: calls may run one after another or in several threads.
int compileModel(llvm::StringRef path, const CompilerOptions &options, Diagnostics &diagnostics);

} // namespace onnx_aot

#endif
