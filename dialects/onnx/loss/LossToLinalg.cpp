//===- LossToLinalg.cpp - lowering of the loss functions ----------------------------------------------------------===//
//
// Selecting an element by the target is a reduction over the classes, so nothing is addressed by data:
//
//   loss[n, d]  = sum over c of (target[n, d] == c ? -input[n, c, d] * weight[c] : 0)
//   total[n, d] = sum over c of (target[n, d] == c ? weight[c] : 0)        for a mean that is weighted
//   mean        = sum loss / sum total
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/activation/Softmax.h"
#include "dialects/onnx/loss/Loss.h"
#include "dialects/onnx/support/Checks.h"
#include "dialects/onnx/support/Generate.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::onnx;

namespace {
/// The operands (stored) and attributes of either operator.
struct LossSpec {
  Value input, target, weight;
  Type element;
  std::optional<int64_t> ignored;
  StringRef reduction;
  RankedTensorType resultType; // ONNX
};
} // namespace

/// 0, 1, .. for each class.
static Value numberClasses(OpBuilder &builder, Location loc, Value input, IntegerType index) {
  int64_t classes = cast<RankedTensorType>(input.getType()).getDimSize(1);
  if (ShapedType::isDynamic(classes))
    return buildGenerated(
        builder, loc, sizeOf(builder, loc, input, 1), index,
        [&](ImplicitLocOpBuilder &b, ValueRange at) -> Value { return arith::IndexCastOp::create(b, index, at[0]); });
  SmallVector<APInt> numbers;
  for (int64_t number = 0; number < classes; ++number)
    numbers.push_back(APInt(64, number).trunc(index.getWidth()));
  return arith::ConstantOp::create(builder, loc,
                                   DenseElementsAttr::get(RankedTensorType::get(classes, index), numbers));
}

/// Per sample, the weighted negative input (or the weight alone) at its target class, in the compute type.
static Value selectClass(OpBuilder &builder, Location loc, const LossSpec &loss, bool readsInput) {
  auto inputType = cast<RankedTensorType>(loss.input.getType());
  auto targetType = cast<RankedTensorType>(loss.target.getType());
  int64_t rank = inputType.getRank(), classes = inputType.getDimSize(1);
  auto index = cast<IntegerType>(targetType.getElementType());
  Value classNumbers = numberClasses(builder, loc, loss.input, index);

  AffineMap all = builder.getMultiDimIdentityMap(rank), samples = all.dropResult(1), classMap = all.getSubMap({1});
  auto compute = cast<FloatType>(computeType(loss.element));
  Type element = loss.element;
  std::optional<int64_t> ignored = loss.ignored;
  bool weighted = loss.weight != nullptr;
  KernelSpec spec;
  spec.kind = "reduce";
  spec.inputs = {loss.input, loss.target, classNumbers};
  spec.maps = {all, samples, classMap};
  if (weighted) {
    spec.inputs.push_back(loss.weight);
    spec.maps.push_back(classMap);
  }
  spec.maps.push_back(samples);
  spec.isReduction.assign(rank, false);
  spec.isReduction[1] = true;
  spec.identity = builder.getFloatAttr(compute, 0.0);
  spec.resultSizes = sizesOf(builder, loc, loss.target);
  spec.resultType = RankedTensorType::get(targetType.getShape(), compute);
  spec.compute = [=](ImplicitLocOpBuilder &b, ValueRange v, Value sum) -> Value {
    Location loc = b.getLoc();
    Value isTarget = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, v[1], v[2]);
    if (ignored && *ignored >= 0 && (ShapedType::isDynamic(classes) || *ignored < classes)) {
      Value number = arith::ConstantIntOp::create(b, *ignored, index.getWidth());
      Value isKept = arith::CmpIOp::create(b, arith::CmpIPredicate::ne, v[1], number);
      isTarget = arith::AndIOp::create(b, isTarget, isKept);
    }
    Value term = weighted ? toCompute(b, loc, v[3], element) : scalarConstant(b, loc, compute, 1);
    if (readsInput) {
      Value negated = arith::NegFOp::create(b, toCompute(b, loc, v[0], element));
      term = weighted ? Value(arith::MulFOp::create(b, negated, term)) : negated;
    }
    Value zero = scalarConstant(b, loc, compute, 0);
    return arith::AddFOp::create(b, sum, arith::SelectOp::create(b, isTarget, term, zero));
  };
  return buildKernel(builder, loc, spec);
}

/// The sum of all elements.
static Value sumAll(OpBuilder &builder, Location loc, Value x) {
  auto type = cast<RankedTensorType>(x.getType());
  KernelSpec spec;
  spec.kind = "reduce";
  spec.inputs = {x};
  spec.maps = {builder.getMultiDimIdentityMap(type.getRank()), AffineMap::get(type.getRank(), 0, builder.getContext())};
  spec.isReduction.assign(type.getRank(), true);
  spec.identity = builder.getFloatAttr(type.getElementType(), 0.0);
  spec.resultType = RankedTensorType::get({}, type.getElementType());
  spec.compute = [](ImplicitLocOpBuilder &b, ValueRange v, Value sum) -> Value {
    return arith::AddFOp::create(b, sum, v[0]);
  };
  return buildKernel(builder, loc, spec);
}

static Value buildLoss(OpBuilder &builder, Location loc, const LossSpec &loss) {
  Type compute = computeType(loss.element);
  Value result = selectClass(builder, loc, loss, /*readsInput=*/true);
  if (loss.reduction != "none")
    result = sumAll(builder, loc, result);
  if (loss.reduction == "mean" && (loss.weight || loss.ignored)) {
    Value total = sumAll(builder, loc, selectClass(builder, loc, loss, /*readsInput=*/false));
    return buildElementwise(builder, loc, loss.resultType, {result, total}, {compute, compute},
                            [](ScalarBody &s) -> Value { return arith::DivFOp::create(s.b, s.x[0], s.x[1]); });
  }
  if (loss.reduction != "mean" && compute == loss.element)
    return result;
  OpFoldResult size = builder.getIndexAttr(1);
  if (loss.reduction == "mean")
    size = productOf(builder, loc, sizesOf(builder, loc, loss.target));
  std::optional<int64_t> count = constantSize(size);
  if (count == 1 && compute == loss.element)
    return result;
  Value divisor;
  if (!count) {
    Value number = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), asIndex(builder, loc, size));
    divisor = castScalar(builder, loc, number, builder.getI64Type(), compute);
  }
  return buildElementwise(builder, loc, loss.resultType, result, compute, [&](ScalarBody &s) -> Value {
    return arith::DivFOp::create(s.b, s.x[0], divisor ? divisor : s.constant(*count));
  });
}

/// The run checks what is not known of the shapes: targets are the scores without the classes, weights one per class.
template <typename Pattern>
static void requireShapes(const Pattern &pattern, Location loc, Value input, Value target, Value weight,
                          ConversionPatternRewriter &rewriter) {
  auto check = [&](Dim a, Dim b) {
    if (!a.equals(b))
      requireEqual(rewriter, loc, buildSize(rewriter, loc, a, Pattern::lowered(rewriter)),
                   buildSize(rewriter, loc, b, Pattern::lowered(rewriter)), aot::Code::shape_mismatch);
  };
  Shape samples = pattern.shape(input);
  if (weight)
    check(pattern.shape(weight)[0], samples[1]);
  samples.erase(samples.begin() + 1);
  for (auto [own, other] : llvm::zip(samples, pattern.shape(target)))
    check(own, other);
}

namespace {
struct LowerNegativeLogLikelihoodLoss : OnnxLowering<NegativeLogLikelihoodLossOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(NegativeLogLikelihoodLossOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    requireShapes(*this, op.getLoc(), op.getInput(), op.getTarget(), op.getWeight(), rewriter);
    LossSpec loss{adaptor.getInput(),  adaptor.getTarget(), adaptor.getWeight(), type(op.getInput()).getElementType(),
                  op.getIgnoreIndex(), op.getReduction(),   type(op.getLoss())};
    rewriter.replaceOp(op,
                       fitTensor(rewriter, op.getLoc(), buildLoss(rewriter, op.getLoc(), loss), stored(op.getLoss())));
    return success();
  }
};

struct LowerSoftmaxCrossEntropyLoss : OnnxLowering<SoftmaxCrossEntropyLossOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(SoftmaxCrossEntropyLossOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    requireShapes(*this, op.getLoc(), op.getScores(), op.getLabels(), op.getWeights(), rewriter);
    Type element = type(op.getScores()).getElementType();
    Value logProbability = buildLogSoftmax(rewriter, op.getLoc(), adaptor.getScores(), element, 1);
    LossSpec loss{logProbability,      adaptor.getLabels(), adaptor.getWeights(), element,
                  op.getIgnoreIndex(), op.getReduction(),   type(op.getOutput())};
    SmallVector<Value> results = {
        fitTensor(rewriter, op.getLoc(), buildLoss(rewriter, op.getLoc(), loss), stored(op.getOutput()))};
    if (op.getLogProb())
      results.push_back(fitTensor(rewriter, op.getLoc(), logProbability, stored(op.getLogProb())));
    rewriter.replaceOp(op, results);
    return success();
  }
};
} // namespace

namespace onnx_aot::onnx {
void populateLossChecks(TypeConverter &converter, RewritePatternSet &patterns);

void populateLossToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  populateLossChecks(converter, patterns);
  patterns.add<LowerNegativeLogLikelihoodLoss, LowerSoftmaxCrossEntropyLoss>(converter, patterns.getContext());
}
} // namespace onnx_aot::onnx
