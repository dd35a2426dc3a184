//===- PlainElementwise.h - elementwise operations that kernels may absorb ----------------------------------------===//
#ifndef ONNX_AOT_PASSES_SCHEDULE_PLAINELEMENTWISE_H
#define ONNX_AOT_PASSES_SCHEDULE_PLAINELEMENTWISE_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace onnx_aot {

/// Whether `generic` is no more than its body, for every element of its one result by itself.
bool isPlainElementwise(mlir::linalg::GenericOp generic);

} // namespace onnx_aot

#endif
