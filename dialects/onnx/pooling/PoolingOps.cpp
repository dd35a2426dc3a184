//===- PoolingOps.cpp - shapes of the pooling operators -----------------------------------------------------------===//
#include "dialects/onnx/pooling/Pooling.h"
#include "dialects/onnx/support/Window.h"

using namespace mlir;
using namespace onnx_aot::onnx;

/// The dims of a pooled tensor; nullopt where the rank is unknown.
template <typename OpTy> static FailureOr<std::optional<Shape>> pooledShape(OpTy op, ShapeContext &ctx) {
  std::optional<Shape> x = ctx.shape(op.getX());
  if (!x)
    return std::optional<Shape>();
  if (x->size() < 3) { // (C1)
    op.emitOpError("the data must have a rank of at least 3, not ") << x->size();
    return failure();
  }
  WindowAttributes attributes = windowAttributes(op);
  attributes.ceilMode = op.getCeilMode() != 0;
  FailureOr<Window> window = resolveWindow(op, attributes, ArrayRef(*x).drop_front(2), {});
  if (failed(window))
    return failure();
  Shape dims = {(*x)[0], (*x)[1]};
  dims.append(outputDims(*window));
  return std::optional<Shape>(dims);
}

LogicalResult MaxPoolOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  FailureOr<std::optional<Shape>> dims = pooledShape(*this, ctx);
  if (failed(dims))
    return failure();
  results.emplace_back(ctx.elementType(getX()), *dims);
  if (getIndices())
    results.emplace_back(IntegerType::get(getContext(), 64), *dims);
  return success();
}

LogicalResult AveragePoolOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  FailureOr<std::optional<Shape>> dims = pooledShape(*this, ctx);
  if (failed(dims))
    return failure();
  results.emplace_back(ctx.elementType(getX()), *dims);
  return success();
}

LogicalResult LpPoolOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  if (int64_t(getP()) < 1) // (C2)
    return emitOpError("p must be positive");
  FailureOr<std::optional<Shape>> dims = pooledShape(*this, ctx);
  if (failed(dims))
    return failure();
  results.emplace_back(ctx.elementType(getX()), *dims);
  return success();
}

/// N x C x 1 x ... x 1.
static LogicalResult inferGlobal(Operation *op, ShapeContext &ctx, Value x, SmallVectorImpl<ResultShape> &results) {
  std::optional<Shape> dims = ctx.shape(x);
  if (dims && dims->size() < 3) // (C1)
    return op->emitOpError("the data must have a rank of at least 3, not ") << dims->size();
  if (dims)
    std::fill(dims->begin() + 2, dims->end(), Dim(1));
  results.emplace_back(ctx.elementType(x), dims);
  return success();
}

LogicalResult GlobalAveragePoolOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  return inferGlobal(*this, ctx, getX(), results);
}

LogicalResult GlobalMaxPoolOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  return inferGlobal(*this, ctx, getX(), results);
}

LogicalResult GlobalLpPoolOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  if (int64_t(getP()) < 1) // (C2)
    return emitOpError("p must be positive");
  return inferGlobal(*this, ctx, getX(), results);
}

LogicalResult MaxUnpoolOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  std::optional<Shape> x = ctx.shape(getX()), indices = ctx.shape(getI());
  Type elementType = ctx.elementType(getX());
  if (!x) {
    results.emplace_back(elementType);
    return success();
  }
  if (x->size() < 3) // (C1)
    return emitOpError("the data must have a rank of at least 3, not ") << x->size();
  if (indices && indices->size() != x->size()) // (C3)
    return emitOpError("data and indices have different ranks");
  if (indices)
    for (auto [left, right] : llvm::zip(*x, *indices))
      if (left.isKnown() && right.isKnown() && left.get() != right.get()) // (C3)
        return emitOpError("data and indices have different shapes");
  WindowAttributes attributes;
  attributes.kernelShape = getKernelShape();
  attributes.strides = getStrides();
  attributes.pads = getPads();
  FailureOr<Window> window =
      resolveTransposedWindow(*this, attributes, std::nullopt, std::nullopt, ArrayRef(*x).drop_front(2), {});
  if (failed(window))
    return failure();
  Shape dims = {(*x)[0], (*x)[1]};
  dims.append(outputDims(*window));
  if (getOutputShape()) {
    std::optional<Shape> given = ctx.dims(getOutputShape());
    if (given && given->size() != dims.size())
      return emitOpError("output_shape has ") << given->size() << " elements for a tensor of rank " << dims.size();
    dims = given ? *given : Shape(dims.size());
  }
  results.emplace_back(elementType, dims);
  return success();
}
