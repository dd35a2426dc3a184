//===- PoolingToLinalg.cpp - pooling as kernels -------------------------------------------------------------------===//
//
// A window operator is an aot.kernel "pool" over (n, c, spatial..., kernel...) that reads data padded with the
// neutral element of its reduction:
//   max   identity -inf (integers: the lowest), no epilogue
//   mean  identity 0; the epilogue divides by the number of elements, or multiplies by a tensor over the spatial dims
//         that holds its inverse where that number is not the same everywhere (a constant where extents are)
//   norm  the sum of |x|^p, then the root
// A global operator is the same over (n, c, s), s running over the whole plane. The indices of MaxPool are found by a
// linalg.generic that carries (maximum, index); MaxUnpool stores one element after the other.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/pooling/Pooling.h"
#include "dialects/onnx/support/Checks.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/support/Generate.h"
#include "dialects/onnx/support/Lowering.h"
#include "dialects/onnx/support/Window.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::onnx;

using Sizes = SmallVector<OpFoldResult>;

//===-- What is reduced -------------------------------------------------------------------------------------------===//

namespace {
/// One reduction: `kind` of the accumulator's steps and of what follows.
struct Reduction {
  enum Kind { Max, Mean, Norm } kind;
  int64_t p = 2; // Norm
};
} // namespace

/// The lowest value of an ONNX type, as it is stored or computed (`type` tells which).
static TypedAttr lowest(Builder &builder, Type type, bool isUnsignedType) {
  if (auto real = dyn_cast<FloatType>(type))
    return builder.getFloatAttr(real, APFloat::getInf(real.getFloatSemantics(), /*Negative=*/true));
  unsigned width = type.getIntOrFloatBitWidth();
  return builder.getIntegerAttr(type, isUnsignedType ? APInt::getMinValue(width) : APInt::getSignedMinValue(width));
}

static Value maximum(ImplicitLocOpBuilder &b, Value left, Value right, bool isUnsignedType) {
  if (isa<FloatType>(left.getType()))
    return arith::MaximumFOp::create(b, left, right);
  return isUnsignedType ? Value(arith::MaxUIOp::create(b, left, right)) : Value(arith::MaxSIOp::create(b, left, right));
}

/// accumulator + |x|^p.
static Value addPower(ImplicitLocOpBuilder &b, Value x, Value accumulator, int64_t p, Type element) {
  if (p == 2)
    return math::FmaOp::create(b, x, x, accumulator);
  Value power = math::AbsFOp::create(b, x);
  if (p != 1)
    power = math::PowFOp::create(b, power, scalarConstant(b, b.getLoc(), element, p));
  return arith::AddFOp::create(b, accumulator, power);
}

static Value root(ImplicitLocOpBuilder &b, Value sum, int64_t p, Type element) {
  if (p == 1)
    return sum;
  if (p == 2)
    return math::SqrtOp::create(b, sum);
  return math::PowFOp::create(b, sum, scalarConstant(b, b.getLoc(), element, 1.0 / double(p)));
}

/// Fills in identity, compute and epilogue. `count` divides a mean; where it is absent the mean is multiplied by the
/// last input.
static void setReduction(KernelSpec &spec, OpBuilder &builder, Location loc, Reduction reduction, Type element,
                         std::optional<OpFoldResult> count) {
  bool isUnsignedType = isUnsigned(element);
  Type compute = computeType(element);
  spec.identity = reduction.kind == Reduction::Max ? lowest(builder, compute, isUnsignedType)
                                                   : cast<TypedAttr>(builder.getZeroAttr(compute));
  // A count that only the run knows is converted once.
  std::optional<int64_t> knownCount = count ? constantSize(*count) : std::nullopt;
  Value divisor;
  if (reduction.kind == Reduction::Mean && count && !knownCount)
    divisor = castScalar(builder, loc,
                         arith::IndexCastOp::create(builder, loc, builder.getI64Type(), asIndex(builder, loc, *count)),
                         builder.getI64Type(), compute);
  spec.compute = [=](ImplicitLocOpBuilder &b, ValueRange inputs, Value accumulator) -> Value {
    Value x = toCompute(b, b.getLoc(), inputs[0], element);
    if (reduction.kind == Reduction::Max)
      return maximum(b, accumulator, x, isUnsignedType);
    if (reduction.kind == Reduction::Norm)
      return addPower(b, x, accumulator, reduction.p, element);
    return arith::AddFOp::create(b, accumulator, x);
  };
  spec.epilogue = [=](ImplicitLocOpBuilder &b, ValueRange inputs, Value accumulator) -> Value {
    if (reduction.kind == Reduction::Norm)
      accumulator = root(b, accumulator, reduction.p, element);
    else if (reduction.kind == Reduction::Mean && !count)
      accumulator = arith::MulFOp::create(b, accumulator, inputs.back());
    else if (reduction.kind == Reduction::Mean && divisor)
      accumulator = arith::DivFOp::create(b, accumulator, divisor);
    else if (reduction.kind == Reduction::Mean && *knownCount > 1)
      accumulator = arith::DivFOp::create(b, accumulator, scalarConstant(b, b.getLoc(), element, *knownCount));
    return toStorage(b, b.getLoc(), accumulator, element);
  };
}

//===-- Windows ---------------------------------------------------------------------------------------------------===//

/// How many elements of [-low, in + high) (or of [0, in) unless `padding` counts) each window along `dim` covers.
static SmallVector<int64_t> countElements(const WindowDim &dim, bool padding) {
  int64_t low = dim.low.get(), first = padding ? -low : 0, last = dim.in.get() + (padding ? dim.high.get() : 0);
  SmallVector<int64_t> counts;
  for (int64_t window = 0; window < dim.out.get(); ++window) {
    int64_t count = 0;
    for (int64_t tap = 0; tap < dim.kernel.get(); ++tap) {
      int64_t at = window * dim.stride - low + tap * dim.dilation;
      count += at >= first && at < last;
    }
    counts.push_back(count);
  }
  return counts;
}

/// The constant tensor over the spatial dims that holds 1 / (elements in the window).
static Value inverseCounts(OpBuilder &builder, Location loc, ArrayRef<SmallVector<int64_t>> counts, Type compute) {
  SmallVector<int64_t> shape;
  SmallVector<double> products = {1.0};
  for (const SmallVector<int64_t> &dim : counts) {
    shape.push_back(dim.size());
    SmallVector<double> next;
    for (double product : products)
      for (int64_t count : dim)
        next.push_back(product * count);
    products = std::move(next);
  }
  auto type = RankedTensorType::get(shape, compute);
  SmallVector<char> bytes;
  for (double product : products) {
    double inverse = product == 0 ? 0.0 : 1.0 / product;
    float narrow = inverse;
    const char *data =
        compute.isF64() ? reinterpret_cast<const char *>(&inverse) : reinterpret_cast<const char *>(&narrow);
    bytes.append(data, data + (compute.isF64() ? sizeof(double) : sizeof(float)));
  }
  return arith::ConstantOp::create(builder, loc, type, cast<TypedAttr>(makeConstant(type, bytes, "inverse_counts")));
}

/// The same where extents are only known at run time.
static Value inverseCountsByData(OpBuilder &builder, Location loc, const Window &window, bool padding, Type compute,
                                 ValueMapping lowered) {
  auto value = [&](Dim dim) { return asIndex(builder, loc, buildSize(builder, loc, dim, lowered)); };
  Sizes sizes;
  SmallVector<Value> lows, firsts, lasts;
  for (const WindowDim &dim : window) {
    sizes.push_back(buildSize(builder, loc, dim.out, lowered));
    lows.push_back(value(dim.low));
    firsts.push_back(value(padding ? dim.low * -1 : Dim(0)));
    lasts.push_back(value(padding ? dim.in + dim.high : dim.in));
  }
  return buildGenerated(builder, loc, sizes, compute, [&](ImplicitLocOpBuilder &b, ValueRange at) {
    Arithmetic a{b, compute};
    Value zero = indexConstant(b, 0), count = indexConstant(b, 1);
    for (auto [index, dim] : llvm::enumerate(window)) {
      // The taps from the first that is not before `first` to the last that is before `last`.
      Value start = a.sub(a.mul(at[index], indexConstant(b, dim.stride)), lows[index]);
      Value dilation = indexConstant(b, dim.dilation), kernel = indexConstant(b, dim.kernel.get());
      auto tapsBefore = [&](Value bound) {
        Value taps = arith::CeilDivSIOp::create(b, a.sub(bound, start), dilation);
        return a.clamp(taps, zero, kernel);
      };
      count = a.mul(count, a.sub(tapsBefore(lasts[index]), tapsBefore(firsts[index])));
    }
    Value isEmpty = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, count, zero);
    return a.select(isEmpty, a.number(0), a.div(a.number(1), a.toReal(count)));
  });
}

/// How many elements every window along `dim` covers; nullopt where that differs, or only the run tells.
static std::optional<int64_t> uniformCount(const WindowDim &dim, bool padding) {
  if (dim.in.isKnown()) {
    SmallVector<int64_t> counts = countElements(dim, padding);
    return llvm::all_equal(counts) && !counts.empty() ? std::optional(counts.front()) : std::nullopt;
  }
  // All of every window lies in the data, or in its padding.
  bool isWhole = !dim.ceilMode && (padding || (dim.low.is(0) && dim.high.is(0)));
  return isWhole ? std::optional(dim.kernel.get()) : std::nullopt;
}

/// The maps (n, c, spatial..., kernel...) -> data and -> result. Kernel dims of extent 1 are left out.
static std::pair<AffineMap, AffineMap> windowMaps(MLIRContext *context, const Window &window, unsigned &loops) {
  unsigned parallel = 2 + window.size();
  loops = parallel;
  SmallVector<AffineExpr> data, result;
  for (unsigned dim = 0; dim < parallel; ++dim)
    result.push_back(getAffineDimExpr(dim, context));
  data.assign(result.begin(), result.begin() + 2);
  for (auto [index, dim] : llvm::enumerate(window)) {
    AffineExpr expr = result[2 + index] * dim.stride;
    if (!dim.kernel.is(1))
      expr = expr + getAffineDimExpr(loops++, context) * dim.dilation;
    data.push_back(expr);
  }
  return {AffineMap::get(loops, 0, data, context), AffineMap::get(loops, 0, result, context)};
}

/// A tensor whose extents are those of the kernel dims: it tells the extents of dims that no other operand shows; its
/// content is not read. Null where there are no such dims.
static Value windowShape(OpBuilder &builder, Location loc, const Window &window, unsigned loops, AffineMap &map) {
  SmallVector<int64_t> shape;
  SmallVector<AffineExpr> exprs;
  for (const WindowDim &dim : window)
    if (!dim.kernel.is(1)) {
      exprs.push_back(builder.getAffineDimExpr(2 + window.size() + shape.size()));
      shape.push_back(dim.kernel.get());
    }
  if (shape.empty())
    return Value();
  map = AffineMap::get(loops, 0, exprs, builder.getContext());
  return emptyTensor(builder, loc, RankedTensorType::get(shape, builder.getI8Type()));
}

/// The window of `op` over data of shape `x`, which the run checks as far as it is not known.
template <typename OpTy>
static FailureOr<Window> lowerWindow(OpTy op, ArrayRef<Dim> x, OpBuilder &builder, ValueMapping lowered) {
  WindowAttributes attributes = windowAttributes(op);
  attributes.ceilMode = op.getCeilMode() != 0;
  FailureOr<Window> window = resolveWindow(op, attributes, x.drop_front(2), {});
  if (succeeded(window))
    requireFit(builder, op.getLoc(), *window, lowered);
  return window;
}

/// The extents of the result of `window` over `data`.
static Sizes resultSizes(OpBuilder &builder, Location loc, Value data, const Window &window, ValueMapping lowered) {
  Sizes sizes = {sizeOf(builder, loc, data, 0), sizeOf(builder, loc, data, 1)};
  for (Dim dim : outputDims(window))
    sizes.push_back(buildSize(builder, loc, dim, lowered));
  return sizes;
}

template <typename OpTy>
static Value buildWindowKernel(OpTy op, Value data, ArrayRef<Dim> xShape, Reduction reduction, bool countPadding,
                               OpBuilder &builder, ValueMapping lowered) {
  Location loc = op.getLoc();
  auto x = cast<RankedTensorType>(op.getX().getType()), y = cast<RankedTensorType>(op.getY().getType());
  Type element = x.getElementType(), stored = storageType(element);
  FailureOr<Window> window = lowerWindow(op, xShape, builder, lowered);
  if (failed(window))
    return Value();

  TypedAttr neutral = reduction.kind == Reduction::Max ? lowest(builder, stored, isUnsigned(element))
                                                       : cast<TypedAttr>(builder.getZeroAttr(stored));
  KernelSpec spec;
  spec.kind = "pool";
  unsigned loops;
  auto [dataMap, resultMap] = windowMaps(builder.getContext(), *window, loops);
  AffineMap shapeMap;
  Value shape = windowShape(builder, loc, *window, loops, shapeMap);
  Value border = arith::ConstantOp::create(builder, loc, neutral);
  spec.inputs = {padWindows(builder, loc, data, *window, border, lowered)};
  spec.maps = {dataMap};
  if (shape) {
    spec.inputs.push_back(shape);
    spec.maps.push_back(shapeMap);
  }
  spec.isReduction.assign(loops, true);
  std::fill_n(spec.isReduction.begin(), x.getRank(), false);

  std::optional<OpFoldResult> count = builder.getIndexAttr(1);
  if (reduction.kind == Reduction::Mean) {
    std::optional<int64_t> elements = 1;
    for (const WindowDim &dim : *window) {
      std::optional<int64_t> uniform = uniformCount(dim, countPadding);
      elements = elements && uniform ? std::optional(*elements * *uniform) : std::nullopt;
    }
    // Windows that lie in the padding altogether have a mean of 0.
    if (elements.value_or(0) == 0) {
      count = std::nullopt;
      bool isConstant = llvm::all_of(*window, [](const WindowDim &dim) { return dim.in.isKnown(); });
      SmallVector<SmallVector<int64_t>> counts;
      if (isConstant)
        for (const WindowDim &dim : *window)
          counts.push_back(countElements(dim, countPadding));
      Type compute = computeType(element);
      spec.inputs.push_back(isConstant ? inverseCounts(builder, loc, counts, compute)
                                       : inverseCountsByData(builder, loc, *window, countPadding, compute, lowered));
      spec.maps.push_back(resultMap.getSliceMap(2, window->size()));
    } else {
      count = builder.getIndexAttr(*elements);
    }
  }
  spec.maps.push_back(resultMap);
  spec.resultType = RankedTensorType::get(y.getShape(), stored);
  spec.resultSizes = resultSizes(builder, loc, data, *window, lowered);
  setReduction(spec, builder, loc, reduction, element, count);
  return fitTensor(builder, loc, buildKernel(builder, loc, spec), spec.resultType);
}

//===-- Patterns --------------------------------------------------------------------------------------------------===//

/// (maximum, flat index in X) by one loop nest over (n, c, spatial..., kernel...).
static SmallVector<Value> buildArgMax(MaxPoolOp op, Value data, ArrayRef<Dim> xShape, OpBuilder &builder,
                                      ValueMapping lowered) {
  Location loc = op.getLoc();
  auto x = cast<RankedTensorType>(op.getX().getType()), y = cast<RankedTensorType>(op.getY().getType());
  Type element = x.getElementType(), stored = storageType(element), i64 = builder.getI64Type();
  FailureOr<Window> window = lowerWindow(op, xShape, builder, lowered);
  if (failed(window))
    return {};
  TypedAttr low = lowest(builder, stored, isUnsigned(element));
  Value border = arith::ConstantOp::create(builder, loc, low);
  Value padded = padWindows(builder, loc, data, *window, border, lowered);
  Sizes sizes = resultSizes(builder, loc, data, *window, lowered), extents = sizesOf(builder, loc, data);
  unsigned loops;
  auto maps = windowMaps(builder.getContext(), *window, loops);
  AffineMap dataMap = maps.first, resultMap = maps.second, shapeMap;
  Value shape = windowShape(builder, loc, *window, loops, shapeMap);
  auto filled = [&](TypedAttr value) {
    return filledTensor(builder, loc, sizes, arith::ConstantOp::create(builder, loc, value));
  };
  SmallVector<Value> inits = {filled(low), filled(builder.getIntegerAttr(i64, -1))};
  SmallVector<utils::IteratorType> iterators(loops, utils::IteratorType::reduction);
  std::fill_n(iterators.begin(), x.getRank(), utils::IteratorType::parallel);

  // The stride of each dim in the flat index: by rows, or with the spatial dims reversed.
  Sizes strides(x.getRank());
  OpFoldResult plane = builder.getIndexAttr(1);
  for (int64_t dim = 2; dim < x.getRank(); ++dim) {
    int64_t spatial = op.getStorageOrder() ? dim : x.getRank() + 1 - dim;
    strides[spatial] = plane;
    plane = multiplySizes(builder, loc, plane, extents[spatial]);
  }
  strides[1] = plane;
  strides[0] = multiplySizes(builder, loc, plane, extents[1]);
  SmallVector<Value> lows(2);
  for (const WindowDim &dim : *window)
    lows.push_back(asIndex(builder, loc, buildSize(builder, loc, dim.low, lowered)));

  SmallVector<Value> inputs = {padded};
  SmallVector<AffineMap> operandMaps = {dataMap};
  if (shape) {
    inputs.push_back(shape);
    operandMaps.push_back(shapeMap);
  }
  operandMaps.append({resultMap, resultMap});
  auto generic = linalg::GenericOp::create(
      builder, loc, ValueRange(inits).getTypes(), inputs, inits, operandMaps, iterators,
      [&](OpBuilder &nested, Location bodyLoc, ValueRange elements) {
        ImplicitLocOpBuilder b(bodyLoc, nested);
        auto constant = [&](int64_t value) -> Value { return arith::ConstantIndexOp::create(b, value); };
        // Where everything is the lowest value, the first element inside counts.
        Value index = constant(0);
        Value isFirst = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, elements.back(),
                                              arith::ConstantIntOp::create(b, loc, 0, 64));
        SmallVector<Value> iteration;
        for (unsigned loop = 0; loop < loops; ++loop)
          iteration.push_back(linalg::IndexOp::create(b, loop));
        for (unsigned dim = 0; dim < x.getRank(); ++dim) {
          Value at = affine::AffineApplyOp::create(b, dataMap.getSubMap(dim), iteration);
          if (dim >= 2) {
            at = arith::SubIOp::create(b, at, lows[dim]);
            // Unsigned, so that negative positions are outside too.
            isFirst = arith::AndIOp::create(
                b, isFirst, arith::CmpIOp::create(b, arith::CmpIPredicate::ult, at, asIndex(b, loc, extents[dim])));
          }
          index = arith::AddIOp::create(b, index, arith::MulIOp::create(b, at, asIndex(b, loc, strides[dim])));
        }
        Value bestStored = elements.drop_back().back();
        Value candidate = toCompute(b, bodyLoc, elements[0], element),
              best = toCompute(b, bodyLoc, bestStored, element);
        Value isBetter;
        if (isa<FloatType>(candidate.getType())) {
          // NaN wins and stays.
          Value greater = arith::CmpFOp::create(b, arith::CmpFPredicate::UGT, candidate, best);
          Value ordered = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, best, best);
          isBetter = arith::AndIOp::create(b, greater, ordered);
        } else {
          auto predicate = isUnsigned(element) ? arith::CmpIPredicate::ugt : arith::CmpIPredicate::sgt;
          isBetter = arith::CmpIOp::create(b, predicate, candidate, best);
        }
        isBetter = arith::OrIOp::create(b, isBetter, isFirst);
        Value position = arith::IndexCastOp::create(b, i64, index);
        Value maximum = arith::SelectOp::create(b, isBetter, elements[0], bestStored);
        linalg::YieldOp::create(b,
                                ValueRange{maximum, arith::SelectOp::create(b, isBetter, position, elements.back())});
      });
  SmallVector<Value> results(generic.getResults());
  results[0] = fitTensor(builder, loc, results[0], RankedTensorType::get(y.getShape(), stored));
  results[1] = fitTensor(builder, loc, results[1], op.getIndices().getType());
  return results;
}

namespace {
struct LowerMaxPool : OnnxLowering<MaxPoolOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(MaxPoolOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    if (op.getIndices()) {
      SmallVector<Value> values = buildArgMax(op, adaptor.getX(), shape(op.getX()), rewriter, lowered(rewriter));
      if (values.empty())
        return failure();
      rewriter.replaceOp(op, values);
      return success();
    }
    Value result =
        buildWindowKernel(op, adaptor.getX(), shape(op.getX()), {Reduction::Max}, false, rewriter, lowered(rewriter));
    if (!result)
      return failure();
    rewriter.replaceOp(op, result);
    return success();
  }
};

struct LowerAveragePool : OnnxLowering<AveragePoolOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(AveragePoolOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Value result = buildWindowKernel(op, adaptor.getX(), shape(op.getX()), {Reduction::Mean},
                                     op.getCountIncludePad() != 0, rewriter, lowered(rewriter));
    if (!result)
      return failure();
    rewriter.replaceOp(op, result);
    return success();
  }
};

struct LowerLpPool : OnnxLowering<LpPoolOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(LpPoolOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Value result = buildWindowKernel(op, adaptor.getX(), shape(op.getX()), {Reduction::Norm, int64_t(op.getP())}, false,
                                     rewriter, lowered(rewriter));
    if (!result)
      return failure();
    rewriter.replaceOp(op, result);
    return success();
  }
};

/// The three global operators: one kernel over (n, c, s).
template <typename OpTy> struct LowerGlobalPool : OnnxLowering<OpTy> {
  using OnnxLowering<OpTy>::OnnxLowering;
  LogicalResult matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    MLIRContext *context = op.getContext();
    RankedTensorType x = this->type(op.getX());
    Location loc = op.getLoc();
    Sizes extents = sizesOf(rewriter, loc, adaptor.getX()), sizes(x.getRank(), rewriter.getIndexAttr(1));
    OpFoldResult plane = productOf(rewriter, loc, ArrayRef(extents).drop_front(2)), one = rewriter.getIndexAttr(1);
    AffineExpr n = getAffineDimExpr(0, context), c = getAffineDimExpr(1, context);
    SmallVector<AffineExpr> result(x.getRank(), getAffineConstantExpr(0, context));
    result[0] = n;
    result[1] = c;
    KernelSpec spec;
    spec.kind = "pool";
    spec.inputs = {buildReshape(rewriter, loc, adaptor.getX(), Sizes{extents[0], extents[1], plane})};
    spec.maps = {AffineMap::getMultiDimIdentityMap(3, context), AffineMap::get(3, 0, result, context)};
    spec.isReduction = {false, false, true};
    spec.resultType = this->stored(op.getY());
    Reduction reduction{Reduction::Mean};
    if constexpr (std::is_same_v<OpTy, GlobalMaxPoolOp>)
      reduction.kind = Reduction::Max;
    if constexpr (std::is_same_v<OpTy, GlobalLpPoolOp>)
      reduction = {Reduction::Norm, int64_t(op.getP())};
    std::copy_n(extents.begin(), 2, sizes.begin());
    spec.resultSizes = sizes;
    // Of an empty plane the mean is 0.
    OpFoldResult count = maxSize(rewriter, loc, plane, one);
    setReduction(spec, rewriter, loc, reduction, x.getElementType(), count);
    rewriter.replaceOp(op, fitTensor(rewriter, loc, buildKernel(rewriter, loc, spec), spec.resultType));
    return success();
  }
};

/// Zeros, then one element after the other at its index. Indices count in the shape that kernel_shape, strides and pads
/// give; where output_shape is larger, the rest stays zero.
struct LowerMaxUnpool : OnnxLowering<MaxUnpoolOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(MaxUnpoolOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    RankedTensorType y = stored(op.getOutput());
    WindowAttributes attributes;
    attributes.kernelShape = op.getKernelShape();
    attributes.strides = op.getStrides();
    attributes.pads = op.getPads();
    Shape shape = this->shape(op.getX());
    FailureOr<Window> window =
        resolveTransposedWindow(op, attributes, std::nullopt, std::nullopt, ArrayRef(shape).drop_front(2), {});
    if (failed(window))
      return failure();
    Sizes extents = sizesOf(rewriter, loc, adaptor.getX()), own(extents.begin(), extents.begin() + 2);
    for (const WindowDim &dim : *window)
      own.push_back(buildSize(rewriter, loc, dim.out, lowered(rewriter)));
    for (auto [dim, pair] : llvm::enumerate(llvm::zip(shape, this->shape(op.getI()))))
      if (auto [left, right] = pair; !left.equals(right))
        requireEqual(rewriter, loc, extents[dim], sizeOf(rewriter, loc, adaptor.getI(), dim),
                     aot::Code::shape_mismatch);
    OpFoldResult count = productOf(rewriter, loc, extents), total = productOf(rewriter, loc, own);
    OpFoldResult zeroSize = rewriter.getIndexAttr(0), one = rewriter.getIndexAttr(1);

    Value data = buildReshape(rewriter, loc, adaptor.getX(), count);
    Value indices = buildReshape(rewriter, loc, adaptor.getI(), count);
    Value zero = arith::ConstantOp::create(rewriter, loc, cast<TypedAttr>(rewriter.getZeroAttr(y.getElementType())));
    Value zeros = filledTensor(rewriter, loc, total, zero);
    auto index = [&](OpFoldResult size) { return asIndex(rewriter, loc, size); };
    // An index from outside cannot be trusted: it is brought into the result.
    Value last = index(maxSize(rewriter, loc, subtractSizes(rewriter, loc, total, one), zeroSize));
    Value end = index(constantSize(total) == 0 ? zeroSize : count);
    if (!constantSize(total)) {
      Value isEmpty = arith::CmpIOp::create(rewriter, loc, arith::CmpIPredicate::eq, index(total), index(zeroSize));
      end = arith::SelectOp::create(rewriter, loc, isEmpty, index(zeroSize), end);
    }
    auto loop = scf::ForOp::create(
        rewriter, loc, index(zeroSize), end, index(one), zeros,
        [&](OpBuilder &nested, Location bodyLoc, Value element, ValueRange carried) {
          ImplicitLocOpBuilder b(bodyLoc, nested);
          Value index = tensor::ExtractOp::create(b, indices, element);
          Value at = arith::MinUIOp::create(b, arith::IndexCastOp::create(b, b.getIndexType(), index), last);
          Value value = tensor::ExtractOp::create(b, data, element);
          scf::YieldOp::create(b, tensor::InsertOp::create(b, value, carried[0], at).getResult());
        });
    Value result = buildReshape(rewriter, loc, loop.getResult(0), own);
    if (op.getOutputShape()) {
      FailureOr<Sizes> given = givenSizes(op, adaptor, rewriter);
      if (failed(given))
        return failure();
      Sizes low(own.size(), zeroSize), high;
      for (auto [size, ownSize] : llvm::zip(*given, own))
        high.push_back(subtractSizes(rewriter, loc, size, ownSize));
      result = buildPad(rewriter, loc, result, low, high, zero);
    }
    rewriter.replaceOp(op, fitTensor(rewriter, loc, result, y));
    return success();
  }

  /// What output_shape says, be it known or data.
  FailureOr<Sizes> givenSizes(MaxUnpoolOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const {
    if (isKnownBefore(op, op.getOutput()))
      return sizes(rewriter, op, op.getOutput());
    Location loc = op.getLoc();
    int64_t rank = type(op.getOutput()).getRank();
    requireEqual(rewriter, loc, sizeOf(rewriter, loc, adaptor.getOutputShape(), 0), rewriter.getIndexAttr(rank),
                 aot::Code::shape_mismatch);
    Sizes given;
    for (int64_t dim = 0; dim < rank; ++dim)
      given.push_back(getAsOpFoldResult(listEntry(rewriter, loc, adaptor.getOutputShape(), dim)));
    return given;
  }
};
} // namespace

namespace onnx_aot::onnx {
void populatePoolingChecks(TypeConverter &converter, RewritePatternSet &patterns);

void populatePoolingToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  populatePoolingChecks(converter, patterns);
  patterns.add<LowerMaxPool, LowerAveragePool, LowerLpPool, LowerGlobalPool<GlobalAveragePoolOp>,
               LowerGlobalPool<GlobalMaxPoolOp>, LowerGlobalPool<GlobalLpPoolOp>, LowerMaxUnpool>(
      converter, patterns.getContext());
}
} // namespace onnx_aot::onnx
