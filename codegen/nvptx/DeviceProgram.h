//===- DeviceProgram.h - what the object says of its device code --------------------------------------------------===//
//
// What it is for: the runtime finds the PTX, the kernels' names and the weights in one constant,
// @onnx_aot_cuda_program, an onnx_aot_cuda_program of runtime_lib/platform/cuda. How it works: launches and the entry
// only name it; it is defined when weights have become a global of the LLVM module.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_NVPTX_DEVICEPROGRAM_H
#define ONNX_AOT_CODEGEN_NVPTX_DEVICEPROGRAM_H

#include "mlir/IR/BuiltinOps.h"

namespace llvm {
class Module;
}

namespace onnx_aot {

/// Defines the constant in `module`, if it is declared there, from the attributes of `compiled`. The device's weights
/// are those that `module` has by now.
void defineDeviceProgram(llvm::Module &module, mlir::ModuleOp compiled, bool hasFallback);

/// The PTX of the first architecture; empty where no kernels were compiled.
llvm::StringRef firstDeviceText(mlir::ModuleOp compiled);

} // namespace onnx_aot

#endif // ONNX_AOT_CODEGEN_NVPTX_DEVICEPROGRAM_H
