//===- SignalToLinalg.cpp - lowering of the operators of signal processing ----------------------------------------===//
//
// A transform is a matrix product with a table of sines and cosines:
//
//   y[o, k, i, p] = sum over n, q of x[o, n, i, q] * table[k, p, n, q]     p, q: real and imaginary part
//
// Tables and sums are in double precision, since the terms cancel. The table is a constant, except that of an STFT
// whose frame_length is data. An axis that is data selects among the transforms along every axis that it may name.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/signal/Signal.h"
#include "dialects/onnx/support/Axes.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <cmath>

using namespace mlir;
using namespace onnx_aot::onnx;

static ArrayRef<int64_t> shapeOf(Value value) { return cast<RankedTensorType>(value.getType()).getShape(); }

/// The one element of a tensor as a tensor of rank 0.
static Value scalar(OpBuilder &builder, Location loc, Value value) { return buildReshape(builder, loc, value, ArrayRef<int64_t>()); }

/// The one element of an integer tensor of ONNX type `type`, in 64 bits.
static Value extractInteger(ImplicitLocOpBuilder &b, Value tensor, Type type) {
  Value zero = arith::ConstantIndexOp::create(b, 0);
  SmallVector<Value> at(cast<RankedTensorType>(tensor.getType()).getRank(), zero);
  return castScalar(b, b.getLoc(), tensor::ExtractOp::create(b, tensor, at), type, b.getI64Type());
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
} // namespace

/// Tables above this size are refused.
static constexpr int64_t kLargestTable = int64_t(1) << 23;

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

//===-- Operators -------------------------------------------------------------------------------------------------===//

namespace {
struct LowerDFT : OnnxLowering<DFTOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(DFTOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    ArrayRef<int64_t> from = type(op.getInput()).getShape(), to = type(op.getOutput()).getShape();
    int64_t rank = from.size();
    std::optional<int64_t> length;
    if (op.getDftLength()) {
      std::optional<SmallVector<int64_t>> given = getConstantIntegers(op.getDftLength());
      // Of a length that is data, a result that is not one-sided has the extent.
      if (given)
        length = given->front();
      else if (op.getOnesided() && !op.getInverse())
        return op.emitError("unsupported: a one-sided DFT with a dft_length that is not constant");
    }
    SmallVector<int64_t> axes = {rank - 2};
    if (op.getAxis()) {
      if (std::optional<SmallVector<int64_t>> given = getConstantIntegers(op.getAxis())) {
        axes = {wrapAxis(given->front(), rank)};
      } else {
        // Every axis whose transform has the shape of the result.
        axes.clear();
        for (int64_t axis = 0; axis < rank - 1; ++axis) {
          SmallVector<int64_t> made(from);
          made.back() = to.back();
          made[axis] = outputsOf(op, from[axis], to[axis], length);
          if (ArrayRef(made) == to)
            axes.push_back(axis);
        }
        if (axes.empty())
          return op.emitError("the result's shape fits no axis");
      }
    }
    Value result;
    for (int64_t axis : axes) {
      FailureOr<Value> transformed = transformAlong(op, adaptor.getInput(), axis, length, rewriter);
      if (failed(transformed))
        return failure();
      result = result ? choose(op, adaptor.getAxis(), axis, *transformed, result, rewriter) : *transformed;
    }
    rewriter.replaceOp(op, result);
    return success();
  }

  /// The extent of a transform's result, by the input's extent; `given` is the result's in the one case that it tells.
  static int64_t outputsOf(DFTOp op, int64_t extent, int64_t given, std::optional<int64_t> length) {
    if (op.getDftLength() && !length)
      return given;
    if (op.getInverse() && op.getOnesided())
      return length.value_or((extent - 1) * 2);
    int64_t full = length.value_or(extent);
    return op.getOnesided() ? full / 2 + 1 : full;
  }

  static FailureOr<Value> transformAlong(DFTOp op, Value input, int64_t axis, std::optional<int64_t> length,
                                         OpBuilder &builder) {
    Location loc = op.getLoc();
    ArrayRef<int64_t> from = type(op.getInput()).getShape(), to = type(op.getOutput()).getShape();
    Type element = type(op.getInput()).getElementType();
    Transform transform;
    transform.inverse = op.getInverse();
    transform.toReal = op.getInverse() && op.getOnesided();
    transform.outputs = to[axis];
    bool isHalf = op.getOnesided() && !op.getInverse();
    transform.length = isHalf ? length.value_or(from[axis]) : to[axis];
    transform.partsIn = from.back();
    transform.partsOut = to.back();
    transform.inputs = std::min(from[axis], transform.toReal ? transform.length / 2 + 1 : transform.length);
    if (transform.inputs <= 0 || transform.tableSize() > kLargestTable)
      return op.emitError("unsupported: a DFT without elements, or of too many: its table has 2^23 entries at most");
    int64_t outer = ShapedType::getNumElements(from.take_front(axis));
    int64_t inner = ShapedType::getNumElements(from.slice(axis + 1, from.size() - axis - 2));
    Value x = buildReshape(builder, loc, input, {outer, from[axis], inner, transform.partsIn});
    if (transform.inputs < from[axis]) {
      Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(storageType(element)));
      x = buildPad(builder, loc, x, {0, 0, 0, 0}, {0, transform.inputs - from[axis], 0, 0}, zero);
    }
    Value table = constantTable(builder, loc, transform);
    return buildReshape(builder, loc, buildProduct(builder, loc, x, table, element), to);
  }

  /// `chosen` where the one element of `given` names `axis`, otherwise `other`.
  static Value choose(DFTOp op, Value given, int64_t axis, Value chosen, Value other, OpBuilder &builder) {
    RankedTensorType result = type(op.getOutput());
    Type element = result.getElementType(), wide = builder.getI64Type();
    return buildElementwise(builder, op.getLoc(), result, {scalar(builder, op.getLoc(), given), chosen, other},
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
    Location loc = op.getLoc();
    ArrayRef<int64_t> from = type(op.getSignal()).getShape(), to = type(op.getOutput()).getShape();
    Type element = type(op.getSignal()).getElementType(), real = computeType(element);
    std::optional<int64_t> length;
    if (op.getWindow())
      length = type(op.getWindow()).getDimSize(0);
    else if (auto given = getConstantIntegers(op.getFrameLength()))
      length = given->front();
    else if (!op.getOnesided())
      length = to[2];
    Transform transform;
    transform.inverse = transform.toReal = false;
    // Of a length that is data, half of it is known, rounded down.
    transform.inputs = transform.length = length.value_or(2 * to[2] - 1);
    transform.outputs = to[2];
    transform.partsIn = from.size() == 3 ? from[2] : 1;
    transform.partsOut = 2;
    if (transform.inputs <= 0 || transform.tableSize() > kLargestTable)
      return op.emitError("unsupported: frames without elements, or of too many: their table has 2^23 entries at most");

    Value signal = buildReshape(rewriter, loc, adaptor.getSignal(), {from[0], from[1], transform.partsIn});
    Value lengthTensor = length ? Value() : adaptor.getFrameLength();
    Type lengthType = lengthTensor ? type(op.getFrameLength()).getElementType() : Type();
    Type stepType = type(op.getFrameStep()).getElementType();
    auto framesType = RankedTensorType::get({from[0], to[1], transform.inputs, transform.partsIn}, element);
    SmallVector<Value> inputs;
    if (op.getWindow())
      inputs.push_back(buildReshape(rewriter, loc, adaptor.getWindow(), {transform.inputs, 1}));
    Value frames = buildElementwise(
        rewriter, loc, framesType, inputs, SmallVector<Type>(inputs.size(), element), [&](ScalarBody &s) -> Value {
          ImplicitLocOpBuilder &b = s.b;
          auto index = [&](unsigned dim) -> Value {
            return arith::IndexCastOp::create(b, b.getI64Type(), linalg::IndexOp::create(b, dim));
          };
          auto constant = [&](int64_t value) -> Value { return arith::ConstantIntOp::create(b, value, 64); };
          Value step = extractInteger(b, adaptor.getFrameStep(), stepType), n = index(2);
          Value at = arith::AddIOp::create(b, arith::MulIOp::create(b, index(1), step), n);
          // A step that is data may lead outside of the signal.
          Value isInside = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, at, constant(from[1]));
          Value safe = arith::SelectOp::create(b, isInside, at, constant(0));
          if (lengthTensor) {
            Value count = extractInteger(b, lengthTensor, lengthType);
            Value isOwn = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, n, count);
            isInside = arith::AndIOp::create(b, isInside, isOwn);
          }
          Value position = arith::IndexCastOp::create(b, b.getIndexType(), safe);
          Value read = tensor::ExtractOp::create(
              b, signal, ValueRange{linalg::IndexOp::create(b, 0), position, linalg::IndexOp::create(b, 3)});
          Value value = toCompute(b, loc, read, element);
          value = arith::SelectOp::create(b, isInside, value, scalarConstant(b, loc, real, 0));
          return s.x.empty() ? value : Value(arith::MulFOp::create(b, value, s.x[0]));
        });
    Value table = lengthTensor ? computedTable(rewriter, loc, transform, lengthTensor, lengthType)
                               : constantTable(rewriter, loc, transform);
    Value x = buildReshape(rewriter, loc, frames, {from[0] * to[1], transform.inputs, 1, transform.partsIn});
    rewriter.replaceOp(op, buildReshape(rewriter, loc, buildProduct(rewriter, loc, x, table, element), to));
    return success();
  }

  /// The table of a forward transform whose length is the one element of `length`.
  static Value computedTable(OpBuilder &builder, Location loc, const Transform &transform, Value length,
                             Type lengthType) {
    Type real = builder.getF64Type();
    auto type = RankedTensorType::get(transform.tableShape(), real);
    return buildElementwise(builder, loc, type, {}, {}, [&](ScalarBody &s) -> Value {
      ImplicitLocOpBuilder &b = s.b;
      auto index = [&](unsigned dim) -> Value {
        return arith::IndexCastOp::create(b, b.getI64Type(), linalg::IndexOp::create(b, dim));
      };
      auto isZero = [&](Value value) -> Value {
        return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, value, arith::ConstantIntOp::create(b, 0, 64));
      };
      Value count =
          arith::MaxSIOp::create(b, extractInteger(b, length, lengthType), arith::ConstantIntOp::create(b, 1, 64));
      Value turn = arith::RemSIOp::create(b, arith::MulIOp::create(b, index(0), index(2)), count);
      Value fraction = arith::DivFOp::create(b, castScalar(b, loc, turn, b.getI64Type(), real),
                                             castScalar(b, loc, count, b.getI64Type(), real));
      Value angle = arith::MulFOp::create(b, fraction, scalarConstant(b, loc, real, -2 * M_PI));
      Value cosine = math::CosOp::create(b, angle), sine = math::SinOp::create(b, angle);
      Value toReal = isZero(index(1)), fromReal = isZero(index(3));
      Value crossed = arith::SelectOp::create(b, toReal, arith::NegFOp::create(b, sine).getResult(), sine);
      Value isStraight = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, toReal, fromReal);
      return arith::SelectOp::create(b, isStraight, cosine, crossed);
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
    int64_t bands = result.getDimSize(1);
    Type wide = rewriter.getF64Type();
    SmallVector<Value> inputs;
    SmallVector<Type> types;
    for (Value value :
         {adaptor.getLowerEdgeHertz(), adaptor.getUpperEdgeHertz(), adaptor.getDftLength(), adaptor.getSampleRate()})
      inputs.push_back(scalar(rewriter, loc, value));
    for (Value value : {op.getLowerEdgeHertz(), op.getUpperEdgeHertz(), op.getDftLength(), op.getSampleRate()})
      types.push_back(type(value).getElementType());
    Value edges = buildElementwise(
        rewriter, loc, RankedTensorType::get({bands + 2}, wide), inputs, types, [&](ScalarBody &s) -> Value {
          ImplicitLocOpBuilder &b = s.b;
          auto constant = [&](double value) { return scalarConstant(b, loc, wide, value); };
          auto given = [&](unsigned at) { return castScalar(b, loc, s.x[at], types[at], wide); };
          auto toMel = [&](Value hertz) -> Value {
            Value ratio = arith::AddFOp::create(b, constant(1), arith::DivFOp::create(b, hertz, constant(700)));
            return arith::MulFOp::create(b, math::LogOp::create(b, ratio), constant(2595 / std::log(10.0)));
          };
          Value low = toMel(given(0)), high = toMel(given(1));
          Value step = arith::DivFOp::create(b, arith::SubFOp::create(b, high, low), constant(bands + 2));
          Value at = arith::IndexCastOp::create(b, b.getI64Type(), linalg::IndexOp::create(b, 0));
          Value mel = arith::AddFOp::create(
              b, arith::MulFOp::create(b, castScalar(b, loc, at, b.getI64Type(), wide), step), low);
          Value power = math::ExpOp::create(b, arith::MulFOp::create(b, mel, constant(std::log(10.0) / 2595)));
          Value hertz = arith::MulFOp::create(b, constant(700), arith::SubFOp::create(b, power, constant(1)));
          Value length = arith::AddFOp::create(b, given(2), constant(1));
          return math::FloorOp::create(b, arith::DivFOp::create(b, arith::MulFOp::create(b, length, hertz), given(3)));
        });
    Value matrix = buildElementwise(rewriter, loc, result, {}, {}, [&](ScalarBody &s) -> Value {
      ImplicitLocOpBuilder &b = s.b;
      Value band = linalg::IndexOp::create(b, 1);
      auto edge = [&](int64_t offset) -> Value {
        Value at = arith::AddIOp::create(b, band, arith::ConstantIndexOp::create(b, offset));
        return tensor::ExtractOp::create(b, edges, at);
      };
      auto is = [&](arith::CmpFPredicate predicate, Value left, Value right) -> Value {
        return arith::CmpFOp::create(b, predicate, left, right);
      };
      auto both = [&](Value left, Value right) -> Value { return arith::AndIOp::create(b, left, right); };
      Value zero = scalarConstant(b, loc, wide, 0), one = scalarConstant(b, loc, wide, 1);
      Value bin = castScalar(b, loc, arith::IndexCastOp::create(b, b.getI64Type(), linalg::IndexOp::create(b, 0)),
                             b.getI64Type(), wide);
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
    });
    rewriter.replaceOp(op, matrix);
    return success();
  }
};
} // namespace

namespace onnx_aot::onnx {
void populateSignalToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerDFT, LowerSTFT, LowerMelWeightMatrix>(converter, patterns.getContext());
}
} // namespace onnx_aot::onnx
