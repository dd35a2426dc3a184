//===- ReductionToLinalg.cpp - reductions as kernels --------------------------------------------------------------===//
//
// A reduction is one aot.kernel "reduce" over the input's dims, with the result's map leaving out the reduced ones;
// what follows the reduction (division, root, logarithm) is its epilogue. f16 and bf16 accumulate in f32; the roots and
// logarithms of integers are computed in f64. Where nothing is reduced, the same bodies make a linalg.generic.
//
//   LogSumExp: m = max x (0 where it is infinite);  log(sum exp(x - m)) + m
//   ArgMax:    m = max x;  min over i of (x[i] == m ? i : none)
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/reduction/ReductionAxes.h"
#include "dialects/onnx/support/Axes.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace onnx_aot::onnx;

namespace {
/// One reduction: `inputs` are the tensor to reduce, then tensors of the reduced shape (without the reduced dims), then
/// tensors over one reduced dim.
struct Reduction {
  SmallVector<Value> inputs;
  SmallVector<bool> isReduced;
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

/// Builds `reduction`; the result has the dims that are not reduced.
static Value buildReduction(OpBuilder &builder, Location loc, const Reduction &reduction) {
  auto source = cast<RankedTensorType>(reduction.inputs[0].getType());
  int64_t rank = source.getRank();
  SmallVector<int64_t> shape;
  SmallVector<AffineExpr> kept, reduced;
  for (int64_t dim = 0; dim < rank; ++dim) {
    if (!reduction.isReduced[dim])
      shape.push_back(source.getDimSize(dim));
    (reduction.isReduced[dim] ? reduced : kept).push_back(builder.getAffineDimExpr(dim));
  }
  AffineMap keptMap = AffineMap::get(rank, 0, kept, builder.getContext());
  AffineMap reducedMap = AffineMap::get(rank, 0, reduced, builder.getContext());
  int64_t count = reduction.inputs.size();
  SmallVector<AffineMap> maps = {builder.getMultiDimIdentityMap(rank)};
  for (int64_t input = 1; input < count; ++input)
    maps.push_back(input >= count - reduction.reducedVectors ? reducedMap : keptMap);
  maps.push_back(keptMap);
  auto resultType = RankedTensorType::get(shape, reduction.resultElement);
  if (resultType.getNumElements() == 0)
    return emptyTensor(builder, loc, resultType);
  if (source.getNumElements() == 0)
    return buildEmptySet(builder, loc, reduction, resultType);
  if (!reduced.empty()) {
    KernelSpec spec;
    spec.kind = "reduce";
    spec.inputs = reduction.inputs;
    spec.maps = maps;
    spec.isReduction = reduction.isReduced;
    spec.identity = reduction.identity;
    spec.resultType = resultType;
    spec.compute = reduction.compute;
    spec.epilogue = reduction.epilogue;
    return buildKernel(builder, loc, spec);
  }
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  return linalg::GenericOp::create(builder, loc, resultType, reduction.inputs, emptyTensor(builder, loc, resultType),
                                   maps, iterators,
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
  int64_t count; // elements that one result element combines

  Reduction start(double identity) const {
    Reduction reduction;
    reduction.inputs = {source};
    reduction.isReduced = isReduced;
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

Value lower(ReduceMeanOp, const ReduceContext &c) {
  Type element = c.element;
  int64_t count = c.count;
  return reduceSumOf(c, 0, add, [=](ImplicitLocOpBuilder &b, Value sum) -> Value {
    // 0/0 is NaN; for integers an empty mean is 0.
    Value divisor =
        scalarConstant(b, b.getLoc(), element, isa<FloatType>(element) ? count : std::max<int64_t>(count, 1));
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

Value lower(ReduceMaxOp, const ReduceContext &c) {
  return buildReduction(c.rewriter, c.loc, extremum(c.rewriter, c.source, c.isReduced, c.element, true));
}
Value lower(ReduceMinOp, const ReduceContext &c) {
  return buildReduction(c.rewriter, c.loc, extremum(c.rewriter, c.source, c.isReduced, c.element, false));
}

Value lower(ReduceLogSumExpOp, const ReduceContext &c) {
  Value largest = buildReduction(c.rewriter, c.loc, extremum(c.rewriter, c.source, c.isReduced, c.element, true));
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

/// The sets of dims that may be reduced to make `result` of `in`, where the axes are data. Dims of extent 1 that are
/// kept as such count as not reduced.
SmallVector<SmallVector<bool>> possibleDims(ArrayRef<int64_t> in, ArrayRef<int64_t> result, bool keepsDims) {
  constexpr size_t kMostDims = 8;
  SmallVector<SmallVector<bool>> possible;
  for (unsigned set = 0; in.size() <= kMostDims && set < (1u << in.size()); ++set) {
    SmallVector<bool> isReduced;
    SmallVector<int64_t> shape;
    bool isMinimal = true;
    for (auto [dim, extent] : llvm::enumerate(in)) {
      isReduced.push_back(set >> dim & 1);
      isMinimal &= !(keepsDims && isReduced.back() && extent == 1);
      if (!isReduced.back() || keepsDims)
        shape.push_back(isReduced.back() ? 1 : extent);
    }
    if (isMinimal && ArrayRef(shape) == result)
      possible.push_back(isReduced);
  }
  return possible;
}

/// Whether the axes, which are data, name just the dims of `isReduced`.
Value namesDims(ImplicitLocOpBuilder &b, Value axes, ArrayRef<bool> isReduced) {
  int64_t rank = isReduced.size(), count = cast<RankedTensorType>(axes.getType()).getNumElements();
  Value result = arith::ConstantIntOp::create(b, 1, 1);
  for (int64_t i = 0; i < count; ++i) {
    Value axis = tensor::ExtractOp::create(b, axes, ValueRange{arith::ConstantIndexOp::create(b, i)});
    Value isOne = arith::ConstantIntOp::create(b, 0, 1);
    for (int64_t dim = 0; dim < rank; ++dim)
      for (int64_t name : {dim, dim - rank}) {
        if (!isReduced[dim])
          continue;
        Value same =
            arith::CmpIOp::create(b, arith::CmpIPredicate::eq, axis, arith::ConstantIntOp::create(b, name, 64));
        isOne = arith::OrIOp::create(b, isOne, same);
      }
    result = arith::AndIOp::create(b, result, isOne);
  }
  return result;
}

template <typename OpTy> struct LowerReduce : OnnxLowering<OpTy> {
  using OnnxLowering<OpTy>::OnnxLowering;
  LogicalResult matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    RankedTensorType in = this->type(op.getData()), out = this->type(op.getReduced());
    Type element = in.getElementType();
    constexpr bool isExtremum = std::is_same_v<OpTy, ReduceMaxOp> || std::is_same_v<OpTy, ReduceMinOp>;
    if (!isa<FloatType, IntegerType>(element) || (element.isInteger(1) && !isExtremum))
      return op.emitError("unsupported: element type ") << element;
    if (auto isReduced = reducedDims(op.getAxes(), op.getNoopWithEmptyAxes(), in.getRank())) {
      rewriter.replaceOp(op, reduce(op, adaptor, rewriter, *isReduced));
      return success();
    }
    // Where the shapes leave more than one choice, the axes decide when the model runs.
    SmallVector<SmallVector<bool>> possible = possibleDims(in.getShape(), out.getShape(), op.getKeepdims());
    if (possible.empty())
      return op.emitError("no axes lead to the declared shape");
    Value result = reduce(op, adaptor, rewriter, possible.front());
    for (ArrayRef<bool> isReduced : ArrayRef(possible).drop_front()) {
      ImplicitLocOpBuilder b(op.getLoc(), rewriter);
      Value applies = namesDims(b, adaptor.getAxes(), isReduced);
      Value other = reduce(op, adaptor, rewriter, isReduced);
      result = choose(b, applies, other, result);
    }
    rewriter.replaceOp(op, result);
    return success();
  }

  static Value reduce(OpTy op, typename OpTy::Adaptor adaptor, ConversionPatternRewriter &rewriter,
                      ArrayRef<bool> isReduced) {
    RankedTensorType in = OnnxLowering<OpTy>::type(op.getData());
    Type element = in.getElementType(), arithmetic = computeType(element);
    int64_t count = 1;
    for (auto [extent, reduced] : llvm::zip(in.getShape(), isReduced))
      count *= reduced ? extent : 1;
    if (computesInReals<OpTy> && !isa<FloatType>(element))
      arithmetic = rewriter.getF64Type();
    ReduceContext context{rewriter, op.getLoc(), adaptor.getData(), element, arithmetic, SmallVector<bool>(isReduced),
                          count};
    Value reduced = lower(op, context);
    return buildReshape(rewriter, op.getLoc(), reduced, OnnxLowering<OpTy>::type(op.getReduced()).getShape());
  }

  /// `first` or `second`, element by element.
  static Value choose(ImplicitLocOpBuilder &b, Value condition, Value first, Value second) {
    auto type = cast<RankedTensorType>(first.getType());
    SmallVector<AffineMap> maps(3, b.getMultiDimIdentityMap(type.getRank()));
    SmallVector<utils::IteratorType> iterators(type.getRank(), utils::IteratorType::parallel);
    return linalg::GenericOp::create(
               b, type, ValueRange{first, second}, emptyTensor(b, b.getLoc(), type), maps, iterators,
               [&](OpBuilder &nested, Location loc, ValueRange elements) {
                 Value chosen = arith::SelectOp::create(nested, loc, condition, elements[0], elements[1]);
                 linalg::YieldOp::create(nested, loc, chosen);
               })
        .getResult(0);
  }
};

//===-- ArgMax, ArgMin --------------------------------------------------------------------------------------------===//

template <typename OpTy> struct LowerArgReduce : OnnxLowering<OpTy> {
  using OnnxLowering<OpTy>::OnnxLowering;
  LogicalResult matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    RankedTensorType in = this->type(op.getData());
    Type element = in.getElementType();
    int64_t axis = wrapAxis(op.getAxis(), in.getRank());
    int64_t extent = in.getDimSize(axis);
    if (extent > INT32_MAX)
      return op.emitError("unsupported: an axis of more than 2^31 - 1 elements");
    SmallVector<bool> isReduced(in.getRank(), false);
    isReduced[axis] = true;
    bool isMax = std::is_same_v<OpTy, ArgMaxOp>, takesLast = op.getSelectLastIndex() != 0;
    Value best = buildReduction(rewriter, loc, extremum(rewriter, adaptor.getData(), isReduced, element, isMax));
    SmallVector<int32_t> numbers = llvm::to_vector(llvm::seq<int32_t>(0, extent));
    auto numbersType = RankedTensorType::get({extent}, rewriter.getI32Type());
    Value positions = arith::ConstantOp::create(rewriter, loc, DenseElementsAttr::get(numbersType, ArrayRef(numbers)));
    Reduction reduction;
    reduction.inputs = {adaptor.getData(), best, positions};
    reduction.reducedVectors = 1;
    reduction.isReduced = isReduced;
    reduction.resultElement = rewriter.getI64Type();
    // Neutral and yet a position, so that none lies outside of the axis.
    IntegerAttr none = rewriter.getI32IntegerAttr(takesLast ? 0 : int32_t(std::max<int64_t>(extent - 1, 0)));
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
    rewriter.replaceOp(op, buildReshape(rewriter, loc, index, this->type(op.getReduced()).getShape()));
    return success();
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
