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
/// On a kernel: the bytes of shared memory that its launches give it where code is for one architecture alone.
inline constexpr llvm::StringLiteral kSharedBytesAttr = "aot.shared_bytes";
/// On a kernel's argument: it is an aot.tensor_map.
inline constexpr llvm::StringLiteral kTensorMapAttr = "aot.tensor_map";
/// A function of kernels without arguments: whether the code is for sm_90a alone. Known when code is generated.
inline constexpr llvm::StringLiteral kIsHopper = "onnx_aot_is_sm_90a";

} // namespace onnx_aot::aot

#define GET_OP_CLASSES
#include "dialects/aot/DeviceOps.h.inc"

#endif
