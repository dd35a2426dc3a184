//===- RuntimeTables.cpp - tables of Resize that are filled when the model runs -----------------------------------===//
#include "dialects/onnx/resampling/RuntimeTables.h"
#include "dialects/onnx/support/Axes.h"
#include "dialects/onnx/support/Checks.h"
#include "dialects/onnx/support/Generate.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace onnx_aot::onnx;

namespace {
/// Scalar arithmetic in f32, in which runtimes compute coordinates.
class Scalars {
public:
  explicit Scalars(ImplicitLocOpBuilder &b) : b(b) {}
  Value number(double value) { return scalarConstant(b, b.getLoc(), b.getF32Type(), value); }
  Value add(Value left, Value right) { return arith::AddFOp::create(b, left, right); }
  Value subtract(Value left, Value right) { return arith::SubFOp::create(b, left, right); }
  Value multiply(Value left, Value right) { return arith::MulFOp::create(b, left, right); }
  Value divide(Value left, Value right) { return arith::DivFOp::create(b, left, right); }
  Value floor(Value value) { return math::FloorOp::create(b, value); }
  Value ceil(Value value) { return math::CeilOp::create(b, value); }
  Value select(Value condition, Value left, Value right) { return arith::SelectOp::create(b, condition, left, right); }
  /// A size as a number.
  Value size(OpFoldResult size) {
    if (std::optional<int64_t> known = constantSize(size))
      return number(double(*known));
    return index(cast<Value>(size));
  }
  Value index(Value index) {
    Value integer = arith::IndexCastOp::create(b, b.getI64Type(), index);
    return arith::SIToFPOp::create(b, b.getF32Type(), integer);
  }
  Value compare(arith::CmpFPredicate predicate, Value left, Value right) {
    return arith::CmpFOp::create(b, predicate, left, right);
  }
  /// Into low..high; NaN becomes low.
  Value clamp(Value value, Value low, Value high) {
    value = select(compare(arith::CmpFPredicate::OGE, value, low), value, low);
    return select(compare(arith::CmpFPredicate::OLE, value, high), value, high);
  }
  ImplicitLocOpBuilder &b;
};

/// One axis. The scale and the region are read from the operands where they are asked for.
class RuntimeAxis {
public:
  RuntimeAxis(const ResizeOperands &operands, unsigned place, OpFoldResult out)
      : in(operands.in[operands.axes[place]]), out(out), operands(operands), op(operands.op), adaptor(operands.adaptor),
        place(place), mode(op.getCoordinateTransformationMode()) {}

  /// The position in the input of output position `index`.
  Value position(Scalars &s, Value index) {
    Value at = s.index(index);
    if (mode == "align_corners") {
      Value scaled = s.divide(s.multiply(at, last(s)), s.subtract(length(s), s.number(1)));
      return unlessSingle(s, /*orEmpty=*/false, s.number(0), scaled);
    }
    if (mode == "tf_crop_and_resize") {
      Value start = roi(s, place), end = roi(s, operands.axes.size() + place);
      Value middle = s.multiply(s.multiply(s.number(0.5), last(s)), s.add(start, end));
      Value intervals = s.subtract(s.size(out), s.number(1));
      Value step = s.divide(s.multiply(s.subtract(end, start), last(s)), intervals);
      return unlessSingle(s, /*orEmpty=*/true, middle, s.add(s.multiply(start, last(s)), s.multiply(at, step)));
    }
    if (mode == "asymmetric")
      return s.divide(at, scale(s));
    Value scaled = s.divide(s.add(at, s.number(0.5)), scale(s));
    if (mode == "tf_half_pixel_for_nn")
      return scaled;
    Value half = s.subtract(scaled, s.number(0.5));
    if (mode == "pytorch_half_pixel")
      return unlessSingle(s, /*orEmpty=*/true, s.number(0), half);
    if (mode != "half_pixel_symmetric")
      return half;
    Value adjustment = s.divide(s.size(out), length(s));
    return s.add(half, s.multiply(s.multiply(s.size(in), s.number(0.5)), s.subtract(s.number(1), adjustment)));
  }

  Value scale(Scalars &s) {
    if (hasScales())
      return read(s, adaptor.getScales(), place);
    if (op.getKeepAspectRatioPolicy() == "stretch")
      return s.divide(s.size(out), s.size(in));
    // The smallest or largest of all axes' ratios.
    Value common;
    for (auto [index, axis] : llvm::enumerate(operands.axes)) {
      Value ratio = s.divide(read(s, adaptor.getSizes(), index), s.size(operands.in[axis]));
      if (!common)
        common = ratio;
      else if (op.getKeepAspectRatioPolicy() == "not_larger")
        common = arith::MinimumFOp::create(s.b, common, ratio);
      else
        common = arith::MaximumFOp::create(s.b, common, ratio);
    }
    return common;
  }

  /// The extent of the result before it is rounded.
  Value length(Scalars &s) { return hasScales() ? s.multiply(scale(s), s.size(in)) : s.size(out); }

  Value regionLength(Scalars &s) { return s.subtract(roi(s, operands.axes.size() + place), roi(s, place)); }

  /// The last position of the input.
  Value last(Scalars &s) { return s.subtract(s.size(in), s.number(1)); }

  bool hasScales() { return adaptor.getScales() && !isEmpty(adaptor.getScales()); }
  bool isCropped() { return mode == "tf_crop_and_resize"; }

  const OpFoldResult in, out;

private:
  static bool isEmpty(Value list) {
    auto type = cast<RankedTensorType>(list.getType());
    return type.hasStaticShape() && type.getNumElements() == 0;
  }

  /// `single` where the result has one element (or none, as `orEmpty` says), `other` elsewhere.
  Value unlessSingle(Scalars &s, bool orEmpty, Value single, Value other) {
    if (std::optional<int64_t> known = constantSize(out))
      return *known == 1 || (orEmpty && *known == 0) ? single : other;
    arith::CmpIPredicate predicate = orEmpty ? arith::CmpIPredicate::sle : arith::CmpIPredicate::eq;
    Value isSingle = arith::CmpIOp::create(s.b, predicate, cast<Value>(out), indexConstant(s.b, 1));
    return s.select(isSingle, single, other);
  }

  Value read(Scalars &s, Value tensor, int64_t at) {
    Value index = arith::ConstantIndexOp::create(s.b, at);
    Value element = tensor::ExtractOp::create(s.b, tensor, ValueRange{index});
    Type type = element.getType();
    if (isa<IntegerType>(type))
      return arith::SIToFPOp::create(s.b, s.b.getF32Type(), element);
    return castScalar(s.b, s.b.getLoc(), toCompute(s.b, s.b.getLoc(), element, type), type, s.b.getF32Type());
  }

  Value roi(Scalars &s, int64_t at) {
    if (!adaptor.getRoi() || isEmpty(adaptor.getRoi()))
      return s.number(at < int64_t(operands.axes.size()) ? 0 : 1);
    return read(s, adaptor.getRoi(), at);
  }

  const ResizeOperands &operands;
  ResizeOp op;
  ResizeOp::Adaptor adaptor;
  unsigned place;
  StringRef mode;
};
} // namespace

ResizeOperands::ResizeOperands(ResizeOp op, ResizeOp::Adaptor adaptor, OpBuilder &builder)
    : op(op), adaptor(adaptor), in(sizesOf(builder, op.getLoc(), adaptor.getX())) {
  int64_t rank = in.size();
  for (int64_t axis = 0; axis < (op.getAxes() ? int64_t(op.getAxes()->size()) : rank); ++axis)
    axes.push_back(op.getAxes() ? wrapAxis((*op.getAxes())[axis], rank) : axis);
}

OpFoldResult onnx_aot::onnx::buildExtent(const ResizeOperands &operands, OpBuilder &builder, unsigned place) {
  ImplicitLocOpBuilder b(operands.op->getLoc(), builder);
  Scalars s(b);
  RuntimeAxis axis(operands, place, OpFoldResult());
  double limit = double(int64_t(1) << 31);
  Value extent;
  ResizeOp op = operands.op;
  ResizeOp::Adaptor adaptor = operands.adaptor;
  if (!axis.hasScales() && op.getKeepAspectRatioPolicy() == "stretch") {
    extent = listEntry(b, adaptor.getSizes(), place);
  } else {
    Value length = s.multiply(s.size(axis.in), axis.scale(s));
    if (!axis.hasScales())
      length = s.add(length, s.number(0.5));
    else if (axis.isCropped())
      length = s.multiply(length, axis.regionLength(s));
    // NaN is no extent either.
    Value isPossible = arith::AndIOp::create(b, s.compare(arith::CmpFPredicate::OGE, length, s.number(0)),
                                             s.compare(arith::CmpFPredicate::OLE, length, s.number(limit)));
    require(b, b.getLoc(), isPossible, onnx_aot::aot::Code::invalid_value);
    Value integer = arith::FPToSIOp::create(b, b.getI64Type(), s.floor(length));
    extent = arith::IndexCastOp::create(b, b.getIndexType(), integer);
  }
  requireWithin(b, extent, b.getIndexAttr(0), b.getIndexAttr(int64_t(limit)), onnx_aot::aot::Code::invalid_value);
  return extent;
}

static Value nearest(Scalars &s, StringRef mode, RuntimeAxis &axis, Value position) {
  if (mode == "ceil_if_shrinking") {
    Value shrinks = s.compare(arith::CmpFPredicate::OLT, axis.scale(s), s.number(1));
    return s.select(shrinks, s.ceil(position), s.floor(position));
  }
  if (mode == "floor")
    return s.floor(position);
  if (mode == "ceil")
    return s.ceil(position);
  return mode == "round_prefer_ceil" ? s.floor(s.add(position, s.number(0.5)))
                                     : s.ceil(s.subtract(position, s.number(0.5)));
}

/// Keys' kernel at distance `x` in 0..1 (`isNear`) or 1..2.
static Value cubicAt(Scalars &s, double a, Value x, bool isNear) {
  auto horner = [&](ArrayRef<double> coefficients) {
    Value value = s.number(coefficients[0]);
    for (double coefficient : coefficients.drop_front())
      value = s.add(s.multiply(value, x), s.number(coefficient));
    return value;
  };
  return isNear ? horner({a + 2, -(a + 3), 0, 1}) : horner({a, -5 * a, 8 * a, -4 * a});
}

/// The weight of tap `tap` at `rest` beyond tap 0.
static Value weightOf(Scalars &s, StringRef mode, double a, Value rest, int tap) {
  if (mode == "linear")
    return tap == 0 ? s.subtract(s.number(1), rest) : rest;
  Value x = tap < 1 ? s.subtract(rest, s.number(tap)) : s.subtract(s.number(tap), rest);
  return cubicAt(s, a, x, tap == 0 || tap == 1);
}

/// Whether a position is one of the input.
static Value isInside(Scalars &s, RuntimeAxis &axis, Value at) {
  return arith::AndIOp::create(s.b, s.compare(arith::CmpFPredicate::OGE, at, s.number(0)),
                               s.compare(arith::CmpFPredicate::OLE, at, axis.last(s)));
}

static Value toInteger(Scalars &s, Value value) { return arith::FPToSIOp::create(s.b, s.b.getI32Type(), value); }

//===-- Antialiasing ----------------------------------------------------------------------------------------------===//

namespace {
/// The filter of one axis, widened where the axis shrinks. Position o reads elements from floor(position - reach) on.
struct WideFilter {
  RuntimeAxis &axis;
  bool isCubic;
  double a; // of the cubic kernel
  bool excludesOutside;

  Value stretch(Scalars &s) const { return s.clamp(axis.scale(s), s.number(0x1p-60), s.number(1)); }
  /// Bounded by the input's extent: further away, everything is the border.
  Value reach(Scalars &s) const {
    Value most = s.add(s.multiply(s.number(2), s.size(axis.in)), s.number(16));
    return s.clamp(s.divide(s.number(isCubic ? 2 : 1), stretch(s)), s.number(0), most);
  }
  /// How many elements a position reads.
  Value count(Scalars &s) const {
    Value taps = s.add(s.multiply(s.number(2), s.ceil(reach(s))), s.number(2));
    Value integer = arith::FPToSIOp::create(s.b, s.b.getI64Type(), taps);
    return arith::IndexCastOp::create(s.b, s.b.getIndexType(), integer);
  }
  Value position(Scalars &s, Value index) const {
    return s.clamp(axis.position(s, index), s.number(-8), s.add(s.size(axis.in), s.number(7)));
  }
  Value first(Scalars &s, Value position) const { return s.floor(s.subtract(position, reach(s))); }

  /// The weight of the element `tap` behind the first one.
  Value weight(Scalars &s, Value position, Value tap) const {
    Value place = s.add(first(s, position), s.index(tap));
    Value distance = math::AbsFOp::create(s.b, s.multiply(s.subtract(place, position), stretch(s)));
    auto isBelow = [&](double bound) { return s.compare(arith::CmpFPredicate::OLT, distance, s.number(bound)); };
    Value near = isCubic ? cubicAt(s, a, distance, true) : s.subtract(s.number(1), distance);
    Value far = isCubic ? s.select(isBelow(2), cubicAt(s, a, distance, false), s.number(0)) : s.number(0);
    Value weight = s.select(isBelow(1), near, far);
    return excludesOutside ? s.select(isInside(s, axis, place), weight, s.number(0)) : weight;
  }
};
} // namespace

/// The tables of one axis; weights sum to 1.
static void addWideFilter(const WideFilter &filter, ImplicitLocOpBuilder &b, Type compute, SampledAxis &entry) {
  Location loc = b.getLoc();
  Type f32 = b.getF32Type();
  Scalars outer(b);
  Value count = filter.count(outer);
  entry.first = buildGenerated(b, loc, entry.extent, b.getI32Type(), [&](ImplicitLocOpBuilder &inner, ValueRange at) {
    Scalars s(inner);
    return toInteger(s, filter.first(s, filter.position(s, at[0])));
  });
  Value sums = buildGenerated(b, loc, entry.extent, f32, [&](ImplicitLocOpBuilder &inner, ValueRange at) {
    Scalars s(inner);
    Value position = filter.position(s, at[0]);
    Value sum = buildFold(inner, count, s.number(0), [&](ImplicitLocOpBuilder &i, Value tap, Value carried) {
      Scalars t(i);
      return t.add(carried, filter.weight(t, position, tap));
    });
    return s.select(s.compare(arith::CmpFPredicate::OEQ, sum, s.number(0)), s.number(1), sum);
  });
  entry.rows = buildGenerated(b, loc, {entry.extent, OpFoldResult(count)}, compute,
                              [&](ImplicitLocOpBuilder &inner, ValueRange at) {
                                Scalars s(inner);
                                Value weight = filter.weight(s, filter.position(s, at[0]), at[1]);
                                Value share = s.divide(weight, tensor::ExtractOp::create(inner, sums, at[0]));
                                return castScalar(inner, loc, share, f32, compute);
                              });
}

/// One table of positions per tap, and one of weights but for nearest.
static void addTaps(ResizeOp op, RuntimeAxis &axis, ImplicitLocOpBuilder &b, Type compute, SampledAxis &entry) {
  Location loc = b.getLoc();
  StringRef mode = op.getMode();
  double a = op.getCubicCoeffA().convertToDouble();
  int first = mode == "cubic" ? -1 : 0, last = mode == "nearest" ? 0 : mode == "linear" ? 1 : 2;
  auto weightAt = [&](Scalars &s, Value index, int tap) {
    Value position = axis.position(s, index), base = s.floor(position);
    Value weight = weightOf(s, mode, a, s.subtract(position, base), tap);
    if (op.getExcludeOutside())
      weight = s.select(isInside(s, axis, s.add(base, s.number(tap))), weight, s.number(0));
    return weight;
  };
  for (int tap = first; tap <= last; ++tap) {
    auto position = [&](ImplicitLocOpBuilder &inner, ValueRange at) {
      Scalars s(inner);
      Value exact = axis.position(s, at[0]);
      Value read =
          mode == "nearest" ? nearest(s, op.getNearestMode(), axis, exact) : s.add(s.floor(exact), s.number(tap));
      return toInteger(s, s.clamp(read, s.number(0), axis.last(s)));
    };
    entry.positions.push_back(buildGenerated(b, loc, entry.extent, b.getI32Type(), position));
    if (mode == "nearest")
      continue;
    auto weight = [&](ImplicitLocOpBuilder &inner, ValueRange at) {
      Scalars s(inner);
      Value weight = weightAt(s, at[0], tap);
      if (op.getExcludeOutside()) {
        Value sum = s.number(0);
        for (int other = first; other <= last; ++other)
          sum = s.add(sum, weightAt(s, at[0], other));
        weight = s.divide(weight, sum);
      }
      return castScalar(inner, loc, weight, inner.getF32Type(), compute);
    };
    entry.weights.push_back(buildGenerated(b, loc, entry.extent, compute, weight));
  }
}

SampledAxis onnx_aot::onnx::buildRuntimeTable(const ResizeOperands &operands, OpBuilder &builder, Type compute,
                                              unsigned place, OpFoldResult extent) {
  ResizeOp op = operands.op;
  ImplicitLocOpBuilder b(op->getLoc(), builder);
  RuntimeAxis axis(operands, place, extent);
  SampledAxis entry{unsigned(operands.axes[place]), extent, {}, {}, Value(), Value(), Value()};
  bool isCubic = op.getMode() == "cubic";
  if (op.getAntialias() && op.getMode() != "nearest")
    addWideFilter({axis, isCubic, op.getCubicCoeffA().convertToDouble(), op.getExcludeOutside() != 0}, b, compute,
                  entry);
  else
    addTaps(op, axis, b, compute, entry);
  if (axis.isCropped())
    entry.isOutside =
        buildGenerated(b, b.getLoc(), extent, b.getI8Type(), [&](ImplicitLocOpBuilder &inner, ValueRange at) {
          Scalars s(inner);
          Value one = arith::ConstantIntOp::create(inner, 1, 8), zero = arith::ConstantIntOp::create(inner, 0, 8);
          return s.select(isInside(s, axis, axis.position(s, at[0])), zero, one);
        });
  return entry;
}
