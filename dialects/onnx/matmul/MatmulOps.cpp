//===- MatmulOps.cpp - shapes of the matrix products --------------------------------------------------------------===//
#include "dialects/onnx/matmul/Matmul.h"

using namespace mlir;
using namespace onnx_aot::onnx;

/// The shape of numpy's matrix product of `left` and `right`, with elements of `elementType`.
static LogicalResult inferProduct(Operation *op, ShapeContext &ctx, Value left, Value right, Type elementType,
                                  SmallVectorImpl<ResultShape> &results) {
  std::optional<Shape> a = ctx.shape(left), b = ctx.shape(right);
  if (!a || !b) {
    results.emplace_back(elementType);
    return success();
  }
  if (a->empty() || b->empty()) // (C1)
    return op->emitOpError("A and B must not be scalars");
  // A vector on the left is a row, on the right a column; its dim does not appear in the result.
  bool rowVector = a->size() == 1, columnVector = b->size() == 1;
  if (rowVector)
    a->insert(a->begin(), Dim(1));
  if (columnVector)
    b->push_back(Dim(1));
  Dim inner = a->back(), outer = (*b)[b->size() - 2];
  if (inner.isKnown() && outer.isKnown() && inner.get() != outer.get()) // (C2)
    return op->emitOpError("inner dimensions differ: ") << inner.get() << " in A, " << outer.get() << " in B";
  Dim rows = (*a)[a->size() - 2], columns = b->back();
  FailureOr<std::optional<Shape>> batch =
      broadcastShapes(op, {Shape(ArrayRef(*a).drop_back(2)), Shape(ArrayRef(*b).drop_back(2))});
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

LogicalResult MatMulOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type elementType = ctx.elementType(getA());
  if (elementType != ctx.elementType(getB())) // (C2)
    return emitOpError("element types of A and B differ");
  return inferProduct(*this, ctx, getA(), getB(), elementType, results);
}

/// Checks a zero point or a scale of the rows of `data` (its columns where `ofColumns`); null is in order.
static LogicalResult checkParameter(Operation *op, ShapeContext &ctx, Value data, Value parameter, bool ofColumns) {
  std::optional<Shape> own = parameter ? ctx.shape(parameter) : std::nullopt, shape = ctx.shape(data);
  if (!own || !shape || !product(*own).isKnown() || product(*own).is(1))
    return success();
  auto agree = [](Dim a, Dim b) { return !a.isKnown() || !b.isKnown() || a.get() == b.get(); };
  size_t rank = shape->size();
  bool fits = rank > 1 && own->size() == 1 && agree(own->front(), (*shape)[rank - (ofColumns ? 1 : 2)]);
  if (rank > 1 && own->size() == rank) {
    fits = true;
    for (size_t dim = 0; dim < rank; ++dim)
      fits &= dim == rank - (ofColumns ? 2 : 1) ? (*own)[dim].is(1) : agree((*own)[dim], (*shape)[dim]);
  }
  if (!fits) // (C3), (C4)
    return op->emitOpError("a zero point or scale has neither one element nor one per ")
           << (ofColumns ? "column" : "row");
  return success();
}

LogicalResult MatMulIntegerOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  auto differs = [&](Value zero, Value data) { return zero && ctx.elementType(zero) != ctx.elementType(data); };
  if (differs(getAZeroPoint(), getA()) || differs(getBZeroPoint(), getB()))
    return emitOpError("a zero point is of another type than its matrix");
  if (failed(checkParameter(*this, ctx, getA(), getAZeroPoint(), false)) ||
      failed(checkParameter(*this, ctx, getB(), getBZeroPoint(), true)))
    return failure();
  return inferProduct(*this, ctx, getA(), getB(), IntegerType::get(getContext(), 32), results);
}

LogicalResult QLinearMatMulOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  if (ctx.elementType(getAZeroPoint()) != ctx.elementType(getA()) ||
      ctx.elementType(getBZeroPoint()) != ctx.elementType(getB()))
    return emitOpError("a zero point is of another type than its matrix");
  if (failed(checkParameter(*this, ctx, getA(), getAZeroPoint(), false)) ||
      failed(checkParameter(*this, ctx, getA(), getAScale(), false)) ||
      failed(checkParameter(*this, ctx, getB(), getBZeroPoint(), true)) ||
      failed(checkParameter(*this, ctx, getB(), getBScale(), true)) ||
      failed(inferProduct(*this, ctx, getA(), getB(), ctx.elementType(getYZeroPoint()), results)))
    return failure();
  if (std::optional<Shape> y = results.front().dims; y && y->size() != 1)
    for (Value parameter : {getYScale(), getYZeroPoint()}) {
      std::optional<Shape> own = ctx.shape(parameter);
      if (!own || !product(*own).isKnown() || product(*own).is(1))
        continue;
      Dim rows = y->size() > 1 ? (*y)[y->size() - 2] : Dim();
      bool isVector = own->size() == 1 && rows.isKnown() && own->front().get() == rows.get();
      bool isColumn = own->size() == y->size() && own->size() > 1 && own->back().is(1);
      if (!isVector && !isColumn) // (C3)
        return emitOpError("the result's zero point or scale has neither one element nor one per row");
    }
  return success();
}

LogicalResult DetOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  std::optional<Shape> shape = ctx.shape(getX());
  if (!shape) {
    results.emplace_back(ctx.elementType(getX()));
    return success();
  }
  size_t rank = shape->size();
  if (rank < 2) // (C1)
    return emitOpError("the input is not of matrices");
  Dim rows = (*shape)[rank - 2], columns = shape->back();
  if (rows.isKnown() && columns.isKnown() && rows.get() != columns.get()) // (C1)
    return emitOpError("the matrices are not square: ") << rows.get() << " x " << columns.get();
  results.emplace_back(ctx.elementType(getX()), Shape(ArrayRef(*shape).drop_back(2)));
  return success();
}

LogicalResult GemmOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type elementType = ctx.elementType(getA());
  auto isWhole = [](const APFloat &factor) {
    return factor.isInteger() && std::abs(factor.convertToDouble()) < 0x1p62;
  };
  if (isa<IntegerType>(elementType) && !(isWhole(getAlpha()) && isWhole(getBeta()))) // (C4)
    return emitOpError("unsupported: alpha or beta that is not an integer, for elements of type ") << elementType;
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
