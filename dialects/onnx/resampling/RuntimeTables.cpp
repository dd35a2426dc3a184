//===- RuntimeTables.cpp - tables of Resize that are filled when the model runs -----------------------------------===//
#include "dialects/onnx/resampling/RuntimeTables.h"
#include "dialects/onnx/support/Axes.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <cmath>

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
  Value compare(arith::CmpFPredicate predicate, Value left, Value right) {
    return arith::CmpFOp::create(b, predicate, left, right);
  }
  /// Into low..high; NaN becomes low.
  Value clamp(Value value, double low, double high) {
    value = select(compare(arith::CmpFPredicate::OGE, value, number(low)), value, number(low));
    return select(compare(arith::CmpFPredicate::OLE, value, number(high)), value, number(high));
  }
  ImplicitLocOpBuilder &b;
};

/// One axis. The scale and the region are read from the operands inside of the bodies.
class RuntimeAxis {
public:
  RuntimeAxis(ResizeOp op, ResizeOp::Adaptor adaptor, ArrayRef<int64_t> axes, unsigned place)
      : op(op), adaptor(adaptor), axes(axes), place(place), mode(op.getCoordinateTransformationMode()) {
    in = cast<RankedTensorType>(op.getX().getType()).getDimSize(axes[place]);
    out = cast<RankedTensorType>(op.getY().getType()).getDimSize(axes[place]);
  }

  /// The position in the input of the output position that the body is at.
  Value position(Scalars &s) {
    Value index = linalg::IndexOp::create(s.b, 0);
    Value integer = arith::IndexCastOp::create(s.b, s.b.getI64Type(), index);
    Value at = arith::SIToFPOp::create(s.b, s.b.getF32Type(), integer);
    if (mode == "align_corners")
      return out == 1 ? s.number(0) : s.divide(s.multiply(at, s.number(in - 1)), s.subtract(length(s), s.number(1)));
    if (mode == "tf_crop_and_resize") {
      Value start = roi(s, place), end = roi(s, axes.size() + place);
      if (out <= 1)
        return s.multiply(s.number(0.5 * (in - 1)), s.add(start, end));
      Value step = s.divide(s.multiply(s.subtract(end, start), s.number(in - 1)), s.number(out - 1));
      return s.add(s.multiply(start, s.number(in - 1)), s.multiply(at, step));
    }
    if (mode == "asymmetric")
      return s.divide(at, scale(s));
    if (mode == "pytorch_half_pixel" && out <= 1)
      return s.number(0);
    Value scaled = s.divide(s.add(at, s.number(0.5)), scale(s));
    if (mode == "tf_half_pixel_for_nn")
      return scaled;
    Value half = s.subtract(scaled, s.number(0.5));
    if (mode != "half_pixel_symmetric")
      return half;
    Value adjustment = s.divide(s.number(out), length(s));
    return s.add(half, s.multiply(s.number(in / 2.0), s.subtract(s.number(1), adjustment)));
  }

  Value scale(Scalars &s) {
    if (hasScales())
      return read(s, adaptor.getScales(), place);
    if (op.getKeepAspectRatioPolicy() == "stretch")
      return s.number(float(out) / float(in));
    // The smallest or largest of all axes' ratios.
    Value common;
    for (auto [index, axis] : llvm::enumerate(axes)) {
      int64_t extent = cast<RankedTensorType>(op.getX().getType()).getDimSize(axis);
      Value ratio = s.divide(read(s, adaptor.getSizes(), index), s.number(extent));
      if (!common)
        common = ratio;
      else if (op.getKeepAspectRatioPolicy() == "not_larger")
        common = arith::MinimumFOp::create(s.b, common, ratio);
      else
        common = arith::MaximumFOp::create(s.b, common, ratio);
    }
    return common;
  }

  int64_t in, out;

private:
  Value read(Scalars &s, Value tensor, int64_t at) {
    Value index = arith::ConstantIndexOp::create(s.b, at);
    Value element = tensor::ExtractOp::create(s.b, tensor, ValueRange{index});
    Type type = element.getType();
    if (isa<IntegerType>(type))
      return arith::SIToFPOp::create(s.b, s.b.getF32Type(), element);
    return castScalar(s.b, s.b.getLoc(), toCompute(s.b, s.b.getLoc(), element, type), type, s.b.getF32Type());
  }

  Value roi(Scalars &s, int64_t at) {
    if (!adaptor.getRoi() || cast<RankedTensorType>(adaptor.getRoi().getType()).getNumElements() == 0)
      return s.number(at < int64_t(axes.size()) ? 0 : 1);
    return read(s, adaptor.getRoi(), at);
  }

  bool hasScales() {
    return adaptor.getScales() && cast<RankedTensorType>(adaptor.getScales().getType()).getNumElements() != 0;
  }

  /// The extent of the result before it is rounded.
  Value length(Scalars &s) { return hasScales() ? s.multiply(scale(s), s.number(in)) : s.number(out); }

  ResizeOp op;
  ResizeOp::Adaptor adaptor;
  ArrayRef<int64_t> axes;
  unsigned place;
  StringRef mode;
};
} // namespace

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

//===-- Antialiasing ----------------------------------------------------------------------------------------------===//

/// More taps than this are refused: each is two tables.
static constexpr int64_t kMostTaps = 128;

namespace {
/// The filter of one axis, widened where the axis shrinks: tap t reads at floor(position - reach) + t. How far the reach
/// can be follows from the extents, since scale * in is at least out (half an element less where sizes were rounded).
struct WideFilter {
  RuntimeAxis &axis;
  bool isCubic;
  double a; // of the cubic kernel

  double radius() const { return isCubic ? 2 : 1; }
  int64_t taps() const {
    double least = std::min(1.0, std::max(double(axis.out) - 0.5, 0.25) / double(axis.in));
    return 2 * int64_t(std::ceil(radius() / least)) + 2;
  }
  Value stretch(Scalars &s) const { return s.clamp(axis.scale(s), 0x1p-60, 1); }
  Value position(Scalars &s) const { return s.clamp(axis.position(s), -8, double(axis.in) + 7); }
  Value at(Scalars &s, int64_t tap) const {
    Value reach = s.divide(s.number(radius()), stretch(s));
    return s.add(s.floor(s.subtract(position(s), reach)), s.number(tap));
  }
  Value weight(Scalars &s, int64_t tap, bool excludesOutside) const {
    Value place = at(s, tap);
    Value distance = math::AbsFOp::create(s.b, s.multiply(s.subtract(place, position(s)), stretch(s)));
    auto isBelow = [&](double bound) { return s.compare(arith::CmpFPredicate::OLT, distance, s.number(bound)); };
    Value near = isCubic ? cubicAt(s, a, distance, true) : s.subtract(s.number(1), distance);
    Value far = isCubic ? s.select(isBelow(2), cubicAt(s, a, distance, false), s.number(0)) : s.number(0);
    Value weight = s.select(isBelow(1), near, far);
    if (!excludesOutside)
      return weight;
    Value isInside = arith::AndIOp::create(s.b, s.compare(arith::CmpFPredicate::OGE, place, s.number(0)),
                                           s.compare(arith::CmpFPredicate::OLE, place, s.number(axis.in - 1)));
    return s.select(isInside, weight, s.number(0));
  }
};
} // namespace

/// The tables of one axis; weights sum to 1.
static LogicalResult addWideFilter(ResizeOp op, const WideFilter &filter, OpBuilder &builder, Type compute,
                                   SampledAxis &entry) {
  int64_t taps = filter.taps();
  if (taps > kMostTaps)
    return failure();
  Location loc = op.getLoc();
  Type f32 = builder.getF32Type();
  auto table = [&](Type type, ValueRange inputs, llvm::function_ref<Value(ScalarBody &)> body) {
    return buildElementwise(builder, loc, RankedTensorType::get({filter.axis.out}, type), inputs,
                            SmallVector<Type>(inputs.size(), f32), body);
  };
  SmallVector<Value> weights;
  for (int64_t tap = 0; tap < taps; ++tap) {
    entry.positions.push_back(table(builder.getI32Type(), {}, [&](ScalarBody &scalar) -> Value {
      Scalars s(scalar.b);
      return arith::FPToSIOp::create(s.b, builder.getI32Type(), s.clamp(filter.at(s, tap), 0, filter.axis.in - 1));
    }));
    weights.push_back(table(f32, {}, [&](ScalarBody &scalar) -> Value {
      Scalars s(scalar.b);
      return filter.weight(s, tap, op.getExcludeOutside() != 0);
    }));
  }
  Value sum = table(f32, weights, [](ScalarBody &scalar) -> Value {
    Value total = scalar.x[0];
    for (Value next : scalar.x.drop_front())
      total = arith::AddFOp::create(scalar.b, total, next);
    return total;
  });
  for (Value weight : weights)
    entry.weights.push_back(table(compute, {weight, sum}, [&](ScalarBody &scalar) -> Value {
      Value share = arith::DivFOp::create(scalar.b, scalar.x[0], scalar.x[1]);
      return castScalar(scalar.b, loc, share, f32, compute);
    }));
  return success();
}

LogicalResult onnx_aot::onnx::buildRuntimeTables(ResizeOp op, ResizeOp::Adaptor adaptor, OpBuilder &builder,
                                                 Type compute, SmallVectorImpl<SampledAxis> &sampled) {
  Location loc = op.getLoc();
  int64_t rank = cast<RankedTensorType>(op.getX().getType()).getRank();
  SmallVector<int64_t> axes;
  for (int64_t axis = 0; axis < (op.getAxes() ? int64_t(op.getAxes()->size()) : rank); ++axis) {
    axes.push_back(op.getAxes() ? wrapAxis((*op.getAxes())[axis], rank) : axis);
  }
  StringRef mode = op.getMode();
  double a = op.getCubicCoeffA().convertToDouble();
  int first = mode == "cubic" ? -1 : 0, last = mode == "nearest" ? 0 : mode == "linear" ? 1 : 2;
  for (unsigned place = 0; place < axes.size(); ++place) {
    RuntimeAxis axis(op, adaptor, axes, place);
    if (axis.in == 0)
      continue;
    auto table = [&](Type type, llvm::function_ref<Value(Scalars &)> body) {
      return buildElementwise(builder, loc, RankedTensorType::get({axis.out}, type), {}, {},
                              [&](ScalarBody &scalar) -> Value {
                                Scalars s(scalar.b);
                                return body(s);
                              });
    };
    auto tapAt = [&](Scalars &s, int tap) {
      Value position = axis.position(s);
      return mode == "nearest" ? nearest(s, op.getNearestMode(), axis, position) : s.add(s.floor(position), s.number(tap));
    };
    auto isInside = [&](Scalars &s, Value at) -> Value {
      return arith::AndIOp::create(s.b, s.compare(arith::CmpFPredicate::OGE, at, s.number(0)),
                                   s.compare(arith::CmpFPredicate::OLE, at, s.number(axis.in - 1)));
    };
    auto weightAt = [&](Scalars &s, int tap) {
      Value position = axis.position(s), base = s.floor(position);
      Value weight = weightOf(s, mode, a, s.subtract(position, base), tap);
      if (op.getExcludeOutside())
        weight = s.select(isInside(s, s.add(base, s.number(tap))), weight, s.number(0));
      return weight;
    };
    SampledAxis entry{unsigned(axes[place]), axis.out, {}, {}, Value()};
    bool isWide = op.getAntialias() && mode != "nearest";
    if (isWide && failed(addWideFilter(op, WideFilter{axis, mode == "cubic", a}, builder, compute, entry)))
      return failure();
    for (int tap = first; tap <= last && !isWide; ++tap) {
      entry.positions.push_back(table(builder.getI32Type(), [&](Scalars &s) -> Value {
        Value at = s.clamp(tapAt(s, tap), 0, axis.in - 1);
        return arith::FPToSIOp::create(s.b, builder.getI32Type(), at);
      }));
      if (mode == "nearest")
        continue;
      entry.weights.push_back(table(compute, [&](Scalars &s) -> Value {
        Value weight = weightAt(s, tap);
        if (op.getExcludeOutside()) {
          Value sum = s.number(0);
          for (int other = first; other <= last; ++other)
            sum = s.add(sum, weightAt(s, other));
          weight = s.divide(weight, sum);
        }
        return castScalar(s.b, loc, weight, builder.getF32Type(), compute);
      }));
    }
    if (op.getCoordinateTransformationMode() == "tf_crop_and_resize")
      entry.isOutside = table(builder.getI8Type(), [&](Scalars &s) -> Value {
        Value inside = isInside(s, axis.position(s));
        Value one = arith::ConstantIntOp::create(s.b, loc, 1, 8), zero = arith::ConstantIntOp::create(s.b, loc, 0, 8);
        return arith::SelectOp::create(s.b, inside, zero, one);
      });
    sampled.push_back(entry);
  }
  return success();
}
