//===- CEntryPoints.h - The C functions of a model, as C ------------------===//
//
// What it is for: the same C ABI that EntryPoints makes in LLVM IR, as text around the printed <prefix>_main: the
// functions that the header declares, onnx_aot_model.plan and .entry, and the description.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_COMPILER_ARTIFACT_CENTRYPOINTS_H
#define ONNX_AOT_COMPILER_ARTIFACT_CENTRYPOINTS_H

#include "llvm/ADT/StringRef.h"

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace onnx_aot {

struct ModelInterface;
namespace c {
struct Program;
} // namespace c

void writeCEntryPoints(const ModelInterface &model, const c::Program &program, llvm::StringRef prefix,
                       llvm::raw_ostream &os);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_ARTIFACT_CENTRYPOINTS_H
