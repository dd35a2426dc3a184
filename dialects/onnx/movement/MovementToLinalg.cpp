//===- MovementToLinalg.cpp - lowering of the operators that move elements ----------------------------------------===//
//
// Reshapes are views. Everything whose source element is an affine function of the result's indices becomes a
// linalg.generic that reads its input through that map (or a tensor.extract_slice where strides are positive), so that
// it can be fused into what consumes it. Borders and indices that depend on data are in Borders.cpp.
//
//   %y = onnx.Transpose %x {perm = [1, 0]}   =>   linalg.generic {indexing_maps = [(d0, d1) -> (d1, d0), identity]}
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/movement/MovementLowering.h"
#include "dialects/onnx/movement/Ranges.h"
#include "dialects/onnx/support/Axes.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Traits.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"

using namespace mlir;
using namespace onnx_aot::onnx;

Value onnx_aot::onnx::buildMove(OpBuilder &builder, Location loc, Value source, RankedTensorType stored,
                                AffineMap map) {
  SmallVector<utils::IteratorType> iterators(stored.getRank(), utils::IteratorType::parallel);
  return linalg::GenericOp::create(builder, loc, stored, source, emptyTensor(builder, loc, stored),
                                   ArrayRef<AffineMap>{map, builder.getMultiDimIdentityMap(stored.getRank())},
                                   iterators,
                                   [](OpBuilder &nested, Location bodyLoc, ValueRange elements) {
                                     linalg::YieldOp::create(nested, bodyLoc, elements[0]);
                                   })
      .getResult(0);
}

/// A tensor whose dim i is dim permutation[i] of `source`.
static Value buildTranspose(OpBuilder &builder, Location loc, Value source, ArrayRef<int64_t> permutation) {
  auto type = cast<RankedTensorType>(source.getType());
  SmallVector<int64_t> shape = applyPermutation(type.getShape(), permutation);
  SmallVector<unsigned> inverse(permutation.size());
  bool moves = false;
  int64_t last = -1;
  for (auto [dim, from] : llvm::enumerate(permutation)) {
    inverse[from] = dim;
    // Dims of extent 1 may go anywhere.
    if (type.getDimSize(from) != 1) {
      moves |= from < last;
      last = from;
    }
  }
  if (!moves)
    return buildReshape(builder, loc, source, shape);
  return buildMove(builder, loc, source, RankedTensorType::get(shape, type.getElementType()),
                   AffineMap::getPermutationMap(inverse, builder.getContext()));
}

/// The part of `source` that `ranges` name: taken forwards, and turned around where a range goes backwards.
static Value buildRanges(OpBuilder &builder, Location loc, Value source, ArrayRef<Section> ranges) {
  auto type = cast<RankedTensorType>(source.getType());
  SmallVector<OpFoldResult> offsets, sizes, strides;
  SmallVector<AffineExpr> exprs;
  SmallVector<int64_t> shape;
  bool reverses = false;
  for (auto [dim, range] : llvm::enumerate(ranges)) {
    bool backwards = range.step < 0;
    AffineExpr here = builder.getAffineDimExpr(dim);
    offsets.push_back(builder.getIndexAttr(backwards ? range.start + range.step * (range.count - 1) : range.start));
    sizes.push_back(builder.getIndexAttr(range.count));
    strides.push_back(builder.getIndexAttr(std::abs(range.step)));
    exprs.push_back(backwards ? range.count - 1 - here : here);
    shape.push_back(range.count);
    reverses |= backwards;
  }
  auto result = RankedTensorType::get(shape, type.getElementType());
  if (result.getNumElements() == 0)
    return emptyTensor(builder, loc, result);
  Value taken = tensor::ExtractSliceOp::create(builder, loc, source, offsets, sizes, strides);
  if (!reverses)
    return taken;
  return buildMove(builder, loc, taken, result, AffineMap::get(ranges.size(), 0, exprs, builder.getContext()));
}

namespace {
/// Reshape, Flatten, Squeeze and Unsqueeze.
template <typename OpTy> struct LowerReshape : OnnxLowering<OpTy> {
  using OnnxLowering<OpTy>::OnnxLowering;
  LogicalResult matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    RankedTensorType result = this->type(op->getResult(0));
    if (result.getNumElements() != this->type(op->getOperand(0)).getNumElements())
      return op.emitError("the declared shape has another number of elements than the input");
    rewriter.replaceOp(op, buildReshape(rewriter, op.getLoc(), adaptor.getOperands()[0], result.getShape()));
    return success();
  }
};

struct LowerTranspose : OnnxLowering<TransposeOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(TransposeOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    SmallVector<int64_t> permutation = op.getPermutation(type(op.getData()).getRank());
    rewriter.replaceOp(op, buildTranspose(rewriter, op.getLoc(), adaptor.getData(), permutation));
    return success();
  }
};

/// (N, b, b, C', H, W) -> (N, C', H, b, W, b), or with CRD from (N, C', b, b, H, W).
struct LowerDepthToSpace : OnnxLowering<DepthToSpaceOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(DepthToSpaceOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    ArrayRef<int64_t> in = type(op.getInput()).getShape();
    int64_t b = op.getBlocksize(), channels = in[1] / (b * b);
    bool channelsFirst = op.getMode() == "CRD";
    SmallVector<int64_t> split = channelsFirst ? SmallVector<int64_t>{in[0], channels, b, b, in[2], in[3]}
                                               : SmallVector<int64_t>{in[0], b, b, channels, in[2], in[3]};
    SmallVector<int64_t> permutation =
        channelsFirst ? SmallVector<int64_t>{0, 1, 4, 2, 5, 3} : SmallVector<int64_t>{0, 3, 4, 1, 5, 2};
    Value blocks = buildReshape(rewriter, op.getLoc(), adaptor.getInput(), split);
    blocks = buildTranspose(rewriter, op.getLoc(), blocks, permutation);
    rewriter.replaceOp(op, buildReshape(rewriter, op.getLoc(), blocks, type(op.getOutput()).getShape()));
    return success();
  }
};

/// (N, C, H', b, W', b) -> (N, b, b, C, H', W').
struct LowerSpaceToDepth : OnnxLowering<SpaceToDepthOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(SpaceToDepthOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    ArrayRef<int64_t> in = type(op.getInput()).getShape();
    int64_t b = op.getBlocksize();
    Value blocks = buildReshape(rewriter, op.getLoc(), adaptor.getInput(), {in[0], in[1], in[2] / b, b, in[3] / b, b});
    blocks = buildTranspose(rewriter, op.getLoc(), blocks, {0, 3, 5, 1, 2, 4});
    rewriter.replaceOp(op, buildReshape(rewriter, op.getLoc(), blocks, type(op.getOutput()).getShape()));
    return success();
  }
};

struct LowerConcat : OnnxLowering<ConcatOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(ConcatOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    RankedTensorType result = stored(op.getConcatResult());
    int64_t axis = wrapAxis(op.getAxis(), result.getRank());
    Value joined = emptyTensor(rewriter, op.getLoc(), result);
    SmallVector<OpFoldResult> offsets(result.getRank(), rewriter.getIndexAttr(0));
    SmallVector<OpFoldResult> ones(result.getRank(), rewriter.getIndexAttr(1));
    int64_t offset = 0;
    for (Value input : adaptor.getInputs()) {
      auto part = cast<RankedTensorType>(input.getType());
      if (part.getNumElements() == 0)
        continue;
      offsets[axis] = rewriter.getIndexAttr(offset);
      joined = tensor::InsertSliceOp::create(rewriter, op.getLoc(), input, joined, offsets,
                                             getAsIndexOpFoldResult(op.getContext(), part.getShape()), ones);
      offset += part.getDimSize(axis);
    }
    rewriter.replaceOp(op, joined);
    return success();
  }
};

struct LowerSlice : OnnxLowering<SliceOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(SliceOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    auto ranges = sliceRanges(op, type(op.getData()).getShape());
    rewriter.replaceOp(op, ranges ? buildRanges(rewriter, op.getLoc(), adaptor.getData(), *ranges)
                                  : buildSliceByData(rewriter, op.getLoc(), adaptor, stored(op.getOutput())));
    return success();
  }
};

struct LowerSplit : OnnxLowering<SplitOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(SplitOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    RankedTensorType in = type(op.getInput());
    int64_t axis = wrapAxis(op.getAxis(), in.getRank());
    SmallVector<Section> ranges;
    for (int64_t extent : in.getShape())
      ranges.push_back({0, extent, 1});
    SmallVector<Value> parts;
    int64_t start = 0;
    for (Value output : op.getOutputs()) {
      ranges[axis] = {start, type(output).getDimSize(axis), 1};
      start += ranges[axis].count;
      if (start > in.getDimSize(axis))
        return op.emitError("the declared shapes are larger than the input");
      parts.push_back(buildRanges(rewriter, op.getLoc(), adaptor.getInput(), ranges));
    }
    rewriter.replaceOp(op, parts);
    return success();
  }
};

struct LowerExpand : OnnxLowering<ExpandOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(ExpandOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    RankedTensorType result = stored(op.getOutput());
    ArrayRef<int64_t> in = type(op.getInput()).getShape();
    SmallVector<int64_t> broadcast;
    if (!OpTrait::util::getBroadcastedShape(in, result.getShape(), broadcast) ||
        result.getShape() != ArrayRef(broadcast))
      return op.emitError("the input does not broadcast to the declared shape");
    Value expanded = result.getNumElements() == type(op.getInput()).getNumElements()
                         ? buildReshape(rewriter, op.getLoc(), adaptor.getInput(), result.getShape())
                         : buildMove(rewriter, op.getLoc(), adaptor.getInput(), result,
                                     broadcastMap(op.getContext(), in, result.getShape()));
    rewriter.replaceOp(op, expanded);
    return success();
  }
};

/// Each repeated dim becomes two: (repeat, dim), of which the input is read along the second only.
struct LowerTile : OnnxLowering<TileOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(TileOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    RankedTensorType in = type(op.getInput()), result = stored(op.getOutput());
    for (auto [extent, repeated] : llvm::zip_equal(in.getShape(), result.getShape()))
      if (extent == 0 ? repeated != 0 : repeated % extent != 0)
        return op.emitError("the declared shape is not made of whole repeats");
    if (result.getNumElements() == 0) {
      rewriter.replaceOp(op, emptyTensor(rewriter, op.getLoc(), result));
      return success();
    }
    SmallVector<int64_t> shape;
    SmallVector<AffineExpr> exprs;
    for (int64_t dim = 0; dim < in.getRank(); ++dim) {
      int64_t repeats = result.getDimSize(dim) / in.getDimSize(dim);
      if (repeats != 1)
        shape.push_back(repeats);
      exprs.push_back(rewriter.getAffineDimExpr(shape.size()));
      shape.push_back(in.getDimSize(dim));
    }
    Value tiled =
        buildMove(rewriter, op.getLoc(), adaptor.getInput(), RankedTensorType::get(shape, result.getElementType()),
                  AffineMap::get(shape.size(), 0, exprs, op.getContext()));
    rewriter.replaceOp(op, buildReshape(rewriter, op.getLoc(), tiled, result.getShape()));
    return success();
  }
};

/// Shape and Size fold; they are left only where nothing folds (onnx-aot-opt on a single pass).
struct LowerShape : OnnxLowering<ShapeOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(ShapeOp op, OpAdaptor, ConversionPatternRewriter &rewriter) const override {
    auto [start, end] = op.getRange(type(op.getData()).getRank());
    ArrayRef<int64_t> dims = type(op.getData()).getShape().slice(start, end - start);
    rewriter.replaceOpWithNewOp<arith::ConstantOp>(op, DenseElementsAttr::get(type(op.getShape()), dims));
    return success();
  }
};

struct LowerSize : OnnxLowering<SizeOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(SizeOp op, OpAdaptor, ConversionPatternRewriter &rewriter) const override {
    int64_t elements = type(op.getData()).getNumElements();
    rewriter.replaceOpWithNewOp<arith::ConstantOp>(op, DenseElementsAttr::get(type(op.getSize()), ArrayRef(elements)));
    return success();
  }
};
} // namespace

namespace onnx_aot::onnx {
void populateMovementToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerReshape<ReshapeOp>, LowerReshape<FlattenOp>, LowerReshape<SqueezeOp>, LowerReshape<UnsqueezeOp>,
               LowerTranspose, LowerDepthToSpace, LowerSpaceToDepth, LowerConcat, LowerSlice, LowerSplit, LowerExpand,
               LowerTile, LowerShape, LowerSize>(converter, patterns.getContext());
  populateBordersToLinalg(converter, patterns);
}
} // namespace onnx_aot::onnx
