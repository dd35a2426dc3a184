//===- SignalToLinalg.cpp - lowering of the operators of signal processing ----------------------------------------===//
//
// A transform is a matrix product with a table of sines and cosines:
//
//   y[o, k, i, p] = sum over n, q of x[o, n, i, q] * table[k, p, n, q]     p, q: real and imaginary part
//
// Tables and sums are in double precision, since the terms cancel. Where the transform's length is known to the run
// only, or the table would be too large, a loop reads the sines and cosines of one turn instead (directSum). An axis
// that is data selects among the transforms along every axis that it may name; of open shapes it makes o, n and i data.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/signal/Signal.h"
#include "dialects/onnx/support/Axes.h"
#include "dialects/onnx/support/Checks.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/support/Extents.h"
#include "dialects/onnx/support/Generate.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <cmath>

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::onnx;

using Sizes = SmallVector<OpFoldResult>;

static ArrayRef<int64_t> shapeOf(Value value) { return cast<RankedTensorType>(value.getType()).getShape(); }

/// The one element of an integer tensor, which must be positive.
static OpFoldResult positiveScalar(ImplicitLocOpBuilder &b, Value tensor) {
  Value value = listEntry(b, buildScalar(b, b.getLoc(), tensor), 0);
  OpFoldResult size = getAsOpFoldResult(value);
  if (std::optional<int64_t> known = constantSize(size); known && *known > 0)
    return size;
  requireWithin(b, value, b.getIndexAttr(1), b.getIndexAttr(int64_t(1) << 47), aot::Code::invalid_value);
  return size;
}

/// The extent of the dim of real and imaginary parts: 1 or 2, and `expected` where that is not 0.
static void requireParts(ImplicitLocOpBuilder &b, OpFoldResult parts, int64_t expected) {
  if (expected != 0)
    return requireEqual(b, b.getLoc(), parts, b.getIndexAttr(expected), aot::Code::shape_mismatch);
  requireWithin(b, asIndex(b, b.getLoc(), parts), b.getIndexAttr(1), b.getIndexAttr(2), aot::Code::shape_mismatch);
}

//===-- The transform as a product --------------------------------------------------------------------------------===//

namespace {
struct Transform {
  int64_t length;            // of the signal in time
  int64_t inputs, outputs;   // elements along the axis that are read and made
  int64_t partsIn, partsOut; // 1 real, 2 complex
  bool inverse, toReal;

  /// What input element n, part q contributes to output element k, part p.
  double weight(int64_t k, int64_t p, int64_t n, int64_t q) const {
    double angle = 2 * M_PI * double(__int128(k) * n % length) / double(length);
    double cosine = std::cos(angle), sine = (inverse ? 1 : -1) * std::sin(angle);
    // (re + i im) (cosine + i sine)
    double value = p == 0 ? (q == 0 ? cosine : -sine) : (q == 0 ? sine : cosine);
    if (inverse)
      value /= double(length);
    // The half that is not given is the conjugate of the one that is.
    bool hasMirror = toReal && n != 0 && 2 * n != length;
    return hasMirror ? 2 * value : value;
  }

  int64_t tableSize() const { return outputs * partsOut * inputs * partsIn; }
  SmallVector<int64_t> tableShape() const { return {outputs, partsOut, inputs, partsIn}; }
};

/// The same with extents that may be values.
struct OpenTransform {
  OpFoldResult length, inputs, outputs;
  int64_t partsIn, partsOut;
  bool inverse, toReal;

  /// Nothing where the run tells an extent, or the table would be too large.
  std::optional<Transform> withTable() const {
    constexpr int64_t kLargestTable = int64_t(1) << 23;
    auto known = constantSize(length), read = constantSize(inputs), made = constantSize(outputs);
    if (!known || !read || !made || *known < 1 || *read < 1 || *known > kLargestTable)
      return std::nullopt;
    Transform transform = {*known, *read, *made, partsIn, partsOut, inverse, toReal};
    return transform.tableSize() <= kLargestTable ? std::optional(transform) : std::nullopt;
  }
};
} // namespace

static Value constantTable(OpBuilder &builder, Location loc, const Transform &transform) {
  auto type = RankedTensorType::get(transform.tableShape(), builder.getF64Type());
  SmallVector<char> bytes;
  bytes.reserve(transform.tableSize() * sizeof(double));
  for (int64_t k = 0; k < transform.outputs; ++k)
    for (int64_t p = 0; p < transform.partsOut; ++p)
      for (int64_t n = 0; n < transform.inputs; ++n)
        for (int64_t q = 0; q < transform.partsIn; ++q) {
          double value = transform.weight(k, p, n, q);
          const char *data = reinterpret_cast<const char *>(&value);
          bytes.append(data, data + sizeof(value));
        }
  std::string hint = "dft_table_" + std::to_string(transform.length);
  return arith::ConstantOp::create(builder, loc, type, cast<TypedAttr>(makeConstant(type, bytes, hint)));
}

/// `x` [o, n, i, q] of ONNX type `element` times `table` [k, p, n, q] as [o, k, i, p].
static Value buildProduct(OpBuilder &builder, Location loc, Value x, Value table, Type element) {
  MLIRContext *context = builder.getContext();
  ArrayRef<int64_t> from = shapeOf(x), weights = shapeOf(table);
  AffineExpr o, k, i, p, n, q;
  bindDims(context, o, k, i, p, n, q);
  auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(6, 0, exprs, context); };
  KernelSpec spec;
  spec.kind = "matmul";
  spec.inputs = {x, table};
  spec.maps = {map({o, n, i, q}), map({k, p, n, q}), map({o, k, i, p})};
  spec.isReduction = {false, false, false, false, true, true};
  Type wide = builder.getF64Type(), real = computeType(element);
  spec.identity = cast<TypedAttr>(builder.getZeroAttr(wide));
  spec.resultType = RankedTensorType::get({from[0], weights[0], from[2], weights[1]}, storageType(element));
  spec.compute = [=](ImplicitLocOpBuilder &b, ValueRange v, Value sum) -> Value {
    Value number = castScalar(b, b.getLoc(), toCompute(b, b.getLoc(), v[0], element), real, wide);
    return math::FmaOp::create(b, number, v[1], sum);
  };
  spec.epilogue = [=](ImplicitLocOpBuilder &b, ValueRange, Value sum) {
    return toStorage(b, b.getLoc(), castScalar(b, b.getLoc(), sum, wide, real), element);
  };
  return buildKernel(builder, loc, spec);
}

/// The same without a table of all products: sines and cosines are read at k * n, modulo the length.
static Value directSum(ImplicitLocOpBuilder &b, Value x, const OpenTransform &transform, Type element) {
  Type wide = b.getF64Type();
  Value length = asIndex(b, b.getLoc(), transform.length), inputs = asIndex(b, b.getLoc(), transform.inputs);
  Value turn =
      buildGenerated(b, b.getLoc(), {transform.length, OpFoldResult(b.getIndexAttr(2))}, wide,
                     [&](ImplicitLocOpBuilder &inner, ValueRange at) -> Value {
                       Arithmetic a{inner, wide};
                       Value part = a.div(a.toReal(at[0]), a.toReal(length));
                       Value angle = a.mul(part, a.number(2 * M_PI));
                       Value isFirst = a.less(at[1], indexConstant(inner, 1));
                       return a.select(isFirst, math::CosOp::create(inner, angle), math::SinOp::create(inner, angle));
                     });
  Sizes sizes = sizesOf(b, b.getLoc(), x);
  sizes[1] = transform.outputs;
  sizes[3] = b.getIndexAttr(transform.partsOut);
  auto body = [&](ImplicitLocOpBuilder &outer, ValueRange at) -> Value {
    Arithmetic o{outer, wide};
    Value isReal = o.less(at[3], indexConstant(outer, 1)), zero = o.number(0);
    auto add = [&](ImplicitLocOpBuilder &inner, Value n, Value sum) -> Value {
      Arithmetic a{inner, wide};
      Value angle = arith::RemUIOp::create(inner, a.mul(at[1], n), length);
      auto read = [&](Value from, ArrayRef<Value> place) -> Value {
        return tensor::ExtractOp::create(inner, from, place);
      };
      Value cosine = read(turn, {angle, indexConstant(inner, 0)}), sine = read(turn, {angle, indexConstant(inner, 1)});
      if (!transform.inverse)
        sine = a.sub(a.number(0), sine);
      auto part = [&](int64_t q) {
        Value stored = read(x, {at[0], n, at[2], indexConstant(inner, q)});
        Value number = toCompute(inner, inner.getLoc(), stored, element);
        return castScalar(inner, inner.getLoc(), number, element, wide);
      };
      Value term = a.mul(part(0), a.select(isReal, cosine, sine));
      if (transform.partsIn == 2)
        term = a.add(term, a.mul(part(1), a.select(isReal, a.sub(a.number(0), sine), cosine)));
      if (transform.toReal) {
        // The half that is not given is the conjugate of the one that is.
        Value isOne = arith::CmpIOp::create(inner, arith::CmpIPredicate::eq, n, indexConstant(inner, 0));
        Value isMiddle = arith::CmpIOp::create(inner, arith::CmpIPredicate::eq, a.add(n, n), length);
        Value isOwn = arith::OrIOp::create(inner, isOne, isMiddle);
        term = a.mul(term, a.select(isOwn, a.number(1), a.number(2)));
      }
      return a.add(sum, term);
    };
    Value sum = buildFold(outer, inputs, zero, add);
    if (transform.inverse)
      sum = o.div(sum, o.toReal(length));
    return castScalar(outer, outer.getLoc(), sum, wide, element);
  };
  return buildGenerated(b, b.getLoc(), sizes, element, body);
}

/// The transform of `x` [o, n, i, q], of which the first `inputs` along n are read.
static Value buildTransform(ImplicitLocOpBuilder &b, Value x, const OpenTransform &transform, Type element) {
  std::optional<Transform> known = transform.withTable();
  if (!known)
    return directSum(b, x, transform, element);
  OpFoldResult extent = sizeOf(b, b.getLoc(), x, 1), none = b.getIndexAttr(0);
  OpFoldResult surplus = subtractSizes(b, b.getLoc(), transform.inputs, extent);
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(storageType(element)));
  if (constantSize(surplus) != 0)
    x = buildPad(b, b.getLoc(), x, {none, none, none, none}, {none, surplus, none, none}, zero);
  return buildProduct(b, b.getLoc(), x, constantTable(b, b.getLoc(), *known), element);
}

//===-- Operators -------------------------------------------------------------------------------------------------===//

namespace {
struct LowerDFT : OnnxLowering<DFTOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(DFTOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    RankedTensorType result = stored(op.getOutput());
    int64_t rank = result.getRank();
    OpFoldResult length = op.getDftLength() ? positiveScalar(b, adaptor.getDftLength()) : OpFoldResult();
    Value input = withParts(b, op, adaptor.getInput());
    std::optional<SmallVector<int64_t>> given =
        op.getAxis() ? getConstantIntegers(op.getAxis()) : SmallVector<int64_t>{-2};
    Value transformed;
    if (given) {
      transformed = transformAlong(b, op, input, wrapAxis(given->front(), rank), length);
    } else {
      bool isStatic = cast<RankedTensorType>(input.getType()).hasStaticShape() && result.hasStaticShape() &&
                      (!length || constantSize(length));
      if (isStatic)
        transformed = transformAnyStatic(b, op, adaptor.getAxis(), input, length);
      else
        transformed = transformAny(b, op, adaptor.getAxis(), input, length);
      if (!transformed)
        return op.emitError("the result's shape fits no axis");
    }
    rewriter.replaceOp(op, fitTensor(rewriter, op.getLoc(), transformed, result));
    return success();
  }

  /// The input with a known number of parts; one that only the run knows is checked, or made 2.
  static Value withParts(ImplicitLocOpBuilder &b, DFTOp op, Value input) {
    Sizes sizes = sizesOf(b, b.getLoc(), input);
    OpFoldResult parts = sizes.back();
    if (constantSize(parts))
      return input;
    int64_t expected = !op.getOnesided() ? 0 : op.getInverse() ? 2 : 1;
    requireParts(b, parts, expected);
    sizes.back() = b.getIndexAttr(expected == 0 ? 2 : expected);
    if (expected != 0)
      return buildReshape(b, b.getLoc(), input, sizes);
    Type element = type(op.getInput()).getElementType();
    Value last = asIndex(b, b.getLoc(), subtractSizes(b, b.getLoc(), parts, b.getIndexAttr(1)));
    return buildGenerated(b, b.getLoc(), sizes, element, [&](ImplicitLocOpBuilder &inner, ValueRange at) -> Value {
      SmallVector<Value> place(at);
      place.back() = arith::MinSIOp::create(inner, at.back(), last);
      Value isThere = arith::CmpIOp::create(inner, arith::CmpIPredicate::eq, place.back(), at.back());
      Value value = toCompute(inner, inner.getLoc(), tensor::ExtractOp::create(inner, input, place), element);
      return arith::SelectOp::create(inner, isThere, value, scalarConstant(inner, inner.getLoc(), element, 0));
    });
  }

  /// The transform of an axis of `extent` elements.
  static OpenTransform transformOf(ImplicitLocOpBuilder &b, DFTOp op, OpFoldResult extent, OpFoldResult length,
                                   int64_t partsIn) {
    Location loc = b.getLoc();
    OpFoldResult one = b.getIndexAttr(1), two = b.getIndexAttr(2);
    OpenTransform transform;
    transform.inverse = op.getInverse();
    transform.toReal = op.getInverse() && op.getOnesided();
    transform.partsIn = partsIn;
    transform.partsOut = transform.toReal ? 1 : 2;
    OpFoldResult fromHalf = maxSize(b, loc, subtractSizes(b, loc, extent, one), b.getIndexAttr(0));
    OpFoldResult own = transform.toReal ? multiplySizes(b, loc, fromHalf, two) : extent;
    transform.length = length ? length : own;
    OpFoldResult half = addSizes(b, loc, divideSizes(b, loc, transform.length, two), one);
    transform.outputs = op.getOnesided() && !op.getInverse() ? half : transform.length;
    transform.inputs = extent;
    if (length || transform.toReal)
      transform.inputs = minSize(b, loc, extent, transform.toReal ? half : transform.length);
    return transform;
  }

  static Value transformAlong(ImplicitLocOpBuilder &b, DFTOp op, Value input, int64_t axis, OpFoldResult length) {
    Sizes sizes = sizesOf(b, b.getLoc(), input);
    OpFoldResult outer = productOf(b, b.getLoc(), ArrayRef(sizes).take_front(axis));
    OpFoldResult inner = productOf(b, b.getLoc(), ArrayRef(sizes).slice(axis + 1, sizes.size() - axis - 2));
    OpenTransform transform = transformOf(b, op, sizes[axis], length, *constantSize(sizes.back()));
    Value x = buildReshape(b, b.getLoc(), input, Sizes{outer, sizes[axis], inner, sizes.back()});
    sizes[axis] = transform.outputs;
    sizes.back() = b.getIndexAttr(transform.partsOut);
    Value y = buildTransform(b, x, transform, type(op.getInput()).getElementType());
    return buildReshape(b, b.getLoc(), y, sizes);
  }

  /// The axis is data, shapes are known: selects among the axes whose transform has the shape of the result.
  static Value transformAnyStatic(ImplicitLocOpBuilder &b, DFTOp op, Value given, Value input, OpFoldResult length) {
    RankedTensorType wanted = stored(op.getOutput());
    Value result;
    for (int64_t axis = 0; axis < wanted.getRank() - 1; ++axis) {
      Sizes sizes = sizesOf(b, b.getLoc(), input);
      OpenTransform transform = transformOf(b, op, sizes[axis], length, *constantSize(sizes.back()));
      sizes[axis] = transform.outputs;
      sizes.back() = b.getIndexAttr(transform.partsOut);
      if (ArrayRef(staticShape(sizes)) != wanted.getShape())
        continue;
      Value transformed = transformAlong(b, op, input, axis, length);
      result = result ? choose(op, given, axis, transformed, result, b) : transformed;
    }
    return result;
  }

  /// Nothing but the rank is known: the dims before and behind the axis are counted when the model runs.
  static Value transformAny(ImplicitLocOpBuilder &b, DFTOp op, Value given, Value input, OpFoldResult length) {
    Location loc = b.getLoc();
    Sizes sizes = sizesOf(b, loc, input);
    int64_t rank = sizes.size();
    Value axis = listEntry(b, buildScalar(b, loc, given), 0), one = indexConstant(b, 1);
    Value isNegative = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, axis, indexConstant(b, 0));
    Value fromEnd = arith::AddIOp::create(b, axis, indexConstant(b, rank));
    axis = arith::SelectOp::create(b, isNegative, fromEnd, axis);
    requireWithin(b, axis, b.getIndexAttr(0), b.getIndexAttr(rank - 2), aot::Code::invalid_value);
    Value outer = one, extent = one, inner = one;
    auto is = [&](arith::CmpIPredicate predicate, int64_t dim) -> Value {
      return arith::CmpIOp::create(b, predicate, indexConstant(b, dim), axis);
    };
    for (int64_t dim = 0; dim < rank - 1; ++dim) {
      Value size = asIndex(b, loc, sizes[dim]);
      auto times = [&](Value product, arith::CmpIPredicate predicate) -> Value {
        Value factor = arith::SelectOp::create(b, is(predicate, dim), size, one);
        return arith::MulIOp::create(b, product, factor);
      };
      outer = times(outer, arith::CmpIPredicate::slt);
      extent = times(extent, arith::CmpIPredicate::eq);
      inner = times(inner, arith::CmpIPredicate::sgt);
    }
    OpenTransform transform = transformOf(b, op, extent, length, *constantSize(sizes.back()));
    Value x = buildReshape(b, loc, input, Sizes{outer, extent, inner, sizes.back()});
    Value outputs = asIndex(b, loc, transform.outputs);
    for (int64_t dim = 0; dim < rank - 1; ++dim)
      sizes[dim] = arith::SelectOp::create(b, is(arith::CmpIPredicate::eq, dim), outputs, asIndex(b, loc, sizes[dim]))
                       .getResult();
    sizes.back() = b.getIndexAttr(transform.partsOut);
    return buildReshape(b, loc, buildTransform(b, x, transform, type(op.getInput()).getElementType()), sizes);
  }

  /// `chosen` where the one element of `given` names `axis`, otherwise `other`.
  static Value choose(DFTOp op, Value given, int64_t axis, Value chosen, Value other, OpBuilder &builder) {
    RankedTensorType result = type(op.getOutput());
    Type element = result.getElementType(), wide = builder.getI64Type();
    return buildElementwise(builder, op.getLoc(), result, {buildScalar(builder, op.getLoc(), given), chosen, other},
                            {wide, element, element}, [&](ScalarBody &s) -> Value {
                              auto is = [&](int64_t number) -> Value {
                                Value constant = arith::ConstantIntOp::create(s.b, number, 64);
                                return arith::CmpIOp::create(s.b, arith::CmpIPredicate::eq, s.x[0], constant);
                              };
                              Value isAxis = arith::OrIOp::create(s.b, is(axis), is(axis - result.getRank()));
                              return arith::SelectOp::create(s.b, isAxis, s.x[1], s.x[2]);
                            });
  }
};

/// The frames are copied out, windowed, and transformed as a batch.
struct LowerSTFT : OnnxLowering<STFTOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(STFTOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Location loc = op.getLoc();
    Type element = type(op.getSignal()).getElementType();
    Sizes signal = sizesOf(b, loc, adaptor.getSignal());
    OpFoldResult length = frameLength(b, op, adaptor), step = positiveScalar(b, adaptor.getFrameStep());
    OpFoldResult one = b.getIndexAttr(1), two = b.getIndexAttr(2), rest = subtractSizes(b, loc, signal[1], length);
    if (!constantSize(rest))
      requireWithin(b, cast<Value>(rest), b.getIndexAttr(0), b.getIndexAttr(std::numeric_limits<int64_t>::max()),
                    aot::Code::shape_mismatch);
    OpFoldResult count = addSizes(b, loc, divideSizes(b, loc, rest, step), one);
    OpFoldResult given = signal.size() == 3 ? signal[2] : one;
    int64_t parts = constantSize(given).value_or(op.getOnesided() ? 1 : 2);
    if (!constantSize(given))
      requireParts(b, given, op.getOnesided() ? 1 : 0);

    OpenTransform transform;
    transform.inverse = transform.toReal = false;
    transform.length = transform.inputs = length;
    transform.outputs = op.getOnesided() ? addSizes(b, loc, divideSizes(b, loc, length, two), one) : length;
    transform.partsIn = parts;
    transform.partsOut = 2;
    Value frames = copyFrames(b, op, adaptor, step, {signal[0], count, length, b.getIndexAttr(parts)});
    OpFoldResult all = multiplySizes(b, loc, signal[0], count);
    Value x = buildReshape(b, loc, frames, Sizes{all, length, one, b.getIndexAttr(parts)});
    Value y = buildTransform(b, x, transform, element);
    y = buildReshape(b, loc, y, Sizes{signal[0], count, transform.outputs, two});
    rewriter.replaceOp(op, fitTensor(rewriter, loc, y, stored(op.getOutput())));
    return success();
  }

  static OpFoldResult frameLength(ImplicitLocOpBuilder &b, STFTOp op, OpAdaptor adaptor) {
    if (!op.getWindow())
      return positiveScalar(b, adaptor.getFrameLength());
    OpFoldResult length = sizeOf(b, b.getLoc(), adaptor.getWindow(), 0);
    if (op.getFrameLength())
      requireEqual(b, b.getLoc(), positiveScalar(b, adaptor.getFrameLength()), length, aot::Code::shape_mismatch);
    else if (!constantSize(length))
      requireWithin(b, cast<Value>(length), b.getIndexAttr(1), b.getIndexAttr(int64_t(1) << 47),
                    aot::Code::invalid_value);
    return length;
  }

  /// [batch, frame, element of the frame, part]; parts that the signal does not have are 0.
  static Value copyFrames(ImplicitLocOpBuilder &b, STFTOp op, OpAdaptor adaptor, OpFoldResult step,
                          const Sizes &sizes) {
    Location loc = b.getLoc();
    Type element = type(op.getSignal()).getElementType(), real = computeType(element);
    Value signal = adaptor.getSignal(), stride = asIndex(b, loc, step);
    bool hasParts = type(op.getSignal()).getRank() == 3, isOpen = hasParts && type(op.getSignal()).isDynamicDim(2);
    Value last;
    if (isOpen)
      last = asIndex(b, loc, subtractSizes(b, loc, sizeOf(b, loc, signal, 2), b.getIndexAttr(1)));
    return buildGenerated(b, loc, sizes, element, [&](ImplicitLocOpBuilder &inner, ValueRange at) -> Value {
      Arithmetic a{inner, real};
      SmallVector<Value> place = {at[0], a.add(a.mul(at[1], stride), at[2])};
      if (hasParts)
        place.push_back(isOpen ? Value(arith::MinSIOp::create(inner, at[3], last)) : at[3]);
      Value value = toCompute(inner, loc, tensor::ExtractOp::create(inner, signal, place), element);
      if (isOpen)
        value = a.select(a.less(last, at[3]), a.number(0), value);
      if (!op.getWindow())
        return value;
      Value weight = toCompute(inner, loc, tensor::ExtractOp::create(inner, adaptor.getWindow(), at[2]), element);
      return a.mul(value, weight);
    });
  }
};

/// Element [j, i]: rises from edge i of the bands to edge i + 1, and falls to edge i + 2. Edges are evenly spaced mels,
/// converted to bins of the spectrum and rounded down.
struct LowerMelWeightMatrix : OnnxLowering<MelWeightMatrixOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(MelWeightMatrixOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    RankedTensorType result = type(op.getOutput());
    ImplicitLocOpBuilder outer(loc, rewriter);
    OpFoldResult bands = positiveScalar(outer, adaptor.getNumMelBins());
    OpFoldResult length = positiveScalar(outer, adaptor.getDftLength()), one = outer.getIndexAttr(1);
    OpFoldResult bins = addSizes(outer, loc, divideSizes(outer, loc, length, outer.getIndexAttr(2)), one);
    OpFoldResult count = addSizes(outer, loc, bands, outer.getIndexAttr(2));
    Type wide = rewriter.getF64Type();
    SmallVector<Value> inputs;
    SmallVector<Type> types;
    for (Value value :
         {adaptor.getLowerEdgeHertz(), adaptor.getUpperEdgeHertz(), adaptor.getDftLength(), adaptor.getSampleRate()})
      inputs.push_back(buildScalar(rewriter, loc, value));
    for (Value value : {op.getLowerEdgeHertz(), op.getUpperEdgeHertz(), op.getDftLength(), op.getSampleRate()})
      types.push_back(type(value).getElementType());
    Value edges = buildGenerated(rewriter, loc, count, wide, [&](ImplicitLocOpBuilder &b, ValueRange own) -> Value {
      auto constant = [&](double value) { return scalarConstant(b, loc, wide, value); };
      auto given = [&](unsigned at) {
        Value element = tensor::ExtractOp::create(b, inputs[at], ValueRange());
        return castScalar(b, loc, toCompute(b, loc, element, types[at]), types[at], wide);
      };
      auto toMel = [&](Value hertz) -> Value {
        Value ratio = arith::AddFOp::create(b, constant(1), arith::DivFOp::create(b, hertz, constant(700)));
        return arith::MulFOp::create(b, math::LogOp::create(b, ratio), constant(2595 / std::log(10.0)));
      };
      Value low = toMel(given(0)), high = toMel(given(1));
      Value step = arith::DivFOp::create(b, arith::SubFOp::create(b, high, low),
                                         Arithmetic{b, wide}.toReal(asIndex(b, loc, count)));
      Value at = arith::IndexCastOp::create(b, b.getI64Type(), own[0]);
      Value mel =
          arith::AddFOp::create(b, arith::MulFOp::create(b, castScalar(b, loc, at, b.getI64Type(), wide), step), low);
      Value power = math::ExpOp::create(b, arith::MulFOp::create(b, mel, constant(std::log(10.0) / 2595)));
      Value hertz = arith::MulFOp::create(b, constant(700), arith::SubFOp::create(b, power, constant(1)));
      Value length = arith::AddFOp::create(b, given(2), constant(1));
      return math::FloorOp::create(b, arith::DivFOp::create(b, arith::MulFOp::create(b, length, hertz), given(3)));
    });
    auto body = [&](ImplicitLocOpBuilder &b, ValueRange own) -> Value {
      Value band = own[1];
      auto edge = [&](int64_t offset) -> Value {
        Value at = arith::AddIOp::create(b, band, arith::ConstantIndexOp::create(b, offset));
        return tensor::ExtractOp::create(b, edges, at);
      };
      auto is = [&](arith::CmpFPredicate predicate, Value left, Value right) -> Value {
        return arith::CmpFOp::create(b, predicate, left, right);
      };
      auto both = [&](Value left, Value right) -> Value { return arith::AndIOp::create(b, left, right); };
      Value zero = scalarConstant(b, loc, wide, 0), one = scalarConstant(b, loc, wide, 1);
      Value bin = castScalar(b, loc, arith::IndexCastOp::create(b, b.getI64Type(), own[0]), b.getI64Type(), wide);
      Value low = edge(0), center = edge(1), high = edge(2);
      Value rise = arith::SubFOp::create(b, center, low), fall = arith::SubFOp::create(b, high, center);
      Value rising = arith::DivFOp::create(b, arith::SubFOp::create(b, bin, low), rise);
      Value falling = arith::DivFOp::create(b, arith::SubFOp::create(b, high, bin), fall);
      // A band that does not rise is 1 at its center; a band that falls is 1 there in any case.
      rising = arith::SelectOp::create(b, is(arith::CmpFPredicate::OEQ, rise, zero), one, rising);
      Value isRising = both(is(arith::CmpFPredicate::OGE, bin, low), is(arith::CmpFPredicate::OLE, bin, center));
      Value isFalling = both(is(arith::CmpFPredicate::OGE, bin, center), is(arith::CmpFPredicate::OLT, bin, high));
      Value value = arith::SelectOp::create(b, isRising, rising, zero);
      value = arith::SelectOp::create(b, isFalling, falling, value);
      return castScalar(b, loc, value, wide, result.getElementType());
    };
    Value matrix = buildGenerated(rewriter, loc, {bins, bands}, result.getElementType(), body);
    rewriter.replaceOp(op, fitTensor(rewriter, loc, matrix, stored(op.getOutput())));
    return success();
  }
};
} // namespace

namespace onnx_aot::onnx {
void populateSignalToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerDFT, LowerSTFT, LowerMelWeightMatrix>(converter, patterns.getContext());
}
} // namespace onnx_aot::onnx
