//===- ShapeContext.cpp - dims, broadcasting, axes ----------------------------------------------------------------===//
#include "dialects/onnx/support/ShapeContext.h"
#include "dialects/onnx/OnnxInterfaces.h"
#include "dialects/onnx/support/Axes.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/support/SequenceTypes.h"
#include "dialects/onnx/support/ShapeAnalysis.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace onnx_aot::onnx;

/// No result has more elements, dims of extent 0 left aside: address spaces end there, and sizes in bits, strides and
/// sums of sizes stay far from overflow.
static constexpr int64_t kMostElements = int64_t(1) << 47;

Type ShapeContext::elementType(Value value) const { return getElementTypeOrSelf(value.getType()); }

std::optional<Shape> ShapeContext::shape(Value value) const {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type)
    return std::nullopt;
  if (analysis)
    return analysis->shapeOf(value);
  Shape dims;
  for (int64_t dim : type.getShape())
    dims.push_back(Dim::fromType(dim));
  return dims;
}

ElementsAttr ShapeContext::constant(Value value) const { return getConstant(value); }

std::optional<SmallVector<int64_t>> ShapeContext::integers(Value value) const {
  if (!value)
    return std::nullopt;
  if (auto constant = getConstantIntegers(value))
    return constant;
  const Shape *elements = analysis ? analysis->recordedElements(value) : nullptr;
  if (!elements || !llvm::all_of(*elements, [](Dim dim) { return dim.isKnown(); }))
    return std::nullopt;
  return llvm::map_to_vector(*elements, [](Dim dim) { return dim.get(); });
}

std::optional<Shape> ShapeContext::dims(Value value) const {
  if (auto values = integers(value))
    return Shape(values->begin(), values->end());
  std::optional<Shape> extent = value ? shape(value) : std::nullopt;
  // A longer list cannot be a shape, and must not be allocated for one.
  constexpr int64_t maxRank = 1024;
  if (!extent || extent->size() > 1 || !product(*extent).isKnown() || product(*extent).get() > maxRank)
    return std::nullopt;
  return analysis && isa<IntegerType>(elementType(value)) ? analysis->elementsOf(value) : Shape(product(*extent).get());
}

std::optional<Shape> ShapeContext::dims(Value value, int64_t count) const {
  auto type = value ? dyn_cast<RankedTensorType>(value.getType()) : nullptr;
  if (!analysis || !type || type.getRank() != 1 || !type.isDynamicDim(0) || !isa<IntegerType>(elementType(value)))
    return dims(value);
  return analysis->elementsOf(value, count);
}

FailureOr<std::optional<Shape>> onnx_aot::onnx::broadcastShapes(Operation *op, ArrayRef<std::optional<Shape>> shapes) {
  Shape result;
  for (const std::optional<Shape> &shape : shapes) {
    if (!shape)
      return std::optional<Shape>();
    if (shape->size() > result.size())
      result.insert(result.begin(), shape->size() - result.size(), Dim(1));
    size_t offset = result.size() - shape->size();
    for (auto [index, dim] : llvm::enumerate(*shape)) {
      Dim &merged = result[offset + index];
      if (!merged.isKnown() || !dim.isKnown() || merged.is(1) || dim.is(1))
        merged = Dim::broadcast(merged, dim);
      else if (dim.get() != merged.get()) {
        op->emitOpError("shapes do not broadcast: ")
            << merged.get() << " against " << dim.get() << " in axis " << offset + index;
        return failure();
      }
    }
  }
  return std::optional<Shape>(result);
}

LogicalResult onnx_aot::onnx::inferElementwise(Operation *op, ShapeContext &ctx, SmallVectorImpl<ResultShape> &results,
                                               ElementRule rule) {
  if (op->getNumOperands() == 0)
    return op->emitOpError("has no inputs");
  Type element = ctx.elementType(op->getOperand(0));
  SmallVector<std::optional<Shape>> shapes;
  for (Value operand : op->getOperands()) {
    if (rule != ElementRule::First && ctx.elementType(operand) != element)
      return op->emitOpError("inputs have different element types: ") << element << " and " << ctx.elementType(operand);
    shapes.push_back(ctx.shape(operand));
  }
  FailureOr<std::optional<Shape>> shape = broadcastShapes(op, shapes);
  if (failed(shape))
    return failure();
  if (rule == ElementRule::Bool)
    element = IntegerType::get(op->getContext(), 1);
  results.emplace_back(element, *shape);
  return success();
}

FailureOr<int64_t> onnx_aot::onnx::normalizeAxis(Operation *op, int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank) {
    op->emitOpError("axis ") << axis << " is outside a tensor of rank " << rank;
    return failure();
  }
  return wrapAxis(axis, rank);
}

FailureOr<SmallVector<int64_t>> onnx_aot::onnx::normalizeAxes(Operation *op, ArrayRef<int64_t> axes, int64_t rank) {
  SmallVector<int64_t> result;
  for (int64_t axis : axes) {
    FailureOr<int64_t> normalized = normalizeAxis(op, axis, rank);
    if (failed(normalized))
      return failure();
    result.push_back(*normalized);
  }
  return result;
}

FailureOr<SmallVector<ResultShape>> onnx_aot::onnx::inferResultShapes(Operation *op, ShapeContext context) {
  auto onnxOp = dyn_cast<OnnxOpInterface>(op);
  SmallVector<ResultShape> shapes;
  if (!onnxOp || failed(onnxOp.inferResults(context, shapes)))
    return failure();
  for (auto [index, shape] : llvm::enumerate(shapes)) {
    if (!shape.dims)
      continue;
    Dim elements = 1;
    for (Dim dim : *shape.dims) {
      if (dim.isKnown() && dim.get() < 0)
        return op->emitOpError("a result would have the negative dimension ") << dim.get();
      if (dim.isKnown() && !dim.is(0))
        elements = elements * dim;
    }
    if (!elements.isKnown() || elements.get() > kMostElements)
      return op->emitOpError("the size of result ") << index << ", " << typeOf(shape) << ", overflows";
  }
  return shapes;
}

Type onnx_aot::onnx::typeOf(const ResultShape &shape) {
  if (isCompound(shape.elementType))
    return shape.elementType;
  if (!shape.dims)
    return UnrankedTensorType::get(shape.elementType);
  return RankedTensorType::get(llvm::map_to_vector(*shape.dims, [](Dim dim) { return dim.toType(); }),
                               shape.elementType);
}

FailureOr<SmallVector<Type>> onnx_aot::onnx::inferResultTypes(Operation *op, ShapeContext context) {
  FailureOr<SmallVector<ResultShape>> shapes = inferResultShapes(op, context);
  if (failed(shapes))
    return failure();
  return SmallVector<Type>(llvm::map_range(*shapes, typeOf));
}
