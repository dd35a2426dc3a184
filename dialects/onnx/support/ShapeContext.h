//===- ShapeContext.h - how an operator reads shapes and states its own -------------------------------------------===//
//
// An operator's inferResults() is written once, against this context: dims are `Dim`s with ordinary arithmetic (see
// Dim.h). At import they are constants or unknown, as types tell; from the graph stage on a ShapeAnalysis stands behind
// the context, and dims are expressions over the model's symbols. Example (Flatten):
//
//   ArrayRef<Dim> in = *ctx.shape(getInput());
//   results.emplace_back(ctx.elementType(getInput()), {product(in.take_front(axis)), product(in.drop_front(axis))});
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_SUPPORT_SHAPECONTEXT_H
#define ONNX_AOT_DIALECTS_ONNX_SUPPORT_SHAPECONTEXT_H

#include "dialects/onnx/support/Dim.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"
#include "mlir/IR/Value.h"
#include <optional>

namespace onnx_aot::onnx {

/// The type of one result. No dims: the rank is not known.
struct ResultShape {
  ResultShape(mlir::Type elementType, std::optional<Shape> dims = std::nullopt)
      : elementType(elementType), dims(std::move(dims)) {}
  mlir::Type elementType;
  std::optional<Shape> dims;
};

class ShapeAnalysis;

class ShapeContext {
public:
  /// Knows what types and constants tell.
  ShapeContext() = default;
  /// Knows what `analysis` has recorded, too.
  explicit ShapeContext(ShapeAnalysis &analysis) : analysis(&analysis) {}

  mlir::Type elementType(mlir::Value value) const;
  /// The dims of a tensor value; nullopt where its rank is unknown.
  std::optional<Shape> shape(mlir::Value value) const;
  /// The constant that `value` is, or null.
  mlir::ElementsAttr constant(mlir::Value value) const;
  /// The elements of an integer tensor of rank 0 or 1 that is constant; nullopt elsewhere (also for a null value).
  std::optional<llvm::SmallVector<int64_t>> integers(mlir::Value value) const;
  /// The elements of an integer tensor of rank 0 or 1 as dims, known one by one; nullopt where not even their number
  /// is known. Nothing says that they are not negative.
  std::optional<Shape> dims(mlir::Value value) const;
  /// The same of a list that has to have `count` elements; where its type does not tell how many it has, the lowering
  /// has to check it.
  std::optional<Shape> dims(mlir::Value value, int64_t count) const;

private:
  ShapeAnalysis *analysis = nullptr;
};

/// Numpy's multidirectional broadcasting. nullopt where a rank is unknown; emits an error on `op` and fails where two
/// known dims disagree.
llvm::FailureOr<std::optional<Shape>> broadcastShapes(mlir::Operation *op, llvm::ArrayRef<std::optional<Shape>> shapes);

/// The element type of an elementwise result, by the operands' types.
enum class ElementRule {
  Same,  // all operands have the same, which is the result's
  Bool,  // all operands have the same, the result is bool
  First, // operands may differ, the result's is the first one's
};

/// inferResults of operators that broadcast all their operands to one result.
llvm::LogicalResult inferElementwise(mlir::Operation *op, ShapeContext &ctx,
                                     llvm::SmallVectorImpl<ResultShape> &results, ElementRule rule);

/// Brings `axis` into 0..rank-1; emits an error on `op` where it lies outside -rank..rank-1.
llvm::FailureOr<int64_t> normalizeAxis(mlir::Operation *op, int64_t axis, int64_t rank);
llvm::FailureOr<llvm::SmallVector<int64_t>> normalizeAxes(mlir::Operation *op, llvm::ArrayRef<int64_t> axes,
                                                          int64_t rank);

} // namespace onnx_aot::onnx

#endif
