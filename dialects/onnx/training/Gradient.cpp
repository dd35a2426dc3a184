//===- Gradient.cpp - derivatives of a graph ----------------------------------------------------------------------===//
//
// Reverse-mode differentiation:
//   1. the operators on the ways from xs to y are found, in the order of the program;
//   2. where the inputs are other values than xs and zs, these operators are repeated on the inputs;
//   3. from y back to xs each operator passes the derivative of y by its result on to its operands, by a rule per
//      operator (`rules`); what arrives at a value over several ways is summed.
//
// An operand that was broadcast receives the sum over the dims that it was repeated along.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/training/Gradient.h"
#include "dialects/onnx/OnnxInterfaces.h"
#include "dialects/onnx/support/Axes.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/training/Training.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"
#include <cmath>

using namespace mlir;
using namespace onnx_aot::onnx;

//===-- Rules -----------------------------------------------------------------------------------------------------===//

namespace {
/// One operator, whose result's derivative is `dy`.
struct Step {
  FunctionBuilder &f;
  Operation *op;
  Value dy;
  Value x(unsigned index) const { return op->getOperand(index); }
  Value y() const { return op->getResult(0); }
  Value number(double value) const { return f.like(value, dy); }
  double attribute(StringRef name) const { return op->getAttrOfType<FloatAttr>(name).getValueAsDouble(); }
};

/// The derivatives by the operands; null where there is none. They may still have the result's shape.
using Rule = SmallVector<Value> (*)(Step &);
struct RuleRow {
  StringRef op;
  Rule rule;
};
} // namespace

static Value whereGreater(Step &s, Value x, double bound, Value then, Value otherwise) {
  return s.f.op("Where", {s.f.op("Greater", {x, s.number(bound)}), then, otherwise});
}

static SmallVector<Value> ruleOfMatMul(Step &s) {
  FunctionBuilder &f = s.f;
  std::optional<int64_t> left = rankOf(s.x(0)), right = rankOf(s.x(1));
  Value a = s.x(0), b = s.x(1), dy = s.dy;
  // Vectors as matrices of one row or column.
  if (*right == 1) {
    b = f.unsqueeze(b, {1});
    dy = f.unsqueeze(dy, {-1});
  }
  if (*left == 1) {
    a = f.unsqueeze(a, {0});
    dy = f.unsqueeze(dy, {-2});
  }
  if (f.hasFailed())
    return {};
  auto transposed = [&](Value value) {
    SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, *rankOf(value)));
    std::swap(order[order.size() - 1], order[order.size() - 2]);
    return f.transpose(value, order);
  };
  return {f.matmul(dy, transposed(b)), f.matmul(transposed(a), dy)};
}

static SmallVector<Value> ruleOfGemm(Step &s) {
  FunctionBuilder &f = s.f;
  auto flag = [&](StringRef name) {
    auto attribute = s.op->getAttrOfType<IntegerAttr>(name);
    return attribute && attribute.getInt() != 0;
  };
  bool transA = flag("transA"), transB = flag("transB");
  auto product = [&](Value a, bool ta, Value b, bool tb) {
    return f.op("Gemm", {a, b},
                {f.real("alpha", s.attribute("alpha")), f.integer("transA", ta), f.integer("transB", tb)});
  };
  Value a = s.x(0), b = s.x(1);
  SmallVector<Value> results = {transA ? product(b, transB, s.dy, true) : product(s.dy, false, b, !transB),
                                transB ? product(s.dy, true, a, transA) : product(a, !transA, s.dy, false)};
  if (s.op->getNumOperands() > 2)
    results.push_back(f.mul(s.dy, s.number(s.attribute("beta"))));
  return results;
}

static SmallVector<Value> ruleOfTranspose(Step &s) {
  SmallVector<int64_t> inverse(*rankOf(s.dy));
  auto order = s.op->getAttrOfType<DenseI64ArrayAttr>("perm");
  for (size_t axis = 0; axis < inverse.size(); ++axis)
    inverse[order ? order[axis] : inverse.size() - 1 - axis] = axis;
  return {s.f.transpose(s.dy, inverse)};
}

static SmallVector<Value> ruleOfReshape(Step &s) { return {s.f.reshape(s.dy, s.f.op("Shape", {s.x(0)}))}; }

/// The derivative of a sum over axes, repeated along them.
static Value spread(Step &s) {
  FunctionBuilder &f = s.f;
  int64_t rank = *rankOf(s.x(0));
  SmallVector<int64_t> axes;
  if (s.op->getNumOperands() > 1)
    axes = getConstantIntegers(s.x(1)).value_or(SmallVector<int64_t>());
  auto empty = s.op->getAttrOfType<IntegerAttr>("noop_with_empty_axes");
  if (axes.empty() && empty && empty.getInt() != 0)
    return s.dy;
  if (axes.empty())
    axes = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  Value dy = s.dy;
  auto keepdims = s.op->getAttrOfType<IntegerAttr>("keepdims");
  if (keepdims && keepdims.getInt() == 0)
    dy = f.unsqueeze(dy, llvm::map_to_vector(axes, [&](int64_t axis) { return wrapAxis(axis, rank); }));
  return f.op("Expand", {dy, f.op("Shape", {s.x(0)})});
}

static SmallVector<Value> ruleOfReduceMean(Step &s) {
  FunctionBuilder &f = s.f;
  auto size = [&](Value value) { return f.cast(f.op("Size", {value}), elementOf(s.dy)); };
  return {f.mul(spread(s), f.div(size(s.y()), size(s.x(0))))};
}

static SmallVector<Value> ruleOfSoftmax(Step &s) {
  FunctionBuilder &f = s.f;
  int64_t axis = s.op->getAttrOfType<IntegerAttr>("axis").getInt();
  Value weighted = f.mul(s.dy, s.y());
  return {f.sub(weighted, f.mul(s.y(), f.reduce("ReduceSum", weighted, {axis}, true)))};
}

static SmallVector<Value> ruleOfSum(Step &s) { return SmallVector<Value>(s.op->getNumOperands(), s.dy); }

static SmallVector<Value> ruleOfPow(Step &s) {
  FunctionBuilder &f = s.f;
  Value exponent = f.cast(s.x(1), elementOf(s.dy));
  Value byBase = f.mul(s.dy, f.mul(exponent, f.op("Pow", {s.x(0), f.sub(exponent, s.number(1))})));
  SmallVector<Value> results = {byBase, Value()};
  // Where the base is not positive the function of the exponent has no derivative; 0 by convention.
  if (isa<FloatType>(elementOf(s.x(1)))) {
    Value logarithm = whereGreater(s, s.x(0), 0, f.op("Log", {s.x(0)}), s.number(0));
    results[1] = f.cast(f.mul(s.dy, f.mul(s.y(), logarithm)), elementOf(s.x(1)));
  }
  return results;
}

template <bool isMax> static SmallVector<Value> ruleOfExtremum(Step &s) {
  FunctionBuilder &f = s.f;
  SmallVector<Value> results;
  // The first operand that has the result's value takes the derivative.
  Value isTaken;
  for (Value x : s.op->getOperands()) {
    Value isMine = f.op("Equal", {x, s.y()});
    if (isTaken)
      isMine = f.op("And", {isMine, f.op("Not", {isTaken})});
    isTaken = isTaken ? f.op("Or", {isTaken, isMine}) : isMine;
    results.push_back(f.op("Where", {isMine, s.dy, s.number(0)}));
  }
  return results;
}

static const RuleRow rules[] = {
    {"Abs", [](Step &s) -> SmallVector<Value> { return {s.f.mul(s.dy, s.f.op("Sign", {s.x(0)}))}; }},
    {"Add", ruleOfSum},
    {"Cast", [](Step &s) -> SmallVector<Value> { return {s.f.cast(s.dy, elementOf(s.x(0)))}; }},
    {"Cos", [](Step &s) -> SmallVector<Value> { return {s.f.op("Neg", {s.f.mul(s.dy, s.f.op("Sin", {s.x(0)}))})}; }},
    {"Div",
     [](Step &s) -> SmallVector<Value> {
       Value byFirst = s.f.div(s.dy, s.x(1));
       return {byFirst, s.f.op("Neg", {s.f.mul(byFirst, s.y())})};
     }},
    {"Erf",
     [](Step &s) -> SmallVector<Value> {
       Value density = s.f.op("Exp", {s.f.op("Neg", {s.f.mul(s.x(0), s.x(0))})});
       return {s.f.mul(s.dy, s.f.mul(s.number(2 / std::sqrt(M_PI)), density))};
     }},
    {"Exp", [](Step &s) -> SmallVector<Value> { return {s.f.mul(s.dy, s.y())}; }},
    {"Expand",
     [](Step &s) -> SmallVector<Value> {
       return {s.dy, Value()};
     }},
    {"Flatten", ruleOfReshape},
    {"Gemm", ruleOfGemm},
    {"Identity", ruleOfSum},
    {"LeakyRelu",
     [](Step &s) -> SmallVector<Value> {
       return {whereGreater(s, s.x(0), 0, s.dy, s.f.mul(s.dy, s.number(s.attribute("alpha"))))};
     }},
    {"Log", [](Step &s) -> SmallVector<Value> { return {s.f.div(s.dy, s.x(0))}; }},
    {"MatMul", ruleOfMatMul},
    {"Max", ruleOfExtremum<true>},
    {"Mean",
     [](Step &s) -> SmallVector<Value> {
       unsigned count = s.op->getNumOperands();
       return SmallVector<Value>(count, s.f.div(s.dy, s.number(count)));
     }},
    {"Min", ruleOfExtremum<false>},
    {"Mul",
     [](Step &s) -> SmallVector<Value> {
       return {s.f.mul(s.dy, s.x(1)), s.f.mul(s.dy, s.x(0))};
     }},
    {"Neg", [](Step &s) -> SmallVector<Value> { return {s.f.op("Neg", {s.dy})}; }},
    {"Pow", ruleOfPow},
    {"Reciprocal",
     [](Step &s) -> SmallVector<Value> { return {s.f.op("Neg", {s.f.mul(s.dy, s.f.mul(s.y(), s.y()))})}; }},
    {"ReduceMean", ruleOfReduceMean},
    {"ReduceSum", [](Step &s) -> SmallVector<Value> { return {spread(s)}; }},
    {"Relu", [](Step &s) -> SmallVector<Value> { return {whereGreater(s, s.x(0), 0, s.dy, s.number(0))}; }},
    {"Reshape", ruleOfReshape},
    {"Sigmoid",
     [](Step &s) -> SmallVector<Value> { return {s.f.mul(s.dy, s.f.mul(s.y(), s.f.sub(s.number(1), s.y())))}; }},
    {"Sin", [](Step &s) -> SmallVector<Value> { return {s.f.mul(s.dy, s.f.op("Cos", {s.x(0)}))}; }},
    {"Softmax", ruleOfSoftmax},
    {"Softplus", [](Step &s) -> SmallVector<Value> { return {s.f.mul(s.dy, s.f.op("Sigmoid", {s.x(0)}))}; }},
    {"Sqrt", [](Step &s) -> SmallVector<Value> { return {s.f.div(s.dy, s.f.mul(s.number(2), s.y()))}; }},
    {"Squeeze", ruleOfReshape},
    {"Sub",
     [](Step &s) -> SmallVector<Value> {
       return {s.dy, s.f.op("Neg", {s.dy})};
     }},
    {"Sum", ruleOfSum},
    {"Tanh",
     [](Step &s) -> SmallVector<Value> { return {s.f.mul(s.dy, s.f.sub(s.number(1), s.f.mul(s.y(), s.y())))}; }},
    {"Transpose", ruleOfTranspose},
    {"Unsqueeze", ruleOfReshape},
    {"Where",
     [](Step &s) -> SmallVector<Value> {
       return {Value(), s.f.op("Where", {s.x(0), s.dy, s.number(0)}), s.f.op("Where", {s.x(0), s.number(0), s.dy})};
     }},
};

static Rule ruleOf(Operation *op) {
  for (const RuleRow &row : rules)
    if (row.op == op->getName().stripDialect())
      return row.rule;
  return nullptr;
}

//===-- The walk --------------------------------------------------------------------------------------------------===//

/// `derivative` summed over the dims along which `operand` was repeated.
static Value sumRepeated(FunctionBuilder &f, Value derivative, Value operand) {
  if (f.hasFailed() || derivative.getType() == operand.getType())
    return derivative;
  auto from = cast<RankedTensorType>(derivative.getType()), to = cast<RankedTensorType>(operand.getType());
  SmallVector<int64_t> axes;
  int64_t leading = from.getRank() - to.getRank();
  for (int64_t axis = 0; axis < from.getRank(); ++axis)
    if (axis < leading || (to.getDimSize(axis - leading) == 1 && from.getDimSize(axis) != 1))
      axes.push_back(axis);
  if (!axes.empty())
    derivative = f.reduce("ReduceSum", derivative, axes, true);
  if (f.hasFailed() || derivative.getType() == operand.getType())
    return derivative;
  return f.reshape(derivative, f.op("Shape", {operand}));
}

/// The operators of `block` from `starts` (not included) to `y`, in the order of the program.
static FailureOr<SmallVector<Operation *>> findWays(Operation *gradient, ArrayRef<Value> starts, Value y) {
  Block *block = gradient->getBlock();
  llvm::DenseSet<Value> reached(starts.begin(), starts.end()), seen;
  SmallVector<Operation *> ways;
  // Depth first; an operator comes after those that it reads.
  std::function<bool(Value)> visit = [&](Value value) {
    if (reached.contains(value))
      return true;
    if (!seen.insert(value).second)
      return false;
    Operation *op = value.getDefiningOp();
    if (!op)
      return false;
    bool depends = false;
    for (Value operand : op->getOperands())
      depends |= visit(operand);
    if (depends) {
      reached.insert(op->result_begin(), op->result_end());
      ways.push_back(op);
    }
    return depends;
  };
  visit(y);
  for (Operation *op : ways) {
    if (op->getBlock() != block && gradient->getBlock()->getParentOp() && op->getBlock()->getParentOp())
      return gradient->emitError("unsupported: y is computed outside of the body that the Gradient is in");
    if (!ruleOf(op) || op->getNumResults() != 1)
      return gradient->emitError("unsupported: the derivative of ")
             << op->getName().stripDialect() << "; supported are arithmetic, activations, MatMul, Gemm, Softmax, "
             << "ReduceSum, ReduceMean and changes of shape";
  }
  return ways;
}

LogicalResult onnx_aot::onnx::expandGradient(Operation *op, FunctionBuilder &f, SmallVectorImpl<Value> &results) {
  auto gradient = cast<GradientOp>(op);
  unsigned count = gradient.getXs().size() + (gradient.getZs() ? gradient.getZs()->size() : 0);
  if (op->getNumOperands() != 2 * count + 1 || op->getNumResults() != gradient.getXs().size()) // (C3), (C4)
    return op->emitOpError("needs one input for each name in xs and zs, and one output for each in xs");
  SmallVector<Value> inputs(op->getOperands().take_front(count)), names(op->getOperands().slice(count, count));
  Value y = op->getOperands().back();
  FailureOr<SmallVector<Operation *>> ways = findWays(op, names, y);
  if (failed(ways))
    return failure();

  // Repeat what depends on other values than it did.
  IRMapping mapping;
  bool isOther = false;
  for (auto [name, input] : llvm::zip(names, inputs)) {
    mapping.map(name, input);
    isOther |= name != input;
  }
  SmallVector<Operation *> steps = *ways;
  if (isOther)
    for (Operation *&step : steps)
      step = f.builder.clone(*step, mapping);
  Value end = mapping.lookupOrDefault(y);

  for (Operation *step : steps)
    for (Value value : llvm::concat<Value>(llvm::to_vector(step->getOperands()), llvm::to_vector(step->getResults())))
      if (!rankOf(value))
        return success(); // known later
  if (!rankOf(end))
    return success();
  llvm::DenseMap<Value, Value> derivatives;
  derivatives[end] = f.op("Expand", {f.like(1, end), f.op("Shape", {end})});
  auto receive = [&](Value value, Value derivative) {
    Value &sum = derivatives[value];
    sum = sum ? f.add(sum, derivative) : derivative;
  };
  for (Operation *step : llvm::reverse(steps)) {
    Value dy = derivatives.lookup(step->getResult(0));
    if (!dy)
      continue;
    Step context{f, step, dy};
    SmallVector<Value> parts = ruleOf(step)(context);
    if (f.hasFailed())
      return failure();
    for (auto [operand, part] : llvm::zip(step->getOperands(), parts))
      if (part && isa<FloatType>(elementOf(operand)))
        receive(operand, sumRepeated(f, part, operand));
  }
  for (Value x : ArrayRef(inputs).take_front(gradient.getXs().size())) {
    Value derivative = derivatives.lookup(x);
    results.push_back(derivative ? derivative : f.op("Expand", {f.like(0, x), f.op("Shape", {x})}));
  }
  return success();
}
