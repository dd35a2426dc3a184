//===- FusePrologue.h - what widens elements, into the kernel that reads them once --------------------------------===//
#ifndef ONNX_AOT_PASSES_SCHEDULE_FUSEPROLOGUE_H
#define ONNX_AOT_PASSES_SCHEDULE_FUSEPROLOGUE_H

#include "dialects/aot/AotDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace onnx_aot {

/// The kernel that aot-fuse-prologue moves `generic` into, or null: its only reader, perhaps of another shape.
aot::KernelOp kernelToAbsorb(mlir::linalg::GenericOp generic);

} // namespace onnx_aot

#endif
