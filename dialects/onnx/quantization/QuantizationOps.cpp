//===- QuantizationOps.cpp - shapes of the quantizing operators ---------------------------------------------------===//
#include "dialects/onnx/quantization/Quantization.h"
#include "dialects/onnx/support/DataTypes.h"
#include "dialects/onnx/support/NarrowFloats.h"

using namespace mlir;
using namespace onnx_aot::onnx;

/// Checks the shapes of scale and zero point against `x`, where they are known.
static LogicalResult checkParameters(Operation *op, ShapeContext &ctx, Value x, Value scale, Value zeroPoint,
                                     int64_t axis, int64_t blockSize) {
  std::optional<Shape> shape = ctx.shape(x), scaleShape = ctx.shape(scale);
  auto agree = [](Dim a, Dim b) { return !a.isKnown() || !b.isKnown() || a.get() == b.get(); };
  auto isOne = [](ArrayRef<Dim> dims) { return product(dims).is(1); };
  auto mayBeOne = [](ArrayRef<Dim> dims) { return !product(dims).isKnown() || product(dims).is(1); };
  std::optional<Shape> zeroShape = zeroPoint ? ctx.shape(zeroPoint) : std::nullopt;
  if (zeroShape && scaleShape && !(mayBeOne(*zeroShape) && mayBeOne(*scaleShape))) {
    bool same = zeroShape->size() == scaleShape->size();
    for (size_t dim = 0; same && dim < zeroShape->size(); ++dim)
      same = agree((*zeroShape)[dim], (*scaleShape)[dim]);
    if (!same) // (C3)
      return op->emitOpError("scale and zero point have different shapes");
  }
  if (!shape || !scaleShape || isOne(*scaleShape))
    return success();
  FailureOr<int64_t> normalized = normalizeAxis(op, axis, shape->size());
  if (failed(normalized))
    return failure();
  // One element that only the run knows to be one may have any rank.
  bool fits = mayBeOne(*scaleShape) && scaleShape->size() != (blockSize == 0 ? 1 : shape->size()); // (C2)
  if (fits)
    return success();
  if (blockSize == 0) {
    fits = scaleShape->size() == 1 && agree(scaleShape->front(), (*shape)[*normalized]);
  } else {
    fits = blockSize > 0 && scaleShape->size() == shape->size();
    for (size_t dim = 0; fits && dim < shape->size(); ++dim) {
      Dim extent = (*shape)[dim];
      fits = agree((*scaleShape)[dim], int64_t(dim) == *normalized ? extent.ceilDiv(blockSize) : extent);
    }
  }
  if (!fits)
    return op->emitOpError("the scale's shape does not fit the input, its axis and block_size");
  return success();
}

LogicalResult QuantizeLinearOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type from = ctx.elementType(getX());
  if (!isa<FloatType>(from) && !from.isInteger(32)) // (C1)
    return emitOpError("cannot quantize elements of type ") << from;
  Type element;
  if (int64_t dataType = getOutputDtype())
    if (!(element = elementTypeOfDataType(getContext(), dataType)))
      return emitOpError("output_dtype is not a number type: ") << dataType;
  if (getYZeroPoint()) {
    Type zeroElement = ctx.elementType(getYZeroPoint());
    if (element && element != zeroElement) // (C4)
      return emitOpError("output_dtype differs from the zero point's type");
    element = zeroElement;
  }
  if (!element)
    element = IntegerType::get(getContext(), 8, IntegerType::Unsigned);
  bool isInteger = isa<IntegerType>(element) && !element.isInteger(1) && element.getIntOrFloatBitWidth() <= 16;
  if (!isInteger && !(isNarrowFloat(element) && !isa<Float8E8M0FNUType>(element))) // (C5)
    return emitOpError("cannot quantize to elements of type ") << element;
  if (getPrecision() && !isa_and_nonnull<FloatType>(elementTypeOfDataType(getContext(), getPrecision()))) // (C6)
    return emitOpError("precision is not a floating-point type: ") << getPrecision();
  if (failed(checkParameters(*this, ctx, getX(), getYScale(), getYZeroPoint(), getAxis(), getBlockSize())))
    return failure();
  results.emplace_back(element, ctx.shape(getX()));
  return success();
}

LogicalResult DequantizeLinearOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type element = ctx.elementType(getXScale());
  if (int64_t dataType = getOutputDtype())
    element = elementTypeOfDataType(getContext(), dataType);
  if (!isa_and_nonnull<Float16Type, BFloat16Type, Float32Type, Float64Type>(element))
    return emitOpError("the result is not float16, bfloat16, float or double");
  if (getXZeroPoint() && ctx.elementType(getXZeroPoint()) != ctx.elementType(getX())) // (C4)
    return emitOpError("input and zero point have different element types");
  if (failed(checkParameters(*this, ctx, getX(), getXScale(), getXZeroPoint(), getAxis(), getBlockSize())))
    return failure();
  results.emplace_back(element, ctx.shape(getX()));
  return success();
}

LogicalResult DynamicQuantizeLinearOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type quantized = IntegerType::get(getContext(), 8, IntegerType::Unsigned);
  results.emplace_back(quantized, ctx.shape(getX()));
  if (getYScale())
    results.emplace_back(ctx.elementType(getX()), Shape());
  if (getYZeroPoint())
    results.emplace_back(quantized, Shape());
  return success();
}

template <typename OpTy>
static LogicalResult inferBinary(OpTy op, ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type element = ctx.elementType(op.getA());
  for (Value value : {op.getB(), op.getAZeroPoint(), op.getBZeroPoint(), op.getCZeroPoint()})
    if (value && ctx.elementType(value) != element) // (C6)
      return op.emitOpError("operands and zero points have different element types");
  for (Value value :
       {op.getAScale(), op.getBScale(), op.getCScale(), op.getAZeroPoint(), op.getBZeroPoint(), op.getCZeroPoint()}) {
    std::optional<Shape> shape = value ? ctx.shape(value) : std::nullopt;
    if (shape && product(*shape).isKnown() && !product(*shape).is(1)) // (C5)
      return op.emitOpError("a scale or zero point is not one element");
  }
  FailureOr<std::optional<Shape>> dims = broadcastShapes(op, {ctx.shape(op.getA()), ctx.shape(op.getB())});
  if (failed(dims))
    return failure();
  results.emplace_back(element, *dims);
  return success();
}

LogicalResult QLinearAddOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  return inferBinary(*this, ctx, results);
}
LogicalResult QLinearMulOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  return inferBinary(*this, ctx, results);
}
