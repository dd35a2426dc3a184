//===- GeneratorOps.cpp - shapes and folds of the operators that make tensors -------------------------------------===//
#include "dialects/onnx/generator/Generator.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/support/DataTypes.h"
#include "dialects/onnx/support/Fold.h"
#include <cmath>

using namespace mlir;
using namespace onnx_aot::onnx;

LogicalResult ConstantOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  ShapedType type = getValue().getShapedType();
  Shape dims(type.getShape().begin(), type.getShape().end());
  results.emplace_back(type.getElementType(), dims);
  return success();
}

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }

//===-- ConstantOfShape -------------------------------------------------------------------------------------------===//

Attribute ConstantOfShapeOp::getFill() {
  if (!getValue())
    return FloatAttr::get(Float32Type::get(getContext()), 0.0);
  auto dense = dyn_cast<DenseElementsAttr>(*getValue());
  return dense && dense.getNumElements() == 1 ? *dense.getValues<Attribute>().begin() : Attribute();
}

LogicalResult ConstantOfShapeOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  auto fill = dyn_cast_or_null<TypedAttr>(getFill());
  if (!fill) // (C2)
    return emitOpError("value must have one element");
  std::optional<Shape> dims = ctx.dims(getInput()), list = ctx.shape(getInput());
  if (list && list->size() != 1) // (C1)
    return emitOpError("the shape must be a list of extents");
  for (Dim dim : dims.value_or(Shape()))
    if (dim.isKnown() && dim.get() < 0)
      return emitOpError("the shape has the extent ") << dim.get();
  results.emplace_back(fill.getType(), dims);
  return success();
}

std::optional<Shape> ConstantOfShapeOp::inferElements(ShapeContext &ctx, unsigned) {
  std::optional<Shape> shape = ctx.dims(getInput());
  auto fill = dyn_cast_or_null<IntegerAttr>(getFill());
  constexpr int64_t longest = 64;
  Dim count = shape ? product(*shape) : Dim();
  if (!fill || !count.isKnown() || count.get() < 0 || count.get() > longest)
    return std::nullopt;
  int64_t value = (fill.getType().isInteger(1) || fill.getType().isUnsignedInteger())
                      ? int64_t(fill.getValue().getZExtValue())
                      : fill.getValue().getSExtValue();
  return Shape(count.get(), Dim(value));
}

OpFoldResult ConstantOfShapeOp::fold(FoldAdaptor) {
  RankedTensorType type = getConstant(getInput()) ? staticResultType(*this) : nullptr;
  if (!type || !isSmall(type))
    return nullptr;
  return DenseElementsAttr::get(type, getFill());
}

//===-- Range -----------------------------------------------------------------------------------------------------===//

/// The number of elements of a Range with constant operands.
static Dim countOf(RangeOp op) {
  if (auto start = getConstantIntegers(op.getStart())) {
    auto limit = getConstantIntegers(op.getLimit()), delta = getConstantIntegers(op.getDelta());
    if (!limit || !delta || start->empty() || limit->empty() || delta->empty() || delta->front() == 0)
      return Dim();
    // In 128 bits, so that no difference of two operands overflows.
    __int128 distance = __int128(limit->front()) - start->front(), step = delta->front();
    if (step < 0) {
      distance = -distance;
      step = -step;
    }
    __int128 count = distance <= 0 ? 0 : (distance + step - 1) / step;
    return count > INT64_MAX ? Dim() : Dim(int64_t(count));
  }
  auto start = getConstantFloats(op.getStart()), limit = getConstantFloats(op.getLimit()),
       delta = getConstantFloats(op.getDelta());
  if (!start || !limit || !delta || start->empty() || limit->empty() || delta->empty())
    return Dim();
  double count = std::ceil((limit->front() - start->front()) / delta->front());
  if (!(count > 0)) // also NaN
    return count <= 0 ? Dim(0) : Dim();
  return count < 0x1p53 ? Dim(int64_t(count)) : Dim();
}

/// The number of elements where the direction is known.
static Dim symbolicCount(std::optional<Shape> start, std::optional<Shape> limit, std::optional<Shape> delta) {
  if (!start || !limit || !delta || start->size() != 1 || limit->size() != 1 || delta->size() != 1 ||
      !delta->front().isKnown() || delta->front().is(0))
    return Dim();
  int64_t step = delta->front().get();
  Dim distance = step > 0 ? limit->front() - start->front() : start->front() - limit->front();
  return Dim::max(distance.ceilDiv(step > 0 ? step : -step), 0);
}

LogicalResult RangeOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type elementType = ctx.elementType(getStart());
  for (Value operand : getOperands()) {
    std::optional<Shape> shape = ctx.shape(operand);
    bool isOne = !shape || !product(*shape).isKnown() || product(*shape).is(1);
    if (ctx.elementType(operand) != elementType || !isOne || (shape && shape->size() > 1)) // (C1)
      return emitOpError("start, limit and delta must be one element of one type");
  }
  auto isZero = [](const auto &values) { return values && !values->empty() && values->front() == 0; };
  if (isZero(getConstantIntegers(getDelta())) || isZero(getConstantFloats(getDelta()))) // (C2)
    return emitOpError("delta is 0");
  Dim count = countOf(*this);
  if (count.isUnknown() && isa<IntegerType>(elementType))
    count = symbolicCount(ctx.dims(getStart()), ctx.dims(getLimit()), ctx.dims(getDelta()));
  results.emplace_back(elementType, Shape{count});
  return success();
}

/// Appends a number as an element of `type`.
static void appendNumber(SmallVectorImpl<char> &bytes, Type type, double value) {
  APInt bits;
  if (auto real = dyn_cast<FloatType>(type)) {
    APFloat number(value);
    bool lost;
    number.convert(real.getFloatSemantics(), APFloat::rmNearestTiesToEven, &lost);
    bits = number.bitcastToAPInt();
  } else {
    bits = APInt(64, uint64_t(int64_t(value)));
  }
  uint64_t raw = bits.getZExtValue();
  const char *data = reinterpret_cast<const char *>(&raw);
  bytes.append(data, data + bytesPerElement(type));
}

std::optional<Shape> RangeOp::inferElements(ShapeContext &ctx, unsigned) {
  std::optional<Shape> start = ctx.dims(getStart()), delta = ctx.dims(getDelta());
  auto type = dyn_cast<RankedTensorType>(getType());
  constexpr int64_t longest = 64;
  if (!start || !delta || start->size() != 1 || delta->size() != 1 || !type || !type.hasStaticShape() ||
      type.getNumElements() > longest)
    return std::nullopt;
  Shape elements;
  for (int64_t i = 0; i < type.getNumElements(); ++i)
    elements.push_back(start->front() + delta->front() * i);
  return elements;
}

OpFoldResult RangeOp::fold(FoldAdaptor) {
  RankedTensorType type = getConstant(getStart()) ? staticResultType(*this) : nullptr;
  if (!type || !isSmall(type))
    return nullptr;
  SmallVector<char> bytes;
  if (auto start = getConstantIntegers(getStart())) {
    int64_t size = bytesPerElement(type.getElementType());
    uint64_t value = start->front(), delta = getConstantIntegers(getDelta())->front();
    for (int64_t i = 0; i < type.getNumElements(); ++i, value += delta) {
      const char *data = reinterpret_cast<const char *>(&value);
      bytes.append(data, data + size);
    }
  } else {
    double first = getConstantFloats(getStart())->front(), delta = getConstantFloats(getDelta())->front();
    for (int64_t i = 0; i < type.getNumElements(); ++i)
      appendNumber(bytes, type.getElementType(), first + i * delta);
  }
  return makeConstant(type, bytes, "range");
}

//===-- EyeLike ---------------------------------------------------------------------------------------------------===//

LogicalResult EyeLikeOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type elementType = ctx.elementType(getInput());
  if (getDtype())
    elementType = elementTypeOfDataType(getContext(), *getDtype());
  if (!elementType || !elementType.isIntOrFloat())
    return emitOpError("dtype is not a number's");
  std::optional<Shape> in = ctx.shape(getInput());
  if (in && in->size() != 2) // (C1)
    return emitOpError("the input must be a matrix");
  results.emplace_back(elementType, in);
  return success();
}

//===-- Windows ---------------------------------------------------------------------------------------------------===//

template <typename OpTy>
static LogicalResult inferWindow(OpTy op, ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type elementType = elementTypeOfDataType(op.getContext(), op.getOutputDatatype());
  if (!elementType || !elementType.isIntOrFloat() || elementType.isInteger(1))
    return op.emitOpError("output_datatype is not a number's");
  std::optional<Shape> size = ctx.dims(op.getSize());
  if (size && (size->size() != 1 || (size->front().isKnown() && size->front().get() < 0))) // (C1)
    return op.emitOpError("size must be one number of 0 or more");
  results.emplace_back(elementType, Shape{size ? size->front() : Dim()});
  return success();
}

template <typename OpTy> static OpFoldResult foldWindow(OpTy op) {
  RankedTensorType type = getConstant(op.getSize()) ? staticResultType(op) : nullptr;
  return type ? OpFoldResult(op.makeWindow(type)) : nullptr;
}

template <typename OpTy> static ElementsAttr makeCosineWindow(OpTy op, RankedTensorType type) {
  constexpr int64_t kLongest = int64_t(1) << 24;
  int64_t size = type.getNumElements(), period = op.getPeriodic() ? size : size - 1;
  if (size > kLongest)
    return nullptr;
  auto [a0, a1, a2] = op.getCoefficients();
  SmallVector<char> bytes;
  for (int64_t n = 0; n < size; ++n) {
    double x = period > 0 ? 2 * M_PI * n / period : 0;
    appendNumber(bytes, type.getElementType(), a0 - a1 * std::cos(x) + a2 * std::cos(2 * x));
  }
  return makeConstant(type, bytes, "window");
}

std::array<double, 3> HannWindowOp::getCoefficients() { return {0.5, 0.5, 0}; }
std::array<double, 3> HammingWindowOp::getCoefficients() { return {25.0 / 46, 21.0 / 46, 0}; }
std::array<double, 3> BlackmanWindowOp::getCoefficients() { return {0.42, 0.5, 0.08}; }
ElementsAttr HannWindowOp::makeWindow(RankedTensorType type) { return makeCosineWindow(*this, type); }
ElementsAttr HammingWindowOp::makeWindow(RankedTensorType type) { return makeCosineWindow(*this, type); }
ElementsAttr BlackmanWindowOp::makeWindow(RankedTensorType type) { return makeCosineWindow(*this, type); }

LogicalResult HannWindowOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  return inferWindow(*this, ctx, results);
}
LogicalResult HammingWindowOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  return inferWindow(*this, ctx, results);
}
LogicalResult BlackmanWindowOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  return inferWindow(*this, ctx, results);
}
OpFoldResult HannWindowOp::fold(FoldAdaptor) { return foldWindow(*this); }
OpFoldResult HammingWindowOp::fold(FoldAdaptor) { return foldWindow(*this); }
OpFoldResult BlackmanWindowOp::fold(FoldAdaptor) { return foldWindow(*this); }
