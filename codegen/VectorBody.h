//===- VectorBody.h - scalar bodies on vectors --------------------------------------------------------------------===//
//
// Kernels and elementwise operations say what they compute for one element. Vector code is a clone of that body with
// vectors for scalars, which is possible because strategies with vectors are chosen for elementwise bodies only.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_VECTORBODY_H
#define ONNX_AOT_CODEGEN_VECTORBODY_H

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace onnx_aot {

/// `value` in every one of `lanes` lanes; itself where it is a vector, or where there is one lane.
mlir::Value asVector(mlir::ImplicitLocOpBuilder &b, mlir::Value value, int64_t lanes);

/// Clones the operations of `body`, whose arguments `mapping` has, and returns what it yields. `position` gives the
/// value of an iteration dim (linalg.index) at each lane; null where bodies may not ask.
mlir::Value cloneOnVectors(mlir::ImplicitLocOpBuilder &b, mlir::Block &body, mlir::IRMapping &mapping, int64_t lanes,
                           llvm::function_ref<mlir::Value(uint64_t)> position = nullptr);

/// Whether `body`, repeated for every accumulator of a tile, would need registers and code that the tile has better use
/// for.
bool isLong(mlir::Block &body);

/// The first `valid` of `lanes` lanes.
mlir::Value laneMask(mlir::ImplicitLocOpBuilder &b, int64_t lanes, int64_t valid);
/// What lanes that nobody wants may compute with: ones, which divide.
mlir::Value harmlessLanes(mlir::ImplicitLocOpBuilder &b, mlir::VectorType type);

} // namespace onnx_aot

#endif
