//===- Borders.cpp - lowering of Pad, CenterCropPad, Trilu and ReverseSequence ------------------------------------===//
//
// Constant borders are a filled tensor into which the input is inserted. The other modes, and ReverseSequence, compute
// the source index of each result element.
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
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace onnx_aot::onnx;

/// Zero of a stored element type.
static Value storedZero(OpBuilder &builder, Location loc, Type storedType) {
  return arith::ConstantOp::create(builder, loc, cast<TypedAttr>(builder.getZeroAttr(storedType)));
}

static void splitBorders(ArrayRef<Border> borders, SmallVector<int64_t> &low, SmallVector<int64_t> &high) {
  for (const Border &border : borders) {
    low.push_back(border.low);
    high.push_back(border.high);
  }
}

/// buildPad with the element of a tensor that has one.
static Value padWith(OpBuilder &builder, Location loc, Value source, ArrayRef<int64_t> low, ArrayRef<int64_t> high,
                     Value value) {
  SmallVector<int64_t> cropLow, cropHigh, shape;
  SmallVector<OpFoldResult> offsets;
  for (auto [before, after] : llvm::zip(low, high)) {
    cropLow.push_back(std::min<int64_t>(before, 0));
    cropHigh.push_back(std::min<int64_t>(after, 0));
    offsets.push_back(builder.getIndexAttr(std::max<int64_t>(before, 0)));
  }
  source = buildPad(builder, loc, source, cropLow, cropHigh, Value());
  auto kept = cast<RankedTensorType>(source.getType());
  for (auto [extent, before, after] : llvm::zip(kept.getShape(), low, high))
    shape.push_back(extent + std::max<int64_t>(before, 0) + std::max<int64_t>(after, 0));
  int64_t rank = shape.size(), valueRank = cast<RankedTensorType>(value.getType()).getRank();
  SmallVector<AffineExpr> zeros(valueRank, builder.getAffineConstantExpr(0));
  Value filled = buildMove(builder, loc, value, RankedTensorType::get(shape, kept.getElementType()),
                           AffineMap::get(rank, 0, zeros, builder.getContext()));
  if (kept.getNumElements() == 0)
    return filled;
  SmallVector<OpFoldResult> ones(rank, builder.getIndexAttr(1));
  SmallVector<OpFoldResult> sizes = getAsIndexOpFoldResult(builder.getContext(), kept.getShape());
  return tensor::InsertSliceOp::create(builder, loc, source, filled, offsets, sizes, ones);
}

namespace {
/// Index arithmetic in the body of a linalg.generic.
struct IndexBuilder {
  ImplicitLocOpBuilder &b;
  Value constant(int64_t value) { return arith::ConstantIndexOp::create(b, value); }
  Value add(Value value, int64_t amount) {
    return amount == 0 ? value : Value(arith::AddIOp::create(b, value, constant(amount)));
  }
  Value clamp(Value value, int64_t low, int64_t high) {
    value = arith::MaxSIOp::create(b, value, constant(low));
    return arith::MinSIOp::create(b, value, constant(high));
  }
  /// The remainder in 0..period-1; `value` >= -offset, where offset is a multiple of the period.
  Value modulo(Value value, int64_t period, int64_t offset) {
    return arith::RemUIOp::create(b, add(value, offset), constant(period));
  }
  /// The element in 0..extent-1 that a border of `mode` shows at `value`, which may lie outside by up to `low` before.
  Value inside(Value value, StringRef mode, int64_t extent, int64_t low) {
    if (mode == "edge")
      return clamp(value, 0, extent - 1);
    bool reflects = mode == "reflect";
    int64_t period = reflects ? 2 * (extent - 1) : extent;
    if (period <= 1)
      return constant(0);
    Value remainder = modulo(value, period, llvm::alignTo(std::max<int64_t>(low, 0), period));
    if (!reflects)
      return remainder;
    return arith::MinSIOp::create(b, remainder, arith::SubIOp::create(b, constant(period), remainder));
  }
};

struct LowerPad : OnnxLowering<PadOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(PadOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    RankedTensorType in = type(op.getData()), result = stored(op.getOutput());
    auto borders = padBorders(op, in.getRank());
    if (!borders) {
      rewriter.replaceOp(op, padByData(rewriter, op, adaptor));
      return success();
    }
    if (op.getMode() == "constant") {
      SmallVector<int64_t> low, high;
      splitBorders(*borders, low, high);
      Value padded = adaptor.getConstantValue()
                         ? padWith(rewriter, op.getLoc(), adaptor.getData(), low, high, adaptor.getConstantValue())
                         : buildPad(rewriter, op.getLoc(), adaptor.getData(), low, high,
                                    storedZero(rewriter, op.getLoc(), result.getElementType()));
      rewriter.replaceOp(op, padded);
      return success();
    }
    Value source = adaptor.getData();
    SmallVector<utils::IteratorType> iterators(result.getRank(), utils::IteratorType::parallel);
    auto generic = linalg::GenericOp::create(
        rewriter, op.getLoc(), result, ValueRange(), emptyTensor(rewriter, op.getLoc(), result),
        rewriter.getMultiDimIdentityMap(result.getRank()), iterators, [&](OpBuilder &nested, Location loc, ValueRange) {
          ImplicitLocOpBuilder b(loc, nested);
          IndexBuilder index{b};
          SmallVector<Value> from;
          for (auto [dim, border] : llvm::enumerate(*borders)) {
            Value position = index.add(linalg::IndexOp::create(b, dim), -border.low);
            bool isInside = border.low <= 0 && border.high <= 0;
            from.push_back(isInside ? position : index.inside(position, op.getMode(), in.getDimSize(dim), border.low));
          }
          linalg::YieldOp::create(b, tensor::ExtractOp::create(b, source, from).getResult());
        });
    rewriter.replaceOp(op, generic.getResults());
    return success();
  }

  /// Amounts that are data, where the shape of the result is known: every element looks for its source.
  static Value padByData(OpBuilder &builder, PadOp op, OpAdaptor adaptor) {
    RankedTensorType in = type(op.getData()), result = stored(op.getOutput());
    ImplicitLocOpBuilder outer(op.getLoc(), builder);
    SmallVector<Value> low = amountsBefore(outer, op, adaptor);
    bool isConstant = op.getMode() == "constant";
    Value source = adaptor.getData(), fill = isConstant ? fillValue(outer, op, adaptor) : Value();
    SmallVector<utils::IteratorType> iterators(result.getRank(), utils::IteratorType::parallel);
    auto body = [&](OpBuilder &nested, Location loc, ValueRange) {
      ImplicitLocOpBuilder b(loc, nested);
      IndexBuilder index{b};
      SmallVector<Value> from;
      Value isInside = arith::ConstantIntOp::create(b, 1, 1);
      for (auto [dim, amount] : llvm::enumerate(low)) {
        int64_t extent = in.getDimSize(dim);
        Value position = arith::SubIOp::create(b, linalg::IndexOp::create(b, dim), amount);
        Value nearest = index.clamp(position, 0, extent - 1);
        Value same = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, position, nearest);
        isInside = arith::AndIOp::create(b, isInside, same);
        // No more than the result's extent lies before the input, whatever the data says.
        int64_t most = result.getDimSize(dim);
        Value shown = index.clamp(position, -most, 2 * most + extent);
        from.push_back(isConstant ? nearest : index.inside(shown, op.getMode(), extent, most));
      }
      Value element = tensor::ExtractOp::create(b, source, from);
      if (isConstant)
        element = arith::SelectOp::create(b, isInside, element, fill);
      linalg::YieldOp::create(b, element);
    };
    if (in.getNumElements() == 0) {
      Value value = isConstant ? fill : storedZero(outer, op.getLoc(), result.getElementType());
      return linalg::FillOp::create(outer, value, emptyTensor(outer, op.getLoc(), result)).getResult(0);
    }
    return linalg::GenericOp::create(outer, result, ValueRange(), emptyTensor(outer, op.getLoc(), result),
                                     outer.getMultiDimIdentityMap(result.getRank()), iterators, body)
        .getResult(0);
  }

  static Value fillValue(ImplicitLocOpBuilder &b, PadOp op, OpAdaptor adaptor) {
    if (!adaptor.getConstantValue())
      return storedZero(b, op.getLoc(), stored(op.getOutput()).getElementType());
    SmallVector<Value> zeros(type(op.getConstantValue()).getRank(), arith::ConstantIndexOp::create(b, 0));
    return tensor::ExtractOp::create(b, adaptor.getConstantValue(), zeros);
  }

  /// How many elements come before each dim of the input.
  static SmallVector<Value> amountsBefore(ImplicitLocOpBuilder &b, PadOp op, OpAdaptor adaptor) {
    int64_t rank = type(op.getData()).getRank(), count = type(op.getPads()).getNumElements() / 2;
    auto read = [&](Value list, int64_t at) -> Value {
      Value entry = tensor::ExtractOp::create(b, list, ValueRange{arith::ConstantIndexOp::create(b, at)});
      return arith::IndexCastOp::create(b, b.getIndexType(), entry);
    };
    SmallVector<Value> low(rank, arith::ConstantIndexOp::create(b, 0));
    auto axes = getConstantIntegers(op.getAxes());
    for (int64_t i = 0; i < count; ++i) {
      Value amount = read(adaptor.getPads(), i);
      if (!op.getAxes() || axes) {
        low[axes ? wrapAxis((*axes)[i], rank) : i] = amount;
        continue;
      }
      Value axis = read(adaptor.getAxes(), i);
      for (int64_t dim = 0; dim < rank; ++dim) {
        Value fromFront =
            arith::CmpIOp::create(b, arith::CmpIPredicate::eq, axis, arith::ConstantIndexOp::create(b, dim));
        Value fromEnd =
            arith::CmpIOp::create(b, arith::CmpIPredicate::eq, axis, arith::ConstantIndexOp::create(b, dim - rank));
        low[dim] = arith::SelectOp::create(b, arith::OrIOp::create(b, fromFront, fromEnd), amount, low[dim]);
      }
    }
    return low;
  }
};

struct LowerCenterCropPad : OnnxLowering<CenterCropPadOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(CenterCropPadOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    SmallVector<int64_t> low, high;
    splitBorders(centerBorders(type(op.getInputData()).getShape(), type(op.getOutputData()).getShape()), low, high);
    Value zero = storedZero(rewriter, op.getLoc(), stored(op.getOutputData()).getElementType());
    rewriter.replaceOp(op, buildPad(rewriter, op.getLoc(), adaptor.getInputData(), low, high, zero));
    return success();
  }
};

/// An element stays where column - row >= k (upper) or <= k (lower).
struct LowerTrilu : OnnxLowering<TriluOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(TriluOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    RankedTensorType result = stored(op.getOutput());
    int64_t rank = result.getRank();
    auto constant = getConstantIntegers(op.getK());
    SmallVector<Value> inputs = {adaptor.getInput()};
    SmallVector<AffineMap> maps = {rewriter.getMultiDimIdentityMap(rank)};
    if (op.getK() && !constant) {
      inputs.push_back(adaptor.getK());
      SmallVector<AffineExpr> zeros(type(op.getK()).getRank(), rewriter.getAffineConstantExpr(0));
      maps.push_back(AffineMap::get(rank, 0, zeros, op.getContext()));
    }
    maps.push_back(rewriter.getMultiDimIdentityMap(rank));
    SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
    auto generic = linalg::GenericOp::create(
        rewriter, op.getLoc(), result, inputs, emptyTensor(rewriter, op.getLoc(), result), maps, iterators,
        [&](OpBuilder &nested, Location loc, ValueRange elements) {
          ImplicitLocOpBuilder b(loc, nested);
          auto index = [&](int64_t dim) -> Value {
            return arith::IndexCastOp::create(b, b.getI64Type(), linalg::IndexOp::create(b, dim));
          };
          Value diagonal = arith::SubIOp::create(b, index(rank - 1), index(rank - 2));
          Value k = elements[1];
          if (inputs.size() == 1)
            k = arith::ConstantIntOp::create(b, constant ? constant->front() : 0, 64);
          auto predicate = op.getUpper() ? arith::CmpIPredicate::sge : arith::CmpIPredicate::sle;
          Value stays = arith::CmpIOp::create(b, predicate, diagonal, k);
          Value zero = storedZero(b, loc, result.getElementType());
          linalg::YieldOp::create(b, arith::SelectOp::create(b, stays, elements[0], zero).getResult());
        });
    rewriter.replaceOp(op, generic.getResults());
    return success();
  }
};

struct LowerReverseSequence : OnnxLowering<ReverseSequenceOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(ReverseSequenceOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    RankedTensorType result = stored(op.getY());
    int64_t rank = result.getRank(), time = op.getTimeAxis(), extent = result.getDimSize(time);
    AffineMap batch = AffineMap::get(rank, 0, rewriter.getAffineDimExpr(op.getBatchAxis()), op.getContext());
    Value source = adaptor.getInput();
    SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
    auto generic = linalg::GenericOp::create(
        rewriter, op.getLoc(), result, adaptor.getSequenceLens(), emptyTensor(rewriter, op.getLoc(), result),
        ArrayRef<AffineMap>{batch, rewriter.getMultiDimIdentityMap(rank)}, iterators,
        [&](OpBuilder &nested, Location loc, ValueRange elements) {
          ImplicitLocOpBuilder b(loc, nested);
          IndexBuilder index{b};
          SmallVector<Value> from;
          for (int64_t dim = 0; dim < rank; ++dim)
            from.push_back(linalg::IndexOp::create(b, dim));
          // A length outside of the tensor must not lead outside of it.
          Value length = index.clamp(arith::IndexCastOp::create(b, b.getIndexType(), elements[0]), 0, extent);
          Value mirrored = arith::SubIOp::create(b, index.add(length, -1), from[time]);
          Value within = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, from[time], length);
          from[time] = arith::SelectOp::create(b, within, mirrored, from[time]);
          linalg::YieldOp::create(b, tensor::ExtractOp::create(b, source, from).getResult());
        });
    rewriter.replaceOp(op, generic.getResults());
    return success();
  }
};
} // namespace

void onnx_aot::onnx::populateBordersToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerPad, LowerCenterCropPad, LowerTrilu, LowerReverseSequence>(converter, patterns.getContext());
}
