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
#include "dialects/onnx/support/DataExtents.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Traits.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::onnx;

using Sizes = SmallVector<OpFoldResult>;

Value onnx_aot::onnx::buildMove(OpBuilder &builder, Location loc, Value source, ArrayRef<OpFoldResult> sizes,
                                AffineMap map) {
  Value empty = emptyTensor(builder, loc, sizes, getElementTypeOrSelf(source.getType()));
  SmallVector<utils::IteratorType> iterators(sizes.size(), utils::IteratorType::parallel);
  return linalg::GenericOp::create(builder, loc, empty.getType(), source, empty,
                                   ArrayRef<AffineMap>{map, builder.getMultiDimIdentityMap(sizes.size())}, iterators,
                                   [](OpBuilder &nested, Location bodyLoc, ValueRange elements) {
                                     linalg::YieldOp::create(nested, bodyLoc, elements[0]);
                                   })
      .getResult(0);
}

void onnx_aot::onnx::requireLength(OpBuilder &builder, Location loc, Value list, int64_t length) {
  if (cast<RankedTensorType>(list.getType()).isDynamicDim(0))
    requireEqual(builder, loc, sizeOf(builder, loc, list, 0), builder.getIndexAttr(length), aot::Code::shape_mismatch);
}

/// A tensor whose dim i is dim permutation[i] of `source`.
static Value buildTranspose(OpBuilder &builder, Location loc, Value source, ArrayRef<int64_t> permutation) {
  auto type = cast<RankedTensorType>(source.getType());
  Sizes sizes = applyPermutation(sizesOf(builder, loc, source), permutation);
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
    return buildReshape(builder, loc, source, sizes);
  return buildMove(builder, loc, source, sizes, AffineMap::getPermutationMap(inverse, builder.getContext()));
}

/// The part of `source` that begins at `starts`; positive steps only.
static Value buildPart(OpBuilder &builder, Location loc, Value source, ArrayRef<OpFoldResult> starts,
                       ArrayRef<OpFoldResult> sizes, ArrayRef<OpFoldResult> steps) {
  if (llvm::any_of(sizes, [](OpFoldResult size) { return constantSize(size) == 0; }))
    return emptyTensor(builder, loc, sizes, getElementTypeOrSelf(source.getType()));
  return tensor::ExtractSliceOp::create(builder, loc, source, starts, sizes, steps);
}

/// The part of `source` that `ranges` name: taken forwards, and turned around where a range goes backwards.
static Value buildRanges(OpBuilder &builder, Location loc, Value source, ArrayRef<Section> ranges) {
  Sizes starts, sizes, steps;
  SmallVector<AffineExpr> exprs;
  bool reverses = false, isEmpty = false;
  for (auto [dim, range] : llvm::enumerate(ranges)) {
    bool backwards = range.step < 0;
    AffineExpr here = builder.getAffineDimExpr(dim);
    starts.push_back(builder.getIndexAttr(backwards ? range.start + range.step * (range.count - 1) : range.start));
    sizes.push_back(builder.getIndexAttr(range.count));
    steps.push_back(builder.getIndexAttr(std::abs(range.step)));
    exprs.push_back(backwards ? range.count - 1 - here : here);
    reverses |= backwards;
    isEmpty |= range.count == 0;
  }
  Value taken = buildPart(builder, loc, source, starts, sizes, steps);
  if (!reverses || isEmpty)
    return taken;
  return buildMove(builder, loc, taken, sizes, AffineMap::get(ranges.size(), 0, exprs, builder.getContext()));
}

namespace {
/// Reshape, Flatten, Squeeze and Unsqueeze.
template <typename OpTy> struct LowerReshape : OnnxLowering<OpTy> {
  using OnnxLowering<OpTy>::OnnxLowering;
  LogicalResult matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Value source = adaptor.getOperands()[0];
    Shape from = this->shape(op->getOperand(0)), to = this->shape(op->getResult(0));
    Dim before = product(from), after = product(to);
    if (before.isKnown() && after.isKnown() && before.get() != after.get())
      return op.emitError("the declared shape has another number of elements than the input");
    FailureOr<Sizes> sizes = targetSizes(op, adaptor, rewriter);
    if (failed(sizes))
      return failure();
    if (!before.equals(after)) {
      OpFoldResult count = productOf(rewriter, op.getLoc(), sizesOf(rewriter, op.getLoc(), source));
      requireEqual(rewriter, op.getLoc(), count, countUpTo(count, *sizes, op.getLoc(), rewriter),
                   aot::Code::shape_mismatch);
    }
    Value reshaped = buildReshape(rewriter, op.getLoc(), source, *sizes);
    rewriter.replaceOp(op, castTensor(rewriter, op.getLoc(), reshaped, this->stored(op->getResult(0))));
    return success();
  }

  /// The number of elements of a tensor of `sizes`; where it is larger than `most`, something larger. A product of
  /// sizes that are data might wrap around.
  static OpFoldResult countUpTo(OpFoldResult most, ArrayRef<OpFoldResult> sizes, Location loc, OpBuilder &builder) {
    OpFoldResult beyond = addSizes(builder, loc, most, builder.getIndexAttr(1)), count = builder.getIndexAttr(1);
    for (OpFoldResult size : sizes) {
      count = multiplySizes(builder, loc, count, constantSize(size) ? size : minSize(builder, loc, size, beyond));
      count = constantSize(count) ? count : minSize(builder, loc, count, beyond);
    }
    return count;
  }

  FailureOr<Sizes> targetSizes(OpTy op, typename OpTy::Adaptor adaptor, ConversionPatternRewriter &rewriter) const {
    if constexpr (std::is_same_v<OpTy, ReshapeOp> || std::is_same_v<OpTy, UnsqueezeOp>)
      if (hasDataExtents(this->getTypeConverter(), op, op->getResult(0))) {
        ImplicitLocOpBuilder b(op.getLoc(), rewriter);
        Sizes sizes;
        if constexpr (std::is_same_v<OpTy, ReshapeOp>)
          sizes = sizesByShape(op, adaptor, b);
        else
          sizes = sizesByAxes(op, adaptor, b);
        // Where the model declares more, it is checked.
        for (auto [size, extent] : llvm::zip(sizes, OnnxLowering<OpTy>::type(op->getResult(0)).getShape()))
          if (!ShapedType::isDynamic(extent)) {
            requireEqual(b, op.getLoc(), size, b.getIndexAttr(extent), aot::Code::shape_mismatch);
            size = b.getIndexAttr(extent);
          }
        return sizes;
      }
    return this->sizes(rewriter, op, op->getResult(0));
  }

  /// The shape operand is read when the model runs: 0 copies a dim, -1 takes what is left.
  static Sizes sizesByShape(ReshapeOp op, ReshapeOp::Adaptor adaptor, ImplicitLocOpBuilder &b) {
    Location loc = op.getLoc();
    Sizes in = sizesOf(b, loc, adaptor.getData()), sizes;
    Value zero = arith::ConstantIndexOp::create(b, 0), one = arith::ConstantIndexOp::create(b, 1);
    Value rest = one;
    SmallVector<Value> isOpen;
    for (int64_t i = 0; i < OnnxLowering<OpTy>::type(op.getReshaped()).getRank(); ++i) {
      Value extent = listEntry(b, adaptor.getShape(), i);
      if (!op.getAllowzero() && i < int64_t(in.size())) {
        Value copies = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, extent, zero);
        extent = arith::SelectOp::create(b, copies, asIndex(b, loc, in[i]), extent);
      }
      Value isOpenDim = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, extent, zero);
      isOpen.push_back(isOpenDim);
      rest = arith::MulIOp::create(b, rest, arith::SelectOp::create(b, isOpenDim, one, extent));
      sizes.push_back(extent);
    }
    // With two -1 the product is not the number of elements, which is checked.
    Value total = asIndex(b, loc, productOf(b, loc, in));
    Value left = arith::DivUIOp::create(b, total, arith::MaxUIOp::create(b, rest, one));
    for (auto [size, isOpenDim] : llvm::zip(sizes, isOpen))
      size = arith::SelectOp::create(b, isOpenDim, left, asIndex(b, loc, size)).getResult();
    return sizes;
  }

  /// The axes are read when the model runs: each names a dim of 1, and the others are the input's in their order.
  static Sizes sizesByAxes(UnsqueezeOp op, UnsqueezeOp::Adaptor adaptor, ImplicitLocOpBuilder &b) {
    Location loc = op.getLoc();
    Sizes in = sizesOf(b, loc, adaptor.getData()), sizes;
    int64_t rank = OnnxLowering<OpTy>::type(op.getExpanded()).getRank(), added = rank - in.size();
    Value zero = arith::ConstantIndexOp::create(b, 0), one = arith::ConstantIndexOp::create(b, 1);
    requireLength(b, loc, adaptor.getAxes(), added);
    requireIndices(b, loc, adaptor.getAxes(), getElementTypeOrSelf(op.getAxes().getType()), b.getIndexAttr(rank),
                   AffineMap(), /*fromEnd=*/true, aot::Code::invalid_value);
    auto isEqual = [&](Value left, Value right) -> Value {
      return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, left, right);
    };
    Value copied = zero; // how many dims of the input come before
    for (int64_t dim = 0; dim < rank; ++dim) {
      Value isAdded = arith::ConstantIntOp::create(b, 0, 1);
      for (int64_t i = 0; i < added; ++i)
        for (int64_t name : {dim, dim - rank})
          isAdded = arith::OrIOp::create(
              b, isAdded, isEqual(listEntry(b, loc, adaptor.getAxes(), i), arith::ConstantIndexOp::create(b, name)));
      Value extent = one;
      for (auto [position, size] : llvm::enumerate(in)) {
        Value isNext = isEqual(copied, arith::ConstantIndexOp::create(b, position));
        extent = arith::SelectOp::create(b, isNext, asIndex(b, loc, size), extent);
      }
      sizes.push_back(arith::SelectOp::create(b, isAdded, one, extent).getResult());
      copied = arith::AddIOp::create(b, copied, arith::SelectOp::create(b, isAdded, zero, one));
    }
    // Two axes that are the same leave room for more dims than there are.
    requireEqual(b, loc, copied, b.getIndexAttr(in.size()), aot::Code::invalid_value);
    return sizes;
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
    Sizes in = sizesOf(rewriter, op.getLoc(), adaptor.getInput());
    FailureOr<Sizes> out = sizes(rewriter, op, op.getOutput());
    if (failed(out))
      return failure();
    OpFoldResult b = rewriter.getIndexAttr(op.getBlocksize()), channels = (*out)[1];
    requireEqual(rewriter, op.getLoc(), in[1], productOf(rewriter, op.getLoc(), {channels, b, b}),
                 aot::Code::shape_mismatch);
    bool channelsFirst = op.getMode() == "CRD";
    Sizes split =
        channelsFirst ? Sizes{in[0], channels, b, b, in[2], in[3]} : Sizes{in[0], b, b, channels, in[2], in[3]};
    SmallVector<int64_t> permutation =
        channelsFirst ? SmallVector<int64_t>{0, 1, 4, 2, 5, 3} : SmallVector<int64_t>{0, 3, 4, 1, 5, 2};
    Value blocks = buildReshape(rewriter, op.getLoc(), adaptor.getInput(), split);
    blocks = buildTranspose(rewriter, op.getLoc(), blocks, permutation);
    rewriter.replaceOp(op, buildReshape(rewriter, op.getLoc(), blocks, *out));
    return success();
  }
};

/// (N, C, H', b, W', b) -> (N, b, b, C, H', W').
struct LowerSpaceToDepth : OnnxLowering<SpaceToDepthOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(SpaceToDepthOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Sizes in = sizesOf(rewriter, op.getLoc(), adaptor.getInput());
    FailureOr<Sizes> out = sizes(rewriter, op, op.getOutput());
    if (failed(out))
      return failure();
    OpFoldResult b = rewriter.getIndexAttr(op.getBlocksize());
    for (int64_t dim : {2, 3})
      requireEqual(rewriter, op.getLoc(), in[dim], multiplySizes(rewriter, op.getLoc(), (*out)[dim], b),
                   aot::Code::shape_mismatch);
    Value blocks =
        buildReshape(rewriter, op.getLoc(), adaptor.getInput(), Sizes{in[0], in[1], (*out)[2], b, (*out)[3], b});
    blocks = buildTranspose(rewriter, op.getLoc(), blocks, {0, 3, 5, 1, 2, 4});
    rewriter.replaceOp(op, buildReshape(rewriter, op.getLoc(), blocks, *out));
    return success();
  }
};

struct LowerConcat : OnnxLowering<ConcatOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(ConcatOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    RankedTensorType result = stored(op.getConcatResult());
    Location loc = op.getLoc();
    int64_t axis = wrapAxis(op.getAxis(), result.getRank());
    FailureOr<Sizes> whole = sizes(rewriter, op, op.getConcatResult());
    if (failed(whole))
      return failure();
    Value joined = emptyTensor(rewriter, loc, *whole, result.getElementType());
    Sizes offsets(result.getRank(), rewriter.getIndexAttr(0));
    Shape shared = shape(op.getConcatResult());
    for (auto [input, part] : llvm::zip(op.getInputs(), adaptor.getInputs())) {
      auto type = cast<RankedTensorType>(part.getType());
      if (type.hasStaticShape() && type.getNumElements() == 0)
        continue;
      Sizes extents = sizesOf(rewriter, loc, part);
      for (auto [dim, extent] : llvm::enumerate(shape(input)))
        if (int64_t(dim) != axis && !extent.equals(shared[dim]))
          requireEqual(rewriter, loc, extents[dim], (*whole)[dim], aot::Code::shape_mismatch);
      joined = insertPart(rewriter, loc, part, joined, offsets, extents);
      offsets[axis] = addSizes(rewriter, loc, offsets[axis], extents[axis]);
    }
    rewriter.replaceOp(op, joined);
    return success();
  }
};

struct LowerSlice : OnnxLowering<SliceOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(SliceOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    RankedTensorType in = type(op.getData());
    auto ranges = in.hasStaticShape() ? sliceRanges(op, in.getShape()) : std::nullopt;
    if (ranges) {
      rewriter.replaceOp(op, buildRanges(rewriter, op.getLoc(), adaptor.getData(), *ranges));
      return success();
    }
    Value part = openPart(op, adaptor, rewriter);
    if (!part)
      part = buildSliceByData(rewriter, op.getLoc(), adaptor, stored(op.getOutput()));
    rewriter.replaceOp(op, part);
    return success();
  }

  /// A part whose starts and sizes are expressions and whose steps are positive constants; null elsewhere.
  Value openPart(SliceOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const {
    ShapeContext ctx = context();
    std::optional<Shape> firsts = ctx.dims(op.getStarts()), lasts = ctx.dims(op.getEnds());
    auto axes = ctx.integers(op.getAxes()), steps = ctx.integers(op.getSteps());
    if (!firsts || !lasts || (op.getAxes() && !axes) || (op.getSteps() && !steps) ||
        (steps && llvm::any_of(*steps, [](int64_t step) { return step <= 0; })))
      return nullptr;
    Shape in = shape(op.getData());
    Location loc = op.getLoc();
    Sizes starts(in.size(), rewriter.getIndexAttr(0)), strides(in.size(), rewriter.getIndexAttr(1));
    Sizes counts = sizesOf(rewriter, loc, adaptor.getData());
    for (auto [i, first] : llvm::enumerate(*firsts)) {
      int64_t axis = axes ? wrapAxis((*axes)[i], in.size()) : int64_t(i), step = steps ? (*steps)[i] : 1;
      OpenSection section = openRange(first, (*lasts)[i], step, in[axis]);
      starts[axis] = buildSize(rewriter, loc, section.start, lowered(rewriter));
      counts[axis] = buildSize(rewriter, loc, section.count, lowered(rewriter));
      strides[axis] = rewriter.getIndexAttr(step);
    }
    return fitTensor(rewriter, loc, buildPart(rewriter, loc, adaptor.getData(), starts, counts, strides),
                     stored(op.getOutput()));
  }
};

struct LowerSplit : OnnxLowering<SplitOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(SplitOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    RankedTensorType in = type(op.getInput());
    Location loc = op.getLoc();
    int64_t axis = wrapAxis(op.getAxis(), in.getRank());
    Sizes starts(in.getRank(), rewriter.getIndexAttr(0)), ones(in.getRank(), rewriter.getIndexAttr(1));
    SmallVector<Sizes> extents;
    if (op.getSplit())
      requireLength(rewriter, loc, adaptor.getSplit(), op.getNumResults());
    Dim sum = 0;
    OpFoldResult total = rewriter.getIndexAttr(0);
    for (Value output : op.getOutputs()) {
      FailureOr<Sizes> part = sizes(rewriter, op, output);
      if (failed(part))
        return failure();
      extents.push_back(*part);
      total = addSizes(rewriter, loc, total, (*part)[axis]);
      sum = sum + shape(output)[axis];
    }
    Dim extent = shape(op.getInput())[axis];
    if (sum.isKnown() && extent.isKnown() && sum.get() > extent.get())
      return op.emitError("the declared shapes are larger than the input");
    // Sizes that are data share out everything.
    bool isShared = op.getSplit() && !getConstantIntegers(op.getSplit());
    if (isShared ? !extent.equals(sum) : !(extent - sum).isAtLeast(0)) {
      Value whole = asIndex(rewriter, loc, sizeOf(rewriter, loc, adaptor.getInput(), axis));
      Value fits = arith::CmpIOp::create(rewriter, loc, isShared ? arith::CmpIPredicate::eq : arith::CmpIPredicate::sle,
                                         asIndex(rewriter, loc, total), whole);
      aot::RequireOp::create(rewriter, loc, fits, aot::Code::shape_mismatch);
    }
    SmallVector<Value> parts;
    for (const Sizes &part : extents) {
      parts.push_back(buildPart(rewriter, loc, adaptor.getInput(), starts, part, ones));
      starts[axis] = addSizes(rewriter, loc, starts[axis], part[axis]);
    }
    rewriter.replaceOp(op, parts);
    return success();
  }
};

struct LowerExpand : OnnxLowering<ExpandOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(ExpandOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    RankedTensorType in = type(op.getInput()), result = stored(op.getOutput());
    FailureOr<Sizes> target = sizes(rewriter, op, op.getOutput());
    if (failed(target))
      return failure();
    requireExtents(op, *target, rewriter);
    SmallVector<int64_t> broadcast;
    if (in.hasStaticShape() && result.hasStaticShape() &&
        (!OpTrait::util::getBroadcastedShape(in.getShape(), result.getShape(), broadcast) ||
         result.getShape() != ArrayRef(broadcast)))
      return op.emitError("the input does not broadcast to the declared shape");
    Value source =
        alignOperand(getTypeConverter(), rewriter, op, op.getInput(), adaptor.getInput(), op.getOutput(), *target);
    auto aligned = cast<RankedTensorType>(source.getType());
    Value expanded = product(shape(op.getInput())).equals(product(shape(op.getOutput())))
                         ? buildReshape(rewriter, op.getLoc(), adaptor.getInput(), *target)
                         : buildMove(rewriter, op.getLoc(), source, *target,
                                     broadcastMap(op.getContext(), aligned.getShape(), result.getShape()));
    rewriter.replaceOp(op, expanded);
    return success();
  }

  /// An entry of the shape is the result's extent or 1, which the operand's own extent does not tell.
  void requireExtents(ExpandOp op, ArrayRef<OpFoldResult> target, ConversionPatternRewriter &rewriter) const {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    std::optional<Shape> wanted = context().dims(op.getShape());
    Shape made = shape(op.getOutput());
    size_t added = wanted ? target.size() - wanted->size() : 0;
    for (auto [index, dim] : llvm::enumerate(wanted.value_or(Shape()))) {
      if (!dim.isSymbolic() || dim.equals(made[added + index]))
        continue;
      Value entry = asIndex(b, b.getLoc(), buildSize(b, b.getLoc(), dim, lowered(rewriter)));
      auto isEqual = [&](OpFoldResult size) -> Value {
        return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, entry, asIndex(b, b.getLoc(), size));
      };
      require(b, b.getLoc(), arith::OrIOp::create(b, isEqual(b.getIndexAttr(1)), isEqual(target[added + index])),
              aot::Code::shape_mismatch);
    }
  }
};

/// Each repeated dim becomes two: (repeat, dim), of which the input is read along the second only.
struct LowerTile : OnnxLowering<TileOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(TileOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    RankedTensorType in = type(op.getInput()), result = stored(op.getOutput());
    Location loc = op.getLoc();
    FailureOr<Sizes> target = sizes(rewriter, op, op.getOutput());
    if (failed(target))
      return failure();
    if (result.hasStaticShape() && result.getNumElements() == 0) {
      rewriter.replaceOp(op, emptyTensor(rewriter, loc, result));
      return success();
    }
    Sizes extents = sizesOf(rewriter, loc, adaptor.getInput()), split;
    std::optional<Shape> told = context().dims(op.getRepeats(), in.getRank());
    requireLength(rewriter, loc, adaptor.getRepeats(), in.getRank());
    SmallVector<AffineExpr> exprs;
    for (int64_t dim = 0; dim < in.getRank(); ++dim) {
      Dim repeats = told ? (*told)[dim] : Dim();
      if (!in.isDynamicDim(dim) && !result.isDynamicDim(dim)) {
        if (result.getDimSize(dim) % in.getDimSize(dim) != 0)
          return op.emitError("the declared shape is not made of whole repeats");
        repeats = result.getDimSize(dim) / in.getDimSize(dim);
      }
      if (!repeats.is(1))
        split.push_back(buildSize(rewriter, loc, repeats, lowered(rewriter)));
      exprs.push_back(rewriter.getAffineDimExpr(split.size()));
      split.push_back(extents[dim]);
    }
    Value tiled =
        buildMove(rewriter, loc, adaptor.getInput(), split, AffineMap::get(split.size(), 0, exprs, op.getContext()));
    rewriter.replaceOp(op, buildReshape(rewriter, loc, tiled, *target));
    return success();
  }
};

/// A list of sizes, or the one of rank 0, as an int64 tensor.
Value listOfSizes(OpBuilder &builder, Location loc, RankedTensorType type, ArrayRef<OpFoldResult> sizes) {
  SmallVector<Value> elements;
  for (OpFoldResult size : sizes)
    elements.push_back(
        builder.createOrFold<arith::IndexCastOp>(loc, type.getElementType(), asIndex(builder, loc, size)));
  return tensor::FromElementsOp::create(builder, loc, type, elements);
}

struct LowerShape : OnnxLowering<ShapeOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(ShapeOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    auto [start, end] = op.getRange(type(op.getData()).getRank());
    Sizes extents = sizesOf(rewriter, op.getLoc(), adaptor.getData());
    rewriter.replaceOp(
        op, listOfSizes(rewriter, op.getLoc(), stored(op.getShape()), ArrayRef(extents).slice(start, end - start)));
    return success();
  }
};

struct LowerSize : OnnxLowering<SizeOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(SizeOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    OpFoldResult count = productOf(rewriter, op.getLoc(), sizesOf(rewriter, op.getLoc(), adaptor.getData()));
    rewriter.replaceOp(op, listOfSizes(rewriter, op.getLoc(), stored(op.getSize()), count));
    return success();
  }
};
} // namespace

namespace onnx_aot::onnx {
void populateMovementChecks(TypeConverter &converter, RewritePatternSet &patterns);

void populateMovementToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  populateMovementChecks(converter, patterns);
  patterns.add<LowerReshape<ReshapeOp>, LowerReshape<FlattenOp>, LowerReshape<SqueezeOp>, LowerReshape<UnsqueezeOp>,
               LowerTranspose, LowerDepthToSpace, LowerSpaceToDepth, LowerConcat, LowerSlice, LowerSplit, LowerExpand,
               LowerTile, LowerShape, LowerSize>(converter, patterns.getContext());
  populateBordersToLinalg(converter, patterns);
}
} // namespace onnx_aot::onnx
