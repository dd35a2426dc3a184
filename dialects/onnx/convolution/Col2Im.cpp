//===- Col2Im.cpp - the sum of the blocks of an image -------------------------------------------------------------===//
//
// Each element of the image gathers the block elements k that lie on it: those where i + pad - k * dilation is a
// multiple of the stride and names a block. The extents of blocks and image may be data.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/convolution/Convolution.h"
#include "dialects/onnx/convolution/DeformableConvolution.h"
#include "dialects/onnx/support/Generate.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace onnx_aot::onnx;

LogicalResult Col2ImOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  std::optional<Shape> x = ctx.shape(getInput()), image = ctx.dims(getImageShape()), block = ctx.dims(getBlockShape());
  Type element = ctx.elementType(getInput());
  if (x && x->size() != 3) // (C15)
    return emitOpError("the input must have rank 3, not ") << x->size();
  auto isNotPositive = [](Dim dim) { return dim.isKnown() && dim.get() < 1; };
  if ((image && llvm::any_of(*image, [](Dim dim) { return dim.isKnown() && dim.get() < 0; })) ||
      (block && llvm::any_of(*block, isNotPositive)) || (image && block && image->size() != block->size())) // (C16)
    return emitOpError("image_shape and block_shape must have one positive entry per spatial dim");
  std::optional<Shape> known = image ? image : block;
  if (!x || !known) {
    results.emplace_back(element);
    return success();
  }
  size_t spatial = known->size();
  auto fits = [](std::optional<ArrayRef<int64_t>> list, size_t size, int64_t least) {
    return !list || (list->size() == size && llvm::all_of(*list, [&](int64_t entry) { return entry >= least; }));
  };
  if (!fits(getDilations(), spatial, 1) || !fits(getStrides(), spatial, 1) || !fits(getPads(), 2 * spatial, 0)) // (C17)
    return emitOpError("dilations, strides or pads do not have one valid entry per spatial dim");
  Dim channels;
  if (block && !product(*block).isUnknown()) {
    Dim elements = product(*block);
    if ((*x)[1].isKnown() && elements.isKnown() && (*x)[1].get() % elements.get() != 0) // (C15)
      return emitOpError("a block of ") << elements.get() << " elements does not divide " << (*x)[1].get();
    channels = (*x)[1].floorDiv(elements);
  }
  Shape dims = {(*x)[0], channels};
  if (image)
    dims.append(*image);
  else
    dims.append(spatial, Dim());
  results.emplace_back(element, dims);
  return success();
}

namespace {
/// One spatial dim: what the attributes say, and the extents as values.
struct BlockDim {
  int64_t stride, dilation, low, high;
  Value block, blocks; // elements of a block; blocks beside each other
};

struct LowerCol2Im : OnnxLowering<Col2ImOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(Col2ImOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    FailureOr<SmallVector<OpFoldResult>> extents = sizes(rewriter, op, op.getOutput());
    if (failed(extents))
      return failure();
    ImplicitLocOpBuilder outer(op.getLoc(), rewriter);
    Type element = type(op.getInput()).getElementType();
    Arithmetic a{outer, computeType(element)};
    SmallVector<BlockDim> dims;
    unsigned spatial = extents->size() - 2;
    auto at = [](std::optional<ArrayRef<int64_t>> list, size_t index, int64_t absent) {
      return list ? (*list)[index] : absent;
    };
    for (unsigned dim = 0; dim < spatial; ++dim) {
      BlockDim entry{at(op.getStrides(), dim, 1),
                     at(op.getDilations(), dim, 1),
                     at(op.getPads(), dim, 0),
                     at(op.getPads(), spatial + dim, 0),
                     Value(),
                     Value()};
      Value given = tensor::ExtractOp::create(outer, adaptor.getBlockShape(), indexConstant(outer, dim));
      entry.block = arith::IndexCastOp::create(outer, outer.getIndexType(), given);
      Value image = getValueOrCreateConstantIndexOp(outer, op.getLoc(), (*extents)[2 + dim]);
      Value covered = a.mul(a.sub(entry.block, indexConstant(outer, 1)), indexConstant(outer, entry.dilation));
      Value room = a.sub(a.add(image, indexConstant(outer, entry.low + entry.high - 1)), covered);
      entry.blocks = a.add(a.div(room, indexConstant(outer, entry.stride)), indexConstant(outer, 1));
      dims.push_back(entry);
    }
    Value data = adaptor.getInput();
    auto body = [&](ImplicitLocOpBuilder &b, ValueRange place) {
      Value zero = scalarConstant(b, b.getLoc(), element, 0);
      return sumBlocks(b, data, element, place, dims, 0, indexConstant(b, 0), indexConstant(b, 0), Value(), zero);
    };
    Value result = buildGenerated(rewriter, op.getLoc(), *extents, element, body);
    rewriter.replaceOp(op, castTensor(rewriter, op.getLoc(), result, stored(op.getOutput())));
    return success();
  }

  /// `sum` and what the block elements from dim `dim` on add to it. `k` counts block elements, `l` blocks, row-major;
  /// `isInside`: whether the block is there (null: so far).
  static Value sumBlocks(ImplicitLocOpBuilder &b, Value data, Type element, ValueRange place, ArrayRef<BlockDim> dims,
                         unsigned dim, Value k, Value l, Value isInside, Value sum) {
    Arithmetic a{b, computeType(element)};
    if (dim == dims.size()) {
      Value one = indexConstant(b, 1), zero = indexConstant(b, 0), block = one;
      for (const BlockDim &entry : dims)
        block = a.mul(block, entry.block);
      auto bound = [&](Value index, int64_t axis) { return a.clamp(index, zero, a.sub(extentOf(b, data, axis), one)); };
      // Extents that contradict each other must not lead outside of the data.
      SmallVector<Value> at = {place[0], bound(a.add(a.mul(place[1], block), k), 1), bound(l, 2)};
      Value value = toCompute(b, b.getLoc(), tensor::ExtractOp::create(b, data, at), element);
      return isInside ? a.select(isInside, plus(b, sum, value), sum) : plus(b, sum, value);
    }
    const BlockDim &entry = dims[dim];
    return buildFold(b, entry.block, sum, [&](ImplicitLocOpBuilder &inner, Value step, Value carried) {
      Arithmetic i{inner, a.real};
      Value zero = indexConstant(inner, 0), stride = indexConstant(inner, entry.stride);
      Value shifted = i.add(place[2 + dim], indexConstant(inner, entry.low));
      Value start = i.sub(shifted, i.mul(step, indexConstant(inner, entry.dilation)));
      Value number = i.div(start, stride);
      Value isWhole = arith::CmpIOp::create(inner, arith::CmpIPredicate::eq, i.mul(number, stride), start);
      Value isHere = i.both(isWhole, i.both(i.lessOrEqual(zero, start), i.less(number, entry.blocks)));
      if (isInside)
        isHere = i.both(isInside, isHere);
      return sumBlocks(inner, data, element, place, dims, dim + 1, i.add(i.mul(k, entry.block), step),
                       i.add(i.mul(l, entry.blocks), number), isHere, carried);
    });
  }

  static Value plus(ImplicitLocOpBuilder &b, Value left, Value right) {
    return isa<FloatType>(left.getType()) ? Value(arith::AddFOp::create(b, left, right))
                                          : arith::AddIOp::create(b, left, right);
  }
};
} // namespace

void onnx_aot::onnx::populateCol2ImToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerCol2Im>(converter, patterns.getContext());
}
