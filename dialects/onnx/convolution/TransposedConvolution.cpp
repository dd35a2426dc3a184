//===- TransposedConvolution.cpp - ConvTranspose as convolutions --------------------------------------------------===//
//
// A transposed convolution of strides s is s * s convolutions (in two dims), one per phase of the result, each of those
// taps that meet it; their results are inserted with stride s (Shi et al., Real-Time Single Image and Video
// Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural Network, 2016):
//
//   y[r + s * q] = sum over j of x[m - j + q] * w[k + s * j],   k = (r + pad) mod s, m = (r + pad) div s
//
// Where extents or weights are only known at run time it is one convolution over data spread out by the strides (zeros
// between the elements), with the weights reversed in their kernel dims.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/convolution/TransposedConvolution.h"
#include "dialects/onnx/convolution/Convolution.h"
#include "dialects/onnx/convolution/ConvolutionKernel.h"
#include "dialects/onnx/support/Checks.h"
#include "dialects/onnx/support/Constants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::onnx;

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

namespace {
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
} // namespace

void onnx_aot::onnx::populateTransposedConvolutionToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerConvTranspose>(converter, patterns.getContext());
}
