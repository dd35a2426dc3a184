//===- ConvolutionOps.cpp - shapes of the convolutions ------------------------------------------------------------===//
#include "dialects/onnx/convolution/Convolution.h"
#include "dialects/onnx/support/Window.h"

using namespace mlir;
using namespace onnx_aot::onnx;

/// The constraints that all forms share, on shapes that may be unknown. `inputChannels` and `outputChannels` are what
/// the weights say of one group's input and of the whole output.
static LogicalResult checkOperands(Operation *op, const std::optional<Shape> &x, const std::optional<Shape> &w,
                                   const std::optional<Shape> &bias, int64_t group, Dim inputChannels,
                                   Dim outputChannels) {
  if (x && x->size() < 3) // (C1)
    return op->emitOpError("the data must have a rank of at least 3, not ") << x->size();
  if (x && w && x->size() != w->size()) // (C2)
    return op->emitOpError("data of rank ") << x->size() << " with weights of rank " << w->size();
  if (group < 1) // (C5)
    return op->emitOpError("group must be positive");
  Dim channels = x ? (*x)[1] : Dim();
  if (channels.isKnown() && channels.get() % group != 0) // (C5)
    return op->emitOpError("group ") << group << " does not divide " << channels.get() << " channels";
  Dim expected = inputChannels * group;
  if (channels.isKnown() && expected.isKnown() && channels.get() != expected.get()) // (C3)
    return op->emitOpError("the data has ") << channels.get() << " channels, the weights are for " << expected.get();
  if (outputChannels.isKnown() && outputChannels.get() % group != 0) // (C5)
    return op->emitOpError("group ") << group << " does not divide " << outputChannels.get() << " output channels";
  if (bias && (bias->size() != 1 ||
               (outputChannels.isKnown() && (*bias)[0].isKnown() && (*bias)[0].get() != outputChannels.get()))) // (C4)
    return op->emitOpError("the bias does not have one element per output channel");
  return success();
}

/// Shape of a convolution in the direction of Conv.
template <typename OpTy>
static LogicalResult inferConvolution(OpTy op, ShapeContext &ctx, Value data, Value weights, Value bias,
                                      Type elementType, SmallVectorImpl<ResultShape> &results) {
  std::optional<Shape> x = ctx.shape(data), w = ctx.shape(weights);
  std::optional<Shape> b = bias ? ctx.shape(bias) : std::nullopt;
  if (w && w->size() < 3) // (C2)
    return op.emitOpError("the weights must have a rank of at least 3, not ") << w->size();
  if (failed(checkOperands(op, x, w, b, op.getGroup(), w ? (*w)[1] : Dim(), w ? (*w)[0] : Dim())))
    return failure();
  if (!x) {
    results.emplace_back(elementType);
    return success();
  }
  FailureOr<Window> window = resolveWindow(op, windowAttributes(op), ArrayRef(*x).drop_front(2),
                                           w ? ArrayRef(*w).drop_front(2) : ArrayRef<Dim>());
  if (failed(window))
    return failure();
  Shape dims = {(*x)[0], w ? (*w)[0] : Dim()};
  dims.append(outputDims(*window));
  results.emplace_back(elementType, dims);
  return success();
}

static LogicalResult checkFloatTypes(Operation *op, Type x, Type w, Value bias) {
  if (x != w || (bias && getElementTypeOrSelf(bias.getType()) != x)) // (C2)
    return op->emitOpError("element types of data, weights and bias differ");
  return success();
}

LogicalResult ConvOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type elementType = ctx.elementType(getX());
  if (failed(checkFloatTypes(*this, elementType, ctx.elementType(getW()), getB())))
    return failure();
  return inferConvolution(*this, ctx, getX(), getW(), getB(), elementType, results);
}

LogicalResult ConvTransposeOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type elementType = ctx.elementType(getX());
  if (failed(checkFloatTypes(*this, elementType, ctx.elementType(getW()), getB())))
    return failure();
  std::optional<Shape> x = ctx.shape(getX()), w = ctx.shape(getW());
  std::optional<Shape> b = getB() ? ctx.shape(getB()) : std::nullopt;
  if (w && w->size() < 3) // (C2)
    return emitOpError("the weights must have a rank of at least 3, not ") << w->size();
  int64_t group = getGroup();
  if (group < 1) // (C5)
    return emitOpError("group must be positive");
  Dim inputChannels = w ? (*w)[0] : Dim(), outputChannels = w ? (*w)[1] * group : Dim();
  if (inputChannels.isKnown() && inputChannels.get() % group != 0) // (C5)
    return emitOpError("group ") << group << " does not divide " << inputChannels.get() << " channels";
  if (failed(checkOperands(*this, x, w, b, group, inputChannels.floorDiv(group), outputChannels)))
    return failure();
  if (!x) {
    results.emplace_back(elementType);
    return success();
  }
  FailureOr<Window> window =
      resolveTransposedWindow(*this, windowAttributes(*this), getOutputPadding(), getOutputShape(),
                              ArrayRef(*x).drop_front(2), w ? ArrayRef(*w).drop_front(2) : ArrayRef<Dim>());
  if (failed(window))
    return failure();
  Shape dims = {(*x)[0], outputChannels};
  dims.append(outputDims(*window));
  results.emplace_back(elementType, dims);
  return success();
}

/// A zero point or scale is one element, or (`perChannel`) one per output channel.
static LogicalResult checkQuantization(Operation *op, ShapeContext &ctx, Value value, Dim channels, bool perChannel) {
  std::optional<Shape> shape = value ? ctx.shape(value) : std::nullopt;
  if (!shape || shape->empty())
    return success();
  Dim extent = (*shape)[0];
  if (shape->size() > 1 || (extent.isKnown() && !extent.is(1) &&
                            (!perChannel || (channels.isKnown() && channels.get() != extent.get())))) // (C6) (C7)
    return op->emitOpError("a scale or zero point has the wrong number of elements");
  return success();
}

LogicalResult ConvIntegerOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  std::optional<Shape> w = ctx.shape(getW());
  Dim channels = w && !w->empty() ? (*w)[0] : Dim();
  if (failed(checkQuantization(*this, ctx, getXZeroPoint(), channels, false)) ||
      failed(checkQuantization(*this, ctx, getWZeroPoint(), channels, true)))
    return failure();
  return inferConvolution(*this, ctx, getX(), getW(), Value(), IntegerType::get(getContext(), 32), results);
}

LogicalResult QLinearConvOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  std::optional<Shape> w = ctx.shape(getW());
  Dim channels = w && !w->empty() ? (*w)[0] : Dim();
  for (Value value : {getXScale(), getXZeroPoint(), getYScale(), getYZeroPoint()})
    if (failed(checkQuantization(*this, ctx, value, channels, false)))
      return failure();
  for (Value value : {getWScale(), getWZeroPoint()})
    if (failed(checkQuantization(*this, ctx, value, channels, true)))
      return failure();
  return inferConvolution(*this, ctx, getX(), getW(), getB(), ctx.elementType(getYZeroPoint()), results);
}
