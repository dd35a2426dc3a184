//===- MakeKernels.h - structured operations become kernels and launches ------------------------------------------===//
//
// What it is for: a kernel in the module @device and a launch for every structured operation of the entry. How it
// works: the shape of its loop nest says which emitter makes it (DeviceNest.h). Elementwise operations that follow each
// other and do not depend on each other are one kernel. What only the host asks for of what lies there, such as checks
// of inputs, stays with the host.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_NVPTX_MAKEKERNELS_H
#define ONNX_AOT_CODEGEN_NVPTX_MAKEKERNELS_H

#include "codegen/nvptx/KernelBuilder.h"

namespace onnx_aot {

/// `hostInputs` are inputs of which the host has the elements. Fails where a kernel cannot be made, with a diagnostic.
mlir::LogicalResult makeKernels(mlir::func::FuncOp entry, const DeviceContext &context,
                                llvm::ArrayRef<mlir::BlockArgument> hostInputs);

} // namespace onnx_aot

#endif // ONNX_AOT_CODEGEN_NVPTX_MAKEKERNELS_H
