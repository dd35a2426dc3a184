//===- LossOps.cpp - shapes of the loss functions -----------------------------------------------------------------===//
#include "dialects/onnx/loss/Loss.h"

using namespace mlir;
using namespace onnx_aot::onnx;

static LogicalResult inferLoss(Operation *op, ShapeContext &ctx, Value input, Value target, Value weight,
                               StringRef reduction, SmallVectorImpl<ResultShape> &results) {
  Type element = ctx.elementType(input);
  if (reduction != "none" && reduction != "sum" && reduction != "mean") // (C2)
    return op->emitOpError("reduction must be none, sum or mean, not '") << reduction << "'";
  if (weight && ctx.elementType(weight) != element)
    return op->emitOpError("inputs have different element types: ") << element << " and " << ctx.elementType(weight);
  std::optional<Shape> shape = ctx.shape(input), targetShape = ctx.shape(target);
  auto agree = [](Dim a, Dim b) { return !a.isKnown() || !b.isKnown() || a.get() == b.get(); };
  if (shape && shape->size() < 2) // (C1)
    return op->emitOpError("the scores need a batch and a class dimension");
  if (shape && weight) {
    std::optional<Shape> weightShape = ctx.shape(weight);
    if (weightShape && (weightShape->size() != 1 || !agree(weightShape->front(), (*shape)[1])))
      return op->emitOpError("the weights must be a vector with one element per class");
  }
  std::optional<Shape> samples = shape;
  if (samples)
    samples->erase(samples->begin() + 1);
  if (samples && targetShape) {
    bool fits = samples->size() == targetShape->size();
    for (size_t dim = 0; fits && dim < samples->size(); ++dim)
      fits = agree((*samples)[dim], (*targetShape)[dim]);
    if (!fits)
      return op->emitOpError("the targets' shape is not that of the scores without the class dimension");
  }
  if (reduction != "none")
    results.emplace_back(element, Shape());
  else
    results.emplace_back(element, samples ? samples : targetShape);
  return success();
}

LogicalResult NegativeLogLikelihoodLossOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  return inferLoss(*this, ctx, getInput(), getTarget(), getWeight(), getReduction(), results);
}

LogicalResult SoftmaxCrossEntropyLossOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  if (failed(inferLoss(*this, ctx, getScores(), getLabels(), getWeights(), getReduction(), results)))
    return failure();
  if (getLogProb())
    results.emplace_back(ctx.elementType(getScores()), ctx.shape(getScores()));
  return success();
}
