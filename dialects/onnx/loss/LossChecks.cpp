//===- LossChecks.cpp - what losses ask of a run's values ---------------------------------------------------------===//
//
// A label names a class, or is the one that is ignored.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/loss/Loss.h"
#include "dialects/onnx/support/OperandCheck.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::onnx;

static void checkLabels(ImplicitLocOpBuilder &b, Value scores, Value labels, std::optional<int64_t> ignored) {
  OpFoldResult size = tensor::getMixedSize(b, b.getLoc(), scores, 1);
  Value count = getValueOrCreateConstantIndexOp(b, b.getLoc(), size);
  Value classes = arith::IndexCastOp::create(b, b.getI64Type(), count);
  auto holds = [&](ImplicitLocOpBuilder &inner, Value label) -> Value {
    if (!label.getType().isInteger(64))
      label = arith::ExtSIOp::create(inner, inner.getI64Type(), label);
    Value isClass = arith::CmpIOp::create(inner, arith::CmpIPredicate::ult, label, classes);
    if (!ignored)
      return isClass;
    Value none = arith::ConstantIntOp::create(inner, *ignored, 64);
    Value isIgnored = arith::CmpIOp::create(inner, arith::CmpIPredicate::eq, label, none);
    return arith::OrIOp::create(inner, isClass, isIgnored);
  };
  requireAll(b, b.getLoc(), labels, holds, aot::Code::index_out_of_range);
}

static void checkNegativeLogLikelihood(NegativeLogLikelihoodLossOp op, NegativeLogLikelihoodLossOp::Adaptor operands,
                                       ImplicitLocOpBuilder &b) {
  checkLabels(b, operands.getInput(), operands.getTarget(), op.getIgnoreIndex());
}

static void checkSoftmaxCrossEntropy(SoftmaxCrossEntropyLossOp op, SoftmaxCrossEntropyLossOp::Adaptor operands,
                                     ImplicitLocOpBuilder &b) {
  checkLabels(b, operands.getScores(), operands.getLabels(), op.getIgnoreIndex());
}

namespace onnx_aot::onnx {
void populateLossChecks(TypeConverter &converter, RewritePatternSet &patterns) {
  addCheck<NegativeLogLikelihoodLossOp>(converter, patterns, checkNegativeLogLikelihood);
  addCheck<SoftmaxCrossEntropyLossOp>(converter, patterns, checkSoftmaxCrossEntropy);
}
} // namespace onnx_aot::onnx
