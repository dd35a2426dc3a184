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
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
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

/// Per sample, the weighted negative input (or the weight alone) at its target class, in the compute type.
static Value selectClass(OpBuilder &builder, Location loc, const LossSpec &loss, bool readsInput) {
  auto inputType = cast<RankedTensorType>(loss.input.getType());
  auto targetType = cast<RankedTensorType>(loss.target.getType());
  int64_t rank = inputType.getRank(), classes = inputType.getDimSize(1);
  auto index = cast<IntegerType>(targetType.getElementType());
  SmallVector<APInt> numbers;
  for (int64_t number = 0; number < classes; ++number)
    numbers.push_back(APInt(64, number).trunc(index.getWidth()));
  auto numberType = RankedTensorType::get(classes, index);
  Value classNumbers = arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(numberType, numbers));

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
  spec.resultType = RankedTensorType::get(targetType.getShape(), compute);
  spec.compute = [=](ImplicitLocOpBuilder &b, ValueRange v, Value sum) -> Value {
    Location loc = b.getLoc();
    Value isTarget = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, v[1], v[2]);
    if (ignored && *ignored >= 0 && *ignored < classes) {
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
  double count = loss.reduction == "mean" ? cast<RankedTensorType>(loss.target.getType()).getNumElements() : 1;
  if (count == 1 && compute == loss.element)
    return result;
  return buildElementwise(builder, loc, loss.resultType, result, compute, [&](ScalarBody &s) -> Value {
    return arith::DivFOp::create(s.b, s.x[0], s.constant(count));
  });
}

namespace {
struct LowerNegativeLogLikelihoodLoss : OnnxLowering<NegativeLogLikelihoodLossOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(NegativeLogLikelihoodLossOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    LossSpec loss{adaptor.getInput(),  adaptor.getTarget(), adaptor.getWeight(), type(op.getInput()).getElementType(),
                  op.getIgnoreIndex(), op.getReduction(),   type(op.getLoss())};
    rewriter.replaceOp(op, buildLoss(rewriter, op.getLoc(), loss));
    return success();
  }
};

struct LowerSoftmaxCrossEntropyLoss : OnnxLowering<SoftmaxCrossEntropyLossOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(SoftmaxCrossEntropyLossOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Type element = type(op.getScores()).getElementType();
    Value logProbability = buildLogSoftmax(rewriter, op.getLoc(), adaptor.getScores(), element, 1);
    LossSpec loss{logProbability,      adaptor.getLabels(), adaptor.getWeights(), element,
                  op.getIgnoreIndex(), op.getReduction(),   type(op.getOutput())};
    SmallVector<Value> results = {buildLoss(rewriter, op.getLoc(), loss)};
    if (op.getLogProb())
      results.push_back(logProbability);
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
