//===- NormalizationToLinalg.cpp - normalisations as reductions and elementwise code ------------------------------===//
//
// Statistics are aot.kernel "reduce" operations that keep the reduced dims with extent 1, in the compute type (f32 for
// f16 and bf16); the variance is the mean of the squared distances from the mean. What follows is one linalg.generic
// with numpy broadcasting:
//
//   %mean = aot.kernel "reduce" (x) : tensor<2x1xf32>
//   %inverse = aot.kernel "reduce" (x, mean), epilogue 1 / sqrt(sum / n + epsilon) : tensor<2x1xf32>
//   %y = linalg.generic (x - mean) * inverse * scale + bias
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/normalization/Normalization.h"
#include "dialects/onnx/support/Axes.h"
#include "dialects/onnx/support/Checks.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::onnx;

using Sizes = SmallVector<OpFoldResult>;

namespace {
/// A tensor in its stored form together with its ONNX element type, and the axes over which statistics are taken.
struct Statistics {
  OpBuilder &builder;
  Location loc;
  Value data;
  Type element;
  SmallVector<int64_t> axes;

  Type compute() const { return computeType(element); }
  ArrayRef<int64_t> shape() const { return cast<RankedTensorType>(data.getType()).getShape(); }
  /// The number of elements of one statistic, at least 1; nullopt where only the run tells.
  std::optional<int64_t> knownCount() const {
    int64_t result = 1;
    for (int64_t axis : axes) {
      if (ShapedType::isDynamic(shape()[axis]))
        return std::nullopt;
      result *= shape()[axis];
    }
    return std::max<int64_t>(result, 1);
  }

  using Step = std::function<Value(ImplicitLocOpBuilder &, ValueRange, Value)>;
  /// Reduces with the sum as accumulator; `others` have extent 1 in the reduced axes. `step` sees scalars in compute
  /// form.
  Value reduce(ArrayRef<Value> others, const Step &step, const Step &finish) const {
    MLIRContext *context = builder.getContext();
    unsigned rank = shape().size();
    SmallVector<AffineExpr> exprs;
    Sizes kept = sizesOf(builder, loc, data);
    KernelSpec spec;
    for (unsigned dim = 0; dim < rank; ++dim) {
      bool isReduced = llvm::is_contained(axes, dim);
      spec.isReduction.push_back(isReduced);
      exprs.push_back(isReduced ? getAffineConstantExpr(0, context) : getAffineDimExpr(dim, context));
      if (isReduced)
        kept[dim] = builder.getIndexAttr(1);
    }
    AffineMap reduced = AffineMap::get(rank, 0, exprs, context);
    spec.kind = "reduce";
    spec.inputs = {data};
    spec.maps = {builder.getMultiDimIdentityMap(rank)};
    for (Value other : others) {
      spec.inputs.push_back(other);
      spec.maps.push_back(reduced);
    }
    spec.maps.push_back(reduced);
    spec.identity = cast<TypedAttr>(builder.getZeroAttr(compute()));
    spec.resultType = RankedTensorType::get(staticShape(kept), compute());
    spec.resultSizes = kept;
    Type type = element;
    spec.compute = [=](ImplicitLocOpBuilder &b, ValueRange inputs, Value accumulator) -> Value {
      SmallVector<Value> scalars(inputs);
      scalars[0] = toCompute(b, b.getLoc(), scalars[0], type);
      return step(b, scalars, accumulator);
    };
    spec.epilogue = [=](ImplicitLocOpBuilder &b, ValueRange inputs, Value accumulator) -> Value {
      return finish(b, inputs, accumulator);
    };
    return buildKernel(builder, loc, spec);
  }

  /// The number of elements as a real; null where it is known.
  Value openCount() const {
    if (knownCount())
      return nullptr;
    OpFoldResult count = builder.getIndexAttr(1);
    for (int64_t axis : axes)
      count = multiplySizes(builder, loc, count, sizeOf(builder, loc, data, axis));
    count = maxSize(builder, loc, count, builder.getIndexAttr(1));
    Type integer = builder.getI64Type();
    Value number = arith::IndexCastOp::create(builder, loc, integer, asIndex(builder, loc, count));
    return castScalar(builder, loc, number, integer, compute());
  }

  Value divideByCount(ImplicitLocOpBuilder &b, Value sum, Value open) const {
    Value divisor = open ? open : scalarConstant(b, b.getLoc(), element, double(*knownCount()));
    return arith::DivFOp::create(b, sum, divisor);
  }

  Value mean() const {
    Value open = openCount();
    return reduce(
        {}, [](ImplicitLocOpBuilder &b, ValueRange x, Value sum) { return arith::AddFOp::create(b, sum, x[0]); },
        [&](ImplicitLocOpBuilder &b, ValueRange, Value sum) { return divideByCount(b, sum, open); });
  }

  /// The mean of (x - mean)^2, or of x^2 without a mean, given to `finish`.
  Value meanOfSquares(Value mean, llvm::function_ref<Value(ImplicitLocOpBuilder &, Value)> finish) const {
    SmallVector<Value> others;
    if (mean)
      others.push_back(mean);
    Value open = openCount();
    return reduce(
        others,
        [&](ImplicitLocOpBuilder &b, ValueRange x, Value sum) -> Value {
          Value distance = mean ? Value(arith::SubFOp::create(b, x[0], x[1])) : x[0];
          return math::FmaOp::create(b, distance, distance, sum);
        },
        [&](ImplicitLocOpBuilder &b, ValueRange, Value sum) { return finish(b, divideByCount(b, sum, open)); });
  }

  /// 1 / sqrt(mean of squares + epsilon).
  Value inverseDeviation(Value mean, double epsilon) const {
    return meanOfSquares(
        mean, [&](ImplicitLocOpBuilder &b, Value variance) { return inverseRoot(b, variance, epsilon, element); });
  }

  static Value inverseRoot(ImplicitLocOpBuilder &b, Value variance, double epsilon, Type element) {
    Value sum = arith::AddFOp::create(b, variance, scalarConstant(b, b.getLoc(), element, epsilon));
    return arith::DivFOp::create(b, scalarConstant(b, b.getLoc(), element, 1.0), math::SqrtOp::create(b, sum));
  }

  /// (x - mean) * inverse * scale + bias; every operand but the data may be null. Parameters of another type than the
  /// data's are converted.
  Value apply(Value mean, Value inverse, Value scale, Type scaleType, Value bias, Type biasType,
              Type resultElement) const {
    SmallVector<Value> inputs = {data};
    SmallVector<Type> types = {element};
    auto add = [&](Value value, Type type) -> int {
      if (!value)
        return -1;
      inputs.push_back(value);
      types.push_back(type);
      return inputs.size() - 1;
    };
    int meanAt = add(mean, compute()), inverseAt = add(inverse, compute());
    int scaleAt = add(scale, scaleType), biasAt = add(bias, biasType);
    return buildElementwise(
        builder, loc, RankedTensorType::get(shape(), resultElement), inputs, types, [&](ScalarBody &body) -> Value {
          auto at = [&](int index) { return castScalar(body.b, loc, body.x[index], body.type[index], compute()); };
          Value value = body.x[0];
          if (meanAt >= 0)
            value = arith::SubFOp::create(body.b, value, at(meanAt));
          if (inverseAt >= 0)
            value = arith::MulFOp::create(body.b, value, at(inverseAt));
          if (scaleAt >= 0)
            value = arith::MulFOp::create(body.b, value, at(scaleAt));
          if (biasAt >= 0)
            value = arith::AddFOp::create(body.b, value, at(biasAt));
          return castScalar(body.b, loc, value, compute(), resultElement);
        });
  }
};
} // namespace

static Type elementOf(Value value) { return getElementTypeOrSelf(value.getType()); }

static SmallVector<int64_t> axesFrom(int64_t first, int64_t rank) {
  SmallVector<int64_t> axes;
  for (int64_t axis = first; axis < rank; ++axis)
    axes.push_back(axis);
  return axes;
}

/// A vector over the channels as [C, 1, ... 1], so that it broadcasts over axis 1 of a tensor of rank `rank`.
static Value perChannel(OpBuilder &builder, Location loc, Value vector, int64_t rank) {
  if (rank <= 2)
    return vector;
  Sizes sizes(rank - 1, builder.getIndexAttr(1));
  sizes[0] = sizeOf(builder, loc, vector, 0);
  return buildReshape(builder, loc, vector, sizes);
}

/// The run checks that each of `parameters` has an element per channel (dim 1 of `x`), where that is not known.
template <typename Pattern>
static void requirePerChannel(const Pattern &pattern, Location loc, Value x, ValueRange parameters,
                              ConversionPatternRewriter &rewriter) {
  Shape shape = pattern.shape(x);
  Dim channels = shape.size() < 2 ? Dim(1) : shape[1];
  for (Value parameter : parameters)
    if (Dim extent = pattern.shape(parameter)[0]; !extent.equals(channels))
      requireEqual(rewriter, loc, buildSize(rewriter, loc, extent, Pattern::lowered(rewriter)),
                   buildSize(rewriter, loc, channels, Pattern::lowered(rewriter)), aot::Code::shape_mismatch);
}

//===-- Batch normalisation ---------------------------------------------------------------------------------------===//

namespace {
struct LowerBatchNormalization : OnnxLowering<BatchNormalizationOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(BatchNormalizationOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    requirePerChannel(*this, loc, op.getX(), {op.getScale(), op.getB(), op.getInputMean(), op.getInputVar()}, rewriter);
    if (op.getTrainingMode())
      return lowerTraining(op, adaptor, rewriter);
    RankedTensorType x = type(op.getX());
    Type element = x.getElementType(), compute = computeType(element);
    auto channels = RankedTensorType::get(type(op.getScale()).getShape(), compute);
    double epsilon = op.getEpsilon().convertToDouble();
    auto scalar = [&](ScalarBody &body, int index) {
      return castScalar(body.b, loc, body.x[index], body.type[index], compute);
    };
    // factor = scale / sqrt(var + epsilon), shift = B - mean * factor: per channel.
    Value factor =
        buildElementwise(rewriter, loc, channels, {adaptor.getScale(), adaptor.getInputVar()},
                         {elementOf(op.getScale()), elementOf(op.getInputVar())}, [&](ScalarBody &body) -> Value {
                           Value inverse = Statistics::inverseRoot(body.b, scalar(body, 1), epsilon, compute);
                           return arith::MulFOp::create(body.b, scalar(body, 0), inverse);
                         });
    Value shift =
        buildElementwise(rewriter, loc, channels, {factor, adaptor.getInputMean(), adaptor.getB()},
                         {compute, elementOf(op.getInputMean()), elementOf(op.getB())}, [&](ScalarBody &body) -> Value {
                           Value product = arith::MulFOp::create(body.b, body.x[0], scalar(body, 1));
                           return arith::SubFOp::create(body.b, scalar(body, 2), product);
                         });
    Value result = buildElementwise(
        rewriter, loc, x,
        {adaptor.getX(), perChannel(rewriter, loc, factor, x.getRank()), perChannel(rewriter, loc, shift, x.getRank())},
        {element, compute, compute},
        [](ScalarBody &body) -> Value { return math::FmaOp::create(body.b, body.x[0], body.x[1], body.x[2]); });
    rewriter.replaceOp(op, fitTensor(rewriter, loc, result, stored(op.getY())));
    return success();
  }

  /// With the statistics of the batch; the running ones move towards them.
  LogicalResult lowerTraining(BatchNormalizationOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const {
    Location loc = op.getLoc();
    RankedTensorType x = type(op.getX());
    if (x.getRank() < 2)
      return op.emitError("unsupported: training mode of data of rank 1");
    Statistics batch{rewriter, loc, adaptor.getX(), x.getElementType(), axesFrom(2, x.getRank())};
    batch.axes.insert(batch.axes.begin(), 0);
    Value mean = batch.mean();
    double epsilon = op.getEpsilon().convertToDouble(), momentum = op.getMomentum().convertToDouble();
    Value scale = perChannel(rewriter, loc, adaptor.getScale(), x.getRank());
    Value bias = perChannel(rewriter, loc, adaptor.getB(), x.getRank());
    SmallVector<Value> results = {batch.apply(mean, batch.inverseDeviation(mean, epsilon), scale,
                                              elementOf(op.getScale()), bias, elementOf(op.getB()),
                                              x.getElementType())};
    results[0] = fitTensor(rewriter, loc, results[0], stored(op.getY()));
    auto running = [&](Value result, Value previous, Value previousStored, Value current) {
      if (!result)
        return;
      Type statistics = elementOf(previous);
      Value flat = buildReshape(rewriter, loc, current, Sizes{sizeOf(rewriter, loc, adaptor.getX(), 1)});
      Value moved =
          buildElementwise(rewriter, loc, type(result), {previousStored, flat}, {statistics, batch.compute()},
                           [&](ScalarBody &body) -> Value {
                             Value next = castScalar(body.b, loc, body.x[1], batch.compute(), statistics);
                             Value kept = arith::MulFOp::create(body.b, body.x[0], body.constant(momentum));
                             return arith::AddFOp::create(
                                 body.b, kept, arith::MulFOp::create(body.b, next, body.constant(1.0 - momentum)));
                           });
      results.push_back(fitTensor(rewriter, loc, moved, stored(result)));
    };
    running(op.getRunningMean(), op.getInputMean(), adaptor.getInputMean(), mean);
    if (op.getRunningVar())
      running(op.getRunningVar(), op.getInputVar(), adaptor.getInputVar(),
              batch.meanOfSquares(mean, [](ImplicitLocOpBuilder &, Value variance) { return variance; }));
    rewriter.replaceOp(op, results);
    return success();
  }
};

//===-- Normalisation of planes, groups and rows ------------------------------------------------------------------===//

struct LowerInstanceNormalization : OnnxLowering<InstanceNormalizationOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(InstanceNormalizationOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    RankedTensorType x = type(op.getInput());
    requirePerChannel(*this, loc, op.getInput(), {op.getScale(), op.getB()}, rewriter);
    Sizes sizes = sizesOf(rewriter, loc, adaptor.getInput());
    OpFoldResult plane = productOf(rewriter, loc, ArrayRef(sizes).drop_front(2));
    Value data = buildReshape(rewriter, loc, adaptor.getInput(), Sizes{sizes[0], sizes[1], plane});
    Statistics planes{rewriter, loc, data, x.getElementType(), {2}};
    Value mean = planes.mean(), inverse = planes.inverseDeviation(mean, op.getEpsilon().convertToDouble());
    Value result =
        planes.apply(mean, inverse, perChannel(rewriter, loc, adaptor.getScale(), 3), elementOf(op.getScale()),
                     perChannel(rewriter, loc, adaptor.getB(), 3), elementOf(op.getB()), x.getElementType());
    rewriter.replaceOp(op,
                       fitTensor(rewriter, loc, buildReshape(rewriter, loc, result, sizes), stored(op.getOutput())));
    return success();
  }
};

struct LowerGroupNormalization : OnnxLowering<GroupNormalizationOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(GroupNormalizationOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    RankedTensorType x = type(op.getX());
    requirePerChannel(*this, loc, op.getX(), {op.getScale(), op.getBias()}, rewriter);
    Sizes sizes = sizesOf(rewriter, loc, adaptor.getX());
    OpFoldResult groups = rewriter.getIndexAttr(op.getNumGroups()), one = rewriter.getIndexAttr(1);
    OpFoldResult channels = divideSizes(rewriter, loc, sizes[1], groups);
    OpFoldResult plane = productOf(rewriter, loc, ArrayRef(sizes).drop_front(2));
    if (!constantSize(sizes[1]))
      requireEqual(rewriter, loc, sizes[1], multiplySizes(rewriter, loc, channels, groups), aot::Code::shape_mismatch);
    Value data = buildReshape(rewriter, loc, adaptor.getX(), Sizes{sizes[0], groups, channels, plane});
    auto perGroup = [&](Value parameter) {
      return buildReshape(rewriter, loc, parameter, Sizes{groups, channels, one});
    };
    Statistics group{rewriter, loc, data, x.getElementType(), {2, 3}};
    Value mean = group.mean(), inverse = group.inverseDeviation(mean, op.getEpsilon().convertToDouble());
    Value result = group.apply(mean, inverse, perGroup(adaptor.getScale()), elementOf(op.getScale()),
                               perGroup(adaptor.getBias()), elementOf(op.getBias()), x.getElementType());
    rewriter.replaceOp(op, fitTensor(rewriter, loc, buildReshape(rewriter, loc, result, sizes), stored(op.getY())));
    return success();
  }
};

struct LowerLayerNormalization : OnnxLowering<LayerNormalizationOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(LayerNormalizationOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    RankedTensorType x = type(op.getX());
    int64_t axis = wrapAxis(op.getAxis(), x.getRank());
    Statistics rows{rewriter, loc, adaptor.getX(), x.getElementType(), axesFrom(axis, x.getRank())};
    Value mean = rows.mean(), inverse = rows.inverseDeviation(mean, op.getEpsilon().convertToDouble());
    Sizes sizes = sizesOf(rewriter, loc, adaptor.getX());
    Value scale = alignOperand(getTypeConverter(), rewriter, op, op.getScale(), adaptor.getScale(), op.getX(), sizes);
    Value bias = adaptor.getB();
    if (bias)
      bias = alignOperand(getTypeConverter(), rewriter, op, op.getB(), bias, op.getX(), sizes);
    Value result = rows.apply(mean, inverse, scale, elementOf(op.getScale()), bias,
                              op.getB() ? elementOf(op.getB()) : Type(), x.getElementType());
    SmallVector<Value> results = {fitTensor(rewriter, loc, result, stored(op.getY()))};
    auto statistics = [&](Value result, Value value) {
      if (!result)
        return;
      Type target = elementOf(result);
      if (target != rows.compute())
        value = buildElementwise(rewriter, loc, type(result), value, rows.compute(), [&](ScalarBody &body) {
          return castScalar(body.b, loc, body.x[0], rows.compute(), computeType(target));
        });
      results.push_back(fitTensor(rewriter, loc, value, stored(result)));
    };
    statistics(op.getMean(), mean);
    statistics(op.getInvStdDev(), inverse);
    rewriter.replaceOp(op, results);
    return success();
  }
};

struct LowerRMSNormalization : OnnxLowering<RMSNormalizationOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(RMSNormalizationOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    RankedTensorType x = type(op.getX());
    int64_t axis = wrapAxis(op.getAxis(), x.getRank());
    Statistics rows{rewriter, op.getLoc(), adaptor.getX(), x.getElementType(), axesFrom(axis, x.getRank())};
    Value inverse = rows.inverseDeviation(Value(), op.getEpsilon().convertToDouble());
    Value scale = alignOperand(getTypeConverter(), rewriter, op, op.getScale(), adaptor.getScale(), op.getX(),
                               sizesOf(rewriter, op.getLoc(), adaptor.getX()));
    Value result = rows.apply(Value(), inverse, scale, elementOf(op.getScale()), Value(), Type(), elementOf(op.getY()));
    rewriter.replaceOp(op, fitTensor(rewriter, op.getLoc(), result, stored(op.getY())));
    return success();
  }
};

struct LowerMeanVarianceNormalization : OnnxLowering<MeanVarianceNormalizationOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(MeanVarianceNormalizationOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    RankedTensorType x = type(op.getX());
    Statistics all{rewriter, op.getLoc(), adaptor.getX(), x.getElementType(), {0, 2, 3}};
    if (op.getAxes())
      all.axes.assign(op.getAxes()->begin(), op.getAxes()->end());
    for (int64_t &axis : all.axes)
      axis += axis < 0 ? x.getRank() : 0;
    Type element = x.getElementType();
    Value mean = all.mean();
    Value inverse = all.meanOfSquares(mean, [&](ImplicitLocOpBuilder &b, Value variance) -> Value {
      // ONNX's function adds 1e-9 to the deviation, not to the variance.
      Value deviation =
          arith::AddFOp::create(b, math::SqrtOp::create(b, variance), scalarConstant(b, b.getLoc(), element, 1e-9));
      return arith::DivFOp::create(b, scalarConstant(b, b.getLoc(), element, 1.0), deviation);
    });
    Value result = all.apply(mean, inverse, Value(), Type(), Value(), Type(), element);
    rewriter.replaceOp(op, fitTensor(rewriter, op.getLoc(), result, stored(op.getY())));
    return success();
  }
};

struct LowerLpNormalization : OnnxLowering<LpNormalizationOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(LpNormalizationOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    RankedTensorType x = type(op.getInput());
    Type element = x.getElementType();
    int64_t p = op.getP(), axis = wrapAxis(op.getAxis(), x.getRank());
    Statistics rows{rewriter, op.getLoc(), adaptor.getInput(), element, {axis}};
    Value norm = rows.reduce(
        {},
        [&](ImplicitLocOpBuilder &b, ValueRange in, Value sum) -> Value {
          if (p == 2)
            return math::FmaOp::create(b, in[0], in[0], sum);
          return arith::AddFOp::create(b, sum, math::AbsFOp::create(b, in[0]));
        },
        [&](ImplicitLocOpBuilder &b, ValueRange, Value sum) -> Value {
          return p == 2 ? Value(math::SqrtOp::create(b, sum)) : sum;
        });
    // A vector of zeros stays zero.
    Value result = buildElementwise(
        rewriter, op.getLoc(), x, {adaptor.getInput(), norm}, {element, rows.compute()}, [](ScalarBody &body) -> Value {
          Value zero = body.constant(0);
          Value isZero = arith::CmpFOp::create(body.b, arith::CmpFPredicate::OEQ, body.x[1], zero);
          Value quotient = arith::DivFOp::create(body.b, body.x[0], body.x[1]);
          return arith::SelectOp::create(body.b, isZero, zero, quotient);
        });
    rewriter.replaceOp(op, fitTensor(rewriter, op.getLoc(), result, stored(op.getOutput())));
    return success();
  }
};

//===-- Neighbouring channels -------------------------------------------------------------------------------------===//

/// x / (bias + alpha / size * sum of the squares of `size` channels)^beta; beyond the ends channels are zero.
struct LowerLRN : OnnxLowering<LRNOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(LRNOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    MLIRContext *context = op.getContext();
    RankedTensorType x = type(op.getX());
    Type element = x.getElementType();
    int64_t size = op.getSize(), rank = x.getRank();
    SmallVector<int64_t> low(rank, 0), high(rank, 0);
    low[1] = (size - 1) / 2;
    high[1] = size - 1 - low[1];
    Value zero = arith::ConstantOp::create(rewriter, loc, cast<TypedAttr>(rewriter.getZeroAttr(element)));
    Value padded = buildPad(rewriter, loc, adaptor.getX(), low, high, zero);
    AffineExpr neighbour = getAffineDimExpr(rank, context);
    SmallVector<AffineExpr> own, shifted;
    for (int64_t dim = 0; dim < rank; ++dim)
      own.push_back(getAffineDimExpr(dim, context));
    shifted = own;
    shifted[1] = own[1] + neighbour;
    auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(rank + 1, 0, exprs, context); };
    // The last input tells the extent of the reduction; it is not read.
    KernelSpec spec;
    spec.kind = "pool";
    spec.inputs = {padded, adaptor.getX(),
                   emptyTensor(rewriter, loc, RankedTensorType::get({size}, rewriter.getI8Type()))};
    spec.maps = {map(shifted), map(own), map({neighbour}), map(own)};
    spec.isReduction.assign(rank, false);
    spec.isReduction.push_back(true);
    spec.identity = cast<TypedAttr>(rewriter.getZeroAttr(computeType(element)));
    spec.resultType = stored(op.getY());
    spec.resultSizes = sizesOf(rewriter, loc, adaptor.getX());
    spec.compute = [=](ImplicitLocOpBuilder &b, ValueRange in, Value sum) -> Value {
      Value value = toCompute(b, b.getLoc(), in[0], element);
      return math::FmaOp::create(b, value, value, sum);
    };
    double alpha = op.getAlpha().convertToDouble(), beta = op.getBeta().convertToDouble();
    double bias = op.getBias().convertToDouble();
    spec.epilogue = [=](ImplicitLocOpBuilder &b, ValueRange in, Value sum) -> Value {
      auto constant = [&](double value) { return scalarConstant(b, b.getLoc(), element, value); };
      Value base = math::FmaOp::create(b, sum, constant(alpha / double(size)), constant(bias));
      Value power = math::PowFOp::create(b, base, constant(beta));
      Value value = toCompute(b, b.getLoc(), in[1], element);
      return toStorage(b, b.getLoc(), arith::DivFOp::create(b, value, power), element);
    };
    rewriter.replaceOp(op, fitTensor(rewriter, loc, buildKernel(rewriter, loc, spec), spec.resultType));
    return success();
  }
};

//===-- Dropout ---------------------------------------------------------------------------------------------------===//

struct LowerDropout : OnnxLowering<DropoutOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(DropoutOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    std::optional<SmallVector<int64_t>> training = getConstantIntegers(op.getTrainingMode());
    std::optional<SmallVector<double>> ratio = getConstantFloats(op.getRatio());
    bool isInference = !op.getTrainingMode() || (training && training->size() == 1 && training->front() == 0);
    bool keepsAll = ratio && ratio->size() == 1 && ratio->front() == 0;
    if (!isInference && !keepsAll)
      return op.emitError("unsupported: Dropout in training mode; training_mode must be constant and false");
    SmallVector<Value> results = {fitTensor(rewriter, op.getLoc(), adaptor.getData(), stored(op.getOutput()))};
    if (op.getMask() && stored(op.getMask()).hasStaticShape()) {
      results.push_back(arith::ConstantOp::create(
          rewriter, op.getLoc(), cast<TypedAttr>(DenseElementsAttr::get(stored(op.getMask()), APInt(8, 1)))));
    } else if (op.getMask()) {
      Value mask = filledTensor(rewriter, op.getLoc(), sizesOf(rewriter, op.getLoc(), adaptor.getData()),
                                arith::ConstantIntOp::create(rewriter, op.getLoc(), 1, 8));
      results.push_back(fitTensor(rewriter, op.getLoc(), mask, stored(op.getMask())));
    }
    rewriter.replaceOp(op, results);
    return success();
  }
};
} // namespace

namespace onnx_aot::onnx {
void populateNormalizationToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerBatchNormalization, LowerInstanceNormalization, LowerGroupNormalization, LowerLayerNormalization,
               LowerRMSNormalization, LowerMeanVarianceNormalization, LowerLpNormalization, LowerLRN, LowerDropout>(
      converter, patterns.getContext());
}
} // namespace onnx_aot::onnx
