//===- ReductionOps.cpp - shapes and folds of the reductions ------------------------------------------------------===//
#include "dialects/onnx/reduction/ReductionAxes.h"
#include "dialects/onnx/support/Axes.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/support/Fold.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace onnx_aot::onnx;

//===-- Reductions over several axes ------------------------------------------------------------------------------===//

std::optional<SmallVector<bool>> onnx_aot::onnx::reducedDims(Value axes, bool noopWithEmptyAxes, int64_t rank) {
  std::optional<SmallVector<int64_t>> list = getConstantIntegers(axes);
  // A list of no axes is known without its content.
  if (auto type = axes ? dyn_cast<RankedTensorType>(axes.getType()) : nullptr;
      type && type.hasStaticShape() && type.getNumElements() == 0)
    list.emplace();
  if (axes && !list)
    return std::nullopt;
  if (!list || list->empty())
    return SmallVector<bool>(rank, !noopWithEmptyAxes);
  SmallVector<bool> isReduced(rank, false);
  for (int64_t axis : *list)
    isReduced[wrapAxis(axis, rank)] = true;
  return isReduced;
}

template <typename OpTy>
static LogicalResult inferReduce(OpTy op, ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type elementType = ctx.elementType(op.getData());
  std::optional<Shape> in = ctx.shape(op.getData());
  if (!in) {
    results.emplace_back(elementType);
    return success();
  }
  if (auto axes = ctx.integers(op.getAxes())) { // (C1)
    FailureOr<SmallVector<int64_t>> normalized = normalizeAxes(op, *axes, in->size());
    if (failed(normalized))
      return failure();
    llvm::sort(*normalized);
    if (std::adjacent_find(normalized->begin(), normalized->end()) != normalized->end())
      return op.emitOpError("an axis appears twice");
  }
  std::optional<SmallVector<bool>> isReduced = reducedDims(op.getAxes(), op.getNoopWithEmptyAxes(), in->size());
  if (!isReduced) {
    results.emplace_back(elementType, op.getKeepdims() ? std::optional(Shape(in->size())) : std::nullopt);
    return success();
  }
  Shape dims;
  for (auto [dim, reduced] : llvm::zip(*in, *isReduced)) {
    if (!reduced)
      dims.push_back(dim);
    else if (op.getKeepdims())
      dims.push_back(Dim(1));
  }
  results.emplace_back(elementType, dims);
  return success();
}

/// Folds a reduction of small signed integers (shape arithmetic). `combine` fails where the result would overflow.
template <typename OpTy>
static OpFoldResult foldReduce(OpTy op, int64_t identity,
                               llvm::function_ref<bool(int64_t, int64_t, int64_t &)> combine) {
  ElementsAttr constant = getConstant(op.getData());
  auto element = constant ? dyn_cast<IntegerType>(constant.getShapedType().getElementType()) : nullptr;
  if (!element || element.isUnsigned() || element.getWidth() != 64)
    return nullptr;
  RankedTensorType type = staticResultType(op);
  auto source = cast<RankedTensorType>(constant.getShapedType());
  auto isReduced = type ? reducedDims(op.getAxes(), op.getNoopWithEmptyAxes(), source.getRank()) : std::nullopt;
  SmallVector<char> storage;
  ArrayRef<char> bytes;
  if (!isReduced || !isSmall(source) || !isSmall(type) || !getRawBytes(constant, storage, bytes))
    return nullptr;
  SmallVector<int64_t> sums(type.getNumElements(), identity);
  bool overflows = false;
  int64_t next = 0;
  forEachIndex(source.getShape(), [&](ArrayRef<int64_t> index) {
    int64_t position = 0, value;
    for (auto [dim, extent] : llvm::enumerate(source.getShape()))
      if (!(*isReduced)[dim])
        position = position * extent + index[dim];
    std::memcpy(&value, bytes.data() + next++ * sizeof(value), sizeof(value));
    overflows |= combine(sums[position], value, sums[position]);
  });
  return overflows ? OpFoldResult() : OpFoldResult(DenseElementsAttr::get(type, ArrayRef(sums)));
}

OpFoldResult ReduceSumOp::fold(FoldAdaptor) {
  return foldReduce(*this, 0, [](int64_t a, int64_t b, int64_t &sum) -> bool { return llvm::AddOverflow(a, b, sum); });
}
OpFoldResult ReduceProdOp::fold(FoldAdaptor) {
  return foldReduce(*this, 1,
                    [](int64_t a, int64_t b, int64_t &product) -> bool { return llvm::MulOverflow(a, b, product); });
}
OpFoldResult ReduceMaxOp::fold(FoldAdaptor) {
  return foldReduce(*this, INT64_MIN, [](int64_t a, int64_t b, int64_t &largest) {
    largest = std::max(a, b);
    return false;
  });
}
OpFoldResult ReduceMinOp::fold(FoldAdaptor) {
  return foldReduce(*this, INT64_MAX, [](int64_t a, int64_t b, int64_t &smallest) {
    smallest = std::min(a, b);
    return false;
  });
}

//===-- Shape arithmetic ------------------------------------------------------------------------------------------===//

/// The elements of a list, or of one number, combined; nothing else is reduced when shapes are computed.
template <typename OpTy>
static std::optional<Shape> inferTotal(OpTy op, ShapeContext &ctx, Dim first, Dim (*combine)(Dim, Dim)) {
  std::optional<Shape> list = ctx.dims(op.getData());
  if (!list || list->empty())
    return std::nullopt;
  for (Dim dim : *list)
    first = combine(first, dim);
  return Shape{first};
}

std::optional<Shape> ReduceSumOp::inferElements(ShapeContext &ctx, unsigned) {
  return inferTotal(*this, ctx, 0, [](Dim a, Dim b) { return a + b; });
}
std::optional<Shape> ReduceProdOp::inferElements(ShapeContext &ctx, unsigned) {
  return inferTotal(*this, ctx, 1, [](Dim a, Dim b) { return a * b; });
}
std::optional<Shape> ReduceMaxOp::inferElements(ShapeContext &ctx, unsigned) {
  return inferTotal(*this, ctx, INT64_MIN, Dim::max);
}
std::optional<Shape> ReduceMinOp::inferElements(ShapeContext &ctx, unsigned) {
  return inferTotal(*this, ctx, INT64_MAX, Dim::min);
}

#define INFER_REDUCE(Op)                                                                                               \
  LogicalResult Op::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {                           \
    return inferReduce(*this, ctx, results);                                                                           \
  }
INFER_REDUCE(ReduceSumOp)
INFER_REDUCE(ReduceMeanOp)
INFER_REDUCE(ReduceProdOp)
INFER_REDUCE(ReduceMaxOp)
INFER_REDUCE(ReduceMinOp)
INFER_REDUCE(ReduceL1Op)
INFER_REDUCE(ReduceL2Op)
INFER_REDUCE(ReduceLogSumOp)
INFER_REDUCE(ReduceLogSumExpOp)
INFER_REDUCE(ReduceSumSquareOp)
#undef INFER_REDUCE

//===-- Along one axis --------------------------------------------------------------------------------------------===//

template <typename OpTy>
static LogicalResult inferArg(OpTy op, ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type elementType = IntegerType::get(op.getContext(), 64);
  std::optional<Shape> in = ctx.shape(op.getData());
  if (!in) {
    results.emplace_back(elementType);
    return success();
  }
  FailureOr<int64_t> axis = normalizeAxis(op, op.getAxis(), in->size()); // (C1)
  if (failed(axis))
    return failure();
  if ((*in)[*axis].is(0) &&
      !llvm::any_of(llvm::enumerate(*in), [&](auto dim) { return int64_t(dim.index()) != *axis && dim.value().is(0); }))
    return op.emitOpError("axis ") << *axis << " is empty";
  Shape dims = *in;
  if (op.getKeepdims())
    dims[*axis] = Dim(1);
  else
    dims.erase(dims.begin() + *axis);
  results.emplace_back(elementType, dims);
  return success();
}

LogicalResult ArgMaxOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  return inferArg(*this, ctx, results);
}
LogicalResult ArgMinOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  return inferArg(*this, ctx, results);
}

template <typename OpTy>
static LogicalResult inferCumulative(OpTy op, ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  std::optional<Shape> in = ctx.shape(op.getX()), axisShape = ctx.shape(op.getAxis());
  if (axisShape && product(*axisShape).isKnown() && !product(*axisShape).is(1)) // (C1)
    return op.emitOpError("axis must have one element");
  std::optional<SmallVector<int64_t>> axis = ctx.integers(op.getAxis());
  if (in && axis && failed(normalizeAxis(op, axis->front(), in->size()))) // (C2)
    return failure();
  results.emplace_back(ctx.elementType(op.getX()), in);
  return success();
}

LogicalResult CumSumOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  return inferCumulative(*this, ctx, results);
}
LogicalResult CumProdOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  return inferCumulative(*this, ctx, results);
}

LogicalResult TopKOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type index = IntegerType::get(getContext(), 64);
  std::optional<Shape> in = ctx.shape(getX()), count = ctx.shape(getK());
  if (count && product(*count).isKnown() && !product(*count).is(1)) // (C1)
    return emitOpError("K must have one element");
  if (in) {
    FailureOr<int64_t> axis = normalizeAxis(*this, getAxis(), in->size());
    if (failed(axis))
      return failure();
    Dim &extent = (*in)[*axis];
    std::optional<SmallVector<int64_t>> k = ctx.integers(getK());
    std::optional<Shape> taken = ctx.dims(getK());
    if (k && (k->front() < 0 || (extent.isKnown() && k->front() > extent.get()))) // (C1)
      return emitOpError("K is ") << k->front() << " for an axis of " << extent.toType();
    // The run checks the bounds of a K that only it knows.
    Dim number = taken && taken->size() == 1 ? taken->front() : Dim();
    extent = number.isKnown() ? number : Dim::max(Dim::min(number, extent), 0);
  }
  results.emplace_back(ctx.elementType(getX()), in);
  if (getNumResults() > 1)
    results.emplace_back(index, in);
  return success();
}
