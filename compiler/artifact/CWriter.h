//===- CWriter.h - A model as one file of C99 -----------------------------===//
//
// What it is for: compilers that LLVM knows nothing of. The file needs no other one (the text of the header is part of
// it) and nothing of the C library but memcpy and memmove:
//
//   the header              what users see: the types of runtime.h, <prefix>_run, <prefix>_model
//   small functions         bits of floats; the math functions of runtime_lib that the model calls
//   the weights             static const float <prefix>_w0[800] = {...}
//   the model               static functions, which codegen/c prints
//   the C functions         <prefix>_run and what else the header declares (CEntryPoints.h)
//
// Holds after: the file compiles without a warning as C99, and what it defines is what an object of the model defines.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_COMPILER_ARTIFACT_CWRITER_H
#define ONNX_AOT_COMPILER_ARTIFACT_CWRITER_H

#include "llvm/ADT/StringRef.h"

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace onnx_aot {

struct ModelInterface;
namespace c {
struct Program;
} // namespace c

/// Weights that no code reads are dropped from `model`.
void writeC(ModelInterface &model, const c::Program &program, llvm::StringRef prefix, llvm::raw_ostream &os);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_ARTIFACT_CWRITER_H
