//===- ConvolutionToLinalg.cpp - convolutions as kernels ----------------------------------------------------------===//
//
// Every form becomes one aot.kernel "conv" over
//   (n, g, oc, spatial..., ic, kernel...)
// where g exists for grouped convolutions only, and oc, ic and the dims of a kernel of extent 1 are left out where they
// have one iteration per group (so that depthwise is (n, g, spatial..., kernel...)). Groups are in the indexing maps:
// input channel g * IC + ic, output channel g * OC + oc; the weights are viewed as [g, oc, ic, kernel...], which gives
// each dim an operand that shows its extent. Padding is a copy of the data with zeros around it, made before.
//
//   aot.kernel "conv" (n, oc, h, w, ic, kh, kw): x[n, ic, 2 * h + kh, 2 * w + kw] * w[oc, ic, kh, kw], + bias[oc]
//
// A transposed convolution is the same over data spread out by its strides (zeros between the elements), with the
// weights reversed in their kernel dims (at compile time where they are constant).
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/convolution/CausalConvolution.h"
#include "dialects/onnx/convolution/Convolution.h"
#include "dialects/onnx/convolution/DeformableConvolution.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/support/Lowering.h"
#include "dialects/onnx/support/Window.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace onnx_aot::onnx;

namespace {
/// The parts of a convolution that its forms have in common.
struct Convolution {
  Value data;                      // padded
  Value weights;                   // [g, oc, ic, kernel...] or, for one group, [oc, ic, kernel...]
  Value bias;                      // or null
  int64_t groups, outputs, inputs; // channels per group
  Window window;
  bool isInputMajor = false; // weights are [g, ic, oc, kernel...]
};

/// The iteration space and the operands' maps.
class ConvolutionMaps {
public:
  ConvolutionMaps(MLIRContext *context, const Convolution &conv) : context(context) {
    AffineExpr n = add(false), zero = getAffineConstantExpr(0, context);
    bool isGrouped = conv.groups > 1;
    AffineExpr g = isGrouped ? add(false) : AffineExpr();
    // Of a depthwise convolution one of the dims g and oc is left.
    AffineExpr oc = !isGrouped || conv.outputs > 1 ? add(false) : zero;
    SmallVector<AffineExpr> positions, taps;
    for (size_t dim = 0; dim < conv.window.size(); ++dim)
      positions.push_back(add(false));
    AffineExpr ic = conv.inputs == 1 ? zero : add(true); // a sum over no channels is one, too
    for (const WindowDim &dim : conv.window)
      taps.push_back(dim.kernel > 1 ? add(true) : zero);

    AffineExpr inputChannel = isGrouped ? g * conv.inputs + ic : ic;
    channel = isGrouped ? g * conv.outputs + oc : oc;
    data = {n, inputChannel};
    if (isGrouped)
      weights.push_back(g);
    weights.append(conv.isInputMajor ? SmallVector<AffineExpr>{ic, oc} : SmallVector<AffineExpr>{oc, ic});
    result = {n, channel};
    for (auto [dim, position, tap] : llvm::zip(conv.window, positions, taps)) {
      data.push_back(position * dim.stride + tap * dim.dilation);
      weights.push_back(tap);
      result.push_back(position);
    }
  }

  AffineMap map(ArrayRef<AffineExpr> exprs) const { return AffineMap::get(isReduction.size(), 0, exprs, context); }

  AffineExpr channel;
  SmallVector<AffineExpr> data, weights, result;
  SmallVector<bool> isReduction;

private:
  AffineExpr add(bool reduces) {
    isReduction.push_back(reduces);
    return getAffineDimExpr(isReduction.size() - 1, context);
  }
  MLIRContext *context;
};
} // namespace

/// `value` under another shape; constants stay constants, so that weights can be packed later.
static Value reshapeWeights(OpBuilder &builder, Location loc, Value value, ArrayRef<int64_t> shape) {
  if (auto constant = value.getDefiningOp<arith::ConstantOp>()) {
    auto type = RankedTensorType::get(shape, cast<RankedTensorType>(value.getType()).getElementType());
    TypedAttr reshaped;
    if (auto resource = dyn_cast<DenseResourceElementsAttr>(constant.getValue()))
      reshaped = DenseResourceElementsAttr::get(type, resource.getRawHandle());
    else if (auto dense = dyn_cast<DenseElementsAttr>(constant.getValue()))
      reshaped = dense.reshape(type);
    if (reshaped)
      return arith::ConstantOp::create(builder, loc, type, reshaped);
  }
  return buildReshape(builder, loc, value, shape);
}

/// The weights with all dims after the first two reversed.
static Value reverseKernel(OpBuilder &builder, Location loc, Value weights) {
  auto type = cast<RankedTensorType>(weights.getType());
  int64_t taps = ShapedType::getNumElements(type.getShape().drop_front(2));
  if (taps == 1)
    return weights;
  SmallVector<char> storage;
  ArrayRef<char> bytes;
  auto constant = weights.getDefiningOp<arith::ConstantOp>();
  auto elements = constant ? dyn_cast<ElementsAttr>(constant.getValue()) : nullptr;
  if (elements && getRawBytes(elements, storage, bytes)) {
    // A block of taps is contiguous; reversed as a whole it is reversed in each dim.
    size_t size = bytesPerElement(type.getElementType()), block = taps * size;
    SmallVector<char> reversed(bytes.size());
    for (size_t start = 0; start < bytes.size(); start += block)
      for (size_t tap = 0; tap < block; tap += size)
        std::memcpy(reversed.data() + start + block - size - tap, bytes.data() + start + tap, size);
    return arith::ConstantOp::create(builder, loc, type,
                                     cast<TypedAttr>(makeConstant(type, reversed, "reversed_weights")));
  }
  SmallVector<AffineExpr> exprs;
  for (auto [dim, extent] : llvm::enumerate(type.getShape())) {
    AffineExpr expr = builder.getAffineDimExpr(dim);
    exprs.push_back(dim < 2 ? expr : expr * -1 + (extent - 1));
  }
  SmallVector<AffineMap> maps = {AffineMap::get(type.getRank(), 0, exprs, builder.getContext()),
                                 builder.getMultiDimIdentityMap(type.getRank())};
  SmallVector<utils::IteratorType> iterators(type.getRank(), utils::IteratorType::parallel);
  return linalg::GenericOp::create(builder, loc, type, weights, emptyTensor(builder, loc, type), maps, iterators,
                                   [](OpBuilder &nested, Location bodyLoc, ValueRange elements) {
                                     linalg::YieldOp::create(nested, bodyLoc, elements[0]);
                                   })
      .getResult(0);
}

/// Splits channel dim `dim` of the weights into [groups, channels per group]; `dim` is 0, so that groups come first.
static Value splitGroups(OpBuilder &builder, Location loc, Value weights, int64_t groups) {
  if (groups == 1)
    return weights;
  ArrayRef<int64_t> shape = cast<RankedTensorType>(weights.getType()).getShape();
  SmallVector<int64_t> split = {groups, shape[0] / groups};
  split.append(shape.begin() + 1, shape.end());
  return reshapeWeights(builder, loc, weights, split);
}

static Value padData(OpBuilder &builder, Location loc, Value data, const Window &window, Value value) {
  SmallVector<int64_t> low(2, 0), high(2, 0);
  for (const WindowDim &dim : window) {
    low.push_back(dim.low);
    high.push_back(dim.neededHigh());
  }
  return buildPad(builder, loc, data, low, high, value);
}

static Value zeroOf(OpBuilder &builder, Location loc, Value tensor) {
  return arith::ConstantOp::create(builder, loc,
                                   cast<TypedAttr>(builder.getZeroAttr(getElementTypeOrSelf(tensor.getType()))));
}

/// The kernel of a floating-point convolution.
static Value buildFloatConvolution(OpBuilder &builder, Location loc, const Convolution &conv, Type element,
                                   RankedTensorType resultType) {
  ConvolutionMaps maps(builder.getContext(), conv);
  KernelSpec spec;
  spec.kind = "conv";
  spec.inputs = {conv.data, conv.weights};
  spec.maps = {maps.map(maps.data), maps.map(maps.weights)};
  bool hasBias = bool(conv.bias);
  if (hasBias) {
    spec.inputs.push_back(conv.bias);
    spec.maps.push_back(maps.map({maps.channel}));
  }
  spec.maps.push_back(maps.map(maps.result));
  spec.isReduction = maps.isReduction;
  spec.identity = cast<TypedAttr>(builder.getZeroAttr(computeType(element)));
  spec.resultType = resultType;
  spec.compute = [=](ImplicitLocOpBuilder &b, ValueRange x, Value accumulator) -> Value {
    Value left = toCompute(b, b.getLoc(), x[0], element), right = toCompute(b, b.getLoc(), x[1], element);
    return math::FmaOp::create(b, left, right, accumulator);
  };
  spec.epilogue = [=](ImplicitLocOpBuilder &b, ValueRange x, Value accumulator) -> Value {
    if (hasBias)
      accumulator = arith::AddFOp::create(b, accumulator, toCompute(b, b.getLoc(), x[2], element));
    return toStorage(b, b.getLoc(), accumulator, element);
  };
  return buildKernel(builder, loc, spec);
}

namespace {
struct LowerConv : OnnxLowering<ConvOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(ConvOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    ArrayRef<int64_t> x = type(op.getX()).getShape(), w = type(op.getW()).getShape();
    Shape spatial(x.begin() + 2, x.end()), kernel(w.begin() + 2, w.end());
    FailureOr<Window> window = resolveWindow(op, windowAttributes(op), spatial, kernel);
    if (failed(window))
      return failure();
    int64_t groups = op.getGroup();
    Convolution conv{padData(rewriter, loc, adaptor.getX(), *window, zeroOf(rewriter, loc, adaptor.getX())),
                     splitGroups(rewriter, loc, adaptor.getW(), groups),
                     adaptor.getB(),
                     groups,
                     w[0] / groups,
                     w[1],
                     *window};
    rewriter.replaceOp(op,
                       buildFloatConvolution(rewriter, loc, conv, type(op.getX()).getElementType(), stored(op.getY())));
    return success();
  }
};

struct LowerConvTranspose : OnnxLowering<ConvTransposeOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(ConvTransposeOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    ArrayRef<int64_t> x = type(op.getX()).getShape(), w = type(op.getW()).getShape();
    Shape spatial(x.begin() + 2, x.end()), kernel(w.begin() + 2, w.end());
    FailureOr<Window> transposed =
        resolveTransposedWindow(op, windowAttributes(op), op.getOutputPadding(), op.getOutputShape(), spatial, kernel);
    if (failed(transposed))
      return failure();
    // The convolution that gives the same result: stride 1 over the spread data, whose first element stands where the
    // last tap of the first window is.
    Window window = *transposed;
    bool spreads = false;
    SmallVector<int64_t> shape(x.begin(), x.begin() + 2);
    SmallVector<OpFoldResult> strides(2, rewriter.getIndexAttr(1));
    for (WindowDim &dim : window) {
      strides.push_back(rewriter.getIndexAttr(dim.stride));
      spreads |= dim.stride > 1 && dim.in.get() > 1;
      dim.in = dim.in.is(0) ? 0 : (dim.in.get() - 1) * dim.stride + 1;
      shape.push_back(dim.in.get());
      dim.stride = 1;
      dim.low = dim.extent() - 1 - dim.low;
    }
    Value data = adaptor.getX(), zero = zeroOf(rewriter, loc, data);
    if (spreads) {
      Value empty = tensor::EmptyOp::create(rewriter, loc, shape, zero.getType());
      Value zeros = linalg::FillOp::create(rewriter, loc, zero, empty).getResult(0);
      SmallVector<OpFoldResult> offsets(x.size(), rewriter.getIndexAttr(0)), sizes;
      for (int64_t extent : x)
        sizes.push_back(rewriter.getIndexAttr(extent));
      data = tensor::InsertSliceOp::create(rewriter, loc, data, zeros, offsets, sizes, strides);
    }
    int64_t groups = op.getGroup();
    Convolution conv{padData(rewriter, loc, data, window, zero),
                     splitGroups(rewriter, loc, reverseKernel(rewriter, loc, adaptor.getW()), groups),
                     adaptor.getB(),
                     groups,
                     w[1],
                     w[0] / groups,
                     window,
                     /*isInputMajor=*/true};
    rewriter.replaceOp(op,
                       buildFloatConvolution(rewriter, loc, conv, type(op.getX()).getElementType(), stored(op.getY())));
    return success();
  }
};

//===-- Quantized convolutions ------------------------------------------------------------------------------------===//

/// (x - x_zero_point) * (w - w_zero_point) in 32 bits. Zero points are tensors of one element or one per output
/// channel, or null.
struct QuantizedKernel {
  OpBuilder &builder;
  Location loc;
  KernelSpec spec;
  ConvolutionMaps maps;

  QuantizedKernel(OpBuilder &builder, Location loc, const Convolution &conv, Type dataType, Type weightType,
                  Value dataZero, Value weightZero)
      : builder(builder), loc(loc), maps(builder.getContext(), conv) {
    spec.kind = "conv";
    spec.isReduction = maps.isReduction;
    spec.identity = builder.getI32IntegerAttr(0);
    add(conv.data, maps.data);
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
  }

  int add(Value value, ArrayRef<AffineExpr> exprs) {
    spec.inputs.push_back(value);
    spec.maps.push_back(maps.map(exprs));
    return spec.inputs.size() - 1;
  }

  /// One element or one per output channel; -1 for null.
  int addParameter(Value value) {
    if (!value)
      return -1;
    if (cast<RankedTensorType>(value.getType()).getNumElements() != 1)
      return add(value, {maps.channel});
    return add(buildReshape(builder, loc, value, ArrayRef<int64_t>()), {});
  }

  Value build(RankedTensorType resultType) {
    spec.maps.push_back(maps.map(maps.result));
    spec.resultType = resultType;
    return buildKernel(builder, loc, spec);
  }
};

/// The parts of a quantized convolution; padding holds the zero point of the data.
template <typename OpTy>
FailureOr<Convolution> quantizedParts(OpTy op, Value data, Value weights, Value zeroPoint, OpBuilder &builder) {
  Location loc = op.getLoc();
  ArrayRef<int64_t> x = cast<RankedTensorType>(data.getType()).getShape();
  ArrayRef<int64_t> w = cast<RankedTensorType>(weights.getType()).getShape();
  Shape spatial(x.begin() + 2, x.end()), kernel(w.begin() + 2, w.end());
  FailureOr<Window> window = resolveWindow(op, windowAttributes(op), spatial, kernel);
  if (failed(window))
    return failure();
  Value padding =
      zeroPoint
          ? Value(tensor::ExtractOp::create(builder, loc, buildReshape(builder, loc, zeroPoint, ArrayRef<int64_t>()), ValueRange()))
          : zeroOf(builder, loc, data);
  int64_t groups = op.getGroup(), outputs = w[0] / groups, inputs = w[1];
  return Convolution{padData(builder, loc, data, *window, padding),
                     splitGroups(builder, loc, weights, groups),
                     Value(),
                     groups,
                     outputs,
                     inputs,
                     *window};
}

struct LowerConvInteger : OnnxLowering<ConvIntegerOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(ConvIntegerOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    FailureOr<Convolution> conv = quantizedParts(op, adaptor.getX(), adaptor.getW(), adaptor.getXZeroPoint(), rewriter);
    if (failed(conv))
      return failure();
    QuantizedKernel kernel(rewriter, op.getLoc(), *conv, type(op.getX()).getElementType(),
                           type(op.getW()).getElementType(), adaptor.getXZeroPoint(), adaptor.getWZeroPoint());
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
    FailureOr<Convolution> conv = quantizedParts(op, adaptor.getX(), adaptor.getW(), adaptor.getXZeroPoint(), rewriter);
    if (failed(conv))
      return failure();
    Type real = rewriter.getF32Type(), scaleType = type(op.getWScale()).getElementType();
    Type result = type(op.getY()).getElementType();
    if (!scaleType.isF32() || result.getIntOrFloatBitWidth() != 8)
      return op.emitError("unsupported: QLinearConv other than 8 bits wide with scales in single precision");
    QuantizedKernel kernel(rewriter, loc, *conv, type(op.getX()).getElementType(), type(op.getW()).getElementType(),
                           adaptor.getXZeroPoint(), adaptor.getWZeroPoint());
    auto scalar = [&](Value value) { return buildReshape(rewriter, loc, value, ArrayRef<int64_t>()); };
    Value weightScale = adaptor.getWScale();
    if (type(op.getWScale()).getNumElements() == 1)
      weightScale = scalar(weightScale);
    auto factorType = RankedTensorType::get(cast<RankedTensorType>(weightScale.getType()).getShape(), real);
    Value factor = buildElementwise(rewriter, loc, factorType,
                                    {scalar(adaptor.getXScale()), weightScale, scalar(adaptor.getYScale())},
                                    {real, real, real}, [](ScalarBody &body) -> Value {
                                      Value product = arith::MulFOp::create(body.b, body.x[0], body.x[1]);
                                      return arith::DivFOp::create(body.b, product, body.x[2]);
                                    });
    int factorAt = kernel.addParameter(factor), zeroAt = kernel.addParameter(adaptor.getYZeroPoint());
    int biasAt = adaptor.getB() ? kernel.add(adaptor.getB(), {kernel.maps.channel}) : -1;
    kernel.spec.epilogue = [=](ImplicitLocOpBuilder &b, ValueRange x, Value sum) -> Value {
      if (biasAt >= 0)
        sum = arith::AddIOp::create(b, sum, x[biasAt]);
      Value scaled = arith::MulFOp::create(b, arith::SIToFPOp::create(b, real, sum), x[factorAt]);
      Value zero = arith::SIToFPOp::create(b, real, castScalar(b, b.getLoc(), x[zeroAt], result, b.getI32Type()));
      Value shifted = arith::AddFOp::create(b, math::RoundEvenOp::create(b, scaled), zero);
      double low = isUnsigned(result) ? 0 : -128;
      auto bound = [&](double value) { return scalarConstant(b, b.getLoc(), real, value); };
      Value bounded = arith::MinNumFOp::create(b, arith::MaxNumFOp::create(b, shifted, bound(low)), bound(low + 255));
      Value integer = arith::FPToSIOp::create(b, b.getI32Type(), bounded);
      return arith::TruncIOp::create(b, computeType(result), integer);
    };
    rewriter.replaceOp(op, kernel.build(stored(op.getY())));
    return success();
  }
};
} // namespace

namespace onnx_aot::onnx {
void populateConvolutionToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerConv, LowerConvTranspose, LowerConvInteger, LowerQLinearConv>(converter, patterns.getContext());
  populateCausalConvolutionToLinalg(converter, patterns);
  populateDeformableConvolutionToLinalg(converter, patterns);
  populateCol2ImToLinalg(converter, patterns);
}
} // namespace onnx_aot::onnx
