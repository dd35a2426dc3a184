//===- ShapeAnalysis.h - symbolic shapes of a program's values ----------------------------------------------------===//
//
// Operations are recorded in the order of the program: each one's inferResults (and inferElements, for the small
// integer tensors of shape arithmetic) is run on what its operands are known to be. A dim that nothing tells becomes a
// symbol that stands for the value's own extent.
//
//   %a : tensor<?x3xf32>, named "batch"      shape (batch, 3)
//   %s = onnx.Shape %a                       elements (batch, 3)
//   %n = onnx.NonZero %a                     shape (2, extent 1 of %n)
//
// The graph stage refines types with it, the tensor stage computes sizes from it (Sizes.h).
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_SUPPORT_SHAPEANALYSIS_H
#define ONNX_AOT_DIALECTS_ONNX_SUPPORT_SHAPEANALYSIS_H

#include "dialects/onnx/support/ShapeContext.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

namespace onnx_aot::onnx {

/// No dim of an input is larger, which the entry of a model checks: exporters write this number, or the largest int32,
/// where they mean the end of any dim.
inline constexpr int64_t kLargestNamedDim = 1'000'000'000;

class ShapeAnalysis {
public:
  ShapeAnalysis() = default;
  /// Reads the names and bounds of the dims of a function's arguments (`onnx.dim_names`, `onnx.dim_bounds`).
  void addArguments(mlir::FunctionOpInterface function);

  /// Records all operations of a body in order, inner bodies before the operators around them. Types are not changed.
  llvm::LogicalResult recordAll(mlir::Region &region);
  /// Records what `op` makes, and gives its result types, which may say more than the present ones. An error of the
  /// operator has been emitted where it fails.
  llvm::FailureOr<llvm::SmallVector<mlir::Type>> record(mlir::Operation *op);
  /// Forgets what is known of `op` and the operations inside of it, which are about to be erased.
  void forget(mlir::Operation *op);
  /// `replacement` takes over what is recorded for `value`.
  void replace(mlir::Value value, mlir::Value replacement);

  /// The dims of a ranked tensor; none is unknown.
  Shape shapeOf(mlir::Value value);
  /// The dims that its operator told, of which the value's type may say more; null where there are none.
  const Shape *recordedShape(mlir::Value value) const;
  /// The elements of an integer tensor of rank 0 or 1 with a static number of elements; none is unknown.
  Shape elementsOf(mlir::Value value);
  /// The first `count` elements of a list of open length.
  Shape elementsOf(mlir::Value value, int64_t count);
  /// The elements that its operator told; null where there are none. Some may stand for themselves.
  const Shape *recordedElements(mlir::Value value) const;

  /// Whether `dim` depends on nothing that `op` makes: neither its results nor values inside of its bodies.
  bool isKnownBefore(mlir::Operation *op, Dim dim) const;

private:
  void recordShape(mlir::Operation *op, mlir::Value result, const ResultShape &shape);
  void recordElements(mlir::Operation *op, llvm::ArrayRef<mlir::Type> types);
  DimSymbols symbols;
  llvm::DenseMap<mlir::Value, Shape> shapes, elements;
};

} // namespace onnx_aot::onnx

#endif
