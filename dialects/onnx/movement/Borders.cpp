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
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::onnx;

/// Zero of a stored element type.
static Value storedZero(OpBuilder &builder, Location loc, Type storedType) {
  return arith::ConstantOp::create(builder, loc, cast<TypedAttr>(builder.getZeroAttr(storedType)));
}

using Sizes = SmallVector<OpFoldResult>;

namespace {
/// Index arithmetic in the body of a linalg.generic.
struct IndexBuilder {
  ImplicitLocOpBuilder &b;
  Value constant(int64_t value) { return arith::ConstantIndexOp::create(b, value); }
  Value clamp(Value value, Value low, Value high) {
    value = arith::MaxSIOp::create(b, value, low);
    return arith::MinSIOp::create(b, value, high);
  }
  /// The remainder in 0..period-1.
  Value modulo(Value value, Value period) {
    Value remainder = arith::RemSIOp::create(b, value, period);
    Value isNegative = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, remainder, constant(0));
    return arith::SelectOp::create(b, isNegative, arith::AddIOp::create(b, remainder, period), remainder);
  }
  /// The element in 0..extent-1 that a border of `mode` shows at `value`, which may lie outside. The dim is not empty.
  Value inside(Value value, StringRef mode, Value extent) {
    Value last = arith::SubIOp::create(b, extent, constant(1));
    if (mode == "edge")
      return clamp(value, constant(0), last);
    if (mode == "wrap")
      return modulo(value, arith::MaxSIOp::create(b, extent, constant(1)));
    // A dim of one element reflects to itself.
    Value period = arith::MaxSIOp::create(b, arith::MulIOp::create(b, last, constant(2)), constant(1));
    Value remainder = modulo(value, period);
    Value mirrored = arith::MinSIOp::create(b, remainder, arith::SubIOp::create(b, period, remainder));
    return arith::MinSIOp::create(b, mirrored, last);
  }
};

struct LowerPad : OnnxLowering<PadOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(PadOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Location loc = op.getLoc();
    Sizes low, high;
    if (failed(amounts(b, op, adaptor, low, high)))
      return failure();
    Value source = adaptor.getData(), padded;
    if (op.getMode() == "constant") {
      requireRoom(b, source, low, high);
      padded = buildPad(b, loc, source, low, high, fillValue(b, op, adaptor));
    } else {
      padded = extend(b, op.getMode(), source, low, high);
    }
    rewriter.replaceOp(op, fitted(b, padded, stored(op.getOutput())));
    return success();
  }

  /// `tensor` under the type that was inferred or declared, which the run checks where it says more.
  static Value fitted(ImplicitLocOpBuilder &b, Value tensor, RankedTensorType type) {
    auto present = cast<RankedTensorType>(tensor.getType());
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      if (present.isDynamicDim(dim) && !type.isDynamicDim(dim))
        requireEqual(b, b.getLoc(), sizeOf(b, b.getLoc(), tensor, dim), b.getIndexAttr(type.getDimSize(dim)),
                     aot::Code::shape_mismatch);
    return castTensor(b, b.getLoc(), tensor, type);
  }

  /// No more may be removed than there is.
  static void requireRoom(ImplicitLocOpBuilder &b, Value source, ArrayRef<OpFoldResult> low,
                          ArrayRef<OpFoldResult> high) {
    for (auto [dim, before, after] : llvm::enumerate(low, high)) {
      if (constantSize(before).value_or(-1) >= 0 && constantSize(after).value_or(-1) >= 0)
        continue;
      OpFoldResult extent = addSizes(b, b.getLoc(), sizeOf(b, b.getLoc(), source, dim), before);
      extent = addSizes(b, b.getLoc(), extent, after);
      if (constantSize(extent).value_or(-1) >= 0)
        continue;
      Value zero = arith::ConstantIndexOp::create(b, 0);
      Value fits = arith::CmpIOp::create(b, arith::CmpIPredicate::sge, asIndex(b, b.getLoc(), extent), zero);
      aot::RequireOp::create(b, fits, aot::Code::invalid_value);
    }
  }

  /// Every element looks for its source.
  static Value extend(ImplicitLocOpBuilder &outer, StringRef mode, Value source, ArrayRef<OpFoldResult> low,
                      ArrayRef<OpFoldResult> high) {
    Location loc = outer.getLoc();
    requireRoom(outer, source, low, high);
    Sizes extents = sizesOf(outer, loc, source), sizes;
    SmallVector<Value> before, whole;
    for (auto [dim, extent] : llvm::enumerate(extents)) {
      sizes.push_back(addSizes(outer, loc, addSizes(outer, loc, low[dim], extent), high[dim]));
      before.push_back(asIndex(outer, loc, low[dim]));
      whole.push_back(asIndex(outer, loc, extent));
      if (constantSize(extent).value_or(0) > 0 || constantSize(sizes.back()) == 0)
        continue;
      // An empty dim has nothing to show.
      Value zero = arith::ConstantIndexOp::create(outer, 0), size = asIndex(outer, loc, sizes.back());
      Value hasSource = arith::CmpIOp::create(outer, arith::CmpIPredicate::sgt, whole.back(), zero);
      Value isEmpty = arith::CmpIOp::create(outer, arith::CmpIPredicate::eq, size, zero);
      aot::RequireOp::create(outer, arith::OrIOp::create(outer, hasSource, isEmpty), aot::Code::invalid_value);
    }
    Value empty = emptyTensor(outer, loc, sizes, getElementTypeOrSelf(source.getType()));
    SmallVector<utils::IteratorType> iterators(sizes.size(), utils::IteratorType::parallel);
    auto body = [&](OpBuilder &nested, Location bodyLoc, ValueRange) {
      ImplicitLocOpBuilder b(bodyLoc, nested);
      IndexBuilder index{b};
      SmallVector<Value> from;
      for (auto [dim, amount] : llvm::enumerate(before)) {
        Value position = linalg::IndexOp::create(b, dim);
        if (constantSize(low[dim]) != 0)
          position = arith::SubIOp::create(b, position, amount);
        bool isInside = constantSize(low[dim]).value_or(1) <= 0 && constantSize(high[dim]).value_or(1) <= 0;
        from.push_back(isInside ? position : index.inside(position, mode, whole[dim]));
      }
      linalg::YieldOp::create(b, tensor::ExtractOp::create(b, source, from).getResult());
    };
    return linalg::GenericOp::create(outer, empty.getType(), ValueRange(), empty,
                                     outer.getMultiDimIdentityMap(sizes.size()), iterators, body)
        .getResult(0);
  }

  static Value fillValue(ImplicitLocOpBuilder &b, PadOp op, OpAdaptor adaptor) {
    if (!adaptor.getConstantValue())
      return storedZero(b, op.getLoc(), stored(op.getOutput()).getElementType());
    SmallVector<Value> zeros(type(op.getConstantValue()).getRank(), arith::ConstantIndexOp::create(b, 0));
    return b.createOrFold<tensor::ExtractOp>(adaptor.getConstantValue(), zeros);
  }

  /// How many elements come before and after each dim of the input.
  static LogicalResult amounts(ImplicitLocOpBuilder &b, PadOp op, OpAdaptor adaptor, Sizes &low, Sizes &high) {
    int64_t rank = type(op.getData()).getRank();
    low.assign(rank, b.getIndexAttr(0));
    high.assign(rank, b.getIndexAttr(0));
    if (auto borders = padBorders(op, rank)) {
      for (auto [dim, border] : llvm::enumerate(*borders)) {
        low[dim] = b.getIndexAttr(border.low);
        high[dim] = b.getIndexAttr(border.high);
      }
      return success();
    }
    auto axes = getConstantIntegers(op.getAxes());
    int64_t count = rank;
    if (op.getAxes() && !type(op.getAxes()).isDynamicDim(0))
      count = type(op.getAxes()).getDimSize(0);
    else if (!type(op.getPads()).isDynamicDim(0))
      count = type(op.getPads()).getDimSize(0) / 2;
    else if (op.getAxes())
      return openAmounts(b, adaptor.getAxes(), adaptor.getPads(), low, high);
    if (op.getAxes())
      requireLength(b, op.getLoc(), adaptor.getAxes(), count);
    requireLength(b, op.getLoc(), adaptor.getPads(), 2 * count);
    for (int64_t i = 0; i < count; ++i) {
      Value before = listEntry(b, adaptor.getPads(), i), after = listEntry(b, adaptor.getPads(), count + i);
      if (!op.getAxes() || axes) {
        int64_t dim = axes ? wrapAxis((*axes)[i], rank) : i;
        low[dim] = getAsOpFoldResult(before);
        high[dim] = getAsOpFoldResult(after);
        continue;
      }
      setAmounts(b, listEntry(b, adaptor.getAxes(), i), before, after, low, high);
    }
    return success();
  }

  /// `before` and `after` for the dim that `axis` names.
  static void setAmounts(ImplicitLocOpBuilder &b, Value axis, Value before, Value after, Sizes &low, Sizes &high) {
    for (int64_t dim = 0, rank = low.size(); dim < rank; ++dim) {
      auto isAxis = [&](int64_t name) -> Value {
        return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, axis, arith::ConstantIndexOp::create(b, name));
      };
      Value isDim = arith::OrIOp::create(b, isAxis(dim), isAxis(dim - rank));
      low[dim] = arith::SelectOp::create(b, isDim, before, asIndex(b, b.getLoc(), low[dim])).getResult();
      high[dim] = arith::SelectOp::create(b, isDim, after, asIndex(b, b.getLoc(), high[dim])).getResult();
    }
  }

  /// Lists of open length: at most one entry for each dim.
  static LogicalResult openAmounts(ImplicitLocOpBuilder &b, Value axes, Value pads, Sizes &low, Sizes &high) {
    Location loc = b.getLoc();
    int64_t rank = low.size();
    auto index = [&](int64_t value) -> Value { return arith::ConstantIndexOp::create(b, value); };
    Value count = asIndex(b, loc, sizeOf(b, loc, axes, 0)), amounts = asIndex(b, loc, sizeOf(b, loc, pads, 0));
    Value fits = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, arith::MulIOp::create(b, count, index(2)), amounts);
    Value isShort = arith::CmpIOp::create(b, arith::CmpIPredicate::sle, count, index(rank));
    aot::RequireOp::create(b, arith::AndIOp::create(b, fits, isShort), aot::Code::shape_mismatch);
    for (int64_t i = 0; i < rank; ++i) {
      Value isGiven = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, index(i), count);
      auto read = [&](OpBuilder &nested, Value list, Value position) {
        Value entry = tensor::ExtractOp::create(nested, loc, list, position);
        return arith::IndexCastOp::create(nested, loc, nested.getIndexType(), entry).getResult();
      };
      auto given = [&](OpBuilder &nested, Location) {
        Value after = arith::AddIOp::create(nested, loc, count, index(i));
        SmallVector<Value> entries = {read(nested, axes, index(i)), read(nested, pads, index(i)),
                                      read(nested, pads, after)};
        scf::YieldOp::create(nested, loc, entries);
      };
      // No dim has the name `rank`.
      auto absent = [&](OpBuilder &nested, Location) {
        scf::YieldOp::create(nested, loc, ValueRange{index(rank), index(0), index(0)});
      };
      auto entry = scf::IfOp::create(b, isGiven, given, absent);
      setAmounts(b, entry.getResult(0), entry.getResult(1), entry.getResult(2), low, high);
    }
    return success();
  }
};

/// Where the difference is odd, the side after the centre gets the larger share.
struct LowerCenterCropPad : OnnxLowering<CenterCropPadOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(CenterCropPadOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    FailureOr<Sizes> target = sizes(rewriter, op, op.getOutputData());
    if (failed(target))
      return failure();
    for (auto [dim, size] : llvm::zip(shape(op.getOutputData()), *target)) {
      if (dim.isAtLeast(0))
        continue;
      Value zero = arith::ConstantIndexOp::create(rewriter, loc, 0);
      Value isValid =
          arith::CmpIOp::create(rewriter, loc, arith::CmpIPredicate::sge, asIndex(rewriter, loc, size), zero);
      aot::RequireOp::create(rewriter, loc, isValid, aot::Code::invalid_value);
    }
    requireLength(rewriter, loc, adaptor.getShape(),
                  op.getAxes() ? op.getAxes()->size() : type(op.getInputData()).getRank());
    Sizes low, high;
    Value two = arith::ConstantIndexOp::create(rewriter, loc, 2);
    for (auto [dim, wanted] : llvm::enumerate(*target)) {
      OpFoldResult extent = sizeOf(rewriter, loc, adaptor.getInputData(), dim);
      OpFoldResult difference = subtractSizes(rewriter, loc, wanted, extent);
      low.push_back(
          getAsOpFoldResult(rewriter.createOrFold<arith::DivSIOp>(loc, asIndex(rewriter, loc, difference), two)));
      high.push_back(subtractSizes(rewriter, loc, difference, low.back()));
    }
    Value zero = storedZero(rewriter, loc, stored(op.getOutputData()).getElementType());
    Value result = buildPad(rewriter, loc, adaptor.getInputData(), low, high, zero);
    rewriter.replaceOp(op, castTensor(rewriter, loc, result, stored(op.getOutputData())));
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
        rewriter, op.getLoc(), result, inputs,
        emptyTensor(rewriter, op.getLoc(), sizesOf(rewriter, op.getLoc(), adaptor.getInput()), result.getElementType()),
        maps, iterators, [&](OpBuilder &nested, Location loc, ValueRange elements) {
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
    int64_t rank = result.getRank(), time = op.getTimeAxis();
    Sizes sizes = sizesOf(rewriter, op.getLoc(), adaptor.getInput());
    Value extent = asIndex(rewriter, op.getLoc(), sizes[time]);
    AffineMap batch = AffineMap::get(rank, 0, rewriter.getAffineDimExpr(op.getBatchAxis()), op.getContext());
    Value source = adaptor.getInput();
    SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
    auto generic = linalg::GenericOp::create(
        rewriter, op.getLoc(), result, adaptor.getSequenceLens(),
        emptyTensor(rewriter, op.getLoc(), sizes, result.getElementType()),
        ArrayRef<AffineMap>{batch, rewriter.getMultiDimIdentityMap(rank)}, iterators,
        [&](OpBuilder &nested, Location loc, ValueRange elements) {
          ImplicitLocOpBuilder b(loc, nested);
          IndexBuilder index{b};
          SmallVector<Value> from;
          for (int64_t dim = 0; dim < rank; ++dim)
            from.push_back(linalg::IndexOp::create(b, dim));
          // A length outside of the tensor must not lead outside of it.
          Value length = arith::IndexCastOp::create(b, b.getIndexType(), elements[0]);
          length = index.clamp(length, index.constant(0), extent);
          Value mirrored = arith::SubIOp::create(b, arith::SubIOp::create(b, length, index.constant(1)), from[time]);
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
