//===- SliceByData.cpp - Slice whose starts, steps or axes are data -----------------------------------------------===//
//
// The part that each dim shows is computed when the model runs, and each element is read at start + index * step. Where
// the model declares the shape of the result, it is checked.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/movement/MovementLowering.h"
#include "dialects/onnx/support/Checks.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
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

/// What remains of `parts` when entry `i` of the lists has been applied. `ownDim`: the dim it names, -1 where data
/// says.
static void applyEntry(ImplicitLocOpBuilder &b, SliceOp::Adaptor operands, Value i, int64_t ownDim,
                       ArrayRef<OpFoldResult> extents, MutableArrayRef<Part> parts) {
  PartBuilder build{b};
  auto entry = [&](Value list) -> Value {
    SmallVector<Value> at;
    if (cast<RankedTensorType>(list.getType()).getRank() == 1)
      at.push_back(i);
    return arith::IndexCastOp::create(b, b.getIndexType(), b.createOrFold<tensor::ExtractOp>(list, at));
  };
  Value start = entry(operands.getStarts()), end = entry(operands.getEnds());
  Value step = operands.getSteps() ? entry(operands.getSteps()) : build.constant(1);
  Value isValid = arith::CmpIOp::create(b, arith::CmpIPredicate::ne, step, build.constant(0));
  aot::RequireOp::create(b, isValid, aot::Code::invalid_value);
  Value axis = operands.getAxes() ? entry(operands.getAxes()) : i;
  for (int64_t dim = 0, rank = parts.size(); dim < rank; ++dim) {
    if (ownDim >= 0 && dim != ownDim)
      continue;
    Part part = build.build(start, end, step, asIndex(b, b.getLoc(), extents[dim]));
    if (ownDim >= 0) {
      parts[dim] = part;
      continue;
    }
    Value fromFront = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, axis, build.constant(dim));
    Value fromEnd = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, axis, build.constant(dim - rank));
    Value isDim = arith::OrIOp::create(b, fromFront, fromEnd);
    parts[dim] = {build.select(isDim, part.first, parts[dim].first), build.select(isDim, part.step, parts[dim].step),
                  build.select(isDim, part.count, parts[dim].count)};
  }
}

/// Lists of open length: a loop over their entries, through which the parts are carried.
static SmallVector<Part> loopOverEntries(ImplicitLocOpBuilder &b, SliceOp::Adaptor operands,
                                         ArrayRef<OpFoldResult> extents, ArrayRef<Part> parts) {
  SmallVector<Value> carried;
  for (const Part &part : parts)
    carried.append({part.first, part.step, part.count});
  auto unpack = [&](ValueRange values) {
    SmallVector<Part> result;
    for (size_t i = 0; i < values.size(); i += 3)
      result.push_back({values[i], values[i + 1], values[i + 2]});
    return result;
  };
  OpFoldResult length = sizeOf(b, b.getLoc(), operands.getStarts(), 0);
  for (Value list : {operands.getEnds(), operands.getAxes(), operands.getSteps()})
    if (list)
      requireEqual(b, b.getLoc(), sizeOf(b, b.getLoc(), list, 0), length, aot::Code::shape_mismatch);
  PartBuilder build{b};
  auto loop = scf::ForOp::create(b, build.constant(0), asIndex(b, b.getLoc(), length), build.constant(1), carried,
                                 [&](OpBuilder &nested, Location loc, Value i, ValueRange values) {
                                   ImplicitLocOpBuilder inner(loc, nested);
                                   SmallVector<Part> next = unpack(values);
                                   applyEntry(inner, operands, i, -1, extents, next);
                                   SmallVector<Value> yielded;
                                   for (const Part &part : next)
                                     yielded.append({part.first, part.step, part.count});
                                   scf::YieldOp::create(inner, yielded);
                                 });
  return unpack(loop.getResults());
}

static SmallVector<Part> partsOf(ImplicitLocOpBuilder &b, SliceOp::Adaptor operands) {
  PartBuilder build{b};
  SmallVector<OpFoldResult> extents = sizesOf(b, b.getLoc(), operands.getData());
  SmallVector<Part> parts;
  for (OpFoldResult extent : extents)
    parts.push_back({build.constant(0), build.constant(1), asIndex(b, b.getLoc(), extent)});
  auto starts = cast<RankedTensorType>(operands.getStarts().getType());
  if (!starts.hasStaticShape())
    return loopOverEntries(b, operands, extents, parts);
  for (int64_t i = 0, count = starts.getNumElements(); i < count; ++i)
    applyEntry(b, operands, build.constant(i), operands.getAxes() ? -1 : i, extents, parts);
  return parts;
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
