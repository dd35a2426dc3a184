//===- ShapeContext.h - how an operator reads shapes and states its own -------------------------------------------===//
//
// An operator's inferResults() is written once, against this context: dims are `Dim`s with ordinary arithmetic, where
// an unknown dim makes every expression that uses it unknown. Example (Flatten):
//
//   ArrayRef<Dim> in = *ctx.shape(getInput());
//   results.emplace_back(ctx.elementType(getInput()), {product(in.take_front(axis)), product(in.drop_front(axis))});
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_SUPPORT_SHAPECONTEXT_H
#define ONNX_AOT_DIALECTS_ONNX_SUPPORT_SHAPECONTEXT_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"
#include "mlir/IR/Value.h"
#include <optional>

namespace onnx_aot::onnx {

/// An extent: a constant, or not known.
class Dim {
public:
  Dim() = default;
  Dim(int64_t value) : value(value) {}
  static Dim fromType(int64_t dim) { return mlir::ShapedType::isDynamic(dim) ? Dim() : Dim(dim); }

  bool isKnown() const { return value.has_value(); }
  /// Only where isKnown().
  int64_t get() const { return *value; }
  bool is(int64_t constant) const { return value && *value == constant; }
  int64_t toType() const { return value.value_or(mlir::ShapedType::kDynamic); }

  /// Unknown when the result overflows 64 bits.
  Dim operator+(Dim other) const;
  Dim operator-(Dim other) const;
  Dim operator*(Dim other) const;
  Dim floorDiv(int64_t divisor) const;
  Dim ceilDiv(int64_t divisor) const;

private:
  std::optional<int64_t> value;
};

using Shape = llvm::SmallVector<Dim>;

/// The product of `dims`; 1 for none, 0 when one of them is 0 even where others are unknown.
Dim product(llvm::ArrayRef<Dim> dims);

/// The type of one result. No dims: the rank is not known.
struct ResultShape {
  ResultShape(mlir::Type elementType, std::optional<Shape> dims = std::nullopt)
      : elementType(elementType), dims(std::move(dims)) {}
  mlir::Type elementType;
  std::optional<Shape> dims;
};

class ShapeContext {
public:
  mlir::Type elementType(mlir::Value value) const;
  /// The dims of a tensor value; nullopt where its rank is unknown.
  std::optional<Shape> shape(mlir::Value value) const;
  /// The constant that `value` is, or null.
  mlir::ElementsAttr constant(mlir::Value value) const;
  /// The elements of an integer tensor of rank 0 or 1 that is constant; nullopt elsewhere (also for a null value).
  std::optional<llvm::SmallVector<int64_t>> integers(mlir::Value value) const;
  /// The elements of an integer tensor of rank 0 or 1 as dims, known one by one; nullopt where not even their number
  /// is known.
  std::optional<Shape> dims(mlir::Value value) const;
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
