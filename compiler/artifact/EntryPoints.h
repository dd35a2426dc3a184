//===- EntryPoints.h - The C functions of a model, in LLVM IR -------------===//
//
// What it is for: makes the C ABI of runtime.h around the translated entry. How it works:
//
//   define i32 @main(ptr %x, ptr %y, ptr %arena)         becomes internal @mnist_main
//   define i32 @mnist_run(ptr %x, ptr %y, ptr %arena)    checks the pointers, then calls it (and so inlines it)
//   define internal i32 @mnist_entry(ptr, ptr, ptr)      takes arrays of pointers: onnx_aot_model.entry
//   @mnist_model = constant {...}                        the description as data
//   define weak_odr i64 @onnx_aot_status_text(...)       the description's own reader
//   @mnist_weights = hidden externally_initialized constant [N x i8] zeroinitializer
//
// The weights are zeros to LLVM, and "externally initialized", so nothing is folded from them; their bytes are put into
// the object file afterwards (ObjectWriter).
//
// Holds before: triple and data layout of the module are final; @main takes the interface's inputs, outputs and the
// arena as bare pointers. Holds after: only `<prefix>_run`, `<prefix>_model` and `onnx_aot_status_text` are visible
// outside of what is linked; `linkRuntime` must follow for the status text.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_COMPILER_ARTIFACT_ENTRYPOINTS_H
#define ONNX_AOT_COMPILER_ARTIFACT_ENTRYPOINTS_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace llvm {
class Module;
} // namespace llvm

namespace onnx_aot {

struct ModelInterface;

/// Weights that no code reads are dropped, from the module and from `model`.
llvm::Error emitEntryPoints(llvm::Module &module, ModelInterface &model, llvm::StringRef prefix);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_ARTIFACT_ENTRYPOINTS_H
