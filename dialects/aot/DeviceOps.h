//===- DeviceOps.h - what a run asks of a device (see Device.td, Fused.td) ----------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_AOT_DEVICEOPS_H
#define ONNX_AOT_DIALECTS_AOT_DEVICEOPS_H

#include "dialects/aot/AotDialect.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"

namespace onnx_aot::aot {

struct StreamResource : mlir::SideEffects::Resource::Base<StreamResource> {
  llvm::StringRef getName() override { return "stream"; }
};

/// The module that holds the kernels, and their launches' callees.
inline constexpr llvm::StringLiteral kDeviceModule = "device";

/// The longest row whose elements the threads of a block keep in registers (aot.rows).
inline constexpr int64_t kRowInRegisters = 8192;

/// On a kernel: the threads of a block.
inline constexpr llvm::StringLiteral kThreadsAttr = "aot.threads";

} // namespace onnx_aot::aot

#define GET_OP_CLASSES
#include "dialects/aot/DeviceOps.h.inc"

#endif
