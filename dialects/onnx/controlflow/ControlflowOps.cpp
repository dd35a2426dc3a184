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
