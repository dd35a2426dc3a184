//===- SliceByData.cpp - Slice whose starts, steps or axes are data -----------------------------------------------===//
//
// The part that each dim shows is computed when the model runs, and each element is read at start + index * step. Where
// the model declares the shape of the result, it is checked.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/movement/MovementLowering.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::onnx;

namespace {
/// What Slice takes of one dim.
struct Part {
  Value first, step, count;
};

struct PartBuilder {
  ImplicitLocOpBuilder &b;
  Value constant(int64_t value) { return arith::ConstantIndexOp::create(b, value); }
  Value isLess(Value left, Value right) { return arith::CmpIOp::create(b, arith::CmpIPredicate::slt, left, right); }
  Value select(Value condition, Value yes, Value no) { return arith::SelectOp::create(b, condition, yes, no); }
  Value clamp(Value value, Value low, Value high) {
    return arith::MinSIOp::create(b, arith::MaxSIOp::create(b, value, low), high);
  }

  /// The part of a dim of `extent` from `start` to `end`, counted and clamped as Slice does. Going backwards, the first
  /// element may be the last of the dim and `end` may lie before element 0.
  Part build(Value start, Value end, Value step, Value extent) {
    Value zero = constant(0), one = constant(1);
    Value isBackward = isLess(step, zero);
    Value lowest = select(isBackward, constant(-1), zero);
    Value highest = select(isBackward, arith::SubIOp::create(b, extent, one), extent);
    auto position = [&](Value value) {
      Value fromFront = arith::AddIOp::create(b, value, extent);
      return clamp(select(isLess(value, zero), fromFront, value), lowest, highest);
    };
    start = position(start);
    end = position(end);
    Value distance = select(isBackward, arith::SubIOp::create(b, start, end), arith::SubIOp::create(b, end, start));
    // A step is checked not to be 0; clamped to what a dim can have, its absolute value does not overflow.
    Value farthest = constant(int64_t(1) << 47);
    Value stride = clamp(step, constant(-(int64_t(1) << 47)), farthest);
    stride = arith::MaxSIOp::create(b, select(isBackward, arith::SubIOp::create(b, zero, stride), stride), one);
    Value last =
        arith::DivUIOp::create(b, arith::MaxSIOp::create(b, arith::SubIOp::create(b, distance, one), zero), stride);
    Value count = select(isLess(zero, distance), arith::AddIOp::create(b, last, one), zero);
    return {start, select(isBackward, arith::SubIOp::create(b, zero, stride), stride), count};
  }
};
} // namespace

static SmallVector<Part> partsOf(ImplicitLocOpBuilder &b, SliceOp::Adaptor operands) {
  PartBuilder parts{b};
  SmallVector<OpFoldResult> extents = sizesOf(b, b.getLoc(), operands.getData());
  SmallVector<Part> result;
  for (OpFoldResult extent : extents)
    result.push_back({parts.constant(0), parts.constant(1), asIndex(b, b.getLoc(), extent)});
  int64_t count = cast<RankedTensorType>(operands.getStarts().getType()).getNumElements(), rank = extents.size();
  for (int64_t i = 0; i < count; ++i) {
    Value start = listEntry(b, operands.getStarts(), i), end = listEntry(b, operands.getEnds(), i);
    Value step = operands.getSteps() ? listEntry(b, operands.getSteps(), i) : parts.constant(1);
    Value isValid = arith::CmpIOp::create(b, arith::CmpIPredicate::ne, step, parts.constant(0));
    aot::RequireOp::create(b, isValid, aot::Code::invalid_value);
    Value axis = operands.getAxes() ? listEntry(b, operands.getAxes(), i) : parts.constant(i);
    for (int64_t dim = 0; dim < rank; ++dim) {
      if (!operands.getAxes() && dim != i)
        continue;
      Value fromFront = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, axis, parts.constant(dim));
      Value fromEnd = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, axis, parts.constant(dim - rank));
      Value isDim = arith::OrIOp::create(b, fromFront, fromEnd);
      Part part = parts.build(start, end, step, asIndex(b, b.getLoc(), extents[dim]));
      result[dim] = {parts.select(isDim, part.first, result[dim].first),
                     parts.select(isDim, part.step, result[dim].step),
                     parts.select(isDim, part.count, result[dim].count)};
    }
  }
  return result;
}

Value onnx_aot::onnx::buildSliceByData(OpBuilder &builder, Location loc, SliceOp::Adaptor operands,
                                       RankedTensorType stored) {
  ImplicitLocOpBuilder outer(loc, builder);
  Value source = operands.getData();
  SmallVector<Part> parts = partsOf(outer, operands);
  SmallVector<OpFoldResult> sizes;
  for (auto [part, extent] : llvm::zip(parts, stored.getShape())) {
    if (ShapedType::isDynamic(extent)) {
      sizes.push_back(part.count);
      continue;
    }
    sizes.push_back(outer.getIndexAttr(extent));
    requireEqual(outer, loc, sizes.back(), part.count, aot::Code::shape_mismatch);
  }
  Value empty = emptyTensor(outer, loc, sizes, stored.getElementType());
  int64_t rank = parts.size();
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  auto body = [&](OpBuilder &nested, Location bodyLoc, ValueRange) {
    ImplicitLocOpBuilder b(bodyLoc, nested);
    SmallVector<Value> from;
    for (auto [dim, part] : llvm::enumerate(parts)) {
      Value distance = arith::MulIOp::create(b, linalg::IndexOp::create(b, dim), part.step);
      from.push_back(arith::AddIOp::create(b, part.first, distance));
    }
    linalg::YieldOp::create(b, tensor::ExtractOp::create(b, source, from).getResult());
  };
  return linalg::GenericOp::create(outer, empty.getType(), ValueRange(), empty, outer.getMultiDimIdentityMap(rank),
                                   iterators, body)
      .getResult(0);
}
