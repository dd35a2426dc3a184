//===- ResolveSequenceBodies.cpp - sequences that bodies make or carry --------------------------------------------===//
//
// If, Loop and SequenceMap; see ResolveSequences.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/elementwise/Elementwise.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/TypeUtilities.h"
#include "passes/graph/ResolveSequences.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::onnx;

/// How many operations unrolling may make.
static constexpr int64_t kMostUnrolled = 100'000;

static YieldOp yieldOf(Region &body) { return cast<YieldOp>(body.front().getTerminator()); }

static Type openType(Type like) { return UnrankedTensorType::get(tensorElementType(like)); }

/// What an Identity passes on.
static Value lookThrough(Value value) {
  while (auto identity = value.getDefiningOp<IdentityOp>())
    value = identity.getInput();
  return value;
}

//===-- If --------------------------------------------------------------------------------------------------------===//

static std::string textOf(const std::optional<ValueForm> &form) {
  if (!form)
    return "a sequence of a length that is known at run time only";
  switch (form->kind) {
  case ValueForm::Tensor:
    return "a tensor";
  case ValueForm::Sequence:
    return "a sequence of " + std::to_string(form->tensors.size()) + " elements";
  case ValueForm::Stacked:
    return "a sequence of a length that is known at run time only";
  case ValueForm::Absent:
    return "an optional without a value";
  }
  llvm_unreachable("a kind without a text");
}

FailureOr<Block::iterator> SequenceResolver::resolveIf(IfOp op) {
  Operation *before = op->getPrevNode();
  SmallVector<ValueForm> forms;
  SmallVector<Value> tensors[2];
  Region *branches[2] = {&op.getThenBranch(), &op.getElseBranch()};
  for (Region *branch : branches)
    if (failed(visit(branch->front().begin(), Block::iterator(branch->front().getTerminator()))))
      return failure();
  for (auto [index, result] : llvm::enumerate(op.getResults())) {
    std::optional<ValueForm> both[2];
    for (auto [form, branch] : llvm::zip(both, branches)) {
      OpBuilder builder(branch->front().getTerminator());
      form = unstackedFormOf(builder, yieldOf(*branch).getValues()[index]);
    }
    if (!both[0] || !both[1] || !both[0]->matches(*both[1]))
      return op.emitError("unsupported: output ")
             << index << " is " << textOf(both[0]) << " in one branch and " << textOf(both[1])
             << " in the other; supported are branches that give sequences of the same length, or a condition that is "
                "known when the model is compiled";
    both[0]->isOptional |= both[1]->isOptional;
    forms.push_back(*both[0]);
    for (auto [list, form] : llvm::zip(tensors, both))
      llvm::append_range(list, form->tensors);
  }
  OpBuilder builder(op);
  SmallVector<Type> types;
  for (auto [a, b] : llvm::zip(tensors[0], tensors[1]))
    types.push_back(openType(a.getType()));
  OperationState state(op.getLoc(), IfOp::getOperationName());
  state.addTypes(types);
  state.addOperands(op.getCond());
  for (auto [branch, list] : llvm::zip(branches, tensors)) {
    yieldOf(*branch).getValuesMutable().assign(list);
    state.addRegion()->takeBody(*branch);
  }
  Operation *flat = builder.create(state);
  SmallVector<Value> results;
  ValueRange left = flat->getResults();
  for (const ValueForm &form : forms) {
    results.push_back(rebuild(builder, op.getLoc(), form, llvm::to_vector(left.take_front(form.tensors.size()))));
    left = left.drop_front(form.tensors.size());
  }
  return replace(op, before, results);
}

//===-- SequenceMap -----------------------------------------------------------------------------------------------===//

void onnx_aot::openTypes(Operation *op) {
  op->walk([](Operation *inner) {
    if (!isa<OnnxOpInterface>(inner) || inner->hasTrait<OpTrait::ConstantLike>())
      return;
    for (Value result : inner->getResults())
      if (isa<RankedTensorType>(result.getType()))
        result.setType(openType(result.getType()));
  });
}

FailureOr<SmallVector<Value>> SequenceResolver::inlineClone(Operation *op, Block &body, ValueRange arguments) {
  IRMapping mapping;
  mapping.map(body.getArguments(), arguments);
  OpBuilder builder(op);
  Operation *before = op->getPrevNode(), *terminator = nullptr;
  for (Operation &inner : body) {
    terminator = builder.clone(inner, mapping);
    openTypes(terminator);
  }
  Block::iterator first = before ? std::next(Block::iterator(before)) : op->getBlock()->begin();
  // The clone of the terminator stands between two iterations: folding replaces what it uses.
  LogicalResult visited = visit(first, Block::iterator(terminator));
  SmallVector<Value> values(terminator->getOperands());
  erase(terminator);
  if (failed(visited))
    return failure();
  return values;
}

FailureOr<Block::iterator> SequenceResolver::resolveMap(SequenceMapOp op) {
  OpBuilder builder(op);
  Block &body = op.getBody().front();
  // The elements stay the operands of an operation while they are visited, as folding replaces them.
  SmallVector<Operation *> elements; // null: a tensor
  std::optional<size_t> count;
  for (Value operand : op->getOperands()) {
    elements.push_back(nullptr);
    if (isa<TensorType>(operand.getType()))
      continue;
    Operation *before = op->getPrevNode();
    std::optional<SmallVector<Value>> list = elementsOf(builder, operand);
    if (!list)
      return op.emitError("unsupported: the number of elements of the sequence is known at run time only");
    if (count && *count != list->size())
      return op.emitError("sequences of ") << *count << " and " << list->size() << " elements";
    count = list->size();
    elements.back() = TensorOps(builder, op.getLoc()).construct(operand.getType(), *list).getDefiningOp();
    Block::iterator first = before ? std::next(Block::iterator(before)) : op->getBlock()->begin();
    if (failed(visit(first, Block::iterator(op))))
      return failure();
  }
  if (int64_t(*count * body.getOperations().size()) > kMostUnrolled)
    return op.emitError("unsupported: a body of ") << body.getOperations().size() << " operations for " << *count
                                                   << " elements; at most " << kMostUnrolled << " operations are made";
  SmallVector<SmallVector<Value>> results(op->getNumResults());
  for (size_t index = 0; index < *count; ++index) {
    SmallVector<Value> arguments;
    for (auto [operand, list] : llvm::zip(op->getOperands(), elements))
      arguments.push_back(list ? list->getOperand(index) : operand);
    FailureOr<SmallVector<Value>> values = inlineClone(op, body, arguments);
    if (failed(values))
      return failure();
    for (auto [list, value] : llvm::zip(results, *values))
      list.push_back(value);
  }
  Operation *before = op->getPrevNode();
  SmallVector<Value> sequences;
  for (auto [result, list] : llvm::zip(op->getResults(), results))
    sequences.push_back(TensorOps(builder, op.getLoc()).construct(result.getType(), list));
  return replace(op, before, sequences);
}

//===-- Loop ------------------------------------------------------------------------------------------------------===//

/// A loop like `op` in front of it with these initial values and result types. It takes the body.
static LoopOp remakeLoop(OpBuilder &builder, LoopOp op, ValueRange initial, TypeRange types) {
  OperationState state(op.getLoc(), LoopOp::getOperationName());
  state.addTypes(types);
  SmallVector<int32_t> segments = {op.getM() ? 1 : 0, op.getCond() ? 1 : 0, int32_t(initial.size())};
  if (op.getM())
    state.addOperands(op.getM());
  if (op.getCond())
    state.addOperands(op.getCond());
  state.addOperands(initial);
  state.addAttribute("operandSegmentSizes", builder.getDenseI32ArrayAttr(segments));
  state.addRegion()->takeBody(op.getBody());
  return cast<LoopOp>(builder.create(state));
}

/// Whether carried value `index` is the same sequence in all iterations.
static bool isInvariant(LoopOp op, size_t index) {
  return lookThrough(yieldOf(op.getBody()).getValues()[index + 1]) == op.getBody().getArgument(index + 2);
}

/// The tensor that every iteration appends to carried value `index`, which is not used for anything else.
static Value appendedTensor(LoopOp op, size_t index) {
  BlockArgument argument = op.getBody().getArgument(index + 2);
  auto insert = yieldOf(op.getBody()).getValues()[index + 1].getDefiningOp<SequenceInsertOp>();
  if (!insert || insert.getPosition() || insert.getInputSequence() != argument || !argument.hasOneUse() ||
      !insert->hasOneUse() || insert->getBlock() != argument.getOwner())
    return Value();
  return insert.getTensor();
}

/// Whether the result is used in ways that a stack of equal tensors serves.
static bool isUsedAsStack(Value result, bool isCountOpen) {
  return llvm::all_of(result.getUsers(), [&](Operation *user) {
    auto concat = dyn_cast<ConcatFromSequenceOp>(user);
    return isa<SequenceAtOp, SequenceLengthOp>(user) || (concat && (concat.getNewAxis() || isCountOpen));
  });
}

/// Takes sequences that do not change out of a loop, and makes scan outputs of those that it appends to. False where it
/// carries none that could be.
bool SequenceResolver::collectAppended(LoopOp op, Result &result) {
  size_t carried = op.getVInitial().size();
  bool isCountOpen = !op.getTripCount();
  llvm::BitVector invariant(carried), appended(carried);
  for (auto [index, initial] : llvm::enumerate(op.getVInitial())) {
    if (!isCompound(initial.getType()))
      continue;
    std::optional<ValueForm> form = formOf(initial);
    if (isInvariant(op, index))
      invariant.set(index);
    else if (form && form->kind == ValueForm::Sequence && form->tensors.empty() && appendedTensor(op, index) &&
             isUsedAsStack(op->getResult(index), isCountOpen))
      appended.set(index);
  }
  if (invariant.none() && appended.none())
    return false;

  Operation *before = op->getPrevNode();
  OpBuilder builder(op);
  Block &body = op.getBody().front();
  YieldOp yield = yieldOf(op.getBody());
  SmallVector<Value> initial, next = {yield.getValues().front()}, scanned(yield.getValues().drop_front(carried + 1));
  SmallVector<Type> types, scanTypes(ValueRange(op->getResults().drop_front(carried)).getTypes());
  SmallVector<Operation *> inserts;
  for (size_t index = 0; index < carried; ++index) {
    Value value = op.getVInitial()[index];
    if (invariant[index]) {
      body.getArgument(index + 2).replaceAllUsesWith(value);
    } else if (appended[index]) {
      Value tensor = appendedTensor(op, index);
      inserts.push_back(yield.getValues()[index + 1].getDefiningOp());
      scanned.push_back(tensor);
      scanTypes.push_back(openType(tensor.getType()));
    } else {
      initial.push_back(value);
      next.push_back(yield.getValues()[index + 1]);
      types.push_back(op->getResult(index).getType());
    }
  }
  llvm::append_range(next, scanned);
  llvm::append_range(types, scanTypes);
  yield.getValuesMutable().assign(next);
  yield.removeDeclaredAttr(); // that was of other values
  for (Operation *insert : inserts)
    erase(insert);
  llvm::BitVector gone(body.getNumArguments());
  for (size_t index = 0; index < carried; ++index)
    if (invariant[index] || appended[index])
      gone.set(index + 2);
  body.eraseArguments(gone);
  size_t scans = scanTypes.size() - appended.count();
  SmallVector<Value> kept(op.getVInitial());
  LoopOp loop = remakeLoop(builder, op, initial, types);

  SmallVector<Value> results;
  ValueRange left = loop->getResults(), stacks = left.take_back(appended.count());
  TensorOps ops(builder, op.getLoc());
  for (size_t index = 0; index < carried; ++index) {
    if (invariant[index]) {
      results.push_back(kept[index]);
    } else if (appended[index]) {
      results.push_back(ops.stacked(stacks.front(), 0));
      stacks = stacks.drop_front();
    } else {
      results.push_back(left.front());
      left = left.drop_front();
    }
  }
  llvm::append_range(results, left.take_front(scans));
  result = replace(op, before, results);
  return true;
}

FailureOr<Block::iterator> SequenceResolver::resolveLoop(LoopOp op) {
  Block &body = op.getBody().front();
  size_t carried = op.getVInitial().size(), values = yieldOf(op.getBody()).getValues().size();
  if (body.getNumArguments() != carried + 2 || values < carried + 1 || op->getNumResults() != values - 1)
    return op.emitOpError("the body's inputs and outputs are not those of the loop");
  Result result = failure();
  if (collectAppended(op, result))
    return result;
  std::optional<int64_t> bound = op.getM() ? constantScalar(op.getM()) : std::optional<int64_t>();
  bool startsKnown = !op.getCond() || constantScalar(op.getCond());
  if ((bound || !op.getM()) && startsKnown)
    return unroll(op, bound);
  return carryTensors(op);
}

FailureOr<Block::iterator> SequenceResolver::unroll(LoopOp op, std::optional<int64_t> trips) {
  OpBuilder builder(op);
  Block &body = op.getBody().front();
  SmallVector<Value> carried(op.getVInitial());
  SmallVector<SmallVector<Value>> scanned(op->getNumResults() - carried.size());
  bool goesOn = !op.getCond() || *constantScalar(op.getCond());
  int64_t size = body.getOperations().size();
  for (int64_t iteration = 0; goesOn && (!trips || iteration < *trips); ++iteration) {
    if ((iteration + 1) * size > kMostUnrolled)
      return op.emitError("unsupported: a loop that carries sequences is unrolled, and would become more than ")
             << kMostUnrolled << " operations";
    TensorOps ops(builder, op.getLoc());
    SmallVector<Value> arguments = {ops.scalar(iteration), ops.boolean(true)};
    llvm::append_range(arguments, carried);
    FailureOr<SmallVector<Value>> values = inlineClone(op, body, arguments);
    if (failed(values))
      return failure();
    std::optional<int64_t> condition = constantScalar(values->front());
    if (!condition)
      return op.emitError(
          "unsupported: a loop that carries sequences and ends by a condition that is known at run time "
          "only");
    goesOn = *condition;
    carried.assign(values->begin() + 1, values->begin() + 1 + carried.size());
    for (auto [list, value] : llvm::zip(scanned, ArrayRef(*values).drop_front(1 + carried.size())))
      list.push_back(value);
  }
  Operation *before = op->getPrevNode();
  TensorOps ops(builder, op.getLoc());
  for (ArrayRef<Value> list : scanned) {
    if (list.empty())
      return op.emitError("unsupported: a loop that carries sequences, has scan outputs and no iteration");
    SmallVector<Value> parts;
    for (Value value : list)
      parts.push_back(ops.unsqueeze(value, 0));
    carried.push_back(ops.concat(parts, 0));
  }
  return replace(op, before, carried);
}

/// The tensors of sequences that keep their length and shapes are carried one by one.
FailureOr<Block::iterator> SequenceResolver::carryTensors(LoopOp op) {
  auto refuse = [&](const Twine &reason) {
    return op.emitError(
               "unsupported: a loop that carries sequences, with a trip count or condition that is known at run "
               "time only, ")
           << reason;
  };
  Operation *before = op->getPrevNode();
  OpBuilder builder(op);
  Block &body = op.getBody().front();
  OpBuilder inner = OpBuilder::atBlockBegin(&body);
  SmallVector<ValueForm> forms;
  SmallVector<Value> initial;
  SmallVector<Location> locations;
  unsigned old = body.getNumArguments();
  for (auto [index, value] : llvm::enumerate(op.getVInitial())) {
    std::optional<ValueForm> form = unstackedFormOf(builder, value);
    if (!form || form->kind == ValueForm::Stacked)
      return refuse("whose length is not known");
    SmallVector<Value> arguments;
    for (Value tensor : form->tensors) {
      // Elements of a sequence keep their shape, or are refused below; what is carried as a tensor keeps its argument.
      Type type = isCompound(value.getType()) ? tensor.getType() : body.getArgument(index + 2).getType();
      arguments.push_back(body.addArgument(type, op.getLoc()));
    }
    body.getArgument(index + 2).replaceAllUsesWith(rebuild(inner, op.getLoc(), *form, arguments));
    llvm::append_range(initial, form->tensors);
    forms.push_back(*form);
  }
  body.eraseArguments(2, old - 2);
  if (failed(visit(body.begin(), Block::iterator(body.getTerminator()))))
    return failure();

  YieldOp yield = yieldOf(op.getBody());
  SmallVector<Value> next = {yield.getValues().front()};
  inner.setInsertionPoint(yield);
  SmallVector<Type> types;
  for (auto [index, form] : llvm::enumerate(forms)) {
    std::optional<ValueForm> after = unstackedFormOf(inner, yield.getValues()[index + 1]);
    if (!after || !after->matches(form))
      return refuse("and changes the length of one; supported are sequences of a fixed length, and a loop that appends "
                    "one tensor in every iteration");
    for (auto [a, b] : llvm::zip(form.tensors, after->tensors)) {
      if (isCompound(form.type) && a.getType() != b.getType())
        return refuse("and changes the shape of an element");
      next.push_back(b);
      types.push_back(openType(b.getType()));
    }
  }
  size_t carried = forms.size();
  llvm::append_range(next, yield.getValues().drop_front(carried + 1));
  for (Value result : op->getResults().drop_front(carried))
    types.push_back(result.getType());
  yield.getValuesMutable().assign(next);
  yield.removeDeclaredAttr(); // that was of other values
  LoopOp loop = remakeLoop(builder, op, initial, types);
  SmallVector<Value> results;
  ValueRange left = loop->getResults();
  for (const ValueForm &form : forms) {
    results.push_back(rebuild(builder, op.getLoc(), form, llvm::to_vector(left.take_front(form.tensors.size()))));
    left = left.drop_front(form.tensors.size());
  }
  llvm::append_range(results, left);
  return replace(op, before, results);
}
