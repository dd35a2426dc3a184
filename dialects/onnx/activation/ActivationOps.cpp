//===- ActivationOps.cpp - shapes and checks of the activation functions ------------------------------------------===//
#include "dialects/onnx/activation/Activation.h"

using namespace mlir;
using namespace onnx_aot::onnx;

LogicalResult GeluOp::verify() {
  if (getApproximate() != "none" && getApproximate() != "tanh") // (C3)
    return emitOpError("approximate must be none or tanh, not '") << getApproximate() << "'";
  return success();
}

LogicalResult PReluOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type element = ctx.elementType(getX());
  if (element != ctx.elementType(getSlope())) // (C2)
    return emitOpError("inputs have different element types: ") << element << " and " << ctx.elementType(getSlope());
  std::optional<Shape> x = ctx.shape(getX()), slope = ctx.shape(getSlope());
  FailureOr<std::optional<Shape>> merged = broadcastShapes(*this, {x, slope});
  if (failed(merged))
    return failure();
  if (*merged) {
    bool grows = slope->size() > x->size();
    for (auto [own, dim] : llvm::zip(llvm::reverse(*x), llvm::reverse(**merged)))
      grows |= own.isKnown() && dim.isKnown() && own.get() != dim.get();
    if (grows) // (C1)
      return emitOpError("slope does not broadcast to the shape of X");
  }
  results.emplace_back(element, x);
  return success();
}

LogicalResult SwiGLUOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  return inferElementwise(*this, ctx, results, ElementRule::Same);
}

static LogicalResult inferAlongAxis(Operation *op, int64_t axis, ShapeContext &ctx,
                                    SmallVectorImpl<ResultShape> &results) {
  Value input = op->getOperand(0);
  std::optional<Shape> shape = ctx.shape(input);
  if (shape && failed(normalizeAxis(op, axis, shape->size()))) // (C1)
    return failure();
  results.emplace_back(ctx.elementType(input), shape);
  return success();
}

LogicalResult SoftmaxOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  return inferAlongAxis(*this, getAxis(), ctx, results);
}

LogicalResult LogSoftmaxOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  return inferAlongAxis(*this, getAxis(), ctx, results);
}

LogicalResult HardmaxOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  return inferAlongAxis(*this, getAxis(), ctx, results);
}
