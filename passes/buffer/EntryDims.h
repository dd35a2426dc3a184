//===- EntryDims.h - what the caller can know about the dims of a result ------------------------------------------===//
//
// What it is for: a result with dims that are only known at run time crosses the C interface in one of three ways, by
// what its dims depend on.
//
//   OfDims   they are functions of the entry's dims: the caller computes them before the run
//   Bounded  the data decide, but no more than `max` elements per dim: the caller's buffer holds the largest
//   Open     the data decide: the run puts the result into memory of the context
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_PASSES_BUFFER_ENTRYDIMS_H
#define ONNX_AOT_PASSES_BUFFER_ENTRYDIMS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"

namespace onnx_aot {

/// A dim of which no upper bound is known.
inline constexpr int64_t kNoBound = INT64_MAX;

struct ResultDims {
  enum class Kind { Static, OfDims, Bounded, Open };
  Kind kind = Kind::Static;
  llvm::SmallVector<mlir::OpFoldResult> dims;
  llvm::SmallVector<int64_t> max; // kNoBound where there is none
};

/// The arguments of the entry that hold dims, in order.
llvm::SmallVector<mlir::BlockArgument> dimArguments(mlir::func::FuncOp entry);

/// Expresses the dims of all operands of the entry's return by what they are made from, as far as operations tell, and
/// sorts the operands. Dims of arguments become the arguments with their names.
llvm::SmallVector<ResultDims> resolveResultDims(mlir::func::FuncOp entry);

/// Whether `value` is made from the entry's dims alone, by operations of its block that have no effects.
bool isOfDims(mlir::Value value);

/// `value`, which is of dims, computed anew at the builder's place from the arguments that `mapping` has for the
/// entry's. Divisors of 0 become 1: the copy may stand where no check guards it.
mlir::Value cloneOfDims(mlir::OpBuilder &builder, mlir::Value value, mlir::IRMapping &mapping);

} // namespace onnx_aot

#endif
