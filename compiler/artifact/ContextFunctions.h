//===- ContextFunctions.h - The functions of a context, in LLVM IR --------===//
//
// What it is for: each model whose run takes a context brings the public functions of contexts (onnx_aot/runtime.h),
// weakly: the linker keeps the first. How it works: they are wrappers, with the target's own types, around those of
// runtime_lib/core, which are compiled for no target in particular.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_COMPILER_ARTIFACT_CONTEXTFUNCTIONS_H
#define ONNX_AOT_COMPILER_ARTIFACT_CONTEXTFUNCTIONS_H

namespace llvm {
class Function;
class Module;
} // namespace llvm

namespace onnx_aot {

/// Those that a model's description names.
struct ContextFunctions {
  llvm::Function *init = nullptr, *destroy = nullptr;
};

/// Data layout and triple of the module are final; the core's functions are declared, for linkRuntime to define.
ContextFunctions emitContextFunctions(llvm::Module &module);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_ARTIFACT_CONTEXTFUNCTIONS_H
