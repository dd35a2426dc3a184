//===- Fold.h - folding operators that move elements of constants -------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_SUPPORT_FOLD_H
#define ONNX_AOT_DIALECTS_ONNX_SUPPORT_FOLD_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"

namespace onnx_aot::onnx {

/// The type of a result as its operands give it now, which may say more than the operation's own type does; null where
/// it is not static or where the operands do not agree (no error is reported).
mlir::RankedTensorType staticResultType(mlir::Operation *op, unsigned result = 0);

/// Whether a constant of this type is small enough to be made by a fold that does not only move a weight.
bool isSmall(mlir::RankedTensorType type);

/// The same elements in row-major order under another shape, without copying them; null for an unknown form.
mlir::ElementsAttr reshapeConstant(mlir::ElementsAttr source, mlir::RankedTensorType type);

/// The constant whose element at each index of `type` is element `position(index)` of `source`, counted row-major.
/// Null where the bytes of `source` are not at hand.
mlir::ElementsAttr moveElements(mlir::ElementsAttr source, mlir::RankedTensorType type,
                                llvm::function_ref<int64_t(llvm::ArrayRef<int64_t>)> position);

/// The row-major strides of a shape, in elements.
llvm::SmallVector<int64_t> rowMajorStrides(llvm::ArrayRef<int64_t> shape);

/// Calls `visit` for each index of `shape` in row-major order.
void forEachIndex(llvm::ArrayRef<int64_t> shape, llvm::function_ref<void(llvm::ArrayRef<int64_t>)> visit);

} // namespace onnx_aot::onnx

#endif
