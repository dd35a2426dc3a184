//===- Ranges.h - which arithmetic cannot overflow ----------------------------------------------------------------===//
//
// What it is for: integers of MLIR wrap around, signed ones of C may not overflow. Where a sum or a product is known to
// fit, or only makes an address of something that exists, C gets the plain operator, which reads well and lets its
// compiler reason; elsewhere the printer computes on unsigned numbers.
//
// How it works: MLIR's integer range analysis over the whole module, and the uses of a value.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_C_RANGES_H
#define ONNX_AOT_CODEGEN_C_RANGES_H

#include "mlir/Analysis/DataFlowFramework.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Interfaces/InferIntRangeInterface.h"

namespace onnx_aot::c {

class Ranges {
public:
  static mlir::FailureOr<std::unique_ptr<Ranges>> of(mlir::ModuleOp module);

  bool isNonNegative(mlir::Value value) const;
  /// Whether the result of an addition, subtraction or multiplication fits its signed type. An index then fits
  /// ptrdiff_t on every target that has `largestIndex`.
  bool fits(mlir::Operation *op);
  /// Whether a shift's distance is known to be less than the width.
  bool isShiftInRange(mlir::Value distance, unsigned width) const;
  /// The largest index that was relied on.
  int64_t largestIndex() const { return largest; }

private:
  explicit Ranges(mlir::ModuleOp module);
  std::optional<mlir::ConstantIntRanges> range(mlir::Value value) const;
  /// Whether all that an index is used for is to find elements of buffers.
  bool isAddress(mlir::Value value) const;

  mlir::DataFlowSolver solver;
  int64_t largest = 0;
};

} // namespace onnx_aot::c

#endif // ONNX_AOT_CODEGEN_C_RANGES_H
