//===- TrainingFunctions.cpp - the optimisers as graphs -----------------------------------------------------------===//
#include "dialects/onnx/training/Gradient.h"
#include "dialects/onnx/training/Training.h"

using namespace mlir;
using namespace onnx_aot::onnx;

/// The operands by kind: `groups[kind][tensor]`. An error where they do not divide evenly. // (C1)
static FailureOr<SmallVector<SmallVector<Value>>> groupInputs(Operation *op, unsigned kinds, unsigned kindsOut) {
  unsigned count = op->getNumOperands() - 2;
  if (count == 0 || count % kinds != 0 || op->getNumResults() != count / kinds * kindsOut)
    return op->emitOpError("needs ") << kinds << " inputs and " << kindsOut << " outputs for each tensor";
  SmallVector<SmallVector<Value>> groups(kinds);
  for (auto [index, value] : llvm::enumerate(op->getOperands().drop_front(2)))
    groups[index / (count / kinds)].push_back(value);
  return groups;
}

namespace {
/// The arithmetic of one tensor's update.
struct Update {
  FunctionBuilder &f;
  Operation *op;
  Value x;

  double attribute(StringRef name) const { return op->getAttrOfType<FloatAttr>(name).getValueAsDouble(); }
  Value number(double value) const { return f.like(value, x); }
  Value rate() const { return f.cast(op->getOperand(0), elementOf(x)); }
  Value updates() const { return f.cast(op->getOperand(1), elementOf(x)); }
  Value isLater() const { return f.op("Greater", {op->getOperand(1), f.number(0, elementOf(op->getOperand(1)))}); }
  Value square(Value value) const { return f.mul(value, value); }
  Value regularized(Value gradient) const { return f.add(f.mul(number(attribute("norm_coefficient")), x), gradient); }
  /// share * old + (1 - share) * next
  Value average(double share, Value old, Value next) const {
    return f.add(f.mul(number(share), old), f.mul(number(1 - share), next));
  }
};
} // namespace

static LogicalResult expandAdagrad(Operation *op, FunctionBuilder &f, SmallVectorImpl<Value> &results) {
  FailureOr<SmallVector<SmallVector<Value>>> groups = groupInputs(op, 3, 2);
  if (failed(groups))
    return failure();
  SmallVector<Value> states;
  for (auto [x, gradient, sum] : llvm::zip((*groups)[0], (*groups)[1], (*groups)[2])) {
    Update u{f, op, x};
    Value decay = f.add(u.number(1), f.mul(u.updates(), u.number(u.attribute("decay_factor"))));
    Value rate = f.div(u.rate(), decay), regularized = u.regularized(gradient);
    Value next = f.add(sum, u.square(regularized));
    Value scale = f.add(f.op("Sqrt", {next}), u.number(u.attribute("epsilon")));
    results.push_back(f.sub(x, f.div(f.mul(rate, regularized), scale)));
    states.push_back(next);
  }
  results.append(states);
  return success();
}

static LogicalResult expandAdam(Operation *op, FunctionBuilder &f, SmallVectorImpl<Value> &results) {
  FailureOr<SmallVector<SmallVector<Value>>> groups = groupInputs(op, 4, 3);
  if (failed(groups))
    return failure();
  SmallVector<Value> means, squares;
  for (auto [x, gradient, mean, squareMean] : llvm::zip((*groups)[0], (*groups)[1], (*groups)[2], (*groups)[3])) {
    Update u{f, op, x};
    double alpha = u.attribute("alpha"), beta = u.attribute("beta");
    Value regularized = u.regularized(gradient);
    Value nextMean = u.average(alpha, mean, regularized);
    Value nextSquare = u.average(beta, squareMean, u.square(regularized));
    Value scale = f.add(f.op("Sqrt", {nextSquare}), u.number(u.attribute("epsilon")));
    // The averages start at zero; this corrects for it.
    auto left = [&](double share) { return f.sub(u.number(1), f.op("Pow", {u.number(share), u.updates()})); };
    Value corrected = f.div(f.mul(u.rate(), f.op("Sqrt", {left(beta)})), left(alpha));
    Value rate = f.op("Where", {u.isLater(), corrected, u.rate()});
    Value next = f.sub(x, f.div(f.mul(rate, nextMean), scale));
    results.push_back(f.mul(u.number(1 - u.attribute("norm_coefficient_post")), next));
    means.push_back(nextMean);
    squares.push_back(nextSquare);
  }
  results.append(means);
  results.append(squares);
  return success();
}

static LogicalResult expandMomentum(Operation *op, FunctionBuilder &f, SmallVectorImpl<Value> &results) {
  FailureOr<SmallVector<SmallVector<Value>>> groups = groupInputs(op, 3, 2);
  if (failed(groups))
    return failure();
  StringRef mode = op->getAttrOfType<StringAttr>("mode").getValue();
  if (mode != "standard" && mode != "nesterov") // (C2)
    return op->emitOpError("mode must be standard or nesterov, not \"") << mode << "\"";
  SmallVector<Value> states;
  for (auto [x, gradient, momentum] : llvm::zip((*groups)[0], (*groups)[1], (*groups)[2])) {
    Update u{f, op, x};
    Value regularized = u.regularized(gradient), alpha = u.number(u.attribute("alpha"));
    Value beta = f.op("Where", {u.isLater(), u.number(u.attribute("beta")), u.number(1)});
    Value next = f.add(f.mul(alpha, momentum), f.mul(beta, regularized));
    Value step = mode == "standard" ? next : f.add(regularized, f.mul(alpha, next));
    results.push_back(f.sub(x, f.mul(u.rate(), step)));
    states.push_back(next);
  }
  results.append(states);
  return success();
}

namespace onnx_aot::onnx {
ArrayRef<FunctionRow> getTrainingFunctions() {
  static const FunctionRow table[] = {
      {"ai_onnx_preview_training.Adagrad", expandAdagrad},
      {"ai_onnx_preview_training.Adam", expandAdam},
      {"ai_onnx_preview_training.Gradient", expandGradient},
      {"ai_onnx_preview_training.Momentum", expandMomentum},
  };
  return table;
}
} // namespace onnx_aot::onnx
