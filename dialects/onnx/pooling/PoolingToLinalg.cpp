//===- PoolingToLinalg.cpp - pooling as kernels -------------------------------------------------------------------===//
//
// A window operator is an aot.kernel "pool" over (n, c, spatial..., kernel...) that reads data padded with the
// neutral element of its reduction:
//   max   identity -inf (integers: the lowest), no epilogue
//   mean  identity 0; the epilogue divides by the number of elements, or multiplies by a constant tensor over the
//         spatial dims that holds its inverse where that number is not the same everywhere
//   norm  the sum of |x|^p, then the root
// A global operator is the same over (n, c, s), s running over the whole plane. The indices of MaxPool are found by a
// linalg.generic that carries (maximum, index); MaxUnpool stores one element after the other.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/pooling/Pooling.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/support/Lowering.h"
#include "dialects/onnx/support/Window.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace onnx_aot::onnx;

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

/// Fills in identity, compute and epilogue. `count` divides a mean; where it is 0 the mean is multiplied by the last
/// input.
static void setReduction(KernelSpec &spec, Builder &builder, Reduction reduction, Type element, int64_t count) {
  bool isUnsignedType = isUnsigned(element);
  Type compute = computeType(element);
  spec.identity = reduction.kind == Reduction::Max ? lowest(builder, compute, isUnsignedType)
                                                   : cast<TypedAttr>(builder.getZeroAttr(compute));
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
    else if (reduction.kind == Reduction::Mean && count == 0)
      accumulator = arith::MulFOp::create(b, accumulator, inputs.back());
    else if (reduction.kind == Reduction::Mean && count > 1)
      accumulator = arith::DivFOp::create(b, accumulator, scalarConstant(b, b.getLoc(), element, count));
    return toStorage(b, b.getLoc(), accumulator, element);
  };
}

//===-- Windows ---------------------------------------------------------------------------------------------------===//

/// How many elements of [-low, in + high) (or of [0, in) unless `padding` counts) each window along `dim` covers.
static SmallVector<int64_t> countElements(const WindowDim &dim, bool padding) {
  int64_t first = padding ? -dim.low : 0, last = dim.in.get() + (padding ? dim.high : 0);
  SmallVector<int64_t> counts;
  for (int64_t window = 0; window < dim.out.get(); ++window) {
    int64_t count = 0;
    for (int64_t tap = 0; tap < dim.kernel; ++tap) {
      int64_t at = window * dim.stride - dim.low + tap * dim.dilation;
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

/// Pads `data` with `value` so that every window lies inside.
static Value padWindows(OpBuilder &builder, Location loc, Value data, const Window &window, TypedAttr value) {
  SmallVector<int64_t> low(2, 0), high(2, 0);
  for (const WindowDim &dim : window) {
    low.push_back(dim.low);
    high.push_back(dim.neededHigh());
  }
  return buildPad(builder, loc, data, low, high, arith::ConstantOp::create(builder, loc, value));
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
    if (dim.kernel > 1)
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
    if (dim.kernel > 1) {
      exprs.push_back(builder.getAffineDimExpr(2 + window.size() + shape.size()));
      shape.push_back(dim.kernel);
    }
  if (shape.empty())
    return Value();
  map = AffineMap::get(loops, 0, exprs, builder.getContext());
  return emptyTensor(builder, loc, RankedTensorType::get(shape, builder.getI8Type()));
}

template <typename OpTy>
static Value buildWindowKernel(OpTy op, Value data, Reduction reduction, bool countPadding, OpBuilder &builder) {
  Location loc = op.getLoc();
  auto x = cast<RankedTensorType>(op.getX().getType()), y = cast<RankedTensorType>(op.getY().getType());
  Type element = x.getElementType(), stored = storageType(element);
  WindowAttributes attributes = windowAttributes(op);
  attributes.ceilMode = op.getCeilMode() != 0;
  Shape spatial(x.getShape().begin() + 2, x.getShape().end());
  FailureOr<Window> window = resolveWindow(op, attributes, spatial, {});
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
  spec.inputs = {padWindows(builder, loc, data, *window, neutral)};
  spec.maps = {dataMap};
  if (shape) {
    spec.inputs.push_back(shape);
    spec.maps.push_back(shapeMap);
  }
  spec.isReduction.assign(loops, true);
  std::fill_n(spec.isReduction.begin(), x.getRank(), false);

  int64_t count = 1;
  if (reduction.kind == Reduction::Mean) {
    SmallVector<SmallVector<int64_t>> counts;
    for (const WindowDim &dim : *window) {
      counts.push_back(countElements(dim, countPadding));
      bool uniform = llvm::all_equal(counts.back()) && !counts.back().empty();
      count = uniform ? count * counts.back().front() : 0;
    }
    if (count == 0) {
      spec.inputs.push_back(inverseCounts(builder, loc, counts, computeType(element)));
      spec.maps.push_back(resultMap.getSliceMap(2, window->size()));
    }
  }
  spec.maps.push_back(resultMap);
  spec.resultType = RankedTensorType::get(y.getShape(), stored);
  setReduction(spec, builder, reduction, element, count);
  return buildKernel(builder, loc, spec);
}

//===-- Patterns --------------------------------------------------------------------------------------------------===//

/// (maximum, flat index in X) by one loop nest over (n, c, spatial..., kernel...).
static SmallVector<Value> buildArgMax(MaxPoolOp op, Value data, OpBuilder &builder) {
  Location loc = op.getLoc();
  auto x = cast<RankedTensorType>(op.getX().getType()), y = cast<RankedTensorType>(op.getY().getType());
  Type element = x.getElementType(), stored = storageType(element), i64 = builder.getI64Type();
  WindowAttributes attributes = windowAttributes(op);
  attributes.ceilMode = op.getCeilMode() != 0;
  FailureOr<Window> window = resolveWindow(op, attributes, Shape(x.getShape().begin() + 2, x.getShape().end()), {});
  if (failed(window))
    return {};
  TypedAttr low = lowest(builder, stored, isUnsigned(element));
  Value padded = padWindows(builder, loc, data, *window, low);
  unsigned loops;
  auto maps = windowMaps(builder.getContext(), *window, loops);
  AffineMap dataMap = maps.first, resultMap = maps.second, shapeMap;
  Value shape = windowShape(builder, loc, *window, loops, shapeMap);
  auto filled = [&](TypedAttr value) {
    Value empty = emptyTensor(builder, loc, RankedTensorType::get(y.getShape(), value.getType()));
    return linalg::FillOp::create(builder, loc, arith::ConstantOp::create(builder, loc, value).getResult(), empty)
        .getResult(0);
  };
  SmallVector<Value> inits = {filled(low), filled(builder.getIntegerAttr(i64, -1))};
  SmallVector<utils::IteratorType> iterators(loops, utils::IteratorType::reduction);
  std::fill_n(iterators.begin(), x.getRank(), utils::IteratorType::parallel);

  // The stride of each dim in the flat index: by rows, or with the spatial dims reversed.
  SmallVector<int64_t> strides(x.getRank());
  int64_t plane = 1;
  for (int64_t dim = 2; dim < x.getRank(); ++dim) {
    int64_t spatial = op.getStorageOrder() ? dim : x.getRank() + 1 - dim;
    strides[spatial] = plane;
    plane *= x.getDimSize(spatial);
  }
  strides[1] = plane;
  strides[0] = plane * x.getDimSize(1);

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
            at = arith::SubIOp::create(b, at, constant((*window)[dim - 2].low));
            // Unsigned, so that negative positions are outside too.
            isFirst = arith::AndIOp::create(
                b, isFirst, arith::CmpIOp::create(b, arith::CmpIPredicate::ult, at, constant(x.getDimSize(dim))));
          }
          index = arith::AddIOp::create(b, index, arith::MulIOp::create(b, at, constant(strides[dim])));
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
  return SmallVector<Value>(generic.getResults());
}

namespace {
struct LowerMaxPool : OnnxLowering<MaxPoolOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(MaxPoolOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    if (op.getIndices()) {
      SmallVector<Value> values = buildArgMax(op, adaptor.getX(), rewriter);
      if (values.empty())
        return failure();
      rewriter.replaceOp(op, values);
      return success();
    }
    Value result = buildWindowKernel(op, adaptor.getX(), {Reduction::Max}, false, rewriter);
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
    Value result = buildWindowKernel(op, adaptor.getX(), {Reduction::Mean}, op.getCountIncludePad() != 0, rewriter);
    if (!result)
      return failure();
    rewriter.replaceOp(op, result);
    return success();
  }
};

struct LowerLpPool : OnnxLowering<LpPoolOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(LpPoolOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Value result = buildWindowKernel(op, adaptor.getX(), {Reduction::Norm, int64_t(op.getP())}, false, rewriter);
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
    int64_t plane = ShapedType::getNumElements(x.getShape().drop_front(2));
    AffineExpr n = getAffineDimExpr(0, context), c = getAffineDimExpr(1, context);
    SmallVector<AffineExpr> result(x.getRank(), getAffineConstantExpr(0, context));
    result[0] = n;
    result[1] = c;
    KernelSpec spec;
    spec.kind = "pool";
    spec.inputs = {buildReshape(rewriter, op.getLoc(), adaptor.getX(), {x.getDimSize(0), x.getDimSize(1), plane})};
    spec.maps = {AffineMap::getMultiDimIdentityMap(3, context), AffineMap::get(3, 0, result, context)};
    spec.isReduction = {false, false, true};
    spec.resultType = this->stored(op.getY());
    Reduction reduction{Reduction::Mean};
    if constexpr (std::is_same_v<OpTy, GlobalMaxPoolOp>)
      reduction.kind = Reduction::Max;
    if constexpr (std::is_same_v<OpTy, GlobalLpPoolOp>)
      reduction = {Reduction::Norm, int64_t(op.getP())};
    setReduction(spec, rewriter, reduction, x.getElementType(), std::max<int64_t>(plane, 1));
    rewriter.replaceOp(op, buildKernel(rewriter, op.getLoc(), spec));
    return success();
  }
};

/// Zeros, then one element after the other at its index. Indices count in the shape that kernel_shape, strides and pads
/// give; where output_shape is larger, the rest stays zero.
struct LowerMaxUnpool : OnnxLowering<MaxUnpoolOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(MaxUnpoolOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    RankedTensorType x = type(op.getX()), y = stored(op.getOutput());
    WindowAttributes attributes;
    attributes.kernelShape = op.getKernelShape();
    attributes.strides = op.getStrides();
    attributes.pads = op.getPads();
    FailureOr<Window> window = resolveTransposedWindow(op, attributes, std::nullopt, std::nullopt,
                                                       Shape(x.getShape().begin() + 2, x.getShape().end()), {});
    if (failed(window))
      return failure();
    SmallVector<int64_t> shape(x.getShape().take_front(2));
    for (const WindowDim &dim : *window)
      shape.push_back(dim.out.get());
    int64_t count = x.getNumElements(), total = ShapedType::getNumElements(shape);

    Value data = buildReshape(rewriter, loc, adaptor.getX(), {count});
    Value indices = buildReshape(rewriter, loc, adaptor.getI(), {count});
    Value zero = arith::ConstantOp::create(rewriter, loc, cast<TypedAttr>(rewriter.getZeroAttr(y.getElementType())));
    Value empty = emptyTensor(rewriter, loc, RankedTensorType::get({total}, y.getElementType()));
    Value zeros = linalg::FillOp::create(rewriter, loc, zero, empty).getResult(0);
    auto constant = [&](int64_t value) -> Value { return arith::ConstantIndexOp::create(rewriter, loc, value); };
    // An index from outside cannot be trusted: it is brought into the result.
    Value last = constant(std::max<int64_t>(total - 1, 0));
    auto loop = scf::ForOp::create(
        rewriter, loc, constant(0), constant(total == 0 ? 0 : count), constant(1), zeros,
        [&](OpBuilder &nested, Location bodyLoc, Value element, ValueRange carried) {
          ImplicitLocOpBuilder b(bodyLoc, nested);
          Value index = tensor::ExtractOp::create(b, indices, element);
          Value at = arith::MinUIOp::create(b, arith::IndexCastOp::create(b, b.getIndexType(), index), last);
          Value value = tensor::ExtractOp::create(b, data, element);
          scf::YieldOp::create(b, tensor::InsertOp::create(b, value, carried[0], at).getResult());
        });
    Value result = buildReshape(rewriter, loc, loop.getResult(0), shape);
    SmallVector<int64_t> low(shape.size(), 0), high;
    for (auto [given, own] : llvm::zip(y.getShape(), shape))
      high.push_back(given - own);
    rewriter.replaceOp(op, buildPad(rewriter, loc, result, low, high, zero));
    return success();
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
