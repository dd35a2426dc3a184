//===- DimRanges.h - how large integers of a run can be -----------------------------------------------------------===//
//
// MLIR's integer range analysis, told what the entry's dims may be: arguments with `aot.dim` lie in their `aot.bounds`,
// and are never negative. It holds behind the checks at the entry's start.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_PASSES_BUFFER_DIMRANGES_H
#define ONNX_AOT_PASSES_BUFFER_DIMRANGES_H

#include "mlir/Analysis/DataFlowFramework.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Interfaces/InferIntRangeInterface.h"

namespace onnx_aot {

class DimRanges {
public:
  explicit DimRanges(mlir::func::FuncOp function);
  /// The signed range of `value`; the type's where nothing is known.
  mlir::ConstantIntRanges of(mlir::Value value) const;
  /// The largest number of elements that `value` can stand for, where the model bounds it. A range that is merely that
  /// of a type, as of any 32-bit number, is none.
  std::optional<int64_t> bound(mlir::Value value) const;
  bool isNonNegative(mlir::Value value) const;

private:
  mlir::DataFlowSolver solver;
  bool isSolved = false;
};

} // namespace onnx_aot

#endif
