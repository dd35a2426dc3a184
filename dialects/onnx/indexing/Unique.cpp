//===- Unique.cpp - the different slices of a tensor --------------------------------------------------------------===//
//
// 1. The slices along the axis (or all elements) are sorted; equal ones stay in their order.
// 2. A loop over them finds where a new group of equal slices begins: where the group comes first in the tensor, how
//    many slices it has, and to which group each slice belongs.
// 3. With sorted = 0, groups are numbered again, by where they come first.
// 4. The result takes the first slice of each group.
//
// Slices compare element by element; NaN comes after all numbers and is equal to itself.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/indexing/Choosing.h"
#include "dialects/onnx/indexing/Indexing.h"
#include "dialects/onnx/support/Axes.h"
#include "dialects/onnx/support/Checks.h"
#include "dialects/onnx/support/Generate.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace onnx_aot::onnx;

LogicalResult UniqueOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type element = ctx.elementType(getX()), index = IntegerType::get(getContext(), 64);
  std::optional<Shape> x = ctx.shape(getX());
  Dim count, extent = x ? product(*x) : Dim();
  if (getAxis() && x) {
    FailureOr<int64_t> axis = normalizeAxis(*this, *getAxis(), x->size()); // (C1)
    if (failed(axis))
      return failure();
    extent = (*x)[*axis];
    (*x)[*axis] = count;
  } else if (!getAxis()) {
    x = Shape{count};
  }
  // Of one slice or none, all are different.
  if (extent.is(0) || extent.is(1)) {
    count = extent;
    if (getAxis())
      (*x)[wrapAxis(*getAxis(), x->size())] = count;
    else
      x = Shape{count};
  }
  results.emplace_back(element, x);
  if (getIndices())
    results.emplace_back(index, Shape{count});
  if (getInverseIndices())
    results.emplace_back(index, Shape{extent});
  if (getCounts())
    results.emplace_back(index, Shape{count});
  return success();
}

/// Whether `left` comes before `right`, scalars in compute form of ONNX type `type`.
static Value comesBefore(ImplicitLocOpBuilder &b, Value left, Value right, Type type) {
  if (isa<FloatType>(left.getType())) {
    Value isLess = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, left, right);
    Value isNumber = arith::CmpFOp::create(b, arith::CmpFPredicate::ORD, left, left);
    Value isNan = arith::CmpFOp::create(b, arith::CmpFPredicate::UNO, right, right);
    return arith::OrIOp::create(b, isLess, arith::AndIOp::create(b, isNumber, isNan).getResult());
  }
  if (auto complex = dyn_cast<ComplexType>(type)) {
    // By real parts, then by imaginary ones.
    Type part = complex.getElementType();
    int64_t width = part.getIntOrFloatBitWidth();
    auto partOf = [&](Value bits, bool isUpper) -> Value {
      if (isUpper)
        bits = arith::ShRUIOp::create(b, bits, arith::ConstantIntOp::create(b, width, 2 * width));
      return arith::BitcastOp::create(b, part, arith::TruncIOp::create(b, b.getIntegerType(width), bits).getResult());
    };
    auto isBefore = [&](Value first, Value second, bool isUpper) {
      return comesBefore(b, partOf(first, isUpper), partOf(second, isUpper), part);
    };
    Value isEqual =
        arith::CmpIOp::create(b, arith::CmpIPredicate::eq, isBefore(left, right, false), isBefore(right, left, false));
    return arith::SelectOp::create(b, isEqual, isBefore(left, right, true), isBefore(left, right, false));
  }
  return arith::CmpIOp::create(b, isUnsigned(type) ? arith::CmpIPredicate::ult : arith::CmpIPredicate::slt, left,
                               right);
}

namespace {
/// The slices of a tensor [outer, count, inner] along its middle dim.
struct Slices {
  Value tensor;
  Type element; // ONNX type
  OpFoldResult outer, count, inner;

  Value at(ImplicitLocOpBuilder &b, Value slice, Value position) const {
    Location loc = b.getLoc();
    Value row = indexConstant(b, 0), column = position;
    if (constantSize(outer) != 1) {
      Value width = asIndex(b, loc, inner);
      row = arith::DivUIOp::create(b, position, width);
      column = arith::RemUIOp::create(b, position, width);
    }
    return toCompute(b, loc, tensor::ExtractOp::create(b, tensor, ValueRange{row, slice, column}), element);
  }

  Value size(ImplicitLocOpBuilder &b) const {
    return asIndex(b, b.getLoc(), multiplySizes(b, b.getLoc(), outer, inner));
  }

  Value isBeforeAt(ImplicitLocOpBuilder &b, Value left, Value right, Value position) const {
    return comesBefore(b, at(b, left, position), at(b, right, position), element);
  }

  /// The first position at which two slices differ; their size where there is none.
  Value difference(ImplicitLocOpBuilder &b, Value left, Value right) const {
    return buildFind(b, size(b), [&](ImplicitLocOpBuilder &inner, Value position) -> Value {
      return arith::OrIOp::create(inner, isBeforeAt(inner, left, right, position),
                                  isBeforeAt(inner, right, left, position));
    });
  }

  Value differ(ImplicitLocOpBuilder &b, Value left, Value right) const {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::ne, difference(b, left, right), size(b));
  }

  Value comesFirst(ImplicitLocOpBuilder &b, Value left, Value right) const {
    Value position = difference(b, left, right);
    Value isThere = arith::CmpIOp::create(b, arith::CmpIPredicate::ne, position, size(b));
    return buildEither(
        b, isThere, [&](ImplicitLocOpBuilder &inner) { return isBeforeAt(inner, left, right, position); },
        [&](ImplicitLocOpBuilder &inner) -> Value { return arith::ConstantIntOp::create(inner, 0, 1); });
  }
};

/// Groups of equal slices.
struct Groups {
  Value first;   // [slices] of which the first `count` say where a group comes first
  Value sizes;   // the same for how many slices it has
  Value members; // [slices]: the group of each slice
  Value count;
};

struct LowerUnique : OnnxLowering<UniqueOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(UniqueOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Location loc = op.getLoc();
    Value data = adaptor.getX();
    SmallVector<OpFoldResult> extents = sizesOf(b, loc, data);
    int64_t axis = 0;
    if (op.getAxis()) {
      axis = wrapAxis(*op.getAxis(), extents.size());
    } else {
      extents = {productOf(b, loc, extents)};
      data = buildReshape(b, loc, data, extents);
    }
    Slices slices;
    slices.element = type(op.getX()).getElementType();
    slices.outer = productOf(b, loc, ArrayRef(extents).take_front(axis));
    slices.count = extents[axis];
    slices.inner = productOf(b, loc, ArrayRef(extents).drop_front(axis + 1));
    slices.tensor = buildReshape(b, loc, data, {slices.outer, slices.count, slices.inner});
    Groups groups = findGroups(b, slices);
    if (!op.getSorted())
      groups = inOrderOfAppearance(b, groups);
    Value count = clampCount(b, groups.count, slices.count);
    auto head = [&](Value list) {
      return buildGenerated(b, loc, OpFoldResult(count), b.getI64Type(),
                            [&](ImplicitLocOpBuilder &inner, ValueRange at) {
                              return tensor::ExtractOp::create(inner, list, at).getResult();
                            });
    };
    Value first = head(groups.first);
    SmallVector<Value> results = {buildTaken(b, data, axis, first)};
    if (op.getIndices())
      results.push_back(first);
    if (op.getInverseIndices())
      results.push_back(groups.members);
    if (op.getCounts())
      results.push_back(head(groups.sizes));
    for (auto [value, result] : llvm::zip(results, op->getResults()))
      value = fitTensor(rewriter, loc, value, stored(result));
    rewriter.replaceOp(op, results);
    return success();
  }

  static Value emptyList(ImplicitLocOpBuilder &b, OpFoldResult length) {
    return emptyTensor(b, b.getLoc(), length, b.getI64Type());
  }

  static Value isEqual(ImplicitLocOpBuilder &b, Value left, Value right) {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, left, right);
  }

  static Groups findGroups(ImplicitLocOpBuilder &b, const Slices &slices) {
    Value count = asIndex(b, b.getLoc(), slices.count), zero = indexConstant(b, 0);
    Value table = buildGenerated(b, b.getLoc(), {OpFoldResult(b.getIndexAttr(2)), slices.count}, b.getI64Type(),
                                 [](ImplicitLocOpBuilder &inner, ValueRange at) {
                                   return arith::IndexCastOp::create(inner, inner.getI64Type(), at[1]).getResult();
                                 });
    SortedList sorted = buildSort(b, table, count, [&](ImplicitLocOpBuilder &inner, Value left, Value right) {
      return slices.comesFirst(inner, left, right);
    });
    SmallVector<Value> initial;
    for (int i = 0; i < 3; ++i)
      initial.push_back(emptyList(b, slices.count));
    initial.push_back(zero);
    auto visit = [&](ImplicitLocOpBuilder &i, Value place, ValueRange carried) {
      Value one = indexConstant(i, 1), isStart = isEqual(i, place, zero);
      Value previous = arith::SelectOp::create(i, isStart, zero, arith::SubIOp::create(i, place, one).getResult());
      Value own = loadIndex(i, sorted.table, {sorted.row, place});
      Value before = loadIndex(i, sorted.table, {sorted.row, previous});
      Value isNew = arith::OrIOp::create(i, isStart, slices.differ(i, before, own));
      Value number =
          arith::AddIOp::create(i, carried[3], arith::IndexCastUIOp::create(i, i.getIndexType(), isNew).getResult());
      Value group = arith::SubIOp::create(i, number, one);
      Value first = arith::SelectOp::create(i, isNew, own, loadIndex(i, carried[0], group));
      Value size = arith::SelectOp::create(i, isNew, zero, loadIndex(i, carried[1], group));
      size = arith::AddIOp::create(i, size, one);
      return SmallVector<Value>{storeIndex(i, first, carried[0], group), storeIndex(i, size, carried[1], group),
                                storeIndex(i, group, carried[2], own), number};
    };
    SmallVector<Value> found = buildCarrying(b, count, initial, visit);
    return {found[0], found[1], found[2], found[3]};
  }

  /// Numbers the groups by their first slices.
  static Groups inOrderOfAppearance(ImplicitLocOpBuilder &b, const Groups &groups) {
    OpFoldResult length = sizeOf(b, b.getLoc(), groups.members, 0);
    Value zero = indexConstant(b, 0), count = asIndex(b, b.getLoc(), length);
    // The new number of each old group, and the old one of each new.
    auto visit = [&](ImplicitLocOpBuilder &i, Value slice, ValueRange carried) {
      Value old = loadIndex(i, groups.members, slice), next = carried[2];
      Value isFirst = isEqual(i, loadIndex(i, groups.first, old), slice);
      Value number = arith::SelectOp::create(i, isFirst, next, loadIndex(i, carried[0], old));
      Value own = arith::SelectOp::create(i, isFirst, old, loadIndex(i, carried[1], next));
      Value moved = arith::IndexCastUIOp::create(i, i.getIndexType(), isFirst);
      return SmallVector<Value>{storeIndex(i, number, carried[0], old), storeIndex(i, own, carried[1], next),
                                arith::AddIOp::create(i, next, moved)};
    };
    SmallVector<Value> numbers = buildCarrying(b, count, {emptyList(b, length), emptyList(b, length), zero}, visit);
    // Of the lists by group only the first entries are numbers.
    auto reordered = [&](Value list, Value order, OpFoldResult size) {
      return buildGenerated(b, b.getLoc(), size, b.getI64Type(), [&](ImplicitLocOpBuilder &inner, ValueRange at) {
        return tensor::ExtractOp::create(inner, list, loadIndex(inner, order, at)).getResult();
      });
    };
    OpFoldResult known = clampCount(b, groups.count, length);
    return {reordered(groups.first, numbers[1], known), reordered(groups.sizes, numbers[1], known),
            reordered(numbers[0], groups.members, length), groups.count};
  }
};
} // namespace

void onnx_aot::onnx::populateUniqueToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerUnique>(converter, patterns.getContext());
}
