//===- RecurrentActivations.cpp - the functions inside of recurrent cells -----------------------------------------===//
#include "dialects/onnx/recurrent/RecurrentActivations.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace onnx_aot::onnx;
using arith::CmpFPredicate;

namespace {
struct ActivationRow {
  StringRef name;
  ActivationKind kind;
  std::optional<double> alpha, beta; // the defaults of those that the function has
};
} // namespace

static ArrayRef<ActivationRow> activationTable() {
  static const ActivationRow table[] = {
      {"Affine", ActivationKind::Affine, 1.0, 0.0},
      {"Elu", ActivationKind::Elu, 1.0, std::nullopt},
      {"HardSigmoid", ActivationKind::HardSigmoid, 0.2f, 0.5},
      {"LeakyRelu", ActivationKind::LeakyRelu, 0.01f, std::nullopt},
      {"Relu", ActivationKind::Relu, std::nullopt, std::nullopt},
      {"ScaledTanh", ActivationKind::ScaledTanh, 1.0, 1.0},
      {"Sigmoid", ActivationKind::Sigmoid, std::nullopt, std::nullopt},
      {"Softplus", ActivationKind::Softplus, std::nullopt, std::nullopt},
      {"Softsign", ActivationKind::Softsign, std::nullopt, std::nullopt},
      {"Tanh", ActivationKind::Tanh, std::nullopt, std::nullopt},
      {"ThresholdedRelu", ActivationKind::ThresholdedRelu, 1.0, std::nullopt},
  };
  return table;
}

FailureOr<SmallVector<CellActivation>> onnx_aot::onnx::readActivations(Operation *op, ArrayRef<ActivationKind> defaults,
                                                                       int64_t directions) {
  SmallVector<CellActivation> result;
  auto names = op->getAttrOfType<ArrayAttr>("activations");
  if (names && names.size() != defaults.size() * directions) {
    op->emitOpError() << defaults.size() * directions << " activations are needed, not " << names.size();
    return failure();
  }
  auto parameters = [&](StringRef name) {
    auto attr = op->getAttrOfType<DenseF32ArrayAttr>(name);
    return attr ? attr.asArrayRef() : ArrayRef<float>();
  };
  ArrayRef<float> alphas = parameters("activation_alpha"), betas = parameters("activation_beta");
  auto next = [](ArrayRef<float> &list, std::optional<double> byDefault) -> double {
    if (!byDefault || list.empty())
      return byDefault.value_or(0);
    double value = list.front();
    list = list.drop_front();
    return value;
  };
  auto clip = op->getAttrOfType<FloatAttr>("clip");
  for (size_t index = 0; index < defaults.size() * directions; ++index) {
    const ActivationRow *row = llvm::find_if(activationTable(), [&](const ActivationRow &candidate) {
      return names ? candidate.name.equals_insensitive(cast<StringAttr>(names[index]).getValue())
                   : candidate.kind == defaults[index % defaults.size()];
    });
    if (row == activationTable().end()) {
      op->emitOpError() << "unknown activation " << names[index];
      return failure();
    }
    double alpha = next(alphas, row->alpha), beta = next(betas, row->beta);
    result.push_back({row->kind, alpha, beta, clip ? clip.getValueAsDouble() : 0});
  }
  return result;
}

/// Comparisons with NaN are false, so NaN stays.
static Value clamp(ImplicitLocOpBuilder &b, Value x, Value low, Value high) {
  x = arith::SelectOp::create(b, arith::CmpFOp::create(b, CmpFPredicate::OLT, x, low), low, x);
  return arith::SelectOp::create(b, arith::CmpFOp::create(b, CmpFPredicate::OLT, high, x), high, x);
}

Value CellActivation::emit(ImplicitLocOpBuilder &b, Value x) const {
  auto constant = [&](double value) { return scalarConstant(b, b.getLoc(), x.getType(), value); };
  auto add = [&](Value left, Value right) -> Value { return arith::AddFOp::create(b, left, right); };
  auto mul = [&](Value left, Value right) -> Value { return arith::MulFOp::create(b, left, right); };
  auto ifLess = [&](Value left, Value right, Value yes, Value no) -> Value {
    return arith::SelectOp::create(b, arith::CmpFOp::create(b, CmpFPredicate::OLT, left, right), yes, no);
  };
  if (clip > 0)
    x = clamp(b, x, constant(-clip), constant(clip));
  Value zero = constant(0), one = constant(1);
  switch (kind) {
  case ActivationKind::Affine:
    return add(mul(x, constant(alpha)), constant(beta));
  case ActivationKind::Elu:
    return ifLess(x, zero, mul(constant(alpha), math::ExpM1Op::create(b, x)), x);
  case ActivationKind::HardSigmoid:
    return clamp(b, add(mul(x, constant(alpha)), constant(beta)), zero, one);
  case ActivationKind::LeakyRelu:
    return ifLess(x, zero, mul(x, constant(alpha)), x);
  case ActivationKind::Relu:
    return ifLess(x, zero, zero, x);
  case ActivationKind::ScaledTanh:
    return mul(constant(alpha), math::TanhOp::create(b, mul(x, constant(beta))));
  case ActivationKind::Sigmoid:
    return arith::DivFOp::create(b, one, add(one, math::ExpOp::create(b, arith::NegFOp::create(b, x))));
  case ActivationKind::Softplus: {
    // max(x, 0) + log(1 + exp(-|x|)), which does not overflow.
    Value tail = math::Log1pOp::create(b, math::ExpOp::create(b, arith::NegFOp::create(b, math::AbsFOp::create(b, x))));
    return add(ifLess(x, zero, zero, x), tail);
  }
  case ActivationKind::Softsign:
    return arith::DivFOp::create(b, x, add(one, math::AbsFOp::create(b, x)));
  case ActivationKind::Tanh:
    return math::TanhOp::create(b, x);
  case ActivationKind::ThresholdedRelu:
    return ifLess(constant(alpha), x, x, zero);
  }
  llvm_unreachable("an activation without code");
}
