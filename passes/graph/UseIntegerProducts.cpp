//===- UseIntegerProducts.cpp - products of dequantized tensors as products of integers ---------------------------===//
//
// A quantized model in QDQ form multiplies what it has dequantized. With one scale for the data and constant weights of
// 8 bits, the sum is one of integers, exact in 32 bits as long as no data can make it larger, times a scale per output
// channel:
//
//   sum (x - zx) sx (w - zw) sw   =   sx sw * sum (x - zx) (w - zw)
//
// A bias that has the sum's scale is added to the sum. Where the result is quantized, behind an activation at most, its
// scale joins the factors, as in QLinearConv: results differ from those of single steps by one where those round a
// quotient next to the middle of two integers.
//
//   %d = onnx.DequantizeLinear %x, %sx, %zx            =>   %s = onnx.ConvInteger %x, %w, %zx
//   %e = onnx.DequantizeLinear %w, %sw                      %f = onnx.Cast %s to f32
//   %y = onnx.Conv %d, %e, %b                               %m = onnx.Mul %f, [sx sw]
//                                                           %y = onnx.Add %m, %b
//
// What follows the integer product is fused with it later, the quantization of its result as well, so that neither
// floats nor dequantized weights are ever stored. Weights become signed and lose their zero points where 8 bits
// suffice. The method is that of Jacob et al., "Quantization and Training of Neural Networks for Efficient
// Integer-Arithmetic-Only Inference" (2018), with a scale in floats rather than in fixed point.
//
// Before: shapes are inferred.  After: Conv, Gemm and MatMul of dequantized data and constant dequantized weights are
// ConvInteger and MatMulInteger.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/activation/Activation.h"
#include "dialects/onnx/convolution/Convolution.h"
#include "dialects/onnx/elementwise/Elementwise.h"
#include "dialects/onnx/generator/Generator.h"
#include "dialects/onnx/matmul/Matmul.h"
#include "dialects/onnx/movement/Movement.h"
#include "dialects/onnx/quantization/Quantization.h"
#include "dialects/onnx/support/Constants.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

#include <cmath>
#include <limits>

namespace onnx_aot {
#define GEN_PASS_DEF_USEINTEGERPRODUCTS
#include "passes/graph/Passes.h.inc"

using namespace mlir;
using namespace onnx;

namespace {
/// Data of 8 bits with one scale.
struct Data {
  Value x, zeroPoint; // null: 0
  double scale;
  int64_t most; // magnitude of x - zeroPoint
};

/// Constant weights of 8 bits with one scale, or one per output channel.
struct Weights {
  SmallVector<int64_t> shape;
  SmallVector<int64_t> values, zeroPoints; // zero points: one, or one per channel
  SmallVector<double> scales;
  bool isSigned;
  int64_t axis;

  /// Per channel the most that its sum can be: of all weights' magnitudes, times that of the data.
  SmallVector<int64_t> largestSums(int64_t mostData) const {
    int64_t channels = shape[axis], inner = 1;
    for (int64_t extent : ArrayRef(shape).drop_front(axis + 1))
      inner *= extent;
    SmallVector<int64_t> sums(channels, 0);
    for (auto [index, value] : llvm::enumerate(values)) {
      int64_t channel = index / inner % channels;
      sums[channel] += std::abs(value - zeroPoints[zeroPoints.size() == 1 ? 0 : channel]) * mostData;
    }
    return sums;
  }
};

constexpr int64_t kMostOfSum = std::numeric_limits<int32_t>::max();

RankedTensorType tensorType(Value value) { return dyn_cast<RankedTensorType>(value.getType()); }

bool hasOneElement(Value value) {
  RankedTensorType type = tensorType(value);
  return type && type.hasStaticShape() && type.getNumElements() == 1;
}

bool isQuantized(RankedTensorType type) {
  auto element = type ? dyn_cast<IntegerType>(type.getElementType()) : IntegerType();
  return element && element.getWidth() == 8;
}

/// The dequantization to single precision that makes `value`, or null.
DequantizeLinearOp dequantizationOf(Value value) {
  auto op = value.getDefiningOp<DequantizeLinearOp>();
  RankedTensorType type = tensorType(value), scale = op ? tensorType(op.getXScale()) : RankedTensorType();
  bool isPlain = op && op.getBlockSize() == 0 && type && type.getElementType().isF32() && scale &&
                 scale.getElementType().isF32() && isQuantized(tensorType(op.getX()));
  return isPlain ? op : DequantizeLinearOp();
}

std::optional<Data> matchData(Value value) {
  DequantizeLinearOp op = dequantizationOf(value);
  if (!op || !hasOneElement(op.getXScale()) || (op.getXZeroPoint() && !hasOneElement(op.getXZeroPoint())))
    return std::nullopt;
  std::optional<SmallVector<double>> scale = getConstantFloats(op.getXScale());
  if (!scale)
    return std::nullopt;
  bool isSigned = !cast<IntegerType>(tensorType(op.getX()).getElementType()).isUnsigned();
  int64_t low = isSigned ? -128 : 0, most = 255;
  std::optional<SmallVector<int64_t>> zero =
      op.getXZeroPoint() ? getIntegerElements(op.getXZeroPoint()) : SmallVector<int64_t>(1, 0);
  if (zero && zero->size() == 1)
    most = std::max(std::abs(low - zero->front()), std::abs(low + 255 - zero->front()));
  return Data{op.getX(), op.getXZeroPoint(), scale->front(), most};
}

/// Weights whose channels lie along `axis`.
std::optional<Weights> matchWeights(Value value, int64_t axis) {
  DequantizeLinearOp op = dequantizationOf(value);
  if (!op)
    return std::nullopt;
  std::optional<SmallVector<int64_t>> values = getIntegerElements(op.getX());
  std::optional<SmallVector<double>> scales = getConstantFloats(op.getXScale());
  std::optional<SmallVector<int64_t>> zeroPoints =
      op.getXZeroPoint() ? getIntegerElements(op.getXZeroPoint()) : SmallVector<int64_t>(1, 0);
  RankedTensorType type = tensorType(op.getX());
  if (!values || !scales || !zeroPoints || !type.hasStaticShape() || axis >= type.getRank())
    return std::nullopt;
  int64_t channels = type.getDimSize(axis), own = op.getAxis() < 0 ? op.getAxis() + type.getRank() : op.getAxis();
  auto fits = [&](size_t count) { return count == 1 || (own == axis && int64_t(count) == channels); };
  if (!fits(scales->size()) || !fits(zeroPoints->size()))
    return std::nullopt;
  auto element = cast<IntegerType>(type.getElementType());
  return Weights{SmallVector<int64_t>(type.getShape()), *values, *zeroPoints, *scales, !element.isUnsigned(), axis};
}

template <typename T>
Value makeTensor(OpBuilder &builder, Location loc, ArrayRef<int64_t> shape, Type element, ArrayRef<T> values,
                 StringRef hint) {
  auto type = RankedTensorType::get(shape, element);
  return ConstantOp::create(builder, loc, type, makeConstantOf(type, values, hint));
}

/// The integers of `weights`, whose channel `channelOf` gives for a flat index, and their zero points (null: 0).
struct IntegerWeights {
  Value values, zeroPoints;
};
IntegerWeights makeWeights(OpBuilder &builder, Location loc, const Weights &weights, ArrayRef<int64_t> shape,
                           llvm::function_ref<int64_t(int64_t)> sourceOf,
                           llvm::function_ref<int64_t(int64_t)> channelOf) {
  auto zeroPointOf = [&](int64_t index) {
    return weights.zeroPoints[weights.zeroPoints.size() == 1 ? 0 : channelOf(index)];
  };
  SmallVector<int8_t> bytes(weights.values.size()), moved(weights.values.size());
  bool movesZero = true;
  for (int64_t index = 0; index < int64_t(bytes.size()); ++index) {
    int64_t value = weights.values[sourceOf(index)], difference = value - zeroPointOf(index);
    movesZero &= difference >= -128 && difference <= 127;
    bytes[index] = value;
    moved[index] = difference;
  }
  Type element = IntegerType::get(builder.getContext(), 8,
                                  weights.isSigned || movesZero ? IntegerType::Signless : IntegerType::Unsigned);
  if (movesZero)
    return {makeTensor<int8_t>(builder, loc, shape, element, moved, "integer_weights"), Value()};
  SmallVector<int8_t> zeros(weights.zeroPoints.begin(), weights.zeroPoints.end());
  SmallVector<int64_t> zerosShape;
  if (zeros.size() > 1)
    zerosShape.push_back(zeros.size());
  return {makeTensor<int8_t>(builder, loc, shape, element, bytes, "integer_weights"),
          makeTensor<int8_t>(builder, loc, zerosShape, element, zeros, "zero_points")};
}

/// What reads a product alone and makes bytes of it: perhaps an activation, and a quantization with one scale.
struct Requantization {
  Operation *activation = nullptr; // Relu, or Clip with constant bounds
  QuantizeLinearOp quantize;
  double scale = 1;

  static std::optional<Requantization> of(Value product) {
    Requantization found;
    if (!product.hasOneUse())
      return std::nullopt;
    Operation *user = *product.user_begin();
    auto isBound = [](Value bound) { return !bound || getConstantFloats(bound); };
    auto clip = dyn_cast<ClipOp>(user);
    if (isa<ReluOp>(user) || (clip && isBound(clip.getMin()) && isBound(clip.getMax()))) {
      found.activation = user;
      if (!user->hasOneUse())
        return std::nullopt;
      user = *user->user_begin();
    }
    found.quantize = dyn_cast<QuantizeLinearOp>(user);
    bool isPlain = found.quantize && found.quantize.getBlockSize() == 0 && found.quantize.getPrecision() == 0 &&
                   isQuantized(tensorType(found.quantize.getY())) && hasOneElement(found.quantize.getYScale());
    std::optional<SmallVector<double>> scale = isPlain ? getConstantFloats(found.quantize.getYScale()) : std::nullopt;
    bool isUsed = scale && scale->front() > 0 && tensorType(found.quantize.getYScale()).getElementType().isF32();
    if (!isUsed)
      return std::nullopt;
    found.scale = scale->front();
    return found;
  }

  /// Divides what the activation and the quantization compare with and divide by.
  void apply(PatternRewriter &rewriter) {
    Location loc = quantize.getLoc();
    Type real = rewriter.getF32Type();
    auto scalar = [&](float value) { return makeTensor<float>(rewriter, loc, {}, real, value, "scale"); };
    OpBuilder::InsertionGuard guard(rewriter);
    if (auto clip = dyn_cast_or_null<ClipOp>(activation)) {
      rewriter.setInsertionPoint(clip);
      auto divided = [&](Value bound) { return scalar(float(getConstantFloats(bound)->front() / scale)); };
      rewriter.modifyOpInPlace(clip, [&] {
        if (clip.getMin())
          clip.getMinMutable().assign(divided(clip.getMin()));
        if (clip.getMax())
          clip.getMaxMutable().assign(divided(clip.getMax()));
      });
    }
    rewriter.setInsertionPoint(quantize);
    rewriter.modifyOpInPlace(quantize, [&] { quantize.getYScaleMutable().assign(scalar(1)); });
  }
};

/// A constant bias of `channels` elements: integers of the sum's scale, or floats.
struct Bias {
  SmallVector<int32_t> integers;
  SmallVector<double> floats;

  /// `sums` are the largest sums of the channels.
  static std::optional<Bias> of(Value value, const Data &data, const Weights &weights, ArrayRef<int64_t> sums) {
    RankedTensorType type = tensorType(value);
    int64_t channels = sums.size();
    if (!type || !type.hasStaticShape() || type.getNumElements() != channels ||
        (type.getRank() > 0 && type.getShape().back() != channels))
      return std::nullopt;
    if (std::optional<SmallVector<double>> floats = getConstantFloats(value))
      return Bias{{}, *floats};
    auto op = value.getDefiningOp<DequantizeLinearOp>();
    std::optional<SmallVector<int64_t>> integers = op ? getIntegerElements(op.getX()) : std::nullopt;
    std::optional<SmallVector<double>> scales = op ? getConstantFloats(op.getXScale()) : std::nullopt;
    std::optional<SmallVector<int64_t>> zeros =
        op && op.getXZeroPoint() ? getIntegerElements(op.getXZeroPoint()) : SmallVector<int64_t>();
    bool isPlain = integers && scales && zeros && op.getBlockSize() == 0 &&
                   (scales->size() == 1 || int64_t(scales->size()) == channels) &&
                   llvm::all_of(*zeros, [](int64_t zero) { return zero == 0; }) &&
                   tensorType(op.getX()).getElementType().isInteger(32);
    if (!isPlain)
      return std::nullopt;
    Bias bias;
    constexpr double kEqual = 1e-6; // relative; scales are products that were rounded once
    bool isInteger = true;
    for (int64_t channel = 0; channel < channels; ++channel) {
      double own = (*scales)[scales->size() == 1 ? 0 : channel];
      double ofSum = data.scale * weights.scales[weights.scales.size() == 1 ? 0 : channel];
      isInteger &= std::abs(own - ofSum) <= kEqual * std::abs(ofSum) &&
                   sums[channel] + std::abs((*integers)[channel]) <= kMostOfSum;
      bias.integers.push_back((*integers)[channel]);
      bias.floats.push_back((*integers)[channel] * own);
    }
    (isInteger ? void(bias.floats.clear()) : bias.integers.clear());
    return bias;
  }
};

/// (sum + bias) * data scale * weight scales / result scale, where channels lie along the dim before `trailing` others.
Value scaleSum(PatternRewriter &rewriter, Location loc, Value sum, const Data &data, const Weights &weights,
               const Bias &bias, double resultScale, int64_t trailing) {
  Type real = rewriter.getF32Type();
  auto type = cast<RankedTensorType>(sum.getType());
  auto resultType = RankedTensorType::get(type.getShape(), real);
  auto shapeOf = [&](size_t count) {
    SmallVector<int64_t> shape;
    if (count > 1) {
      shape.assign(trailing + 1, 1);
      shape[0] = count;
    }
    return shape;
  };
  if (!bias.integers.empty())
    sum = AddOp::create(rewriter, loc, type, sum,
                        makeTensor<int32_t>(rewriter, loc, shapeOf(bias.integers.size()), rewriter.getI32Type(),
                                            bias.integers, "integer_bias"));
  constexpr int64_t kFloat = 1; // TensorProto.FLOAT
  Value floats = CastOp::create(rewriter, loc, resultType, sum, kFloat, 1, "up");
  auto perChannel = [&](ArrayRef<float> values, StringRef hint) {
    return makeTensor<float>(rewriter, loc, shapeOf(values.size()), real, values, hint);
  };
  SmallVector<float> factors, addends;
  for (double scale : weights.scales)
    factors.push_back(float(data.scale) * float(scale) / float(resultScale));
  Value scaled = MulOp::create(rewriter, loc, resultType, floats, perChannel(factors, "scales"));
  if (bias.floats.empty())
    return scaled;
  for (double value : bias.floats)
    addends.push_back(float(value / resultScale));
  return AddOp::create(rewriter, loc, resultType, scaled, perChannel(addends, "bias"));
}

struct ConvolveIntegers : OpRewritePattern<ConvOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ConvOp op, PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    std::optional<Data> data = matchData(op.getX());
    std::optional<Weights> weights = matchWeights(op.getW(), 0);
    RankedTensorType type = tensorType(op.getY());
    if (!data || !weights || !type)
      return rewriter.notifyMatchFailure(op, "not a convolution of dequantized tensors");
    SmallVector<int64_t> sums = weights->largestSums(data->most);
    if (llvm::any_of(sums, [](int64_t sum) { return sum > kMostOfSum; }))
      return rewriter.notifyMatchFailure(op, "32 bits do not hold every sum");
    std::optional<Bias> bias = op.getB() ? Bias::of(op.getB(), *data, *weights, sums) : Bias();
    if (!bias)
      return rewriter.notifyMatchFailure(op, "the bias is not constant");
    int64_t perChannel = weights->values.size() / std::max<int64_t>(weights->shape[0], 1);
    IntegerWeights integers = makeWeights(
        rewriter, loc, *weights, weights->shape, [](int64_t index) { return index; },
        [&](int64_t index) { return index / perChannel; });
    auto sumType = RankedTensorType::get(type.getShape(), rewriter.getI32Type());
    Value sum = ConvIntegerOp::create(
        rewriter, loc, sumType, data->x, integers.values, data->zeroPoint, integers.zeroPoints, op.getAutoPadAttr(),
        op.getDilationsAttr(), op.getGroupAttr(), op.getKernelShapeAttr(), op.getPadsAttr(), op.getStridesAttr());
    std::optional<Requantization> next = Requantization::of(op.getY());
    rewriter.replaceOp(
        op, scaleSum(rewriter, loc, sum, *data, *weights, *bias, next ? next->scale : 1.0, type.getRank() - 2));
    if (next)
      next->apply(rewriter);
    return success();
  }
};

/// Replaces `op`, the product of `a` and of weights `b` [K, N] (as [N, K] where `isTransposed`), with a bias if it has
/// one.
LogicalResult multiplyIntegers(PatternRewriter &rewriter, Operation *op, Value a, Value b, bool isTransposed,
                               Value addend) {
  // Weights with a scale per channel that are transposed as floats.
  if (auto transpose = b.getDefiningOp<TransposeOp>(); transpose && dequantizationOf(transpose.getData())) {
    RankedTensorType matrix = tensorType(transpose.getData());
    std::optional<ArrayRef<int64_t>> order = transpose.getPerm();
    if (matrix && matrix.getRank() == 2 && (!order || (*order)[0] == 1)) {
      b = transpose.getData();
      isTransposed = !isTransposed;
    }
  }
  std::optional<Data> data = matchData(a);
  std::optional<Weights> weights = matchWeights(b, isTransposed ? 0 : 1);
  RankedTensorType type = tensorType(op->getResult(0));
  if (!data || !weights || !type || type.getRank() < 1 || weights->shape.size() != 2)
    return rewriter.notifyMatchFailure(op, "not a product of dequantized tensors");
  SmallVector<int64_t> sums = weights->largestSums(data->most);
  if (llvm::any_of(sums, [](int64_t sum) { return sum > kMostOfSum; }))
    return rewriter.notifyMatchFailure(op, "32 bits do not hold every sum");
  Location loc = op->getLoc();
  int64_t inner = weights->shape[isTransposed ? 1 : 0], columns = weights->shape[isTransposed ? 0 : 1];
  std::optional<Bias> bias = addend ? Bias::of(addend, *data, *weights, sums) : Bias();
  IntegerWeights integers = makeWeights(
      rewriter, loc, *weights, {inner, columns},
      [&](int64_t index) { return isTransposed ? index % columns * inner + index / columns : index; },
      [&](int64_t index) { return index % columns; });
  auto sumType = RankedTensorType::get(type.getShape(), rewriter.getI32Type());
  Value sum =
      MatMulIntegerOp::create(rewriter, loc, sumType, data->x, integers.values, data->zeroPoint, integers.zeroPoints);
  std::optional<Requantization> next = bias ? Requantization::of(op->getResult(0)) : std::nullopt;
  Value scaled = scaleSum(rewriter, loc, sum, *data, *weights, bias.value_or(Bias()), next ? next->scale : 1.0, 0);
  if (!bias)
    scaled = AddOp::create(rewriter, loc, type, scaled, addend);
  rewriter.replaceOp(op, scaled);
  if (next)
    next->apply(rewriter);
  return success();
}

struct MultiplyGemm : OpRewritePattern<GemmOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(GemmOp op, PatternRewriter &rewriter) const override {
    bool isPlain =
        op.getAlpha().isExactlyValue(1.0) && op.getTransA() == 0 && (!op.getC() || op.getBeta().isExactlyValue(1.0));
    if (!isPlain)
      return rewriter.notifyMatchFailure(op, "factors or a transposed operand");
    return multiplyIntegers(rewriter, op, op.getA(), op.getB(), op.getTransB() != 0, op.getC());
  }
};

struct MultiplyMatMul : OpRewritePattern<MatMulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(MatMulOp op, PatternRewriter &rewriter) const override {
    return multiplyIntegers(rewriter, op, op.getA(), op.getB(), false, Value());
  }
};

struct UseIntegerProducts : impl::UseIntegerProductsBase<UseIntegerProducts> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ConvolveIntegers, MultiplyGemm, MultiplyMatMul>(&getContext());
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};
} // namespace
} // namespace onnx_aot
