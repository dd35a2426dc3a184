//===- ResolveSequences.cpp - sequences and optionals become tensors ----------------------------------------------===//
//
// The operators without bodies; see ResolveSequences.h. Those with bodies are in ResolveSequenceBodies.cpp.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "passes/graph/ResolveSequences.h"
#include "dialects/onnx/elementwise/Elementwise.h"
#include "dialects/onnx/generator/Generator.h"
#include "dialects/onnx/support/Axes.h"
#include "dialects/onnx/support/Constants.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::onnx;

//===-- Making operations -----------------------------------------------------------------------------------------===//

Type TensorOps::open(Value like) { return UnrankedTensorType::get(getElementTypeOrSelf(like.getType())); }

NamedAttribute TensorOps::integer(StringRef name, int64_t value) {
  return builder.getNamedAttr(name, builder.getI64IntegerAttr(value));
}

Operation *TensorOps::make(StringRef op, TypeRange types, ValueRange operands, ArrayRef<NamedAttribute> attributes) {
  OperationState state(loc, ("onnx." + op).str());
  state.addTypes(types);
  state.addOperands(operands);
  state.addAttributes(attributes);
  return builder.create(state);
}

Value TensorOps::scalar(int64_t value) {
  auto type = RankedTensorType::get({}, builder.getI64Type());
  return ConstantOp::create(builder, loc, type, DenseElementsAttr::get(type, value));
}

Value TensorOps::boolean(bool value) {
  auto type = RankedTensorType::get({}, builder.getI1Type());
  return ConstantOp::create(builder, loc, type, DenseElementsAttr::get(type, value));
}

Value TensorOps::integers(ArrayRef<int64_t> values) {
  auto type = RankedTensorType::get({int64_t(values.size())}, builder.getI64Type());
  return ConstantOp::create(builder, loc, type, DenseElementsAttr::get(type, values));
}

Value TensorOps::concat(ValueRange tensors, int64_t axis) {
  return make("Concat", open(tensors.front()), tensors, integer("axis", axis))->getResult(0);
}

Value TensorOps::unsqueeze(Value tensor, int64_t axis) {
  return make("Unsqueeze", open(tensor), {tensor, integers(axis)})->getResult(0);
}

Value TensorOps::squeeze(Value tensor, int64_t axis) {
  return make("Squeeze", open(tensor), {tensor, integers(axis)})->getResult(0);
}

Value TensorOps::gather(Value tensor, Value indices, int64_t axis) {
  return make("Gather", open(tensor), {tensor, indices}, integer("axis", axis))->getResult(0);
}

Value TensorOps::transpose(Value tensor, ArrayRef<int64_t> permutation) {
  return make("Transpose", open(tensor), tensor,
              builder.getNamedAttr("perm", builder.getDenseI64ArrayAttr(permutation)))
      ->getResult(0);
}

Value TensorOps::reshape(Value tensor, Value shape) {
  return make("Reshape", open(tensor), {tensor, shape})->getResult(0);
}

Value TensorOps::shape(Value tensor, int64_t start, int64_t end) {
  return make("Shape", UnrankedTensorType::get(builder.getI64Type()), tensor,
              {integer("start", start), integer("end", end)})
      ->getResult(0);
}

SmallVector<Value> TensorOps::split(Value tensor, ArrayRef<int64_t> sizes, int64_t axis) {
  SmallVector<Type> types(sizes.size(), open(tensor));
  return llvm::to_vector_of<Value>(
      make("Split", types, {tensor, integers(sizes)}, integer("axis", axis))->getResults());
}

Value TensorOps::construct(Type type, ValueRange elements) {
  return make("SequenceConstruct", type, elements)->getResult(0);
}

Value TensorOps::stacked(Value tensor, int64_t axis) {
  Type type = SequenceType::get(getElementTypeOrSelf(tensor.getType()));
  return make("SplitToSequence", type, tensor, {integer("axis", axis), integer("keepdims", 0)})->getResult(0);
}

//===-- Forms -----------------------------------------------------------------------------------------------------===//

/// The axis of a stacked sequence, see ResolveSequences.h; nothing for other splits.
static std::optional<int64_t> stackedAxis(SplitToSequenceOp op) {
  auto type = dyn_cast<RankedTensorType>(op.getInput().getType());
  if (!type || op.getSplit() || op.getKeepdims())
    return std::nullopt;
  return wrapAxis(op.getAxis(), type.getRank());
}

std::optional<ValueForm> SequenceResolver::formOf(Value value) const {
  if (poisoned.contains(value))
    return std::nullopt;
  if (isa<TensorType>(value.getType()))
    return ValueForm{ValueForm::Tensor, {value}, 0, false, value.getType()};
  Operation *def = value.getDefiningOp();
  if (isa_and_nonnull<IdentityOp>(def))
    return formOf(def->getOperand(0));
  if (isa_and_nonnull<SequenceConstructOp, SequenceEmptyOp>(def))
    return ValueForm{ValueForm::Sequence, llvm::to_vector_of<Value>(def->getOperands()), 0, false, value.getType()};
  if (auto split = dyn_cast_or_null<SplitToSequenceOp>(def))
    if (std::optional<int64_t> axis = stackedAxis(split))
      return ValueForm{ValueForm::Stacked, {split.getInput()}, *axis, false, value.getType()};
  auto optional = dyn_cast_or_null<OptionalOp>(def);
  if (!optional)
    return std::nullopt;
  if (!optional.getInput())
    return ValueForm{ValueForm::Absent, {}, 0, true, value.getType()};
  std::optional<ValueForm> form = formOf(optional.getInput());
  if (form)
    form->isOptional = true;
  return form;
}

std::optional<ValueForm> SequenceResolver::unstackedFormOf(OpBuilder &builder, Value value) {
  std::optional<ValueForm> form = formOf(value);
  if (!form || form->kind != ValueForm::Stacked)
    return form;
  Value tensor = form->tensors.front();
  int64_t extent = cast<RankedTensorType>(tensor.getType()).getDimSize(form->axis);
  if (ShapedType::isDynamic(extent))
    return form;
  TensorOps ops(builder, value.getLoc());
  form->kind = ValueForm::Sequence;
  form->tensors.clear();
  SmallVector<int64_t> ones(extent, 1);
  for (Value part : extent == 0   ? SmallVector<Value>()
                    : extent == 1 ? SmallVector<Value>{tensor}
                                  : ops.split(tensor, ones, form->axis))
    form->tensors.push_back(ops.squeeze(part, form->axis));
  form->axis = 0;
  return form;
}

std::optional<SmallVector<Value>> SequenceResolver::elementsOf(OpBuilder &builder, Value sequence) {
  std::optional<ValueForm> form = unstackedFormOf(builder, sequence);
  if (!form || form->kind != ValueForm::Sequence)
    return std::nullopt;
  return form->tensors;
}

Value SequenceResolver::rebuild(OpBuilder &builder, Location loc, const ValueForm &form, ArrayRef<Value> tensors) {
  TensorOps ops(builder, loc);
  Value value;
  if (form.kind == ValueForm::Tensor)
    value = tensors.front();
  else if (form.kind == ValueForm::Sequence)
    value = ops.construct(SequenceType::get(tensorElementType(form.type)), tensors);
  else if (form.kind == ValueForm::Stacked)
    value = ops.stacked(tensors.front(), form.axis);
  if (!value)
    return ops.make("Optional", form.type, {})->getResult(0);
  if (!form.isOptional)
    return value;
  Type wrapped = isa<SequenceType>(value.getType()) ? value.getType() : getElementTypeOrSelf(value.getType());
  return ops.make("Optional", OptionalType::get(wrapped), value)->getResult(0);
}

bool SequenceResolver::haveSameShape(ArrayRef<Value> tensors) {
  std::optional<Shape> first;
  for (Value tensor : tensors) {
    if (!isa<RankedTensorType>(tensor.getType()))
      return false;
    Shape shape = shapes.shapeOf(tensor);
    if (!first)
      first = shape;
    if (shape.size() != first->size() || !llvm::all_of_zip(shape, *first, [](Dim a, Dim b) { return a.equals(b); }))
      return false;
  }
  return true;
}

Value SequenceResolver::stack(OpBuilder &builder, Location loc, ArrayRef<Value> elements) {
  if (elements.empty() || !haveSameShape(elements))
    return Value();
  TensorOps ops(builder, loc);
  SmallVector<Value> parts;
  for (Value element : elements)
    parts.push_back(ops.unsqueeze(element, 0));
  return ops.concat(parts, 0);
}

std::optional<SmallVector<int64_t>> SequenceResolver::integersOf(Value value) const {
  return ShapeContext(shapes).integers(value);
}

std::optional<int64_t> SequenceResolver::constantScalar(Value value) const {
  std::optional<SmallVector<int64_t>> values = value ? getConstantIntegers(value) : std::nullopt;
  if (!values && value && isa<IntegerType>(getElementTypeOrSelf(value.getType())) &&
      !getElementTypeOrSelf(value.getType()).isInteger(1))
    values = integersOf(value);
  return values && values->size() == 1 ? std::optional<int64_t>(values->front()) : std::nullopt;
}

FailureOr<int64_t> SequenceResolver::positionOf(Operation *op, int64_t position, int64_t count) {
  if (position < -count || position >= count)
    return op->emitError("position ") << position << " is outside of a sequence of " << count << " elements";
  return position < 0 ? position + count : position;
}

//===-- The walk --------------------------------------------------------------------------------------------------===//

bool SequenceResolver::concerns(Operation *op) {
  auto isNoTensor = [](Type type) { return isCompound(type); };
  return isa<OptionalHasElementOp, OptionalGetElementOp>(op) || llvm::any_of(op->getOperandTypes(), isNoTensor) ||
         llvm::any_of(op->getResultTypes(), isNoTensor);
}

void SequenceResolver::erase(Operation *op) {
  shapes.forget(op);
  op->erase();
}

Block::iterator SequenceResolver::replace(Operation *op, Operation *before, ValueRange values) {
  for (auto [result, value] : llvm::zip(op->getResults(), values))
    result.replaceAllUsesWith(value);
  Block *block = op->getBlock();
  erase(op);
  return before ? std::next(Block::iterator(before)) : block->begin();
}

FailureOr<Block::iterator> SequenceResolver::resolve(Operation *op) {
  bool isPoisoned = llvm::any_of(op->getOperands(), [&](Value value) { return poisoned.contains(value); });
  Result result = isPoisoned ? Result(failure()) : dispatch(op);
  if (failed(result))
    poisoned.insert(op->result_begin(), op->result_end());
  return result;
}

FailureOr<Block::iterator> SequenceResolver::dispatch(Operation *op) {
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case<SequenceConstructOp, SequenceEmptyOp, OptionalOp, IdentityOp>(
          [](auto op) { return Result(std::next(Block::iterator(op))); })
      .Case([&](SequenceInsertOp op) { return resolveInsert(op); })
      .Case([&](SequenceEraseOp op) { return resolveErase(op); })
      .Case([&](SplitToSequenceOp op) { return resolveSplit(op); })
      .Case([&](SequenceAtOp op) { return resolveAt(op); })
      .Case([&](SequenceLengthOp op) { return resolveLength(op); })
      .Case([&](ConcatFromSequenceOp op) { return resolveConcat(op); })
      .Case([&](OptionalGetElementOp op) { return resolveGetElement(op); })
      .Case([&](OptionalHasElementOp op) { return resolveHasElement(op); })
      .Case([&](SequenceMapOp op) { return resolveMap(op); })
      .Case([&](IfOp op) { return resolveIf(op); })
      .Case([&](LoopOp op) { return resolveLoop(op); })
      .Default([](Operation *op) -> Result {
        return op->emitError("unsupported: ") << "the operator takes a sequence or an optional";
      });
}

/// For a sequence whose form is not known.
static LogicalResult refuseOpenLength(Operation *op) {
  return op->emitError("unsupported: the number of elements of the sequence is known at run time only");
}

//===-- Changing sequences ----------------------------------------------------------------------------------------===//

/// A list of numbers lies between the elements of a sequence; `position` is the run-time one of them, wrapped.
static Value wrappedPosition(OpBuilder &builder, TensorOps &ops, Value position, int64_t count) {
  Type i64 = UnrankedTensorType::get(builder.getI64Type());
  Value wide = ops.make("Cast", i64, position, builder.getNamedAttr("to", builder.getI64IntegerAttr(7)))->getResult(0);
  Value scalar = ops.reshape(wide, ops.integers({}));
  Value isNegative =
      ops.make("Less", UnrankedTensorType::get(builder.getI1Type()), {scalar, ops.scalar(0)})->getResult(0);
  Value fromEnd = ops.make("Add", i64, {scalar, ops.scalar(count)})->getResult(0);
  return ops.make("Where", i64, {isNegative, fromEnd, scalar})->getResult(0);
}

FailureOr<Block::iterator> SequenceResolver::resolveInsert(SequenceInsertOp op) {
  Operation *before = op->getPrevNode();
  OpBuilder builder(op);
  TensorOps ops(builder, op.getLoc());
  std::optional<SmallVector<Value>> elements = elementsOf(builder, op.getInputSequence());
  if (!elements)
    return refuseOpenLength(op);
  std::optional<int64_t> position = op.getPosition() ? constantScalar(op.getPosition()) : int64_t(elements->size());
  Type type = op.getType();
  int64_t count = elements->size();
  if (position) {
    // Behind the last element is a place, too.
    if (*position != count) {
      FailureOr<int64_t> place = positionOf(op, *position, count);
      if (failed(place))
        return failure();
      position = *place;
    }
    elements->insert(elements->begin() + *position, op.getTensor());
    return replace(op, before, ops.construct(type, *elements));
  }
  // Of tensors that look the same, the one at place i is that before, at or behind the position.
  elements->push_back(op.getTensor());
  Value all = stack(builder, op.getLoc(), *elements);
  if (!all)
    return op->emitError("unsupported: a position that is known at run time only, in a sequence of different shapes");
  Type i64 = UnrankedTensorType::get(builder.getI64Type()), i1 = UnrankedTensorType::get(builder.getI1Type());
  Value place = wrappedPosition(builder, ops, op.getPosition(), count);
  Value indices = ops.integers(llvm::to_vector(llvm::seq<int64_t>(0, count + 1)));
  Value isBefore = ops.make("Less", i1, {indices, place})->getResult(0);
  Value isAt = ops.make("Equal", i1, {indices, place})->getResult(0);
  Value moved = ops.make("Sub", i64, {indices, ops.scalar(1)})->getResult(0);
  Value rest = ops.make("Where", i64, {isAt, ops.scalar(count), moved})->getResult(0);
  Value order = ops.make("Where", i64, {isBefore, indices, rest})->getResult(0);
  return replace(op, before, ops.stacked(ops.gather(all, order, 0), 0));
}

FailureOr<Block::iterator> SequenceResolver::resolveErase(SequenceEraseOp op) {
  Operation *before = op->getPrevNode();
  OpBuilder builder(op);
  TensorOps ops(builder, op.getLoc());
  std::optional<SmallVector<Value>> elements = elementsOf(builder, op.getInputSequence());
  if (!elements)
    return refuseOpenLength(op);
  std::optional<int64_t> position = op.getPosition() ? constantScalar(op.getPosition()) : int64_t(-1);
  int64_t count = elements->size();
  if (position) {
    FailureOr<int64_t> place = positionOf(op, *position, count);
    if (failed(place))
      return failure();
    elements->erase(elements->begin() + *place);
    return replace(op, before, ops.construct(op.getType(), *elements));
  }
  Value all = stack(builder, op.getLoc(), *elements);
  if (!all)
    return op->emitError("unsupported: a position that is known at run time only, in a sequence of different shapes");
  Type i64 = UnrankedTensorType::get(builder.getI64Type()), i1 = UnrankedTensorType::get(builder.getI1Type());
  Value place = wrappedPosition(builder, ops, op.getPosition(), count);
  Value indices = ops.integers(llvm::to_vector(llvm::seq<int64_t>(0, count - 1)));
  Value isBefore = ops.make("Less", i1, {indices, place})->getResult(0);
  Value moved = ops.make("Add", i64, {indices, ops.scalar(1)})->getResult(0);
  Value order = ops.make("Where", i64, {isBefore, indices, moved})->getResult(0);
  return replace(op, before, ops.stacked(ops.gather(all, order, 0), 0));
}

/// Whether all users of a sequence take a stack as it is.
static bool isUsedAsStack(Value sequence) {
  return llvm::all_of(sequence.getUsers(),
                      [](Operation *user) { return isa<SequenceAtOp, SequenceLengthOp, ConcatFromSequenceOp>(user); });
}

FailureOr<Block::iterator> SequenceResolver::resolveSplit(SplitToSequenceOp op) {
  auto type = dyn_cast<RankedTensorType>(op.getInput().getType());
  if (!type)
    return op->emitError("unsupported: the rank of the input is not known");
  FailureOr<int64_t> axis = normalizeAxis(op, op.getAxis(), type.getRank());
  if (failed(axis))
    return failure();
  int64_t extent = type.getDimSize(*axis);
  bool isStack = stackedAxis(op).has_value();
  if (isStack && (ShapedType::isDynamic(extent) || isUsedAsStack(op.getResult())))
    return std::next(Block::iterator(op));

  SmallVector<int64_t> sizes;
  std::optional<SmallVector<int64_t>> given = op.getSplit() ? integersOf(op.getSplit()) : std::nullopt;
  auto splitType = op.getSplit() ? dyn_cast<RankedTensorType>(op.getSplit().getType()) : RankedTensorType();
  if (op.getSplit() && (!given || !splitType))
    return op->emitError("unsupported: sizes of the parts that are known at run time only");
  if (given && splitType.getRank() == 1) {
    sizes = *given;
  } else if (ShapedType::isDynamic(extent)) {
    return op->emitError("unsupported: a number of parts that is known at run time only, as ")
           << type << " has an open extent in axis " << *axis;
  } else {
    int64_t size = given ? given->front() : 1;
    if (size <= 0)
      return op->emitError("parts of size ") << size;
    for (int64_t left = extent; left > 0; left -= size)
      sizes.push_back(std::min(size, left));
  }
  Operation *before = op->getPrevNode();
  OpBuilder builder(op);
  TensorOps ops(builder, op.getLoc());
  SmallVector<Value> parts;
  if (!sizes.empty())
    parts = ops.split(op.getInput(), sizes, *axis);
  if (isStack)
    for (Value &part : parts)
      part = ops.squeeze(part, *axis);
  return replace(op, before, ops.construct(op.getType(), parts));
}

//===-- Using sequences -------------------------------------------------------------------------------------------===//

FailureOr<Block::iterator> SequenceResolver::resolveAt(SequenceAtOp op) {
  Operation *before = op->getPrevNode();
  std::optional<ValueForm> form = formOf(op.getInputSequence());
  if (!form)
    return refuseOpenLength(op);
  OpBuilder builder(op);
  TensorOps ops(builder, op.getLoc());
  auto gather = [&](Value all, int64_t axis) {
    return replace(op, before, ops.gather(all, ops.reshape(op.getPosition(), ops.integers({})), axis));
  };
  if (form->kind == ValueForm::Stacked)
    return gather(form->tensors.front(), form->axis);
  if (std::optional<int64_t> position = constantScalar(op.getPosition())) {
    FailureOr<int64_t> place = positionOf(op, *position, form->tensors.size());
    if (failed(place))
      return failure();
    return replace(op, before, form->tensors[*place]);
  }
  Value all = stack(builder, op.getLoc(), form->tensors);
  if (!all)
    return op->emitError("unsupported: a position that is known at run time only, in a sequence ")
           << (form->tensors.empty() ? "without elements" : "of different shapes");
  return gather(all, 0);
}

FailureOr<Block::iterator> SequenceResolver::resolveLength(SequenceLengthOp op) {
  Operation *before = op->getPrevNode();
  std::optional<ValueForm> form = formOf(op.getInputSequence());
  if (!form)
    return refuseOpenLength(op);
  OpBuilder builder(op);
  TensorOps ops(builder, op.getLoc());
  if (form->kind == ValueForm::Stacked)
    return replace(op, before, ops.squeeze(ops.shape(form->tensors.front(), form->axis, form->axis + 1), 0));
  return replace(op, before, ops.scalar(form->tensors.size()));
}

/// The slices of `tensor` along `from`, joined along `axis`, which is a new one or one that they have.
static FailureOr<Value> joinStack(ConcatFromSequenceOp op, TensorOps &ops, Value tensor, int64_t from) {
  int64_t rank = cast<RankedTensorType>(tensor.getType()).getRank();
  FailureOr<int64_t> axis = normalizeAxis(op, op.getAxis(), op.getNewAxis() ? rank : rank - 1);
  if (failed(axis))
    return failure();
  SmallVector<int64_t> permutation;
  for (int64_t dim = 0; dim < rank; ++dim)
    if (dim != from)
      permutation.push_back(dim);
  permutation.insert(permutation.begin() + *axis, from);
  Value moved = llvm::is_sorted(permutation) ? tensor : ops.transpose(tensor, permutation);
  if (op.getNewAxis())
    return moved;
  SmallVector<Value> dims;
  if (*axis > 0)
    dims.push_back(ops.shape(moved, 0, *axis));
  dims.push_back(ops.integers(-1));
  if (*axis + 2 < rank)
    dims.push_back(ops.shape(moved, *axis + 2, rank));
  return ops.reshape(moved, dims.size() == 1 ? dims.front() : ops.concat(dims, 0));
}

FailureOr<Block::iterator> SequenceResolver::resolveConcat(ConcatFromSequenceOp op) {
  Operation *before = op->getPrevNode();
  std::optional<ValueForm> form = formOf(op.getInputSequence());
  if (!form)
    return refuseOpenLength(op);
  OpBuilder builder(op);
  TensorOps ops(builder, op.getLoc());
  if (form->kind == ValueForm::Stacked) {
    FailureOr<Value> joined = joinStack(op, ops, form->tensors.front(), form->axis);
    if (failed(joined))
      return failure();
    return replace(op, before, *joined);
  }
  if (form->tensors.empty())
    return op->emitError("the sequence has no elements, so the shape of the result is not defined");
  SmallVector<Value> parts = form->tensors;
  if (op.getNewAxis())
    for (Value &part : parts)
      part = ops.unsqueeze(part, op.getAxis());
  return replace(op, before, ops.concat(parts, op.getAxis()));
}

//===-- Optionals -------------------------------------------------------------------------------------------------===//

static LogicalResult refuseOpenPresence(Operation *op) {
  return op->emitError("unsupported: whether the optional has a value is known at run time only");
}

FailureOr<Block::iterator> SequenceResolver::resolveGetElement(OptionalGetElementOp op) {
  Operation *before = op->getPrevNode();
  if (!isa<OptionalType>(op.getInput().getType()))
    return replace(op, before, op.getInput());
  std::optional<ValueForm> form = formOf(op.getInput());
  if (!form)
    return refuseOpenPresence(op);
  if (form->kind == ValueForm::Absent)
    return op->emitError("the optional has no value");
  form->isOptional = false;
  OpBuilder builder(op);
  return replace(op, before, rebuild(builder, op.getLoc(), *form, form->tensors));
}

FailureOr<Block::iterator> SequenceResolver::resolveHasElement(OptionalHasElementOp op) {
  Operation *before = op->getPrevNode();
  bool isThere = op.getInput() != nullptr;
  if (isThere && isa<OptionalType>(op.getInput().getType())) {
    std::optional<ValueForm> form = formOf(op.getInput());
    if (!form)
      return refuseOpenPresence(op);
    isThere = form->kind != ValueForm::Absent;
  }
  OpBuilder builder(op);
  return replace(op, before, TensorOps(builder, op.getLoc()).boolean(isThere));
}

//===-- The function's results ------------------------------------------------------------------------------------===//

/// The attributes of the result for one tensor of a sequence, `name[index]`, or for the value of an optional.
static DictionaryAttr elementAttributes(DictionaryAttr whole, Type type, std::optional<size_t> index) {
  OpBuilder builder(type.getContext());
  NamedAttrList attributes(whole);
  auto name = whole ? whole.getAs<StringAttr>("onnx.name") : StringAttr();
  if (name && index)
    attributes.set("onnx.name", builder.getStringAttr(name.getValue() + "[" + Twine(*index) + "]"));
  auto ranked = dyn_cast<RankedTensorType>(type);
  SmallVector<StringRef> dims(ranked ? ranked.getRank() : 0);
  attributes.set("onnx.dim_names", builder.getStrArrayAttr(dims));
  attributes.erase("onnx.declared");
  return attributes.getDictionary(type.getContext());
}

LogicalResult SequenceResolver::expandResults(func::FuncOp function) {
  Operation *terminator = function.getBody().back().getTerminator();
  SmallVector<Value> values;
  SmallVector<Attribute> attributes;
  OpBuilder builder(terminator);
  SmallVector<Value> returned(terminator->getOperands());
  for (auto [index, value] : llvm::enumerate(returned)) {
    DictionaryAttr given = function.getResultAttrDict(index);
    if (!given)
      given = builder.getDictionaryAttr({});
    if (!isCompound(value.getType())) {
      values.push_back(value);
      attributes.push_back(given);
      continue;
    }
    if (poisoned.contains(value))
      return failure();
    Operation *before = terminator->getPrevNode();
    std::optional<ValueForm> form = unstackedFormOf(builder, value);
    if (!form || form->kind == ValueForm::Stacked)
      return emitError(value.getLoc()) << "unsupported: output \""
                                       << function.getResultAttrOfType<StringAttr>(index, "onnx.name").getValue()
                                       << "\" is a sequence whose number of elements is known at run time only";
    Block::iterator first = before ? std::next(Block::iterator(before)) : terminator->getBlock()->begin();
    // Folding replaces what the return uses, so it has to use the tensors before they are visited.
    size_t operands = terminator->getNumOperands();
    terminator->insertOperands(operands, form->tensors);
    if (failed(visit(first, Block::iterator(terminator))))
      return failure();
    for (auto [element, tensor] : llvm::enumerate(terminator->getOperands().drop_front(operands))) {
      values.push_back(tensor);
      std::optional<size_t> place = form->kind == ValueForm::Sequence ? std::optional<size_t>(element) : std::nullopt;
      attributes.push_back(elementAttributes(given, tensor.getType(), place));
    }
    terminator->eraseOperands(operands, terminator->getNumOperands() - operands);
  }
  terminator->setOperands(values);
  function.setType(
      FunctionType::get(function.getContext(), function.getArgumentTypes(), ValueRange(values).getTypes()));
  function.setAllResultAttrs(attributes);
  return success();
}

LogicalResult SequenceResolver::finish(func::FuncOp function) {
  bool isReturned = llvm::any_of(function.getBody().back().getTerminator()->getOperandTypes(),
                                 [](Type type) { return isCompound(type); });
  if (isReturned && failed(expandResults(function)))
    return failure();
  SmallVector<Operation *> made;
  function.walk([&](Operation *op) {
    if (llvm::any_of(op->getResultTypes(), [](Type type) { return isCompound(type); }))
      made.push_back(op);
  });
  for (Operation *op : llvm::reverse(made)) {
    if (!op->use_empty())
      return op->emitError("unsupported: the sequence or optional cannot be replaced by tensors");
    erase(op);
  }
  return success();
}
