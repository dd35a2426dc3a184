//===- Choosing.h - operators whose extents only the elements tell ------------------------------------------------===//
//
// NonZero, Compress, Unique and NonMaxSuppression have in common that a loop fills a list whose length comes out on the
// way. Loops carry tensors that they write one element of at a time, without branches, so that they bufferise in place:
// where nothing is to be written, the present element is written again. Counts are clamped to what they cannot exceed,
// so that the memory planner sees it.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_INDEXING_CHOOSING_H
#define ONNX_AOT_DIALECTS_ONNX_INDEXING_CHOOSING_H

#include "dialects/onnx/support/Lowering.h"

namespace onnx_aot::onnx {

void populateChoosingToLinalg(mlir::TypeConverter &converter, mlir::RewritePatternSet &patterns);
void populateUniqueToLinalg(mlir::TypeConverter &converter, mlir::RewritePatternSet &patterns);
void populateNonMaxSuppressionToLinalg(mlir::TypeConverter &converter, mlir::RewritePatternSet &patterns);

/// `count`, an index that is known to lie in 0..bound.
mlir::Value clampCount(mlir::ImplicitLocOpBuilder &b, mlir::Value count, mlir::OpFoldResult bound);

/// A loop from 0 to `count` that carries `initial`.
llvm::SmallVector<mlir::Value> buildCarrying(
    mlir::ImplicitLocOpBuilder &b, mlir::Value count, mlir::ValueRange initial,
    llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::ImplicitLocOpBuilder &, mlir::Value, mlir::ValueRange)>
        body);

/// The first position in 0..count-1 where `holds`, or `count`. `holds` is only asked inside of the range.
mlir::Value buildFind(mlir::ImplicitLocOpBuilder &b, mlir::Value count,
                      llvm::function_ref<mlir::Value(mlir::ImplicitLocOpBuilder &, mlir::Value)> holds);

/// `yes` (a scalar) where `condition`, otherwise `no`; only one of them is computed.
mlir::Value buildEither(mlir::ImplicitLocOpBuilder &b, mlir::Value condition,
                        llvm::function_ref<mlir::Value(mlir::ImplicitLocOpBuilder &)> yes,
                        llvm::function_ref<mlir::Value(mlir::ImplicitLocOpBuilder &)> no);

/// An i64 element of a list as an index, and the reverse.
mlir::Value loadIndex(mlir::ImplicitLocOpBuilder &b, mlir::Value list, mlir::ValueRange at);
mlir::Value storeIndex(mlir::ImplicitLocOpBuilder &b, mlir::Value index, mlir::Value list, mlir::ValueRange at);

/// The slices of `data` along `axis` that the indices `list` name, in its order.
mlir::Value buildTaken(mlir::ImplicitLocOpBuilder &b, mlir::Value data, int64_t axis, mlir::Value list);

/// A sorted list: its entry k is table[row, k].
struct SortedList {
  mlir::Value table, row;
};
/// Whether the first entry comes before the second.
using EntryOrder = llvm::function_ref<mlir::Value(mlir::ImplicitLocOpBuilder &, mlir::Value, mlir::Value)>;
/// Sorts the first `count` entries of row 0 of `table` [2, capacity] of i64; equal ones stay in their order.
SortedList buildSort(mlir::ImplicitLocOpBuilder &b, mlir::Value table, mlir::Value count, EntryOrder isBefore);

} // namespace onnx_aot::onnx

#endif
