//===- SequenceOps.cpp - types of sequences and optionals ---------------------------------------------------------===//
//
// Types say what the elements' type is and nothing of shapes, so a tensor that comes out of a sequence is unranked
// until the graph stage has found out which one it is.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/sequence/Sequence.h"
#include "dialects/onnx/support/DataTypes.h"

using namespace mlir;
using namespace onnx_aot::onnx;

static Type elementOf(Value sequence) { return cast<SequenceType>(sequence.getType()).getElementType(); }

LogicalResult SequenceConstructOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  if (getInputs().empty()) // (C1)
    return emitOpError("has no inputs");
  Type element = ctx.elementType(getInputs().front());
  for (Value input : getInputs())
    if (ctx.elementType(input) != element) // (C1)
      return emitOpError("inputs have different element types: ") << element << " and " << ctx.elementType(input);
  results.emplace_back(SequenceType::get(element));
  return success();
}

LogicalResult SequenceEmptyOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type element = elementTypeOfDataType(getContext(), getDtype());
  if (!element) // (C1)
    return emitOpError("dtype is not a number's");
  results.emplace_back(SequenceType::get(element));
  return success();
}

LogicalResult SequenceInsertOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  if (ctx.elementType(getTensor()) != elementOf(getInputSequence())) // (C1)
    return emitOpError("a tensor of ") << ctx.elementType(getTensor()) << " is inserted into a sequence of "
                                       << elementOf(getInputSequence());
  results.emplace_back(getInputSequence().getType());
  return success();
}

LogicalResult SequenceEraseOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  results.emplace_back(getInputSequence().getType());
  return success();
}

LogicalResult SplitToSequenceOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  if (std::optional<Shape> shape = ctx.shape(getInput()))
    if (failed(normalizeAxis(*this, getAxis(), shape->size()))) // (C1)
      return failure();
  results.emplace_back(SequenceType::get(ctx.elementType(getInput())));
  return success();
}

LogicalResult SequenceAtOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  results.emplace_back(elementOf(getInputSequence()));
  return success();
}

LogicalResult SequenceLengthOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  results.emplace_back(IntegerType::get(getContext(), 64), Shape());
  return success();
}

LogicalResult ConcatFromSequenceOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  results.emplace_back(elementOf(getInputSequence()));
  return success();
}

LogicalResult SequenceMapOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Block &body = getBody().front();
  OperandRange values = body.getTerminator()->getOperands();
  if (body.getNumArguments() != getNumOperands() || values.size() < getNumResults()) // (C1)
    return emitOpError("the body has ") << body.getNumArguments() << " inputs and " << values.size() << " outputs for "
                                        << getNumOperands() << " inputs and " << getNumResults() << " outputs";
  for (Value value : values) {
    if (isCompound(value.getType())) // (C1)
      return emitOpError("the body makes a value that is not a tensor");
    results.emplace_back(SequenceType::get(ctx.elementType(value)));
  }
  return success();
}

LogicalResult OptionalOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  if (!getInput() && !getTypeAttr()) // (C1)
    return emitOpError("has neither an input nor a type");
  Type type = getInput() ? getInput().getType() : getTypeAttr().getValue();
  if (isa<OptionalType>(type))
    return emitOpError("an optional is wrapped in another");
  results.emplace_back(OptionalType::get(isa<SequenceType>(type) ? type : getElementTypeOrSelf(type)));
  return success();
}

LogicalResult OptionalGetElementOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  if (auto optional = dyn_cast<OptionalType>(getInput().getType()))
    results.emplace_back(optional.getWrapped());
  else
    results.emplace_back(ctx.elementType(getInput()), ctx.shape(getInput()));
  return success();
}

LogicalResult OptionalHasElementOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  results.emplace_back(IntegerType::get(getContext(), 1), Shape());
  return success();
}
