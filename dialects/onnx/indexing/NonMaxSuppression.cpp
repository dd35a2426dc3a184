//===- NonMaxSuppression.cpp - the boxes that stand out of those they overlap -------------------------------------===//
//
// For each batch entry and class:
// 1. the boxes whose score is above the threshold are listed and sorted by score, higher ones first,
// 2. of these, each is selected that overlaps none of the class' selected ones by more than iou_threshold, until there
//    are max_output_boxes_per_class.
// The selected boxes of all classes are collected in one table, of which the result is the part that was filled.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/indexing/Choosing.h"
#include "dialects/onnx/indexing/Indexing.h"
#include "dialects/onnx/support/Checks.h"
#include "dialects/onnx/support/Extents.h"
#include "dialects/onnx/support/Generate.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::onnx;

static bool differ(Dim left, Dim right) { return left.isKnown() && right.isKnown() && left.get() != right.get(); }

LogicalResult NonMaxSuppressionOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  std::optional<Shape> boxes = ctx.shape(getBoxes()), scores = ctx.shape(getScores());
  if (boxes && (boxes->size() != 3 || differ((*boxes)[2], 4))) // (C1)
    return emitOpError("boxes must be batch x boxes x 4");
  if (scores && scores->size() != 3) // (C2)
    return emitOpError("scores must be batch x classes x boxes");
  if (boxes && scores && (differ((*boxes)[0], (*scores)[0]) || differ((*boxes)[1], (*scores)[2]))) // (C2)
    return emitOpError("boxes and scores do not fit each other");
  for (Value scalar : {getMaxOutputBoxesPerClass(), getIouThreshold(), getScoreThreshold()})
    if (std::optional<Shape> shape = scalar ? ctx.shape(scalar) : std::nullopt)
      if (differ(product(*shape), 1)) // (C3)
        return emitOpError("limit and thresholds must be one element");
  if (getCenterPointBox() != 0 && getCenterPointBox() != 1) // (C4)
    return emitOpError("center_point_box must be 0 or 1");
  auto most = getMaxOutputBoxesPerClass() ? ctx.integers(getMaxOutputBoxesPerClass()) : SmallVector<int64_t>{0};
  bool isEmpty = most && !most->empty() && most->front() <= 0;
  results.emplace_back(IntegerType::get(getContext(), 64), Shape{isEmpty ? Dim(0) : Dim(), Dim(3)});
  return success();
}

namespace {
/// Borders along one dim.
struct Interval {
  Value low, high;
};

/// The scalar code that looks at boxes.
struct Boxes {
  Value tensor;
  Type element; // ONNX type
  bool isCentered;

  Value read(Arithmetic &a, Value batch, Value box, int64_t column) const {
    Value index = indexConstant(a.b, column);
    return toCompute(a.b, a.b.getLoc(), tensor::ExtractOp::create(a.b, tensor, ValueRange{batch, box, index}), element);
  }

  /// Boxes are (y1, x1, y2, x2) of any two opposite corners, or (x, y, width, height) around the center.
  std::array<Interval, 2> intervals(Arithmetic &a, Value batch, Value box) const {
    std::array<Interval, 2> result;
    for (int64_t dim = 0; dim < 2; ++dim) {
      Value first = read(a, batch, box, dim), second = read(a, batch, box, dim + 2);
      if (isCentered) {
        Value half = a.mul(second, a.number(0.5));
        result[dim] = {a.sub(first, half), a.add(first, half)};
      } else {
        Value isOrdered = a.less(first, second);
        result[dim] = {a.select(isOrdered, first, second), a.select(isOrdered, second, first)};
      }
    }
    return result;
  }

  /// Whether the common area is more than `threshold` of that of both together.
  Value overlap(ImplicitLocOpBuilder &b, Value batch, Value left, Value right, Value threshold) const {
    Arithmetic a{b, computeType(element)};
    Value zero = a.number(0), shared, sizes[2];
    std::array<Interval, 2> intervals[] = {this->intervals(a, batch, left), this->intervals(a, batch, right)};
    Value isPossible;
    for (int64_t dim = 0; dim < 2; ++dim) {
      Interval x = intervals[0][dim], y = intervals[1][dim];
      Value low = a.select(a.less(x.low, y.low), y.low, x.low), high = a.select(a.less(x.high, y.high), x.high, y.high);
      Value isShared = a.less(low, high), length = a.sub(high, low);
      isPossible = isPossible ? a.both(isPossible, isShared) : isShared;
      shared = shared ? a.mul(shared, length) : length;
      for (int64_t box = 0; box < 2; ++box) {
        Value own = a.sub(intervals[box][dim].high, intervals[box][dim].low);
        sizes[box] = sizes[box] ? a.mul(sizes[box], own) : own;
      }
    }
    Value together = a.sub(a.add(sizes[0], sizes[1]), shared);
    for (Value area : {shared, sizes[0], sizes[1], together})
      isPossible = a.both(isPossible, a.less(zero, area));
    return a.both(isPossible, a.less(threshold, a.div(shared, together)));
  }
};

struct LowerNonMaxSuppression : OnnxLowering<NonMaxSuppressionOp> {
  using OnnxLowering::OnnxLowering;

  /// What does not change from class to class.
  struct Selection {
    Boxes boxes;
    Value scores;
    Type scoreElement;
    Value count, perClass; // boxes; selected ones of a class at most
    Value last;            // place in the table
    Value iouThreshold, scoreThreshold;
  };

  LogicalResult matchAndRewrite(NonMaxSuppressionOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Location loc = op.getLoc();
    SmallVector<OpFoldResult> extents = sizesOf(b, loc, adaptor.getScores());
    auto fits = [&](int64_t dim, OpFoldResult extent) {
      requireEqual(b, loc, sizeOf(b, loc, adaptor.getBoxes(), dim), extent, aot::Code::shape_mismatch);
    };
    fits(0, extents[0]);
    fits(1, extents[2]);
    fits(2, b.getIndexAttr(4));
    OpFoldResult perClass = b.getIndexAttr(0);
    if (Value limit = adaptor.getMaxOutputBoxesPerClass()) {
      OpFoldResult given = getAsOpFoldResult(listEntry(b, buildScalar(b, loc, limit), 0));
      perClass = minSize(b, loc, maxSize(b, loc, given, b.getIndexAttr(0)), extents[2]);
    }
    OpFoldResult capacity = productOf(b, loc, {extents[0], extents[1], perClass});
    Selection selection;
    selection.boxes = {adaptor.getBoxes(), type(op.getBoxes()).getElementType(), op.getCenterPointBox() == 1};
    selection.scores = adaptor.getScores();
    selection.scoreElement = type(op.getScores()).getElementType();
    selection.count = asIndex(b, loc, extents[2]);
    selection.perClass = asIndex(b, loc, perClass);
    selection.last = asIndex(b, loc, subtractSizes(b, loc, capacity, b.getIndexAttr(1)));
    selection.iouThreshold = threshold(b, op.getIouThreshold(), adaptor.getIouThreshold(), selection.boxes.element);
    if (!selection.iouThreshold)
      selection.iouThreshold = scalarConstant(b, loc, selection.boxes.element, 0);
    selection.scoreThreshold =
        threshold(b, op.getScoreThreshold(), adaptor.getScoreThreshold(), selection.scoreElement);
    rewriter.replaceOp(
        op, fitTensor(rewriter, loc, select(b, selection, extents, capacity), stored(op.getSelectedIndices())));
    return success();
  }

  /// The one element of `lowered` in the compute form of `element`; null where it is absent.
  static Value threshold(ImplicitLocOpBuilder &b, Value value, Value lowered, Type element) {
    if (!lowered)
      return Value();
    Type own = type(value).getElementType();
    Value scalar = tensor::ExtractOp::create(b, buildScalar(b, b.getLoc(), lowered), ValueRange());
    return castScalar(b, b.getLoc(), toCompute(b, b.getLoc(), scalar, own), own, element);
  }

  /// The selected (batch, class, box).
  static Value select(ImplicitLocOpBuilder &b, const Selection &selection, ArrayRef<OpFoldResult> extents,
                      OpFoldResult capacity) {
    Location loc = b.getLoc();
    Value zero = indexConstant(b, 0);
    Value list = emptyTensor(b, loc, {b.getIndexAttr(2), extents[2]}, b.getI64Type());
    Value table = emptyTensor(b, loc, {capacity, b.getIndexAttr(3)}, b.getI64Type());
    // Without a place in the table nothing is selected.
    Value isNone = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, asIndex(b, loc, capacity), zero);
    Value batches = arith::SelectOp::create(b, isNone, zero, asIndex(b, loc, extents[0]));
    Value classes = asIndex(b, loc, extents[1]);
    auto visitBatch = [&](ImplicitLocOpBuilder &outer, Value batch, ValueRange carried) {
      return buildCarrying(outer, classes, carried, [&](ImplicitLocOpBuilder &inner, Value cls, ValueRange state) {
        return selectClass(inner, selection, batch, cls, state);
      });
    };
    SmallVector<Value> selected = buildCarrying(b, batches, {list, table, zero}, visitBatch);
    Value count = clampCount(b, selected[2], capacity);
    return buildGenerated(b, loc, {OpFoldResult(count), OpFoldResult(b.getIndexAttr(3))}, b.getI64Type(),
                          [&](ImplicitLocOpBuilder &inner, ValueRange at) {
                            return tensor::ExtractOp::create(inner, selected[1], at).getResult();
                          });
  }

  /// `state` is the list to sort in, the table of all selected boxes and how many it has.
  static SmallVector<Value> selectClass(ImplicitLocOpBuilder &b, const Selection &s, Value batch, Value cls,
                                        ValueRange state) {
    auto scoreOf = [&](ImplicitLocOpBuilder &inner, Value box) {
      Value score = tensor::ExtractOp::create(inner, s.scores, ValueRange{batch, cls, box});
      return toCompute(inner, inner.getLoc(), score, s.scoreElement);
    };
    auto list = [&](ImplicitLocOpBuilder &inner, Value box, ValueRange carried) {
      Value zero = indexConstant(inner, 0), isListed = arith::ConstantIntOp::create(inner, 1, 1);
      if (s.scoreThreshold)
        isListed = arith::CmpFOp::create(inner, arith::CmpFPredicate::OGT, scoreOf(inner, box), s.scoreThreshold);
      Value present = loadIndex(inner, carried[0], {zero, carried[1]});
      Value filled =
          storeIndex(inner, arith::SelectOp::create(inner, isListed, box, present), carried[0], {zero, carried[1]});
      Value moved = arith::IndexCastUIOp::create(inner, inner.getIndexType(), isListed);
      return SmallVector<Value>{filled, arith::AddIOp::create(inner, carried[1], moved)};
    };
    SmallVector<Value> listed = buildCarrying(b, s.count, {state[0], indexConstant(b, 0)}, list);
    SortedList sorted = buildSort(b, listed[0], listed[1], [&](ImplicitLocOpBuilder &inner, Value left, Value right) {
      return arith::CmpFOp::create(inner, arith::CmpFPredicate::OGT, scoreOf(inner, left), scoreOf(inner, right))
          .getResult();
    });
    Value begin = state[2];
    auto visit = [&](ImplicitLocOpBuilder &inner, Value place, ValueRange carried) {
      Value box = loadIndex(inner, sorted.table, {sorted.row, place});
      return selectBox(inner, s, {batch, cls, box}, begin, carried);
    };
    SmallVector<Value> selected = buildCarrying(b, listed[1], {state[1], begin}, visit);
    return {sorted.table, selected[0], selected[1]};
  }

  /// Puts `entry` into the table of `carried`, unless it overlaps an entry from `begin` on.
  static SmallVector<Value> selectBox(ImplicitLocOpBuilder &b, const Selection &s, ArrayRef<Value> entry, Value begin,
                                      ValueRange carried) {
    Value table = carried[0], count = carried[1], zero = indexConstant(b, 0);
    Value own = arith::SubIOp::create(b, count, begin);
    Value hasRoom = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, own, s.perClass);
    Value others = arith::SelectOp::create(b, hasRoom, own, zero);
    Value found = buildFind(b, others, [&](ImplicitLocOpBuilder &inner, Value index) {
      Value row = arith::AddIOp::create(inner, begin, index);
      Value other = loadIndex(inner, table, {row, indexConstant(inner, 2)});
      return s.boxes.overlap(inner, entry[0], other, entry[2], s.iouThreshold);
    });
    Value isAlone = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, found, others);
    Value isSelected = arith::AndIOp::create(b, hasRoom, isAlone);
    Value row = arith::MinSIOp::create(b, count, s.last);
    for (auto [column, index] : llvm::enumerate(entry)) {
      Value at = indexConstant(b, column), present = loadIndex(b, table, {row, at});
      table = storeIndex(b, arith::SelectOp::create(b, isSelected, index, present), table, {row, at});
    }
    Value moved = arith::IndexCastUIOp::create(b, b.getIndexType(), isSelected);
    return {table, arith::AddIOp::create(b, count, moved)};
  }
};
} // namespace

void onnx_aot::onnx::populateNonMaxSuppressionToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerNonMaxSuppression>(converter, patterns.getContext());
}
