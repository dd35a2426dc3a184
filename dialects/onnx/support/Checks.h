//===- Checks.h - what a lowering asks of values that only a run brings -------------------------------------------===//
//
// Where an operator allows only some values, its lowering puts a check before the code that relies on them. A check of
// a tensor is an aot.kernel that combines one bit per element with `and`; aot.require then asks for the result:
//
//   %all = aot.kernel "reduce" ins(%indices) ... compute { acc & (x + extent <u 2 * extent) }
//   %bits = tensor.extract %all[]
//   aot.require %ok, index_out_of_range
//
// Constants are checked here and leave no code. After a check, the code may rely on it: an index is inside its dim, and
// so on, with no clamping.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_SUPPORT_CHECKS_H
#define ONNX_AOT_DIALECTS_ONNX_SUPPORT_CHECKS_H

#include "dialects/aot/AotDialect.h"
#include "mlir/IR/AffineMap.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace onnx_aot::onnx {

/// One bit (i1) for a stored element.
using ElementTest = llvm::function_ref<mlir::Value(mlir::ImplicitLocOpBuilder &, mlir::Value)>;
/// The same for an element that is constant.
using ConstantTest = llvm::function_ref<bool(const llvm::APInt &)>;

/// The run ends with `code`, naming the node of `loc`, unless `condition` holds.
void require(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value condition, aot::Code code);

/// The same unless both extents are the same.
void requireEqual(mlir::OpBuilder &builder, mlir::Location loc, mlir::OpFoldResult a, mlir::OpFoldResult b,
                  aot::Code code);

/// `tensor` under `type`; where that says more about an extent, the run checks it.
mlir::Value fitTensor(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value tensor, mlir::Type type);

/// The run ends with `code` unless `holds` for every element of `stored`, or for those that `map` reads (from as many
/// iteration dims as it has). Where `stored` is a constant of integers and `holdsFor` holds for all its elements,
/// nothing is built.
void requireAll(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value stored, ElementTest holds, aot::Code code,
                ConstantTest holdsFor = nullptr, mlir::AffineMap map = {});

/// Every index (of ONNX element type `type`) lies in -extent..extent-1, or 0..extent-1 where indices may not count from
/// the end.
void requireIndices(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value stored, mlir::Type type,
                    mlir::OpFoldResult extent, mlir::AffineMap map = {}, bool fromEnd = true,
                    aot::Code code = aot::Code::index_out_of_range);

/// Every element, an integer, differs from 0.
void requireNonzero(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value stored,
                    aot::Code code = aot::Code::division_by_zero);

/// One index, an i64 or `index`, lies in low..high.
void requireWithin(mlir::ImplicitLocOpBuilder &b, mlir::Value value, mlir::OpFoldResult low, mlir::OpFoldResult high,
                   aot::Code code);

/// `size` + 1.
mlir::OpFoldResult plusOne(mlir::ImplicitLocOpBuilder &b, mlir::OpFoldResult size);

/// A stored element of the ONNX integer type `type` as an `index`.
mlir::Value toIndex(mlir::ImplicitLocOpBuilder &b, mlir::Value stored, mlir::Type type);

/// The same for an index that has been checked: negative ones count from the end of a dim of `extent` elements.
mlir::Value wrapIndex(mlir::ImplicitLocOpBuilder &b, mlir::Value stored, mlir::Type type, mlir::OpFoldResult extent);

} // namespace onnx_aot::onnx

#endif
