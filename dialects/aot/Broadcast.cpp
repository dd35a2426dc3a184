//===- Broadcast.cpp - aot.broadcast: repetition decided at run time --------------------------------------------===//
//
// Verification, folds and canonical form of aot.broadcast. Its buffer is a view of the source's, see Bufferization.cpp.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/AotDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace onnx_aot::aot;

void BroadcastOp::build(OpBuilder &, OperationState &state, Value source, ArrayRef<OpFoldResult> sizes) {
  SmallVector<int64_t> shape;
  SmallVector<Value> dynamic;
  dispatchIndexOpFoldResults(sizes, dynamic, shape);
  state.addOperands(source);
  state.addOperands(dynamic);
  state.addTypes(RankedTensorType::get(shape, cast<RankedTensorType>(source.getType()).getElementType()));
}

SmallVector<OpFoldResult> BroadcastOp::getMixedSizes() {
  Builder builder(getContext());
  return getMixedValues(getType().getShape(), getSizes(), builder);
}

LogicalResult BroadcastOp::verify() {
  RankedTensorType source = getSourceType(), result = getType();
  if (source.getElementType() != result.getElementType())
    return emitOpError("does not keep the element type");
  if (source.getRank() > result.getRank())
    return emitOpError("loses dims of its source");
  if (size_t(result.getNumDynamicDims()) != getSizes().size())
    return emitOpError("needs one size per dynamic dim of its result");
  for (int64_t dim = 0; dim < source.getRank(); ++dim) {
    int64_t from = source.getDimSize(dim), to = result.getDimSize(dim + getMissingDims());
    if (!ShapedType::isDynamic(from) && !ShapedType::isDynamic(to) && from != 1 && from != to)
      return emitOpError("cannot repeat dim ") << dim << " of " << from << " to " << to;
  }
  return success();
}

LogicalResult BroadcastOp::reifyResultShapes(OpBuilder &, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(getMixedSizes());
  return success();
}

OpFoldResult BroadcastOp::fold(FoldAdaptor) {
  if (getSourceType() == getType() && getType().hasStaticShape())
    return getSource();
  return {};
}

namespace {
/// Whether `size` is the extent of dim `dim` of `tensor`.
bool isExtentOf(OpFoldResult size, Value tensor, int64_t dim) {
  auto value = dyn_cast<Value>(size);
  if (!value)
    return getConstantIntValue(size) == cast<RankedTensorType>(tensor.getType()).getDimSize(dim);
  if (auto extent = value.getDefiningOp<tensor::DimOp>())
    return extent.getSource() == tensor && extent.getConstantIndex() == dim;
  if (auto empty = tensor.getDefiningOp<tensor::EmptyOp>())
    return empty.getMixedSizes()[dim] == size;
  if (auto broadcast = tensor.getDefiningOp<BroadcastOp>())
    return broadcast.getMixedSizes()[dim] == size;
  if (auto op = tensor.getDefiningOp<DestinationStyleOpInterface>())
    return isExtentOf(size, op.getTiedOpOperand(cast<OpResult>(tensor))->get(), dim);
  return false;
}

/// All extents are those of the source: nothing repeats.
struct DropIdentity : OpRewritePattern<BroadcastOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(BroadcastOp op, PatternRewriter &rewriter) const override {
    if (op.getMissingDims() != 0)
      return rewriter.notifyMatchFailure(op, "dims are added");
    for (auto [dim, size] : llvm::enumerate(op.getMixedSizes()))
      if (!isExtentOf(size, op.getSource(), dim))
        return rewriter.notifyMatchFailure(op, "a dim may repeat");
    rewriter.replaceOpWithNewOp<tensor::CastOp>(op, op.getType(), op.getSource());
    return success();
  }
};

/// Sizes that are constants become part of the type.
struct TakeConstantSizes : OpRewritePattern<BroadcastOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(BroadcastOp op, PatternRewriter &rewriter) const override {
    SmallVector<OpFoldResult> sizes = op.getMixedSizes();
    if (failed(foldDynamicIndexList(sizes, /*onlyNonNegative=*/true)))
      return rewriter.notifyMatchFailure(op, "no size is constant");
    for (int64_t dim = 0; dim < op.getSourceType().getRank(); ++dim) {
      int64_t from = op.getSourceType().getDimSize(dim);
      std::optional<int64_t> to = getConstantIntValue(sizes[dim + op.getMissingDims()]);
      if (to && !ShapedType::isDynamic(from) && from != 1 && from != *to)
        return rewriter.notifyMatchFailure(op, "a size contradicts the source; a check stands before it");
    }
    auto typed = BroadcastOp::create(rewriter, op.getLoc(), op.getSource(), sizes);
    rewriter.replaceOpWithNewOp<tensor::CastOp>(op, op.getType(), typed);
    return success();
  }
};

/// What the source's producer knows about its type.
struct TakeSourceOfCast : OpRewritePattern<BroadcastOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(BroadcastOp op, PatternRewriter &rewriter) const override {
    auto cast = op.getSource().getDefiningOp<tensor::CastOp>();
    if (!cast || !tensor::canFoldIntoConsumerOp(cast))
      return rewriter.notifyMatchFailure(op, "the source is no cast that loses extents");
    auto source = llvm::cast<RankedTensorType>(cast.getSource().getType());
    for (int64_t dim = 0; dim < source.getRank(); ++dim) {
      int64_t from = source.getDimSize(dim), to = op.getType().getDimSize(dim + op.getMissingDims());
      if (!ShapedType::isDynamic(from) && !ShapedType::isDynamic(to) && from != 1 && from != to)
        return rewriter.notifyMatchFailure(op, "the source contradicts the result; a check stands before it");
    }
    rewriter.modifyOpInPlace(op, [&] { op.getSourceMutable().assign(cast.getSource()); });
    return success();
  }
};

/// tensor.dim of the result is a size.
struct DimOfBroadcast : OpRewritePattern<tensor::DimOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::DimOp op, PatternRewriter &rewriter) const override {
    auto broadcast = op.getSource().getDefiningOp<BroadcastOp>();
    std::optional<int64_t> dim = op.getConstantIndex();
    if (!broadcast || !dim || *dim < 0 || *dim >= broadcast.getType().getRank())
      return rewriter.notifyMatchFailure(op, "not a known dim of a broadcast");
    rewriter.replaceOp(op, getValueOrCreateConstantIndexOp(rewriter, op.getLoc(), broadcast.getMixedSizes()[*dim]));
    return success();
  }
};
} // namespace

void BroadcastOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<DropIdentity, TakeConstantSizes, TakeSourceOfCast, DimOfBroadcast>(context);
}
