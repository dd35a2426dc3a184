//===- ReductionToLinalg.cpp - reductions as kernels --------------------------------------------------------------===//
//
// A reduction is one aot.kernel "reduce" over the input's dims, with the result's map leaving out the reduced ones;
// what follows the reduction (division, root, logarithm) is its epilogue. f16 and bf16 accumulate in f32; the roots and
// logarithms of integers are computed in f64. Where nothing is reduced, the same bodies make a linalg.generic.
//
// Where the axes are data, each dim of the input stands for two loops, of which one has a single iteration: for a dim
// of n elements (p, r) runs over (1, n) where the axes name it and over (n, 1) elsewhere. The kernel reads the input at
// p + r and writes the result at p.
//
//   LogSumExp: m = max x (0 where it is infinite);  log(sum exp(x - m)) + m
//   ArgMax:    m = max x;  min over i of (x[i] == m ? i : none)
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/reduction/ReductionAxes.h"
#include "dialects/onnx/support/Axes.h"
#include "dialects/onnx/support/Checks.h"
#include "dialects/onnx/support/Generate.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::onnx;

using Sizes = SmallVector<OpFoldResult>;

namespace {
/// One reduction: `inputs` are the tensor to reduce, then tensors of the reduced shape (without the reduced dims), then
/// tensors over one reduced dim.
struct Reduction {
  SmallVector<Value> inputs;
  SmallVector<bool> isReduced;
  SmallVector<Value> flags; // the same where it is data: an i1 per dim; the result then keeps all dims
  TypedAttr identity;
  Type resultElement; // stored
  std::function<Value(ImplicitLocOpBuilder &, ValueRange, Value)> compute, epilogue;
  int64_t reducedVectors = 0; // how many of the inputs, at the end, are over the one reduced dim
};
} // namespace

/// The result over no elements at all: the epilogue of the identity.
static Value buildEmptySet(OpBuilder &builder, Location loc, const Reduction &reduction, RankedTensorType resultType) {
  ArrayRef<Value> inputs = ArrayRef(reduction.inputs).drop_front().drop_back(reduction.reducedVectors);
  SmallVector<AffineMap> maps(inputs.size() + 1, builder.getMultiDimIdentityMap(resultType.getRank()));
  SmallVector<utils::IteratorType> iterators(resultType.getRank(), utils::IteratorType::parallel);
  Type element = getElementTypeOrSelf(reduction.inputs[0].getType());
  return linalg::GenericOp::create(
             builder, loc, resultType, inputs, emptyTensor(builder, loc, resultType), maps, iterators,
             [&](OpBuilder &nested, Location bodyLoc, ValueRange elements) {
               ImplicitLocOpBuilder b(bodyLoc, nested);
               auto zero = cast<TypedAttr>(b.getZeroAttr(element));
               // An epilogue reads the inputs of the reduced shape only.
               SmallVector<Value> x = {arith::ConstantOp::create(b, zero)};
               llvm::append_range(x, elements.drop_back());
               Value value = arith::ConstantOp::create(b, reduction.identity);
               linalg::YieldOp::create(b, reduction.epilogue ? reduction.epilogue(b, x, value) : value);
             })
      .getResult(0);
}

/// Builds `reduction` over axes that are data.
static Value buildReductionByData(OpBuilder &builder, Location loc, const Reduction &reduction) {
  unsigned rank = reduction.flags.size();
  Value one = arith::ConstantIndexOp::create(builder, loc, 1);
  Sizes kept, reduced;
  SmallVector<AffineExpr> keptExprs, reducedExprs, sourceExprs;
  for (auto [dim, size] : llvm::enumerate(sizesOf(builder, loc, reduction.inputs[0]))) {
    Value extent = asIndex(builder, loc, size), flag = reduction.flags[dim];
    kept.push_back(arith::SelectOp::create(builder, loc, flag, one, extent).getResult());
    reduced.push_back(arith::SelectOp::create(builder, loc, flag, extent, one).getResult());
    keptExprs.push_back(builder.getAffineDimExpr(dim));
    reducedExprs.push_back(builder.getAffineDimExpr(rank + dim));
    sourceExprs.push_back(keptExprs.back() + reducedExprs.back());
  }
  auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(2 * rank, 0, exprs, builder.getContext()); };
  KernelSpec spec;
  spec.kind = "reduce";
  spec.inputs = reduction.inputs;
  spec.maps = {map(sourceExprs)};
  spec.maps.append(reduction.inputs.size() - 1, map(keptExprs));
  // A tensor that is not read tells the extents of the loops that reduce.
  spec.inputs.push_back(emptyTensor(builder, loc, reduced, builder.getI8Type()));
  spec.maps.push_back(map(reducedExprs));
  spec.maps.push_back(map(keptExprs));
  spec.isReduction.assign(rank, false);
  spec.isReduction.append(rank, true);
  spec.identity = reduction.identity;
  spec.resultSizes = kept;
  spec.resultType = RankedTensorType::get(staticShape(kept), reduction.resultElement);
  spec.compute = reduction.compute;
  spec.epilogue = reduction.epilogue;
  return buildKernel(builder, loc, spec);
}

/// Builds `reduction`; the result has the dims that are not reduced.
static Value buildReduction(OpBuilder &builder, Location loc, const Reduction &reduction) {
  if (!reduction.flags.empty())
    return buildReductionByData(builder, loc, reduction);
  auto source = cast<RankedTensorType>(reduction.inputs[0].getType());
  int64_t rank = source.getRank();
  Sizes sizes, all = sizesOf(builder, loc, reduction.inputs[0]);
  SmallVector<AffineExpr> kept, reduced;
  for (int64_t dim = 0; dim < rank; ++dim) {
    if (!reduction.isReduced[dim])
      sizes.push_back(all[dim]);
    (reduction.isReduced[dim] ? reduced : kept).push_back(builder.getAffineDimExpr(dim));
  }
  AffineMap keptMap = AffineMap::get(rank, 0, kept, builder.getContext());
  AffineMap reducedMap = AffineMap::get(rank, 0, reduced, builder.getContext());
  int64_t count = reduction.inputs.size();
  SmallVector<AffineMap> maps = {builder.getMultiDimIdentityMap(rank)};
  for (int64_t input = 1; input < count; ++input)
    maps.push_back(input >= count - reduction.reducedVectors ? reducedMap : keptMap);
  maps.push_back(keptMap);
  auto resultType = RankedTensorType::get(staticShape(sizes), reduction.resultElement);
  if (llvm::is_contained(resultType.getShape(), 0))
    return emptyTensor(builder, loc, sizes, reduction.resultElement);
  if (source.hasStaticShape() && source.getNumElements() == 0)
    return buildEmptySet(builder, loc, reduction, resultType);
  if (!reduced.empty()) {
    KernelSpec spec;
    spec.kind = "reduce";
    spec.inputs = reduction.inputs;
    spec.maps = maps;
    spec.isReduction = reduction.isReduced;
    spec.identity = reduction.identity;
    spec.resultType = resultType;
    spec.resultSizes = sizes;
    spec.compute = reduction.compute;
    spec.epilogue = reduction.epilogue;
    return buildKernel(builder, loc, spec);
  }
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  Value empty = emptyTensor(builder, loc, sizes, reduction.resultElement);
  return linalg::GenericOp::create(builder, loc, empty.getType(), reduction.inputs, empty, maps, iterators,
                                   [&](OpBuilder &nested, Location bodyLoc, ValueRange elements) {
                                     ImplicitLocOpBuilder b(bodyLoc, nested);
                                     Value identity = arith::ConstantOp::create(b, reduction.identity);
                                     ValueRange inputs = elements.drop_back();
                                     Value value = reduction.compute(b, inputs, identity);
                                     if (reduction.epilogue)
                                       value = reduction.epilogue(b, inputs, value);
                                     linalg::YieldOp::create(b, value);
                                   })
      .getResult(0);
}

/// Sum of floats or integers.
static Value add(ImplicitLocOpBuilder &b, Value left, Value right) {
  if (isa<FloatType>(left.getType()))
    return arith::AddFOp::create(b, left, right);
  return arith::AddIOp::create(b, left, right);
}

static Value multiply(ImplicitLocOpBuilder &b, Value left, Value right) {
  if (isa<FloatType>(left.getType()))
    return arith::MulFOp::create(b, left, right);
  return arith::MulIOp::create(b, left, right);
}

/// left + x * x.
static Value addSquare(ImplicitLocOpBuilder &b, Value left, Value x) {
  if (isa<FloatType>(x.getType()))
    return math::FmaOp::create(b, x, x, left);
  return arith::AddIOp::create(b, left, arith::MulIOp::create(b, x, x));
}

/// The maximum (minimum) of `element`s on their stored form: bools are 0 and 1, NaN wins.
static Reduction extremum(OpBuilder &builder, Value source, ArrayRef<bool> isReduced, Type element, bool isMax) {
  Reduction reduction;
  reduction.inputs = {source};
  reduction.isReduced.assign(isReduced.begin(), isReduced.end());
  reduction.resultElement = storageType(element);
  if (isa<FloatType>(element)) {
    auto type = cast<FloatType>(computeType(element));
    reduction.identity = builder.getFloatAttr(type, APFloat::getInf(type.getFloatSemantics(), isMax));
    reduction.compute = [=](ImplicitLocOpBuilder &b, ValueRange x, Value accumulator) -> Value {
      Value value = toCompute(b, b.getLoc(), x[0], element);
      return isMax ? Value(arith::MaximumFOp::create(b, accumulator, value))
                   : Value(arith::MinimumFOp::create(b, accumulator, value));
    };
    reduction.epilogue = [=](ImplicitLocOpBuilder &b, ValueRange, Value accumulator) {
      return toStorage(b, b.getLoc(), accumulator, element);
    };
    return reduction;
  }
  unsigned width = reduction.resultElement.getIntOrFloatBitWidth();
  bool comparesUnsigned = isUnsigned(element);
  APInt first = comparesUnsigned ? (isMax ? APInt::getMinValue(width) : APInt::getMaxValue(width))
                                 : (isMax ? APInt::getSignedMinValue(width) : APInt::getSignedMaxValue(width));
  if (element.isInteger(1) && !isMax)
    first = APInt(width, 1);
  reduction.identity = builder.getIntegerAttr(reduction.resultElement, first);
  reduction.compute = [=](ImplicitLocOpBuilder &b, ValueRange x, Value accumulator) -> Value {
    if (comparesUnsigned)
      return isMax ? Value(arith::MaxUIOp::create(b, accumulator, x[0]))
                   : Value(arith::MinUIOp::create(b, accumulator, x[0]));
    return isMax ? Value(arith::MaxSIOp::create(b, accumulator, x[0]))
                 : Value(arith::MinSIOp::create(b, accumulator, x[0]));
  };
  return reduction;
}

namespace {
/// What the lowering of one operator has at hand.
struct ReduceContext {
  ConversionPatternRewriter &rewriter;
  Location loc;
  Value source;
  Type element;    // ONNX
  Type arithmetic; // what it computes in: the compute type, or f64 for roots and logarithms of integers
  SmallVector<bool> isReduced;
  SmallVector<Value> flags; // see Reduction
  OpFoldResult count;       // elements that one result element combines

  Reduction start(double identity) const {
    Reduction reduction;
    reduction.inputs = {source};
    reduction.isReduced = isReduced;
    reduction.flags = flags;
    reduction.resultElement = storageType(element);
    reduction.identity = isa<FloatType>(arithmetic) ? TypedAttr(rewriter.getFloatAttr(arithmetic, identity))
                                                    : TypedAttr(rewriter.getIntegerAttr(arithmetic, int64_t(identity)));
    return reduction;
  }
  /// A stored element in the arithmetic type, and back.
  std::function<Value(ImplicitLocOpBuilder &, Value)> load() const {
    return [element = element, arithmetic = arithmetic](ImplicitLocOpBuilder &b, Value stored) {
      Value value = toCompute(b, b.getLoc(), stored, element);
      return value.getType() == arithmetic ? value : castScalar(b, b.getLoc(), value, element, arithmetic);
    };
  }
  std::function<Value(ImplicitLocOpBuilder &, Value)> store() const {
    return [element = element, arithmetic = arithmetic](ImplicitLocOpBuilder &b, Value value) {
      if (value.getType() != computeType(element))
        value = castScalar(b, b.getLoc(), value, arithmetic, element);
      return toStorage(b, b.getLoc(), value, element);
    };
  }
};

Value absolute(ImplicitLocOpBuilder &b, Value value, Type element) {
  if (isa<FloatType>(value.getType()))
    return math::AbsFOp::create(b, value);
  return isUnsigned(element) ? value : Value(math::AbsIOp::create(b, value));
}

//===-- One function per operator ---------------------------------------------------------------------------------===//

template <typename OpTy> constexpr bool computesInReals = false;
template <> constexpr bool computesInReals<ReduceL2Op> = true;
template <> constexpr bool computesInReals<ReduceLogSumOp> = true;
template <> constexpr bool computesInReals<ReduceLogSumExpOp> = true;

/// Sum-like operators: `term` adds an element to the accumulator, `finish` makes the result.
Value reduceSumOf(const ReduceContext &c, double identity,
                  std::function<Value(ImplicitLocOpBuilder &, Value accumulator, Value x)> term,
                  std::function<Value(ImplicitLocOpBuilder &, Value)> finish = nullptr) {
  Reduction reduction = c.start(identity);
  auto load = c.load(), store = c.store();
  reduction.compute = [=](ImplicitLocOpBuilder &b, ValueRange x, Value accumulator) {
    return term(b, accumulator, load(b, x[0]));
  };
  reduction.epilogue = [=](ImplicitLocOpBuilder &b, ValueRange, Value accumulator) {
    return store(b, finish ? finish(b, accumulator) : accumulator);
  };
  return buildReduction(c.rewriter, c.loc, reduction);
}

Value lower(ReduceSumOp, const ReduceContext &c) { return reduceSumOf(c, 0, add); }
Value lower(ReduceProdOp, const ReduceContext &c) { return reduceSumOf(c, 1, multiply); }
Value lower(ReduceSumSquareOp, const ReduceContext &c) { return reduceSumOf(c, 0, addSquare); }

/// The number of elements that one result element combines, in the compute type; at least 1 for integers.
Value openCount(const ReduceContext &c) {
  OpFoldResult size = c.count;
  if (!isa<FloatType>(c.element))
    size = maxSize(c.rewriter, c.loc, size, c.rewriter.getIndexAttr(1));
  Type i64 = c.rewriter.getI64Type();
  Value number = arith::IndexCastOp::create(c.rewriter, c.loc, i64, asIndex(c.rewriter, c.loc, size));
  return castScalar(c.rewriter, c.loc, number, i64, c.element);
}

Value lower(ReduceMeanOp, const ReduceContext &c) {
  Type element = c.element;
  // 0/0 is NaN; for integers an empty mean is 0.
  std::optional<int64_t> count = constantSize(c.count);
  if (count && !isa<FloatType>(element))
    count = std::max<int64_t>(*count, 1);
  Value open = count ? Value() : openCount(c);
  return reduceSumOf(c, 0, add, [=](ImplicitLocOpBuilder &b, Value sum) -> Value {
    Value divisor = open ? open : scalarConstant(b, b.getLoc(), element, *count);
    if (isa<FloatType>(sum.getType()))
      return arith::DivFOp::create(b, sum, divisor);
    return isUnsigned(element) ? Value(arith::DivUIOp::create(b, sum, divisor))
                               : Value(arith::DivSIOp::create(b, sum, divisor));
  });
}

Value lower(ReduceL1Op, const ReduceContext &c) {
  Type element = c.element;
  return reduceSumOf(c, 0,
                     [=](ImplicitLocOpBuilder &b, Value sum, Value x) { return add(b, sum, absolute(b, x, element)); });
}

Value lower(ReduceL2Op, const ReduceContext &c) {
  return reduceSumOf(c, 0, addSquare,
                     [](ImplicitLocOpBuilder &b, Value sum) -> Value { return math::SqrtOp::create(b, sum); });
}

Value lower(ReduceLogSumOp, const ReduceContext &c) {
  return reduceSumOf(c, 0, add,
                     [](ImplicitLocOpBuilder &b, Value sum) -> Value { return math::LogOp::create(b, sum); });
}

Value reduceToExtremum(const ReduceContext &c, bool isMax) {
  Reduction reduction = extremum(c.rewriter, c.source, c.isReduced, c.element, isMax);
  reduction.flags = c.flags;
  return buildReduction(c.rewriter, c.loc, reduction);
}
Value lower(ReduceMaxOp, const ReduceContext &c) { return reduceToExtremum(c, true); }
Value lower(ReduceMinOp, const ReduceContext &c) { return reduceToExtremum(c, false); }

Value lower(ReduceLogSumExpOp, const ReduceContext &c) {
  Value largest = reduceToExtremum(c, true);
  Reduction reduction = c.start(0);
  reduction.inputs.push_back(largest);
  auto load = c.load(), store = c.store();
  bool isInteger = !isa<FloatType>(c.element);
  // An infinite maximum must not be subtracted from itself.
  auto shift = [=](ImplicitLocOpBuilder &b, Value stored) -> Value {
    Value value = load(b, stored);
    if (isInteger)
      return value;
    auto type = cast<FloatType>(value.getType());
    Value infinity =
        arith::ConstantOp::create(b, cast<TypedAttr>(b.getFloatAttr(type, APFloat::getInf(type.getFloatSemantics()))));
    Value isInfinite = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, math::AbsFOp::create(b, value), infinity);
    return arith::SelectOp::create(b, isInfinite, scalarConstant(b, b.getLoc(), type, 0), value);
  };
  reduction.compute = [=](ImplicitLocOpBuilder &b, ValueRange x, Value accumulator) -> Value {
    Value difference = arith::SubFOp::create(b, load(b, x[0]), shift(b, x[1]));
    return arith::AddFOp::create(b, accumulator, math::ExpOp::create(b, difference));
  };
  reduction.epilogue = [=](ImplicitLocOpBuilder &b, ValueRange x, Value accumulator) -> Value {
    return store(b, arith::AddFOp::create(b, math::LogOp::create(b, accumulator), shift(b, x[1])));
  };
  return buildReduction(c.rewriter, c.loc, reduction);
}

/// Whether `axes`, which are data, name each of `rank` dims; a list without entries names all or none of them. The run
/// checks that they are dims.
SmallVector<Value> namedDims(ImplicitLocOpBuilder &b, Value axes, int64_t rank, bool noopWithEmptyAxes) {
  auto type = cast<RankedTensorType>(axes.getType());
  requireIndices(b, b.getLoc(), axes, b.getI64Type(), b.getIndexAttr(rank));
  OpFoldResult count = type.getRank() == 0 ? OpFoldResult(b.getIndexAttr(1)) : sizeOf(b, b.getLoc(), axes, 0);
  SmallVector<Value> flags;
  for (int64_t dim = 0; dim < rank; ++dim) {
    auto orNames = [&](ImplicitLocOpBuilder &inner, Value position, Value found) -> Value {
      Value axis = tensor::ExtractOp::create(inner, axes, type.getRank() == 0 ? ValueRange() : ValueRange(position));
      for (int64_t name : {dim, dim - rank}) {
        Value number = arith::ConstantIntOp::create(inner, name, 64);
        Value same = arith::CmpIOp::create(inner, arith::CmpIPredicate::eq, axis, number);
        found = arith::OrIOp::create(inner, found, same);
      }
      return found;
    };
    Value found = arith::ConstantIntOp::create(b, 0, 1);
    if (std::optional<int64_t> known = constantSize(count)) {
      for (int64_t i = 0; i < *known; ++i)
        found = orNames(b, indexConstant(b, i), found);
    } else {
      Value length = asIndex(b, b.getLoc(), count);
      found = buildFold(b, length, found, orNames);
      Value isEmpty = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, length, indexConstant(b, 0));
      if (!noopWithEmptyAxes)
        found = arith::OrIOp::create(b, found, isEmpty);
    }
    flags.push_back(found);
  }
  return flags;
}

/// `kept`, which has extent 1 in the dims that `flags` name, without these dims; its rank is then `rank`.
Value dropDims(ImplicitLocOpBuilder &b, Value kept, ArrayRef<Value> flags, int64_t rank) {
  Location loc = b.getLoc();
  Sizes all = sizesOf(b, loc, kept), sizes;
  Value one = indexConstant(b, 1), zero = indexConstant(b, 0);
  for (int64_t position = 0; position < rank; ++position) {
    Value size = one, before = zero; // before: how many dims that stay come before this one
    for (auto [extent, flag] : llvm::zip(all, flags)) {
      Value isHere = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, before, indexConstant(b, position));
      Value stays = arith::XOrIOp::create(b, flag, arith::ConstantIntOp::create(b, 1, 1));
      size = arith::SelectOp::create(b, arith::AndIOp::create(b, isHere, stays), asIndex(b, loc, extent), size);
      before = arith::SelectOp::create(b, stays, arith::AddIOp::create(b, before, one), before);
    }
    sizes.push_back(size);
  }
  // Axes that name a dim twice leave more dims than there are.
  requireEqual(b, loc, productOf(b, loc, all), productOf(b, loc, sizes), aot::Code::shape_mismatch);
  return buildReshape(b, loc, kept, sizes);
}

template <typename OpTy> struct LowerReduce : OnnxLowering<OpTy> {
  using OnnxLowering<OpTy>::OnnxLowering;
  LogicalResult matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    RankedTensorType in = this->type(op.getData()), out = this->stored(op.getReduced());
    Location loc = op.getLoc();
    Type element = in.getElementType(), arithmetic = computeType(element);
    constexpr bool isExtremum = std::is_same_v<OpTy, ReduceMaxOp> || std::is_same_v<OpTy, ReduceMinOp>;
    if (!isa<FloatType, IntegerType>(element) || (element.isInteger(1) && !isExtremum))
      return op.emitError("unsupported: element type ") << element;
    if (computesInReals<OpTy> && !isa<FloatType>(element))
      arithmetic = rewriter.getF64Type();
    ReduceContext context{rewriter, loc, adaptor.getData(), element, arithmetic, {}, {}, rewriter.getIndexAttr(1)};
    Sizes extents = sizesOf(rewriter, loc, adaptor.getData()), sizes;
    if (auto isReduced = reducedDims(op.getAxes(), op.getNoopWithEmptyAxes(), in.getRank())) {
      context.isReduced = *isReduced;
      for (auto [extent, reduced] : llvm::zip(extents, *isReduced)) {
        if (reduced)
          context.count = multiplySizes(rewriter, loc, context.count, extent);
        if (!reduced || op.getKeepdims())
          sizes.push_back(reduced ? OpFoldResult(rewriter.getIndexAttr(1)) : extent);
      }
      Value result = buildReshape(rewriter, loc, lower(op, context), sizes);
      rewriter.replaceOp(op, fitTensor(rewriter, loc, result, out));
      return success();
    }
    ImplicitLocOpBuilder b(loc, rewriter);
    if (in.getRank() == 0) {
      context.isReduced = {};
      rewriter.replaceOp(op, fitTensor(rewriter, loc, lower(op, context), out));
      return success();
    }
    context.flags = namedDims(b, adaptor.getAxes(), in.getRank(), op.getNoopWithEmptyAxes());
    Value count = indexConstant(b, 1);
    for (auto [extent, flag] : llvm::zip(extents, context.flags))
      count = arith::MulIOp::create(b, count,
                                    arith::SelectOp::create(b, flag, asIndex(b, loc, extent), indexConstant(b, 1)));
    context.count = count;
    Value result = lower(op, context);
    if (!op.getKeepdims())
      result = dropDims(b, result, context.flags, out.getRank());
    rewriter.replaceOp(op, fitTensor(rewriter, loc, result, out));
    return success();
  }
};

template <typename OpTy> struct LowerArgReduce : OnnxLowering<OpTy> {
  using OnnxLowering<OpTy>::OnnxLowering;
  LogicalResult matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    RankedTensorType in = this->type(op.getData());
    Type element = in.getElementType();
    int64_t axis = wrapAxis(op.getAxis(), in.getRank());
    std::optional<int64_t> extent;
    if (!in.isDynamicDim(axis))
      extent = in.getDimSize(axis);
    if (extent && *extent > INT32_MAX)
      return op.emitError("unsupported: an axis of more than 2^31 - 1 elements");
    requireAxis(op, adaptor.getData(), axis, rewriter);
    SmallVector<bool> isReduced(in.getRank(), false);
    isReduced[axis] = true;
    bool isMax = std::is_same_v<OpTy, ArgMaxOp>, takesLast = op.getSelectLastIndex() != 0;
    Value best = buildReduction(rewriter, loc, extremum(rewriter, adaptor.getData(), isReduced, element, isMax));
    Value positions = numberAxis(rewriter, loc, adaptor.getData(), axis);
    Reduction reduction;
    reduction.inputs = {adaptor.getData(), best, positions};
    reduction.reducedVectors = 1;
    reduction.isReduced = isReduced;
    reduction.resultElement = rewriter.getI64Type();
    // Neutral and yet a position, so that none lies outside of the axis; where its extent is open, the axis has an
    // element and one of them is the best.
    int64_t last = extent ? std::max<int64_t>(*extent - 1, 0) : INT32_MAX;
    IntegerAttr none = rewriter.getI32IntegerAttr(takesLast ? 0 : int32_t(last));
    reduction.identity = none;
    reduction.compute = [=](ImplicitLocOpBuilder &b, ValueRange x, Value accumulator) -> Value {
      Value hit = isBest(b, toCompute(b, loc, x[0], element), toCompute(b, loc, x[1], element));
      Value position = arith::SelectOp::create(b, hit, x[2], arith::ConstantOp::create(b, none));
      return takesLast ? Value(arith::MaxSIOp::create(b, accumulator, position))
                       : Value(arith::MinSIOp::create(b, accumulator, position));
    };
    reduction.epilogue = [](ImplicitLocOpBuilder &b, ValueRange, Value accumulator) -> Value {
      return arith::ExtSIOp::create(b, b.getI64Type(), accumulator);
    };
    Value index = buildReduction(rewriter, loc, reduction);
    Sizes sizes = sizesOf(rewriter, loc, index);
    if (op.getKeepdims())
      sizes.insert(sizes.begin() + axis, rewriter.getIndexAttr(1));
    Value result = buildReshape(rewriter, loc, index, sizes);
    rewriter.replaceOp(op, fitTensor(rewriter, loc, result, this->stored(op.getReduced())));
    return success();
  }

  /// 0, 1, .. along the axis.
  static Value numberAxis(OpBuilder &builder, Location loc, Value source, int64_t axis) {
    OpFoldResult size = sizeOf(builder, loc, source, axis);
    auto type = RankedTensorType::get(staticShape(size), builder.getI32Type());
    if (!type.hasStaticShape())
      return buildGenerated(builder, loc, size, builder.getI32Type(),
                            [](ImplicitLocOpBuilder &b, ValueRange at) -> Value {
                              return arith::IndexCastOp::create(b, b.getI32Type(), at[0]);
                            });
    SmallVector<int32_t> numbers = llvm::to_vector(llvm::seq<int32_t>(0, type.getDimSize(0)));
    return arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(type, ArrayRef(numbers)));
  }

  /// The run checks that positions on the axis are 32 bits wide.
  void requireAxis(OpTy op, Value data, int64_t axis, ConversionPatternRewriter &rewriter) const {
    Dim extent = this->shape(op.getData())[axis];
    if (std::optional<int64_t> most = extent.upperBound(); most && *most <= INT32_MAX)
      return;
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Value length = asIndex(b, op.getLoc(), sizeOf(b, op.getLoc(), data, axis));
    Value fits = arith::CmpIOp::create(b, arith::CmpIPredicate::sle, length, indexConstant(b, INT32_MAX));
    require(b, op.getLoc(), fits, aot::Code::dim_out_of_bounds);
  }

  /// Equal to the best; where that is NaN, NaN.
  static Value isBest(ImplicitLocOpBuilder &b, Value x, Value best) {
    if (!isa<FloatType>(x.getType()))
      return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, x, best);
    Value equal = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, x, best);
    Value isNaN = arith::CmpFOp::create(b, arith::CmpFPredicate::UNO, x, x);
    return arith::OrIOp::create(b, equal, isNaN);
  }
};
} // namespace

namespace onnx_aot::onnx {
void populateReductionChecks(TypeConverter &converter, RewritePatternSet &patterns);

void populateReductionToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  populateReductionChecks(converter, patterns);
  patterns.add<LowerReduce<ReduceSumOp>, LowerReduce<ReduceMeanOp>, LowerReduce<ReduceProdOp>, LowerReduce<ReduceMaxOp>,
               LowerReduce<ReduceMinOp>, LowerReduce<ReduceL1Op>, LowerReduce<ReduceL2Op>, LowerReduce<ReduceLogSumOp>,
               LowerReduce<ReduceLogSumExpOp>, LowerReduce<ReduceSumSquareOp>, LowerArgReduce<ArgMaxOp>,
               LowerArgReduce<ArgMinOp>>(converter, patterns.getContext());
  populateScansToLinalg(converter, patterns);
}
} // namespace onnx_aot::onnx
