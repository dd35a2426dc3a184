//===- MatmulOps.cpp - shapes of the matrix products --------------------------------------------------------------===//
#include "dialects/onnx/matmul/Matmul.h"

using namespace mlir;
using namespace onnx_aot::onnx;

LogicalResult MatMulOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type elementType = ctx.elementType(getA());
  if (elementType != ctx.elementType(getB())) // (C2)
    return emitOpError("element types of A and B differ");
  std::optional<Shape> a = ctx.shape(getA()), b = ctx.shape(getB());
  if (!a || !b) {
    results.emplace_back(elementType);
    return success();
  }
  if (a->empty() || b->empty()) // (C1)
    return emitOpError("A and B must not be scalars");
  // A vector on the left is a row, on the right a column; its dim does not appear in the result.
  bool rowVector = a->size() == 1, columnVector = b->size() == 1;
  if (rowVector)
    a->insert(a->begin(), Dim(1));
  if (columnVector)
    b->push_back(Dim(1));
  Dim inner = a->back(), outer = (*b)[b->size() - 2];
  if (inner.isKnown() && outer.isKnown() && inner.get() != outer.get()) // (C2)
    return emitOpError("inner dimensions differ: ") << inner.get() << " in A, " << outer.get() << " in B";
  Dim rows = (*a)[a->size() - 2], columns = b->back();
  FailureOr<std::optional<Shape>> batch =
      broadcastShapes(*this, {Shape(ArrayRef(*a).drop_back(2)), Shape(ArrayRef(*b).drop_back(2))});
  if (failed(batch))
    return failure();
  Shape dims = **batch;
  if (!rowVector)
    dims.push_back(rows);
  if (!columnVector)
    dims.push_back(columns);
  results.emplace_back(elementType, dims);
  return success();
}

LogicalResult GemmOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type elementType = ctx.elementType(getA());
  std::optional<Shape> a = ctx.shape(getA()), b = ctx.shape(getB());
  if ((a && a->size() != 2) || (b && b->size() != 2)) // (C1)
    return emitOpError("A and B must be matrices");
  Dim rows = a ? (*a)[getTransA() ? 1 : 0] : Dim(), left = a ? (*a)[getTransA() ? 0 : 1] : Dim();
  Dim columns = b ? (*b)[getTransB() ? 0 : 1] : Dim(), right = b ? (*b)[getTransB() ? 1 : 0] : Dim();
  if (left.isKnown() && right.isKnown() && left.get() != right.get()) // (C2)
    return emitOpError("inner dimensions differ: ") << left.get() << " in A', " << right.get() << " in B'";
  Shape dims = {rows, columns};
  if (getC()) {
    if (std::optional<Shape> c = ctx.shape(getC())) {
      FailureOr<std::optional<Shape>> merged = broadcastShapes(*this, {dims, *c});
      if (failed(merged))
        return failure();
      bool grows = c->size() > 2 || (rows.isKnown() && (**merged)[0].isKnown() && (**merged)[0].get() != rows.get()) ||
                   (columns.isKnown() && (**merged)[1].isKnown() && (**merged)[1].get() != columns.get());
      if (grows) // (C3)
        return emitOpError("C does not broadcast to the result's shape");
    }
  }
  results.emplace_back(elementType, dims);
  return success();
}
