//===- RoiAlign.cpp - pooling over regions ------------------------------------------------------------------------===//
//
// RoiAlign divides each region into output_height x output_width bins and takes the mean (or maximum) of samples that
// lie evenly in a bin, sampling_ratio of them along each dim, or as many as the bin has elements. MaxRoiPool rounds the
// bins to whole elements and takes their maximum.
//
// Whatever the regions hold, NaN included, no element outside of the data is read.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/resampling/RoiAlign.h"
#include "dialects/onnx/resampling/Resampling.h"
#include "dialects/onnx/support/Generate.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <limits>

using namespace mlir;
using namespace onnx_aot::onnx;

//===-- Shapes ----------------------------------------------------------------------------------------------------===//

/// Checks ranks and extents; the result is regions x channels x height x width.
static LogicalResult inferRegions(Operation *op, ShapeContext &ctx, int64_t columns, int64_t height, int64_t width,
                                  SmallVectorImpl<ResultShape> &results) {
  std::optional<Shape> x = ctx.shape(op->getOperand(0)), rois = ctx.shape(op->getOperand(1));
  if (x && x->size() != 4) // (C1)
    return op->emitOpError("the data must have rank 4, not ") << x->size();
  if (rois && (rois->size() != 2 || ((*rois)[1].isKnown() && !(*rois)[1].is(columns)))) // (C2)
    return op->emitOpError("the regions must be a matrix of ") << columns << " columns";
  if (height < 1 || width < 1) // (C3)
    return op->emitOpError("the height and width of the result must be positive");
  results.emplace_back(ctx.elementType(op->getOperand(0)),
                       Shape{rois ? (*rois)[0] : Dim(), x ? (*x)[1] : Dim(), Dim(height), Dim(width)});
  return success();
}

LogicalResult RoiAlignOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  if (getMode() != "avg" && getMode() != "max") // (C5)
    return emitOpError("mode must be avg or max, not \"") << getMode() << "\"";
  if (getCoordinateTransformationMode() != "half_pixel" &&
      getCoordinateTransformationMode() != "output_half_pixel") // (C5)
    return emitOpError("coordinate_transformation_mode \"") << getCoordinateTransformationMode() << "\" is not known";
  if (getSamplingRatio() < 0) // (C3)
    return emitOpError("sampling_ratio must not be negative");
  std::optional<Shape> rois = ctx.shape(getRois()), batches = ctx.shape(getBatchIndices());
  if (rois && batches && !rois->empty() &&
      (batches->size() != 1 ||
       ((*batches)[0].isKnown() && (*rois)[0].isKnown() && (*batches)[0].get() != (*rois)[0].get()))) // (C4)
    return emitOpError("batch_indices must have one element for each region");
  return inferRegions(*this, ctx, 4, getOutputHeight(), getOutputWidth(), results);
}

LogicalResult MaxRoiPoolOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  if (getPooledShape().size() != 2) // (C3)
    return emitOpError("pooled_shape must have two entries");
  return inferRegions(*this, ctx, 5, getPooledShape()[0], getPooledShape()[1], results);
}

//===-- RoiAlign --------------------------------------------------------------------------------------------------===//

/// More samples along one dim of a bin than any region in an image has.
static constexpr double kMostSamples = 1 << 16;

/// `count`, or 0 where `extent` is.
static Value whereFilled(Arithmetic &a, Value extent, Value count) {
  Value zero = indexConstant(a.b, 0);
  return a.select(a.less(zero, extent), count, zero);
}

namespace {
/// The samples along one dim of one bin.
struct Samples {
  Value first; // position of the bin
  Value step;  // between samples
  Value count; // index

  /// Position of sample `index`.
  Value at(Arithmetic &a, Value index) const {
    return a.add(first, a.mul(a.add(a.toReal(index), a.number(0.5)), step));
  }
};

struct LowerRoiAlign : OnnxLowering<RoiAlignOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(RoiAlignOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Type element = type(op.getX()).getElementType(), real = computeType(element);
    FailureOr<SmallVector<OpFoldResult>> extents = sizes(rewriter, op, op.getY());
    if (failed(extents))
      return failure();
    Value data = adaptor.getX(), rois = adaptor.getRois();
    bool isMax = op.getMode() == "max";
    auto body = [&](ImplicitLocOpBuilder &b, ValueRange at) -> Value {
      Arithmetic a{b, real};
      Value batch = tensor::ExtractOp::create(b, adaptor.getBatchIndices(), at[0]);
      batch = arith::IndexCastOp::create(b, b.getIndexType(), batch);
      batch = a.clamp(batch, indexConstant(b, 0), a.sub(extentOf(b, data, 0), indexConstant(b, 1)));
      Samples rows = samples(a, op, data, rois, element, at[0], 1, op.getOutputHeight(), at[2]);
      Samples columns = samples(a, op, data, rois, element, at[0], 0, op.getOutputWidth(), at[3]);
      Value initial = a.number(isMax ? -std::numeric_limits<double>::infinity() : 0);
      Value result = buildFold(b, rows.count, initial, [&](ImplicitLocOpBuilder &outer, Value row, Value carried) {
        Arithmetic o{outer, real};
        Value y = rows.at(o, row);
        return buildFold(outer, columns.count, carried, [&](ImplicitLocOpBuilder &inner, Value column, Value sum) {
          Arithmetic i{inner, real};
          Value sample = read(i, data, element, {batch, at[1]}, y, columns.at(i, column), isMax);
          return isMax ? Value(arith::MaximumFOp::create(inner, sum, sample)) : i.add(sum, sample);
        });
      });
      Value count = a.mul(a.toReal(rows.count), a.toReal(columns.count));
      Value isEmpty = a.less(count, a.number(1));
      if (isMax)
        return a.select(isEmpty, a.number(0), result);
      return a.div(result, a.select(isEmpty, a.number(1), count));
    };
    Value result = buildGenerated(rewriter, op.getLoc(), *extents, element, body);
    rewriter.replaceOp(op, castTensor(rewriter, op.getLoc(), result, stored(op.getY())));
    return success();
  }

  /// The samples of bin `bin` of `bins` along x (`column` 0) or y (1).
  /// None where the data has no elements.
  static Samples samples(Arithmetic &a, RoiAlignOp op, Value data, Value rois, Type element, Value region,
                         int64_t column, int64_t bins, Value bin) {
    bool isHalfPixel = op.getCoordinateTransformationMode() == "half_pixel";
    double scale = op.getSpatialScale().convertToDouble();
    auto border = [&](int64_t at) {
      Value index = indexConstant(a.b, at);
      Value given =
          toCompute(a.b, a.b.getLoc(), tensor::ExtractOp::create(a.b, rois, ValueRange{region, index}), element);
      return a.sub(a.mul(given, a.number(scale)), a.number(isHalfPixel ? 0.5 : 0));
    };
    Value start = border(column), extent = a.sub(border(column + 2), start);
    if (!isHalfPixel) // malformed regions have at least one element
      extent = a.select(a.less(extent, a.number(1)), a.number(1), extent);
    Value size = a.div(extent, a.number(bins));
    Samples result;
    if (op.getSamplingRatio() > 0)
      result.count = indexConstant(a.b, op.getSamplingRatio());
    else
      result.count = a.toIndex(a.clamp(a.ceil(size), a.number(0), a.number(kMostSamples)));
    result.first = a.add(start, a.mul(a.toReal(bin), size));
    result.step = a.div(size, a.toReal(result.count));
    for (int64_t dim : {0, 2, 3})
      result.count = whereFilled(a, extentOf(a.b, data, dim), result.count);
    return result;
  }

  /// A sample: 0 more than one element outside of the data, and as on the border up to there. The maximum is taken of
  /// the four weighted neighbours, as runtimes do.
  static Value read(Arithmetic &a, Value data, Type element, ArrayRef<Value> leading, Value y, Value x, bool isMax) {
    Value isInside, zero = a.number(0), one = a.number(1);
    SmallVector<std::array<Value, 2>> index, weight;
    for (auto [dim, position] : llvm::enumerate(ArrayRef<Value>{y, x})) {
      Value extent = extentOf(a.b, data, 2 + dim), last = a.sub(extent, indexConstant(a.b, 1));
      Value isHere = a.both(a.lessOrEqual(a.number(-1), position), a.lessOrEqual(position, a.toReal(extent)));
      isInside = isInside ? a.both(isInside, isHere) : isHere;
      Value at = a.clamp(position, zero, a.toReal(last));
      Value low = a.toIndex(at), next = a.add(low, indexConstant(a.b, 1));
      Value rest = a.sub(at, a.toReal(low));
      index.push_back({low, a.select(a.less(last, next), last, next)});
      weight.push_back({a.sub(one, rest), rest});
    }
    Value result;
    for (int64_t row = 0; row < 2; ++row)
      for (int64_t column = 0; column < 2; ++column) {
        SmallVector<Value> at = {leading[0], leading[1], index[0][row], index[1][column]};
        Value value = toCompute(a.b, a.b.getLoc(), tensor::ExtractOp::create(a.b, data, at), element);
        Value part = a.mul(a.mul(weight[0][row], weight[1][column]), value);
        if (!result)
          result = part;
        else
          result = isMax ? Value(arith::MaximumFOp::create(a.b, result, part)) : a.add(result, part);
      }
    return a.select(isInside, result, zero);
  }
};

//===-- MaxRoiPool ------------------------------------------------------------------------------------------------===//

struct LowerMaxRoiPool : OnnxLowering<MaxRoiPoolOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(MaxRoiPoolOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Type element = type(op.getX()).getElementType(), real = computeType(element);
    FailureOr<SmallVector<OpFoldResult>> extents = sizes(rewriter, op, op.getY());
    if (failed(extents))
      return failure();
    Value data = adaptor.getX(), rois = adaptor.getRois();
    auto body = [&](ImplicitLocOpBuilder &b, ValueRange at) -> Value {
      Arithmetic a{b, real};
      Value zero = indexConstant(b, 0), one = indexConstant(b, 1);
      auto given = [&](int64_t column) {
        Value index = indexConstant(b, column);
        return toCompute(b, b.getLoc(), tensor::ExtractOp::create(b, rois, ValueRange{at[0], index}), element);
      };
      Value last = a.sub(extentOf(b, data, 0), one);
      Value batch = a.toIndex(a.clamp(given(0), a.number(0), a.toReal(last)));
      SmallVector<Value> start, count;
      for (int64_t dim = 0; dim < 2; ++dim) {
        // Regions are (batch, x1, y1, x2, y2); borders are rounded and belong to the region.
        Value scale = a.number(op.getSpatialScale().convertToDouble()), limit = a.number(1 << 30);
        auto border = [&](int64_t column) {
          Value rounded = math::RoundOp::create(b, a.mul(given(column), scale));
          return a.clamp(rounded, a.number(-(1 << 30)), limit);
        };
        Value low = border(2 - dim), high = border(4 - dim);
        Value extent = a.add(a.sub(high, low), a.number(1));
        extent = a.select(a.less(extent, a.number(1)), a.number(1), extent);
        Value size = a.div(extent, a.number(op.getPooledShape()[dim])), bin = a.toReal(at[2 + dim]);
        Value most = a.toReal(extentOf(b, data, 2 + dim));
        auto inside = [&](Value border) { return a.toIndex(a.clamp(a.add(border, low), a.number(0), most)); };
        Value from = inside(a.floor(a.mul(bin, size)));
        Value to = inside(a.ceil(a.mul(a.add(bin, a.number(1)), size)));
        start.push_back(from);
        Value between = a.select(a.less(from, to), a.sub(to, from), zero);
        count.push_back(whereFilled(a, extentOf(b, data, 0), between));
      }
      Value lowest = a.number(-std::numeric_limits<double>::infinity());
      Value result = buildFold(b, count[0], lowest, [&](ImplicitLocOpBuilder &outer, Value row, Value carried) {
        return buildFold(outer, count[1], carried, [&](ImplicitLocOpBuilder &inner, Value column, Value most) {
          Arithmetic i{inner, real};
          SmallVector<Value> place = {batch, at[1], i.add(start[0], row), i.add(start[1], column)};
          Value value = toCompute(inner, inner.getLoc(), tensor::ExtractOp::create(inner, data, place), element);
          return Value(arith::MaximumFOp::create(inner, most, value));
        });
      });
      Value isEmpty = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, a.mul(count[0], count[1]), zero);
      return a.select(isEmpty, a.number(0), result);
    };
    Value result = buildGenerated(rewriter, op.getLoc(), *extents, element, body);
    rewriter.replaceOp(op, castTensor(rewriter, op.getLoc(), result, stored(op.getY())));
    return success();
  }
};
} // namespace

void onnx_aot::onnx::populateRoiAlignToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerRoiAlign, LowerMaxRoiPool>(converter, patterns.getContext());
}
