//===- ResamplingOps.cpp - shapes of the operators that read between elements -------------------------------------===//
#include "dialects/onnx/resampling/Resampling.h"
#include "dialects/onnx/resampling/ResizeTables.h"

using namespace mlir;
using namespace onnx_aot::onnx;

LogicalResult ResizeOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  FailureOr<std::optional<SmallVector<ResizeAxis>>> axes = resolveResize(*this, ctx);
  if (failed(axes))
    return failure();
  if (!*axes) {
    results.emplace_back(ctx.elementType(getX()));
    return success();
  }
  Shape dims;
  for (const ResizeAxis &axis : **axes) {
    if (axis.in.is(0) && axis.out.isKnown() && !axis.out.is(0))
      return emitOpError("an axis of extent 0 cannot be enlarged");
    dims.push_back(axis.out);
  }
  results.emplace_back(ctx.elementType(getX()), dims);
  return success();
}

LogicalResult GridSampleOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  std::optional<Shape> x = ctx.shape(getX()), grid = ctx.shape(getGrid());
  if (getMode() != "linear" && getMode() != "nearest" && getMode() != "cubic") // (C3)
    return emitOpError("mode \"") << getMode() << "\" is not known";
  if (getPaddingMode() != "zeros" && getPaddingMode() != "border" && getPaddingMode() != "reflection") // (C3)
    return emitOpError("padding_mode \"") << getPaddingMode() << "\" is not known";
  if (x && x->size() < 3) // (C1)
    return emitOpError("the data must have a rank of at least 3, not ") << x->size();
  if (x && grid && (x->size() != grid->size() || (grid->back().isKnown() && !grid->back().is(x->size() - 2)))) // (C2)
    return emitOpError("the grid does not have one coordinate per spatial dim of the data");
  if (getMode() == "cubic" && x && x->size() != 4) // (C3)
    return emitOpError("mode \"cubic\" is defined for two spatial dims only");
  if (!x || !grid) {
    results.emplace_back(ctx.elementType(getX()));
    return success();
  }
  if ((*x)[0].isKnown() && (*grid)[0].isKnown() && (*x)[0].get() != (*grid)[0].get()) // (C2)
    return emitOpError("data and grid have different batches");
  Shape dims = {(*x)[0], (*x)[1]};
  dims.append(grid->begin() + 1, grid->end() - 1);
  results.emplace_back(ctx.elementType(getX()), dims);
  return success();
}
