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
    shape.push_back(x.equals(y) ? x : Dim());
  return shape;
}

/// The shape of a carried value after any number of iterations: that of the initial value where an iteration keeps it,
/// `argument` being what it starts from.
static std::optional<Shape> carriedShape(const std::optional<Shape> &initial, const std::optional<Shape> &argument,
                                         const std::optional<Shape> &next) {
  std::optional<Shape> shape = commonShape(initial, next);
  if (!shape || !argument || argument->size() != shape->size())
    return shape;
  for (auto [dim, start, before, after] : llvm::zip(*shape, *initial, *argument, *next))
    if (dim.isUnknown() && after.equals(before))
      dim = start;
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
    if (isCompound(a.getType()) && tensorElementType(a.getType()) == tensorElementType(b.getType())) {
      results.emplace_back(a.getType());
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

static bool isTrue(Value value) {
  std::optional<SmallVector<int64_t>> constant = getConstantIntegers(value);
  return constant && constant->size() == 1 && constant->front();
}

bool LoopOp::keepsCondition() {
  Value next = yieldsOf(getBody()).front();
  return next == getBody().getArgument(1) || isTrue(next);
}

bool LoopOp::isAlwaysTrue() { return (!getCond() || isTrue(getCond())) && keepsCondition(); }

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
  if (isCompound(argument.getType()) || isCompound(type))
    return success(); // until it is resolved
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
    // An optional that begins without a value may become a sequence in the first iteration.
    if (isCompound(initial.getType()) || isCompound(value.getType())) {
      if (tensorElementType(initial.getType()) != tensorElementType(value.getType())) // (C3)
        return emitOpError("carried value ") << index << " changes its type";
      results.emplace_back(trips == 0 ? initial.getType() : value.getType());
      continue;
    }
    Type element = ctx.elementType(initial);
    if (ctx.elementType(value) != element || ctx.elementType(body.getArgument(index + 2)) != element) // (C3)
      return emitOpError("carried value ") << index << " changes its type";
    results.emplace_back(element, trips == 0 ? ctx.shape(initial)
                                             : carriedShape(ctx.shape(initial), ctx.shape(body.getArgument(index + 2)),
                                                            ctx.shape(value)));
  }
  Dim count = trips ? Dim(*trips) : Dim();
  if (!trips && getM() && isAlwaysTrue())
    if (std::optional<Shape> bound = ctx.dims(getM()); bound && bound->size() == 1)
      count = Dim::max(bound->front(), 0);
  for (Value value : values.drop_front(carried + 1)) {
    std::optional<Shape> shape = ctx.shape(value);
    if (shape)
      shape->insert(shape->begin(), count);
    results.emplace_back(ctx.elementType(value), shape);
  }
  return success();
}

//===-- Scan ------------------------------------------------------------------------------------------------------===//

static int64_t entryOr(std::optional<ArrayRef<int64_t>> list, unsigned index) {
  return list && index < list->size() ? (*list)[index] : 0;
}

FailureOr<int64_t> ScanOp::getInputAxis(unsigned index, int64_t rank) {
  return normalizeAxis(*this, entryOr(getScanInputAxes(), index), rank);
}
FailureOr<int64_t> ScanOp::getOutputAxis(unsigned index, int64_t rank) {
  return normalizeAxis(*this, entryOr(getScanOutputAxes(), index), rank);
}
bool ScanOp::isInputReversed(unsigned index) { return entryOr(getScanInputDirections(), index) == 1; }
bool ScanOp::isOutputReversed(unsigned index) { return entryOr(getScanOutputDirections(), index) == 1; }

LogicalResult ScanOp::refineBody() {
  Block &body = getBody().front();
  OperandRange operands = getInitialStateAndScanInputs();
  int64_t scanned = getNumScanInputs();
  if (scanned < 1 || scanned > int64_t(operands.size()) || body.getNumArguments() != operands.size())
    return success(); // the inference reports it
  for (auto [index, argument, operand] : llvm::enumerate(body.getArguments(), operands)) {
    Type type = operand.getType();
    auto ranked = dyn_cast<RankedTensorType>(type);
    if (index >= getNumStates()) {
      if (!ranked)
        continue;
      FailureOr<int64_t> axis = getInputAxis(index - getNumStates(), ranked.getRank());
      if (failed(axis))
        return failure();
      SmallVector<int64_t> shape(ranked.getShape());
      shape.erase(shape.begin() + *axis);
      type = RankedTensorType::get(shape, ranked.getElementType());
    }
    if (failed(refineArgument(*this, argument, type)))
      return failure();
  }
  return success();
}

LogicalResult ScanOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  OperandRange operands = getInitialStateAndScanInputs();
  int64_t scanned = getNumScanInputs();
  if (scanned < 1 || scanned > int64_t(operands.size())) // (C1, C2)
    return emitOpError("num_scan_inputs is ") << scanned << " of " << operands.size() << " inputs";
  unsigned states = getNumStates();
  Block &body = getBody().front();
  ValueRange values = yieldsOf(getBody());
  if (body.getNumArguments() != operands.size() || values.size() < states || values.size() < getNumResults()) // (C3)
    return emitOpError("the body has ") << body.getNumArguments() << " inputs and " << values.size() << " outputs for "
                                        << operands.size() << " inputs and " << getNumResults() << " outputs";
  Dim trips;
  for (auto [index, input] : llvm::enumerate(operands.drop_front(states))) {
    std::optional<Shape> shape = ctx.shape(input);
    if (!shape)
      continue;
    FailureOr<int64_t> axis = getInputAxis(index, shape->size());
    if (failed(axis))
      return failure();
    Dim extent = (*shape)[*axis];
    if (trips.isKnown() && extent.isKnown() && extent.get() != trips.get())
      return emitOpError("scan inputs have ") << trips.get() << " and " << extent.get() << " slices";
    if (extent.isKnown() || trips.isUnknown())
      trips = extent;
  }
  for (auto [index, initial] : llvm::enumerate(operands.take_front(states))) {
    if (ctx.elementType(values[index]) != ctx.elementType(initial))
      return emitOpError("state ") << index << " changes its type";
    results.emplace_back(ctx.elementType(initial), carriedShape(ctx.shape(initial), ctx.shape(body.getArgument(index)),
                                                                ctx.shape(values[index])));
  }
  for (auto [index, value] : llvm::enumerate(values.drop_front(states))) {
    std::optional<Shape> shape = ctx.shape(value);
    if (shape) {
      FailureOr<int64_t> axis = getOutputAxis(index, shape->size() + 1);
      if (failed(axis))
        return failure();
      shape->insert(shape->begin() + *axis, trips);
    }
    results.emplace_back(ctx.elementType(value), shape);
  }
  return success();
}
