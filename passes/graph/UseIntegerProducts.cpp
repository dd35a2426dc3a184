//===- UseIntegerProducts.cpp - products of dequantized tensors as products of integers ---------------------------===//
//
// A quantized model in QDQ form multiplies what it has dequantized. With one scale for the data and constant weights of
// 8 bits, the sum is one of integers, exact in 32 bits, times a scale per output channel:
//
//   sum (x - zx) sx (w - zw) sw   =   sx sw * sum (x - zx) (w - zw)
//
//   %d = onnx.DequantizeLinear %x, %sx, %zx            =>   %s = onnx.ConvInteger %x, %w, %zx
//   %e = onnx.DequantizeLinear %w, %sw                      %f = onnx.Cast %s to f32
//   %y = onnx.Conv %d, %e, %b                               %m = onnx.Mul %f, [sx sw]
//                                                           %y = onnx.Add %m, %b
//
// What follows the integer product is fused with it later, the quantization of its result as well, so that neither
// floats nor dequantized weights are ever stored. Weights become signed and lose their zero points where 8 bits suffice.
// The method is that of Jacob et al., "Quantization and Training of Neural Networks for Efficient
// Integer-Arithmetic-Only Inference" (2018), with a scale in floats rather than in fixed point.
//
// Before: shapes are inferred.  After: Conv, Gemm and MatMul of dequantized data and constant dequantized weights are
// ConvInteger and MatMulInteger.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/convolution/Convolution.h"
#include "dialects/onnx/elementwise/Elementwise.h"
#include "dialects/onnx/generator/Generator.h"
#include "dialects/onnx/matmul/Matmul.h"
#include "dialects/onnx/quantization/Quantization.h"
#include "dialects/onnx/support/Constants.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"
#include "mlir/Pass/Pass.h"

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
};

/// Constant weights of 8 bits with one scale, or one per output channel.
struct Weights {
  SmallVector<int64_t> shape;
  SmallVector<int64_t> values, zeroPoints; // zero points: one, or one per channel
  SmallVector<double> scales;
  bool isSigned;
};

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
  // ONNX's integer products take a vector of one element; a tensor of rank 0 as well.
  return Data{op.getX(), op.getXZeroPoint(), scale->front()};
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
  return Weights{SmallVector<int64_t>(type.getShape()), *values, *zeroPoints, *scales, !element.isUnsigned()};
}

template <typename T> Value makeTensor(OpBuilder &builder, Location loc, ArrayRef<int64_t> shape, Type element,
                                       ArrayRef<T> values, StringRef hint) {
  auto type = RankedTensorType::get(shape, element);
  ArrayRef<char> bytes(reinterpret_cast<const char *>(values.data()), values.size() * sizeof(T));
  return ConstantOp::create(builder, loc, type, makeConstant(type, bytes, hint));
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

/// sum * data scale * weight scales, which lie along the dim before `trailing` others.
Value scaleSum(PatternRewriter &rewriter, Location loc, Value sum, const Data &data, const Weights &weights,
               int64_t trailing) {
  Type real = rewriter.getF32Type();
  auto type = cast<RankedTensorType>(sum.getType());
  auto resultType = RankedTensorType::get(type.getShape(), real);
  constexpr int64_t kFloat = 1; // TensorProto.FLOAT
  Value floats = CastOp::create(rewriter, loc, resultType, sum, kFloat, 1, "up");
  SmallVector<float> factors;
  for (double scale : weights.scales)
    factors.push_back(float(data.scale) * float(scale));
  SmallVector<int64_t> shape;
  if (factors.size() > 1) {
    shape.assign(trailing + 1, 1);
    shape[0] = factors.size();
  }
  return MulOp::create(rewriter, loc, resultType, floats,
                       makeTensor<float>(rewriter, loc, shape, real, factors, "scales"));
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
    std::optional<SmallVector<double>> bias = op.getB() ? getConstantFloats(op.getB()) : std::nullopt;
    if (op.getB() && !bias)
      return rewriter.notifyMatchFailure(op, "the bias is not constant");
    int64_t perChannel = weights->values.size() / std::max<int64_t>(weights->shape[0], 1);
    IntegerWeights integers = makeWeights(
        rewriter, loc, *weights, weights->shape, [](int64_t index) { return index; },
        [&](int64_t index) { return index / perChannel; });
    auto sumType = RankedTensorType::get(type.getShape(), rewriter.getI32Type());
    Value sum = ConvIntegerOp::create(rewriter, loc, sumType, data->x, integers.values, data->zeroPoint,
                                      integers.zeroPoints, op.getAutoPadAttr(), op.getDilationsAttr(),
                                      op.getGroupAttr(), op.getKernelShapeAttr(), op.getPadsAttr(), op.getStridesAttr());
    int64_t trailing = type.getRank() - 2;
    Value scaled = scaleSum(rewriter, loc, sum, *data, *weights, trailing);
    if (bias) {
      SmallVector<float> values(bias->begin(), bias->end());
      SmallVector<int64_t> shape(trailing + 1, 1);
      shape[0] = values.size();
      Value addend = makeTensor<float>(rewriter, loc, shape, rewriter.getF32Type(), values, "bias");
      scaled = AddOp::create(rewriter, loc, type, scaled, addend);
    }
    rewriter.replaceOp(op, scaled);
    return success();
  }
};

/// Weights [K, N], which lie as [N, K] where `isTransposed`.
FailureOr<Value> multiplyIntegers(PatternRewriter &rewriter, Operation *op, Value a, Value b, bool isTransposed,
                                  RankedTensorType type) {
  std::optional<Data> data = matchData(a);
  std::optional<Weights> weights = matchWeights(b, isTransposed ? 0 : 1);
  if (!data || !weights || !type || type.getRank() < 1 || weights->shape.size() != 2)
    return rewriter.notifyMatchFailure(op, "not a product of dequantized tensors");
  int64_t inner = weights->shape[isTransposed ? 1 : 0], columns = weights->shape[isTransposed ? 0 : 1];
  IntegerWeights integers = makeWeights(
      rewriter, op->getLoc(), *weights, {inner, columns},
      [&](int64_t index) { return isTransposed ? index % columns * inner + index / columns : index; },
      [&](int64_t index) { return index % columns; });
  auto sumType = RankedTensorType::get(type.getShape(), rewriter.getI32Type());
  Value sum = MatMulIntegerOp::create(rewriter, op->getLoc(), sumType, data->x, integers.values, data->zeroPoint,
                                      integers.zeroPoints);
  return scaleSum(rewriter, op->getLoc(), sum, *data, *weights, 0);
}

struct MultiplyGemm : OpRewritePattern<GemmOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(GemmOp op, PatternRewriter &rewriter) const override {
    bool isPlain = op.getAlpha().isExactlyValue(1.0) && op.getTransA() == 0 &&
                   (!op.getC() || op.getBeta().isExactlyValue(1.0));
    if (!isPlain)
      return rewriter.notifyMatchFailure(op, "factors or a transposed operand");
    RankedTensorType type = tensorType(op.getY());
    FailureOr<Value> scaled = multiplyIntegers(rewriter, op, op.getA(), op.getB(), op.getTransB() != 0, type);
    if (failed(scaled))
      return failure();
    rewriter.replaceOp(op, op.getC() ? AddOp::create(rewriter, op.getLoc(), type, *scaled, op.getC()) : *scaled);
    return success();
  }
};

struct MultiplyMatMul : OpRewritePattern<MatMulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(MatMulOp op, PatternRewriter &rewriter) const override {
    FailureOr<Value> scaled = multiplyIntegers(rewriter, op, op.getA(), op.getB(), false, tensorType(op.getY()));
    if (failed(scaled))
      return failure();
    rewriter.replaceOp(op, *scaled);
    return success();
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
