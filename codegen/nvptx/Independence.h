//===- Independence.h - whether operations touch the same elements ------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_NVPTX_INDEPENDENCE_H
#define ONNX_AOT_CODEGEN_NVPTX_INDEPENDENCE_H

#include "mlir/IR/Operation.h"

namespace onnx_aot {

/// Whether two buffers may have an element in common. Parts of a buffer are told apart by their boxes, and what lies in
/// the arena by its bytes; arguments do not overlap (runtime.h); what a run chooses, or a loop carries, may be
/// anything.
bool mayMeet(mlir::Value left, mlir::Value right);

/// Whether one of two structured operations may touch what the other one stores.
bool mayDepend(mlir::Operation *left, mlir::Operation *right);

} // namespace onnx_aot

#endif // ONNX_AOT_CODEGEN_NVPTX_INDEPENDENCE_H
