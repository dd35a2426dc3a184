//===- EntryPoints.h - The C functions of a model, in LLVM IR -------------===//
//
// What it is for: makes the C ABI of runtime.h around the translated entry. How it works:
//
//   define i32 @main(ptr %x, ptr %y, ptr %arena)         becomes internal @mnist_main
//   define i32 @mnist_run(ptr %x, ptr %y, ptr %arena)    checks the pointers, then calls it (and so inlines it)
//   define internal i32 @mnist_entry(ptr, ...)           takes arrays of pointers: onnx_aot_model.entry
//   @mnist_model = constant {...}                        the description as data
//   define weak_odr i64 @onnx_aot_status_text(...)       the description's own reader
//   define weak_odr void @onnx_aot_context_init(...)     and its three companions, where a run takes a context
//   define i64 @mnist_arena_bytes(i64 %batch)            where the arena's size depends on dims
//   define i32 @mnist_output_dims(i64 %batch, ptr)       where an output's shape is not constant
//   define internal i32 @mnist_plan(ptr, ptr, ptr)       both: onnx_aot_model.plan
//   @mnist_weights = hidden externally_initialized constant [N x i8] zeroinitializer
//
// The weights are zeros to LLVM, and "externally initialized", so nothing is folded from them; their bytes are put into
// the object file afterwards (ObjectWriter).
//
// Holds before: triple and data layout of the module are final; @main takes the interface's inputs, outputs, dims,
// output dims, the arena and the context in this order, buffers as bare pointers. Holds after: only the functions above
// and `<prefix>_model` are visible outside of what is linked; `linkRuntime` must follow for what they call.
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
