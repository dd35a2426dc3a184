//===- ControlflowOps.cpp - shapes of the operators with bodies ---------------------------------------------------===//
//
// The shape of a result is what all bodies that may make it agree on. A shape that differs stays open, which the
// contract of the graph stage reports.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/controlflow/Controlflow.h"
#include "dialects/onnx/support/Constants.h"

using namespace mlir;
using namespace onnx_aot::onnx;

static ValueRange yieldsOf(Region &body) { return cast<YieldOp>(body.front().getTerminator()).getValues(); }

/// What two shapes have in common.
static std::optional<Shape> commonShape(const std::optional<Shape> &a, const std::optional<Shape> &b) {
  if (!a || !b || a->size() != b->size())
    return std::nullopt;
  Shape shape;
  for (auto [x, y] : llvm::zip(*a, *b))
    shape.push_back(x.isKnown() && y.isKnown() && x.get() == y.get() ? x : Dim());
  return shape;
}

static bool hasOneElement(ShapeContext &ctx, Value value) {
  std::optional<Shape> shape = ctx.shape(value);
  return !shape || !product(*shape).isKnown() || product(*shape).is(1);
}

//===-- If --------------------------------------------------------------------------------------------------------===//

Region *IfOp::getTakenBranch() {
  std::optional<SmallVector<int64_t>> condition = getConstantIntegers(getCond());
  if (!condition || condition->size() != 1)
    return nullptr;
  return condition->front() ? &getThenBranch() : &getElseBranch();
}

LogicalResult IfOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  if (!hasOneElement(ctx, getCond())) // (C1)
    return emitOpError("the condition must have one element");
  for (Region *branch : {&getThenBranch(), &getElseBranch()})
    if (branch->getNumArguments() != 0)
      return emitOpError("a branch has inputs");
  ValueRange thenValues = yieldsOf(getThenBranch()), elseValues = yieldsOf(getElseBranch());
  if (thenValues.size() != elseValues.size() || thenValues.size() < getNumResults()) // (C2)
    return emitOpError("the branches have ") << thenValues.size() << " and " << elseValues.size() << " outputs for "
                                             << getNumResults() << " of the operator";
  Region *branch = getTakenBranch();
  for (auto [index, a, b] : llvm::enumerate(thenValues, elseValues)) {
    if (branch) {
      Value taken = branch == &getThenBranch() ? a : b;
      results.emplace_back(ctx.elementType(taken), ctx.shape(taken));
      continue;
    }
    if (ctx.elementType(a) != ctx.elementType(b)) // (C2)
      return emitOpError("output ") << index << " is of type " << ctx.elementType(a) << " in one branch, of "
                                    << ctx.elementType(b) << " in the other";
    results.emplace_back(ctx.elementType(a), commonShape(ctx.shape(a), ctx.shape(b)));
  }
  return success();
}

//===-- Loop ------------------------------------------------------------------------------------------------------===//

bool LoopOp::isAlwaysTrue() {
  auto isTrue = [](Value value) {
    std::optional<SmallVector<int64_t>> constant = getConstantIntegers(value);
    return constant && constant->size() == 1 && constant->front();
  };
  if (getCond() && !isTrue(getCond()))
    return false;
  Value next = yieldsOf(getBody()).front();
  return next == getBody().getArgument(1) || isTrue(next);
}

std::optional<int64_t> LoopOp::getTripCount() {
  std::optional<SmallVector<int64_t>> condition, bound;
  if (getCond())
    condition = getConstantIntegers(getCond());
  if (getM())
    bound = getConstantIntegers(getM());
  if (condition && condition->size() == 1 && !condition->front())
    return 0;
  if (!bound || bound->size() != 1)
    return std::nullopt;
  if (bound->front() <= 0)
    return 0;
  return isAlwaysTrue() ? std::optional<int64_t>(bound->front()) : std::nullopt;
}

/// Gives `argument` the type `type`, if that says more. An error where the two contradict each other.
static LogicalResult refineArgument(Operation *op, BlockArgument argument, Type type) {
  if (failed(verifyCompatibleShape(argument.getType(), type)) ||
      getElementTypeOrSelf(argument.getType()) != getElementTypeOrSelf(type))
    return op->emitOpError("input ") << argument.getArgNumber() << " of the body is declared as " << argument.getType()
                                     << ", but is " << type;
  auto ranked = dyn_cast<RankedTensorType>(argument.getType());
  if (isa<RankedTensorType>(type) && (!ranked || !ranked.hasStaticShape()))
    argument.setType(type);
  return success();
}

LogicalResult LoopOp::refineBody() {
  Block &body = getBody().front();
  if (body.getNumArguments() != getVInitial().size() + 2)
    return success(); // the inference reports it
  for (unsigned index : {0, 1})
    if (auto type = dyn_cast<RankedTensorType>(body.getArgument(index).getType()); !type || !type.hasStaticShape())
      body.getArgument(index).setType(RankedTensorType::get({}, getElementTypeOrSelf(body.getArgument(index))));
  for (auto [argument, value] : llvm::zip(body.getArguments().drop_front(2), getVInitial()))
    if (failed(refineArgument(*this, argument, value.getType())))
      return failure();
  return success();
}

LogicalResult LoopOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  if ((getM() && !hasOneElement(ctx, getM())) || (getCond() && !hasOneElement(ctx, getCond()))) // (C1, C2)
    return emitOpError("the trip count and the condition must have one element");
  size_t carried = getVInitial().size();
  Block &body = getBody().front();
  ValueRange values = yieldsOf(getBody());
  if (body.getNumArguments() != carried + 2 || values.size() < carried + 1 ||
      values.size() < getNumResults() + 1) // (C4)
    return emitOpError("the body has ") << body.getNumArguments() << " inputs and " << values.size() << " outputs for "
                                        << carried << " carried values and " << getNumResults() << " outputs";
  if (!ctx.elementType(body.getArgument(0)).isInteger(64) || !ctx.elementType(body.getArgument(1)).isInteger(1) ||
      !ctx.elementType(values[0]).isInteger(1) || !hasOneElement(ctx, values[0])) // (C4)
    return emitOpError("the body's iteration number must be an int64, its condition a bool");
  std::optional<int64_t> trips = getTripCount();
  for (auto [index, initial] : llvm::enumerate(getVInitial())) {
    Value value = values[index + 1];
    Type element = ctx.elementType(initial);
    if (ctx.elementType(value) != element || ctx.elementType(body.getArgument(index + 2)) != element) // (C3)
      return emitOpError("carried value ") << index << " changes its type";
    results.emplace_back(element, trips == 0 ? ctx.shape(initial) : commonShape(ctx.shape(initial), ctx.shape(value)));
  }
  for (Value value : values.drop_front(carried + 1)) {
    std::optional<Shape> shape = ctx.shape(value);
    if (shape)
      shape->insert(shape->begin(), trips ? Dim(*trips) : Dim());
    results.emplace_back(ctx.elementType(value), shape);
  }
  return success();
}
