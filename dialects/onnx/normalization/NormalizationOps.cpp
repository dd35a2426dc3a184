//===- NormalizationOps.cpp - shapes and folds of the normalisations ----------------------------------------------===//
#include "dialects/onnx/normalization/Normalization.h"
#include "dialects/onnx/support/Constants.h"

using namespace mlir;
using namespace onnx_aot::onnx;

/// Checks that each of `values` is a vector with one element per channel (axis 1) of `x`.
static LogicalResult checkPerChannel(Operation *op, ShapeContext &ctx, const std::optional<Shape> &x,
                                     ArrayRef<Value> values) {
  Dim channels = !x ? Dim() : x->size() < 2 ? Dim(1) : (*x)[1];
  for (Value value : values) {
    std::optional<Shape> shape = ctx.shape(value);
    if (shape && (shape->size() != 1 ||
                  (channels.isKnown() && (*shape)[0].isKnown() && channels.get() != (*shape)[0].get()))) // (C2)
      return op->emitOpError("a parameter does not have one element per channel");
  }
  return success();
}

/// Checks that `value` broadcasts to `x`.
static LogicalResult checkBroadcasts(Operation *op, ShapeContext &ctx, const std::optional<Shape> &x, Value value) {
  std::optional<Shape> shape = value ? ctx.shape(value) : std::nullopt;
  if (!x || !shape)
    return success();
  FailureOr<std::optional<Shape>> merged = broadcastShapes(op, {x, shape});
  if (failed(merged))
    return failure();
  if (shape->size() > x->size())
    return op->emitOpError("a parameter has a higher rank than the data");
  for (auto [own, both] : llvm::zip(*x, **merged))
    if (own.isKnown() && both.isKnown() && own.get() != both.get()) // (C1)
      return op->emitOpError("a parameter does not broadcast to the shape of the data");
  return success();
}

LogicalResult BatchNormalizationOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  std::optional<Shape> x = ctx.shape(getX());
  if (x && x->empty()) // (C1)
    return emitOpError("the data must not be a scalar");
  if (failed(checkPerChannel(*this, ctx, x, {getScale(), getB(), getInputMean(), getInputVar()})))
    return failure();
  results.emplace_back(ctx.elementType(getX()), x);
  for (Value running : {getRunningMean(), getRunningVar()}) {
    if (!running)
      continue;
    if (!getTrainingMode()) // (C3)
      return emitOpError("running_mean and running_var are results of training mode only");
    results.emplace_back(ctx.elementType(getInputMean()), ctx.shape(getInputMean()));
  }
  return success();
}

LogicalResult InstanceNormalizationOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  std::optional<Shape> x = ctx.shape(getInput());
  if (x && x->size() < 3) // (C1)
    return emitOpError("the data must have a rank of at least 3, not ") << x->size();
  if (failed(checkPerChannel(*this, ctx, x, {getScale(), getB()})))
    return failure();
  results.emplace_back(ctx.elementType(getInput()), x);
  return success();
}

LogicalResult GroupNormalizationOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  std::optional<Shape> x = ctx.shape(getX());
  if (x && x->size() < 2) // (C1)
    return emitOpError("the data must have a rank of at least 2, not ") << x->size();
  if (failed(checkPerChannel(*this, ctx, x, {getScale(), getBias()})))
    return failure();
  int64_t groups = getNumGroups();
  if (groups < 1 || (x && (*x)[1].isKnown() && (*x)[1].get() % groups != 0)) // (C3)
    return emitOpError("num_groups ") << groups << " does not divide the channels";
  results.emplace_back(ctx.elementType(getX()), x);
  return success();
}

LogicalResult LayerNormalizationOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  std::optional<Shape> x = ctx.shape(getX());
  if (failed(checkBroadcasts(*this, ctx, x, getScale())) || failed(checkBroadcasts(*this, ctx, x, getB())))
    return failure();
  std::optional<Shape> reduced = x;
  if (x) {
    FailureOr<int64_t> axis = normalizeAxis(*this, getAxis(), x->size()); // (C2)
    if (failed(axis))
      return failure();
    std::fill(reduced->begin() + *axis, reduced->end(), Dim(1));
  }
  results.emplace_back(ctx.elementType(getX()), x);
  Type statistics = getStashType() == 16 ? Type(BFloat16Type::get(getContext())) : Float32Type::get(getContext());
  for (Value value : {getMean(), getInvStdDev()})
    if (value)
      results.emplace_back(statistics, reduced);
  return success();
}

LogicalResult RMSNormalizationOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  std::optional<Shape> x = ctx.shape(getX());
  if (failed(checkBroadcasts(*this, ctx, x, getScale())))
    return failure();
  if (x && failed(normalizeAxis(*this, getAxis(), x->size()))) // (C2)
    return failure();
  results.emplace_back(ctx.elementType(getScale()), x);
  return success();
}

LogicalResult LRNOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  std::optional<Shape> x = ctx.shape(getX());
  if (x && x->size() < 2) // (C1)
    return emitOpError("the data must have a rank of at least 2, not ") << x->size();
  int64_t size = getSize();
  if (size < 1 || size > (int64_t(1) << 30)) // (C2)
    return emitOpError("size ") << size << " is not possible";
  results.emplace_back(ctx.elementType(getX()), x);
  return success();
}

LogicalResult LpNormalizationOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  std::optional<Shape> x = ctx.shape(getInput());
  if (x && failed(normalizeAxis(*this, getAxis(), x->size()))) // (C1)
    return failure();
  if (getP() != 1 && getP() != 2) // (C2)
    return emitOpError("p must be 1 or 2, not ") << getP();
  results.emplace_back(ctx.elementType(getInput()), x);
  return success();
}

LogicalResult MeanVarianceNormalizationOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  std::optional<Shape> x = ctx.shape(getX());
  SmallVector<int64_t> axes = getAxes() ? SmallVector<int64_t>(*getAxes()) : SmallVector<int64_t>{0, 2, 3};
  if (x && failed(normalizeAxes(*this, axes, x->size()))) // (C1)
    return failure();
  results.emplace_back(ctx.elementType(getX()), x);
  return success();
}

LogicalResult DropoutOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  std::optional<Shape> dims = ctx.shape(getData());
  results.emplace_back(ctx.elementType(getData()), dims);
  if (getMask())
    results.emplace_back(IntegerType::get(getContext(), 1), dims);
  return success();
}

LogicalResult DropoutOp::fold(FoldAdaptor, SmallVectorImpl<OpFoldResult> &results) {
  std::optional<SmallVector<int64_t>> training = getConstantIntegers(getTrainingMode());
  bool isInference = !getTrainingMode() || (training && training->size() == 1 && training->front() == 0);
  if (!isInference || getMask() || getData().getType() != getOutput().getType())
    return failure();
  results.push_back(getData());
  return success();
}
