//===- RuntimeLink.h - Links the runtime library into a module ------------===//
//
// What it is for: emitted objects stand alone, so the runtime functions that a module calls become internal functions
// of it, inlined and compiled for its target. How it works: the bitcode is parsed, stripped of everything that ties it
// to the target it was compiled for, and only what the module declares and lacks is linked.
//
//   declare float @onnx_aot_expf(float)    ->    define internal float @onnx_aot_expf(float) { ... }
//
// Holds before: triple and data layout of the module are final. Holds after: no declared function of the module has a
// definition in the runtime library. `prepareModule` must follow, for the attributes of the new functions.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_CODEGEN_RUNTIMELINK_H
#define ONNX_AOT_CODEGEN_RUNTIMELINK_H

#include "llvm/Support/Error.h"

namespace llvm {
class Module;
} // namespace llvm

namespace onnx_aot {

llvm::Error linkRuntime(llvm::Module &module);

} // namespace onnx_aot

#endif // ONNX_AOT_CODEGEN_RUNTIMELINK_H
