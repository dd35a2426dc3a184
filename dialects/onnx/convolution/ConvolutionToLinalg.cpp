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
// A transposed convolution of strides s is s * s of these (in two dims), one per phase of the result, each with those
// taps that meet it; their results are inserted with stride s (Shi et al., Real-Time Single Image and Video
// Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural Network, 2016):
//
//   y[r + s * q] = sum over j of x[m - j + q] * w[k + s * j],   k = (r + pad) mod s, m = (r + pad) div s
//
// Where extents or weights are only known at run time it is one convolution over data spread out by the strides (zeros
// between the elements), with the weights reversed in their kernel dims.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/convolution/CausalConvolution.h"
#include "dialects/onnx/convolution/Convolution.h"
#include "dialects/onnx/convolution/DeformableConvolution.h"
#include "dialects/onnx/support/Checks.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/support/Lowering.h"
#include "dialects/onnx/support/Window.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::onnx;

using Sizes = SmallVector<OpFoldResult>;

namespace {
/// The parts of a convolution that its forms have in common.
struct Convolution {
  Value data;    // padded
  Value weights; // [g, oc, ic, kernel...] or, for one group, [oc, ic, kernel...]
  Value bias;    // or null
  int64_t groups;
  Dim outputs, inputs; // channels per group
  Window window;
  Sizes result;              // extents of the result
  bool isInputMajor = false; // weights are [g, ic, oc, kernel...]
  /// Whether the maps of data and result have dims for the group and the channel in it.
  bool splitsChannels() const { return groups > 1 && !(outputs.isKnown() && inputs.isKnown()); }
};

/// The iteration space and the operands' maps.
class ConvolutionMaps {
public:
  ConvolutionMaps(MLIRContext *context, const Convolution &conv) : context(context) {
    AffineExpr n = add(false), zero = getAffineConstantExpr(0, context);
    bool isGrouped = conv.groups > 1;
    AffineExpr g = isGrouped ? add(false) : AffineExpr();
    // Of a depthwise convolution one of the dims g and oc is left.
    AffineExpr oc = !isGrouped || !conv.outputs.is(1) ? add(false) : zero;
    SmallVector<AffineExpr> positions, taps;
    for (size_t dim = 0; dim < conv.window.size(); ++dim)
      positions.push_back(add(false));
    AffineExpr ic = conv.inputs.is(1) ? zero : add(true); // a sum over no channels is one, too
    for (const WindowDim &dim : conv.window)
      taps.push_back(dim.kernel.is(1) ? zero : add(true));

    data = {n};
    if (conv.splitsChannels()) {
      data.append({g, ic});
      channel = {g, oc};
    } else {
      data.push_back(isGrouped ? g * conv.inputs.get() + ic : ic);
      channel = {isGrouped ? g * conv.outputs.get() + oc : oc};
    }
    if (isGrouped)
      weights.push_back(g);
    weights.append(conv.isInputMajor ? SmallVector<AffineExpr>{ic, oc} : SmallVector<AffineExpr>{oc, ic});
    result = {n};
    result.append(channel);
    for (auto [dim, position, tap] : llvm::zip(conv.window, positions, taps)) {
      data.push_back(position * dim.stride + tap * dim.dilation);
      weights.push_back(tap);
      result.push_back(position);
    }
  }

  AffineMap map(ArrayRef<AffineExpr> exprs) const { return AffineMap::get(isReduction.size(), 0, exprs, context); }

  SmallVector<AffineExpr> data, weights, channel, result;
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

/// The weights with all dims after the first two reversed, whose extents are only known at run time.
static Value reverseByData(OpBuilder &builder, Location loc, Value weights, ArrayRef<OpFoldResult> sizes) {
  Value empty = emptyTensor(builder, loc, sizes, getElementTypeOrSelf(weights.getType()));
  SmallVector<utils::IteratorType> iterators(sizes.size(), utils::IteratorType::parallel);
  SmallVector<Value> extents;
  for (OpFoldResult size : sizes)
    extents.push_back(asIndex(builder, loc, size));
  return linalg::GenericOp::create(builder, loc, empty.getType(), ValueRange(), empty,
                                   builder.getMultiDimIdentityMap(sizes.size()), iterators,
                                   [&](OpBuilder &nested, Location bodyLoc, ValueRange) {
                                     ImplicitLocOpBuilder b(bodyLoc, nested);
                                     Value one = arith::ConstantIndexOp::create(b, 1);
                                     SmallVector<Value> from;
                                     for (auto [dim, extent] : llvm::enumerate(extents)) {
                                       Value here = linalg::IndexOp::create(b, dim);
                                       if (dim >= 2)
                                         here = arith::SubIOp::create(b, arith::SubIOp::create(b, extent, one), here);
                                       from.push_back(here);
                                     }
                                     linalg::YieldOp::create(b,
                                                             tensor::ExtractOp::create(b, weights, from).getResult());
                                   })
      .getResult(0);
}

/// The weights with all dims after the first two reversed.
static Value reverseKernel(OpBuilder &builder, Location loc, Value weights) {
  auto type = cast<RankedTensorType>(weights.getType());
  ArrayRef<int64_t> kernel = type.getShape().drop_front(2);
  if (llvm::all_of(kernel, [](int64_t extent) { return extent == 1; }))
    return weights;
  SmallVector<char> storage;
  ArrayRef<char> bytes;
  auto constant = weights.getDefiningOp<arith::ConstantOp>();
  auto elements = constant ? dyn_cast<ElementsAttr>(constant.getValue()) : nullptr;
  if (elements && getRawBytes(elements, storage, bytes)) {
    // A block of taps is contiguous; reversed as a whole it is reversed in each dim.
    size_t size = bytesPerElement(type.getElementType()), block = ShapedType::getNumElements(kernel) * size;
    SmallVector<char> reversed(bytes.size());
    for (size_t start = 0; start < bytes.size(); start += block)
      for (size_t tap = 0; tap < block; tap += size)
        std::memcpy(reversed.data() + start + block - size - tap, bytes.data() + start + tap, size);
    return arith::ConstantOp::create(builder, loc, type,
                                     cast<TypedAttr>(makeConstant(type, reversed, "reversed_weights")));
  }
  Sizes sizes = sizesOf(builder, loc, weights);
  if (ShapedType::isDynamicShape(kernel))
    return reverseByData(builder, loc, weights, sizes);
  SmallVector<AffineExpr> exprs;
  for (auto [dim, extent] : llvm::enumerate(type.getShape())) {
    AffineExpr expr = builder.getAffineDimExpr(dim);
    exprs.push_back(dim < 2 ? expr : expr * -1 + (extent - 1));
  }
  SmallVector<AffineMap> maps = {AffineMap::get(type.getRank(), 0, exprs, builder.getContext()),
                                 builder.getMultiDimIdentityMap(type.getRank())};
  SmallVector<utils::IteratorType> iterators(type.getRank(), utils::IteratorType::parallel);
  Value empty = emptyTensor(builder, loc, sizes, type.getElementType());
  return linalg::GenericOp::create(builder, loc, empty.getType(), weights, empty, maps, iterators,
                                   [](OpBuilder &nested, Location bodyLoc, ValueRange elements) {
                                     linalg::YieldOp::create(nested, bodyLoc, elements[0]);
                                   })
      .getResult(0);
}

/// Splits dim `dim` of `value` into [groups, the rest].
static Value splitGroups(OpBuilder &builder, Location loc, Value value, int64_t groups, unsigned dim = 0) {
  if (groups == 1 || !value)
    return value;
  Sizes split = sizesOf(builder, loc, value);
  OpFoldResult count = builder.getIndexAttr(groups);
  split[dim] = divideSizes(builder, loc, split[dim], count);
  split.insert(split.begin() + dim, count);
  SmallVector<int64_t> shape = staticShape(split);
  return ShapedType::isDynamicShape(shape) ? buildReshape(builder, loc, value, split)
                                           : reshapeWeights(builder, loc, value, shape);
}

/// The run checks that two extents are the same where that is not known.
static void requireSame(OpBuilder &builder, Location loc, Dim a, Dim b, ValueMapping lowered) {
  if (!a.equals(b))
    requireEqual(builder, loc, buildSize(builder, loc, a, lowered), buildSize(builder, loc, b, lowered),
                 aot::Code::shape_mismatch);
}

/// What the run has to check of shapes: `x` and `w` are data and weights, `inputs` and `outputs` channels per group.
static void requireShapes(OpBuilder &builder, Location loc, const Convolution &conv, ArrayRef<Dim> x, ArrayRef<Dim> w,
                          std::optional<Shape> bias, ValueMapping lowered) {
  requireSame(builder, loc, x[1], conv.inputs * conv.groups, lowered);
  requireSame(builder, loc, w[0], (conv.isInputMajor ? conv.inputs : conv.outputs) * conv.groups, lowered);
  if (bias)
    requireSame(builder, loc, bias->front(), conv.outputs * conv.groups, lowered);
  for (auto [dim, extent] : llvm::zip(conv.window, w.drop_front(2)))
    requireSame(builder, loc, dim.kernel, extent, lowered);
}

/// The extents of the result.
static Sizes resultSizes(OpBuilder &builder, Location loc, Dim batch, const Convolution &conv, ValueMapping lowered) {
  Sizes sizes = {buildSize(builder, loc, batch, lowered), buildSize(builder, loc, conv.outputs * conv.groups, lowered)};
  for (Dim dim : outputDims(conv.window))
    sizes.push_back(buildSize(builder, loc, dim, lowered));
  return sizes;
}

/// The data as the maps read it; call after padding.
static Value splitData(OpBuilder &builder, Location loc, const Convolution &conv) {
  return conv.splitsChannels() ? splitGroups(builder, loc, conv.data, conv.groups, 1) : conv.data;
}

/// Builds the kernel of `spec`, whose result is that of `conv`, as a tensor of `resultType`.
static Value buildConvolution(OpBuilder &builder, Location loc, const Convolution &conv, KernelSpec &spec,
                              RankedTensorType resultType) {
  spec.resultType = resultType;
  spec.resultSizes = conv.result;
  if (conv.splitsChannels()) {
    OpFoldResult groups = builder.getIndexAttr(conv.groups);
    spec.resultSizes[1] = divideSizes(builder, loc, conv.result[1], groups);
    spec.resultSizes.insert(spec.resultSizes.begin() + 1, groups);
  }
  Value result = buildKernel(builder, loc, spec);
  if (conv.splitsChannels())
    result = buildReshape(builder, loc, result, conv.result);
  return fitTensor(builder, loc, result, resultType);
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
  spec.inputs = {splitData(builder, loc, conv), conv.weights};
  spec.maps = {maps.map(maps.data), maps.map(maps.weights)};
  bool hasBias = bool(conv.bias);
  if (hasBias) {
    spec.inputs.push_back(conv.splitsChannels() ? splitGroups(builder, loc, conv.bias, conv.groups) : conv.bias);
    spec.maps.push_back(maps.map(maps.channel));
  }
  spec.maps.push_back(maps.map(maps.result));
  spec.isReduction = maps.isReduction;
  spec.identity = cast<TypedAttr>(builder.getZeroAttr(computeType(element)));
  spec.compute = [=](ImplicitLocOpBuilder &b, ValueRange x, Value accumulator) -> Value {
    Value left = toCompute(b, b.getLoc(), x[0], element), right = toCompute(b, b.getLoc(), x[1], element);
    return math::FmaOp::create(b, left, right, accumulator);
  };
  spec.epilogue = [=](ImplicitLocOpBuilder &b, ValueRange x, Value accumulator) -> Value {
    if (hasBias)
      accumulator = arith::AddFOp::create(b, accumulator, toCompute(b, b.getLoc(), x[2], element));
    return toStorage(b, b.getLoc(), accumulator, element);
  };
  return buildConvolution(builder, loc, conv, spec, resultType);
}

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

struct LowerConvTranspose : OnnxLowering<ConvTransposeOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(ConvTransposeOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Shape x = shape(op.getX()), w = shape(op.getW());
    FailureOr<Window> transposed =
        resolveTransposedWindow(op, windowAttributes(op), op.getOutputPadding(), op.getOutputShape(),
                                ArrayRef(x).drop_front(2), ArrayRef(w).drop_front(2));
    if (failed(transposed))
      return failure();
    Convolution conv;
    conv.groups = op.getGroup();
    conv.outputs = w[1];
    conv.inputs = w[0].floorDiv(conv.groups);
    conv.isInputMajor = true;
    conv.window = *transposed;
    requireShapes(rewriter, loc, conv, x, w, op.getB() ? std::optional(shape(op.getB())) : std::nullopt,
                  lowered(rewriter));
    if (Value result = buildByPhases(rewriter, loc, op, adaptor, conv)) {
      rewriter.replaceOp(op, result);
      return success();
    }
    Value data = spread(rewriter, loc, adaptor.getX(), conv.window, lowered(rewriter));
    conv.data = padWindows(rewriter, loc, data, conv.window, zeroOf(rewriter, loc, data), lowered(rewriter));
    conv.weights = splitGroups(rewriter, loc, reverseKernel(rewriter, loc, adaptor.getW()), conv.groups);
    conv.bias = adaptor.getB();
    conv.result = resultSizes(rewriter, loc, x[0], conv, lowered(rewriter));
    rewriter.replaceOp(op,
                       buildFloatConvolution(rewriter, loc, conv, type(op.getX()).getElementType(), stored(op.getY())));
    return success();
  }

  /// The results first, first + stride, ... along one dim, `count` of them: which taps meet them, and where windows of
  /// these begin (the elements of padding before the data).
  struct Phase {
    int64_t first, count, taps, firstTap, low;

    Phase(const WindowDim &dim, int64_t first) : first(first) {
      int64_t stride = dim.stride, at = first + dim.low.get();
      count = llvm::divideCeil(dim.out.get() - first, stride);
      firstTap = at % stride;
      taps = llvm::divideCeil(dim.kernel.get() - firstTap, stride);
      low = taps - 1 - at / stride;
    }
    int64_t high(const WindowDim &dim) const { return count - 1 + taps - dim.in.get() - low; }
  };

  /// All phases of a window in all combinations, the last dim the fastest; none where a phase has no taps or no
  /// results, or what it takes is only known at run time.
  static SmallVector<SmallVector<Phase>> phasesOf(const Window &window) {
    SmallVector<SmallVector<Phase>> combinations(1);
    for (const WindowDim &dim : window) {
      bool isKnown = dim.in.isKnown() && dim.out.isKnown() && dim.kernel.isKnown() && dim.low.isKnown();
      if (!isKnown || dim.in.is(0) || dim.dilation != 1 || dim.low.get() < 0 ||
          std::min(dim.kernel.get(), dim.out.get()) < dim.stride)
        return {};
      SmallVector<SmallVector<Phase>> longer;
      for (ArrayRef<Phase> combination : combinations)
        for (int64_t first = 0; first < dim.stride; ++first) {
          longer.emplace_back(combination);
          longer.back().push_back(Phase(dim, first));
        }
      combinations = std::move(longer);
    }
    return combinations;
  }

  /// The taps of a phase out of constant weights [ic, oc, kernel...], reversed.
  static Value weightsOf(OpBuilder &builder, Location loc, Value weights, ArrayRef<char> bytes, const Window &window,
                         ArrayRef<Phase> phases) {
    auto type = cast<RankedTensorType>(weights.getType());
    SmallVector<int64_t> shape(type.getShape());
    for (auto [dim, phase] : llvm::enumerate(phases))
      shape[dim + 2] = phase.taps;
    auto picked = RankedTensorType::get(shape, type.getElementType());
    size_t size = bytesPerElement(type.getElementType());
    SmallVector<char> taps(picked.getNumElements() * size);
    SmallVector<int64_t> strides = computeStrides(type.getShape()), pickedStrides = computeStrides(shape);
    for (int64_t at = 0; at < picked.getNumElements(); ++at) {
      SmallVector<int64_t> place = delinearize(at, pickedStrides);
      for (auto [dim, phase] : llvm::enumerate(phases))
        place[dim + 2] = phase.firstTap + window[dim].stride * (phase.taps - 1 - place[dim + 2]);
      std::memcpy(taps.data() + at * size, bytes.data() + linearize(place, strides) * size, size);
    }
    return arith::ConstantOp::create(builder, loc, picked,
                                     cast<TypedAttr>(makeConstant(picked, taps, "phase_weights")));
  }

  Value buildByPhases(ConversionPatternRewriter &rewriter, Location loc, ConvTransposeOp op, OpAdaptor adaptor,
                      const Convolution &whole) const {
    constexpr size_t kMostPhases = 64;
    SmallVector<char> storage;
    ArrayRef<char> bytes;
    auto constant = adaptor.getW().getDefiningOp<arith::ConstantOp>();
    auto elements = constant ? dyn_cast<ElementsAttr>(constant.getValue()) : nullptr;
    SmallVector<SmallVector<Phase>> phases = phasesOf(whole.window);
    if (phases.size() < 2 || phases.size() > kMostPhases || whole.splitsChannels() || !elements ||
        !getRawBytes(elements, storage, bytes))
      return Value();
    // Data are padded once, for the phases that begin first and end last.
    Convolution conv = whole;
    Sizes low(2, rewriter.getIndexAttr(0)), high = low, strides(2, rewriter.getIndexAttr(1));
    SmallVector<int64_t> mostLow;
    for (auto [dim, window] : llvm::enumerate(whole.window)) {
      int64_t before = INT64_MIN, after = INT64_MIN;
      for (ArrayRef<Phase> combination : phases) {
        before = std::max(before, combination[dim].low);
        after = std::max(after, combination[dim].high(window));
      }
      mostLow.push_back(before);
      low.push_back(rewriter.getIndexAttr(before));
      high.push_back(rewriter.getIndexAttr(after));
      strides.push_back(rewriter.getIndexAttr(window.stride));
      conv.window[dim].stride = 1;
    }
    Value padded = buildPad(rewriter, loc, adaptor.getX(), low, high, zeroOf(rewriter, loc, adaptor.getX()));
    Sizes read = sizesOf(rewriter, loc, padded), ones(read.size(), rewriter.getIndexAttr(1));
    conv.bias = adaptor.getB();
    Sizes sizes = resultSizes(rewriter, loc, shape(op.getX())[0], whole, lowered(rewriter));
    RankedTensorType type = stored(op.getY());
    Value result = emptyTensor(rewriter, loc, sizes, type.getElementType());
    for (ArrayRef<Phase> combination : phases) {
      Sizes offsets(2, rewriter.getIndexAttr(0)), begin = offsets;
      conv.result.assign(sizes.begin(), sizes.begin() + 2);
      for (auto [dim, phase] : llvm::enumerate(combination)) {
        offsets.push_back(rewriter.getIndexAttr(phase.first));
        conv.result.push_back(rewriter.getIndexAttr(phase.count));
        begin.push_back(rewriter.getIndexAttr(mostLow[dim] - phase.low));
        read[dim + 2] = rewriter.getIndexAttr(phase.count - 1 + phase.taps);
        conv.window[dim].kernel = phase.taps;
      }
      conv.data = tensor::ExtractSliceOp::create(rewriter, loc, padded, begin, read, ones);
      Value weights = weightsOf(rewriter, loc, adaptor.getW(), bytes, whole.window, combination);
      conv.weights = splitGroups(rewriter, loc, weights, conv.groups);
      auto partType = RankedTensorType::get(staticShape(conv.result), type.getElementType());
      Value part = buildFloatConvolution(rewriter, loc, conv, this->type(op.getX()).getElementType(), partType);
      result = tensor::InsertSliceOp::create(rewriter, loc, part, result, offsets, conv.result, strides);
    }
    return fitTensor(rewriter, loc, result, type);
  }

  /// The data of the convolution that gives the same result, and its window: stride 1 over the data spread by its
  /// strides, whose first element stands where the last tap of the first window is.
  static Value spread(OpBuilder &builder, Location loc, Value data, Window &window, ValueMapping lowered) {
    Sizes extents = sizesOf(builder, loc, data), spreadExtents(extents.begin(), extents.begin() + 2);
    Sizes strides(2, builder.getIndexAttr(1)), offsets(extents.size(), builder.getIndexAttr(0));
    bool spreads = false;
    for (WindowDim &dim : window) {
      strides.push_back(builder.getIndexAttr(dim.stride));
      spreads |= dim.stride > 1 && !dim.in.is(0) && !dim.in.is(1);
      if (!dim.in.isKnown())
        dim.in = dim.in * dim.stride; // with zeros after the last element: the dim may be empty
      else
        dim.in = dim.in.is(0) ? Dim(0) : (dim.in - 1) * dim.stride + 1;
      spreadExtents.push_back(buildSize(builder, loc, dim.in, lowered));
      dim.low = dim.extent() - 1 - dim.low;
      dim.high = dim.out - 1 + dim.extent() - dim.in - dim.low;
      dim.stride = 1;
    }
    if (!spreads)
      return data;
    Value zeros = filledTensor(builder, loc, spreadExtents, zeroOf(builder, loc, data));
    return tensor::InsertSliceOp::create(builder, loc, data, zeros, offsets, extents, strides);
  }
};

//===-- Quantized convolutions ------------------------------------------------------------------------------------===//

/// (x - x_zero_point) * (w - w_zero_point) in 32 bits. Zero points are tensors of one element or one per output
/// channel, or null.
struct QuantizedKernel {
  OpBuilder &builder;
  Location loc;
  const Convolution &conv;
  KernelSpec spec;
  ConvolutionMaps maps;

  QuantizedKernel(OpBuilder &builder, Location loc, const Convolution &conv, Type dataType, Type weightType,
                  Value dataZero, Value weightZero)
      : builder(builder), loc(loc), conv(conv), maps(builder.getContext(), conv) {
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
                           type(op.getW()).getElementType(), zeroPoint, adaptor.getWZeroPoint());
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
                           zeroPoint, adaptor.getWZeroPoint());
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
