//===- ConvolutionToLinalg.cpp - convolutions as kernels ----------------------------------------------------------===//
//
// Every form becomes one aot.kernel "conv" over
//   (n, g, oc, spatial..., ic, kernel...)
// where g exists for grouped convolutions only, and oc, ic and the dims of a kernel of extent 1 are left out where they
// have one iteration per group (so that depthwise is (n, g, spatial..., kernel...)). Groups are in the indexing maps:
// input channel g * IC + ic, output channel g * OC + oc; the weights are viewed as [g, oc, ic, kernel...], which gives
// each dim an operand that shows its extent. Where IC or OC is only known at run time, data and result are viewed with
// their channels split into (g, channel) instead. Padding is a copy of the data with zeros around it, made before.
//
//   aot.kernel "conv" (n, oc, h, w, ic, kh, kw): x[n, ic, 2 * h + kh, 2 * w + kw] * w[oc, ic, kh, kw], + bias[oc]
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/convolution/CausalConvolution.h"
#include "dialects/onnx/convolution/Convolution.h"
#include "dialects/onnx/convolution/ConvolutionKernel.h"
#include "dialects/onnx/convolution/DeformableConvolution.h"
#include "dialects/onnx/convolution/TransposedConvolution.h"
#include "dialects/onnx/support/Checks.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/support/Quantize.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::onnx;

namespace {
struct LowerConv : OnnxLowering<ConvOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(ConvOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Shape x = shape(op.getX()), w = shape(op.getW());
    FailureOr<Window> window =
        resolveWindow(op, windowAttributes(op), ArrayRef(x).drop_front(2), ArrayRef(w).drop_front(2));
    if (failed(window))
      return failure();
    Convolution conv;
    conv.groups = op.getGroup();
    conv.outputs = w[0].floorDiv(conv.groups);
    conv.inputs = w[1];
    conv.window = *window;
    requireShapes(rewriter, loc, conv, x, w, op.getB() ? std::optional(shape(op.getB())) : std::nullopt,
                  lowered(rewriter));
    requireFit(rewriter, loc, *window, lowered(rewriter));
    conv.data =
        padWindows(rewriter, loc, adaptor.getX(), *window, zeroOf(rewriter, loc, adaptor.getX()), lowered(rewriter));
    conv.weights = splitGroups(rewriter, loc, adaptor.getW(), conv.groups);
    conv.bias = adaptor.getB();
    conv.result = resultSizes(rewriter, loc, x[0], conv, lowered(rewriter));
    rewriter.replaceOp(op,
                       buildFloatConvolution(rewriter, loc, conv, type(op.getX()).getElementType(), stored(op.getY())));
    return success();
  }
};

//===-- Quantized convolutions ------------------------------------------------------------------------------------===//

/// See zeroPointShare; output channels are the first dim of the weights.
std::optional<SmallVector<int32_t>> shareOf(Value dataZero, Value weights, Value weightZero) {
  auto type = cast<RankedTensorType>(weights.getType());
  if (!type.hasStaticShape() || type.getDimSize(0) == 0)
    return std::nullopt;
  int64_t channels = type.getDimSize(0), perChannel = std::max<int64_t>(type.getNumElements() / channels, 1);
  return zeroPointShare(dataZero, weights, weightZero, channels, [&](int64_t index) { return index / perChannel; });
}

/// (x - x_zero_point) * (w - w_zero_point) in 32 bits. Zero points are tensors of one element or one per output
/// channel, or null. With `share` (see shareOf) the sum is one of x * w, to which it is added at the end.
struct QuantizedKernel {
  OpBuilder &builder;
  Location loc;
  const Convolution &conv;
  KernelSpec spec;
  ConvolutionMaps maps;
  int shareAt = -1;

  QuantizedKernel(OpBuilder &builder, Location loc, const Convolution &conv, Type dataType, Type weightType,
                  Value dataZero, Value weightZero, const std::optional<SmallVector<int32_t>> &share)
      : builder(builder), loc(loc), conv(conv), maps(builder.getContext(), conv) {
    if (share)
      dataZero = weightZero = Value();
    spec.kind = "conv";
    spec.isReduction = maps.isReduction;
    spec.identity = builder.getI32IntegerAttr(0);
    add(splitData(builder, loc, conv), maps.data);
    add(conv.weights, maps.weights);
    int dataZeroAt = addParameter(dataZero), weightZeroAt = addParameter(weightZero);
    spec.compute = [=](ImplicitLocOpBuilder &b, ValueRange x, Value sum) -> Value {
      auto widened = [&](Value value, Type type, int zeroAt) -> Value {
        Value wide = castScalar(b, b.getLoc(), value, type, b.getI32Type());
        if (zeroAt < 0)
          return wide;
        return arith::SubIOp::create(b, wide, castScalar(b, b.getLoc(), x[zeroAt], type, b.getI32Type()));
      };
      Value product =
          arith::MulIOp::create(b, widened(x[0], dataType, dataZeroAt), widened(x[1], weightType, weightZeroAt));
      return arith::AddIOp::create(b, sum, product);
    };
    Value constant = share ? makeShare(builder, loc, *share) : Value();
    if (!constant)
      return;
    shareAt = addPerChannel(constant);
    spec.epilogue = [at = shareAt](ImplicitLocOpBuilder &b, ValueRange x, Value sum) -> Value {
      return arith::AddIOp::create(b, sum, x[at]);
    };
  }

  int add(Value value, ArrayRef<AffineExpr> exprs) {
    spec.inputs.push_back(value);
    spec.maps.push_back(maps.map(exprs));
    return spec.inputs.size() - 1;
  }

  /// One element per output channel.
  int addPerChannel(Value value) {
    return add(conv.splitsChannels() ? splitGroups(builder, loc, value, conv.groups) : value, maps.channel);
  }

  /// One element or one per output channel; -1 for null.
  int addParameter(Value value) {
    if (!value)
      return -1;
    auto type = cast<RankedTensorType>(value.getType());
    if (type.hasStaticShape())
      return type.getNumElements() == 1 ? add(buildReshape(builder, loc, value, ArrayRef<int64_t>()), {})
                                        : addPerChannel(value);
    Value extent = asIndex(builder, loc, sizeOf(builder, loc, value, 0));
    Value channels = asIndex(builder, loc, conv.result[1]), one = arith::ConstantIndexOp::create(builder, loc, 1);
    Value isOne = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, extent, one);
    Value isAll = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, extent, channels);
    require(builder, loc, arith::OrIOp::create(builder, loc, isOne, isAll), aot::Code::shape_mismatch);
    return addPerChannel(aot::BroadcastOp::create(builder, loc, value, conv.result[1]));
  }

  Value build(RankedTensorType resultType) {
    spec.maps.push_back(maps.map(maps.result));
    return buildConvolution(builder, loc, conv, spec, resultType);
  }
};

/// The one element of `value` as a tensor of rank 0.
Value scalarOf(OpBuilder &builder, Location loc, Value value) {
  for (OpFoldResult size : sizesOf(builder, loc, value))
    requireEqual(builder, loc, size, builder.getIndexAttr(1), aot::Code::shape_mismatch);
  return buildReshape(builder, loc, value, ArrayRef<int64_t>());
}

/// The parts of a quantized convolution; padding holds the zero point of the data.
template <typename Pattern, typename OpTy>
FailureOr<Convolution> quantizedParts(const Pattern &pattern, OpTy op, Value data, Value weights, Value zeroPoint,
                                      std::optional<Shape> bias, ConversionPatternRewriter &builder) {
  Location loc = op.getLoc();
  Shape x = pattern.shape(op.getX()), w = pattern.shape(op.getW());
  FailureOr<Window> window =
      resolveWindow(op, windowAttributes(op), ArrayRef(x).drop_front(2), ArrayRef(w).drop_front(2));
  if (failed(window))
    return failure();
  auto lowered = Pattern::lowered(builder);
  Convolution conv;
  conv.groups = op.getGroup();
  conv.outputs = w[0].floorDiv(conv.groups);
  conv.inputs = w[1];
  conv.window = *window;
  requireShapes(builder, loc, conv, x, w, bias, lowered);
  requireFit(builder, loc, *window, lowered);
  Value padding =
      zeroPoint ? Value(tensor::ExtractOp::create(builder, loc, zeroPoint, ValueRange())) : zeroOf(builder, loc, data);
  conv.data = padWindows(builder, loc, data, *window, padding, lowered);
  conv.weights = splitGroups(builder, loc, weights, conv.groups);
  conv.result = resultSizes(builder, loc, x[0], conv, lowered);
  return conv;
}

struct LowerConvInteger : OnnxLowering<ConvIntegerOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(ConvIntegerOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Value zeroPoint = adaptor.getXZeroPoint();
    if (zeroPoint)
      zeroPoint = scalarOf(rewriter, op.getLoc(), zeroPoint);
    FailureOr<Convolution> conv =
        quantizedParts(*this, op, adaptor.getX(), adaptor.getW(), zeroPoint, std::nullopt, rewriter);
    if (failed(conv))
      return failure();
    QuantizedKernel kernel(rewriter, op.getLoc(), *conv, type(op.getX()).getElementType(),
                           type(op.getW()).getElementType(), zeroPoint, adaptor.getWZeroPoint(),
                           shareOf(op.getXZeroPoint(), op.getW(), op.getWZeroPoint()));
    rewriter.replaceOp(op, kernel.build(stored(op.getY())));
    return success();
  }
};

/// The sum times x_scale * w_scale / y_scale, rounded to even, plus y_zero_point, saturated.
struct LowerQLinearConv : OnnxLowering<QLinearConvOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(QLinearConvOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto scalar = [&](Value value) { return scalarOf(rewriter, loc, value); };
    Value zeroPoint = scalar(adaptor.getXZeroPoint());
    FailureOr<Convolution> conv = quantizedParts(*this, op, adaptor.getX(), adaptor.getW(), zeroPoint,
                                                 op.getB() ? std::optional(shape(op.getB())) : std::nullopt, rewriter);
    if (failed(conv))
      return failure();
    Type real = rewriter.getF32Type(), scaleType = type(op.getWScale()).getElementType();
    Type result = type(op.getY()).getElementType();
    if (!scaleType.isF32() || result.getIntOrFloatBitWidth() != 8)
      return op.emitError("unsupported: QLinearConv other than 8 bits wide with scales in single precision");
    QuantizedKernel kernel(rewriter, loc, *conv, type(op.getX()).getElementType(), type(op.getW()).getElementType(),
                           zeroPoint, adaptor.getWZeroPoint(),
                           shareOf(op.getXZeroPoint(), op.getW(), op.getWZeroPoint()));
    Value weightScale = adaptor.getWScale();
    if (auto scales = type(op.getWScale()); scales.hasStaticShape() && scales.getNumElements() == 1)
      weightScale = scalar(weightScale);
    auto factorType = RankedTensorType::get(cast<RankedTensorType>(weightScale.getType()).getShape(), real);
    Value factor = buildElementwise(rewriter, loc, factorType,
                                    {scalar(adaptor.getXScale()), weightScale, scalar(adaptor.getYScale())},
                                    {real, real, real}, [](ScalarBody &body) -> Value {
                                      Value product = arith::MulFOp::create(body.b, body.x[0], body.x[1]);
                                      return arith::DivFOp::create(body.b, product, body.x[2]);
                                    });
    int factorAt = kernel.addParameter(factor), zeroAt = kernel.add(scalar(adaptor.getYZeroPoint()), {});
    int biasAt = adaptor.getB() ? kernel.addPerChannel(adaptor.getB()) : -1;
    kernel.spec.epilogue = [=, shareAt = kernel.shareAt](ImplicitLocOpBuilder &b, ValueRange x, Value sum) -> Value {
      if (shareAt >= 0)
        sum = arith::AddIOp::create(b, sum, x[shareAt]);
      if (biasAt >= 0)
        sum = arith::AddIOp::create(b, sum, x[biasAt]);
      Value scaled = arith::MulFOp::create(b, arith::SIToFPOp::create(b, real, sum), x[factorAt]);
      Value zero = arith::SIToFPOp::create(b, real, castScalar(b, b.getLoc(), x[zeroAt], result, b.getI32Type()));
      return roundAndSaturate(b, scaled, zero, result);
    };
    rewriter.replaceOp(op, kernel.build(stored(op.getY())));
    return success();
  }
};
} // namespace

namespace onnx_aot::onnx {
void populateConvolutionToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerConv, LowerConvInteger, LowerQLinearConv>(converter, patterns.getContext());
  populateTransposedConvolutionToLinalg(converter, patterns);
  populateCausalConvolutionToLinalg(converter, patterns);
  populateDeformableConvolutionToLinalg(converter, patterns);
  populateCol2ImToLinalg(converter, patterns);
}
} // namespace onnx_aot::onnx
