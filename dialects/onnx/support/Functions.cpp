//===- Functions.cpp - operators that are graphs of other operators -----------------------------------------------===//
#include "dialects/onnx/support/Functions.h"
#include "dialects/onnx/OnnxInterfaces.h"
#include "dialects/onnx/support/DataTypes.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace onnx_aot::onnx;

//===-- Operators -------------------------------------------------------------------------------------------------===//

SmallVector<Value> FunctionBuilder::ops(StringRef name, ArrayRef<Value> inputs, ArrayRef<NamedAttribute> attributes,
                                        unsigned outputs) {
  SmallVector<Value> nothing(outputs);
  if (isBad)
    return nothing;
  std::optional<RegisteredOperationName> registered =
      RegisteredOperationName::lookup(("onnx." + name).str(), builder.getContext());
  const OpSignature &signature = registered->getInterface<OnnxOpInterface>()->getSignature();
  OperationState state(loc, *registered);
  SmallVector<int32_t> operandSegments, resultSegments;
  for (auto [index, formal] : llvm::enumerate(signature.inputs)) {
    ArrayRef<Value> actual = inputs.drop_front(std::min(index, inputs.size()));
    if (formal.kind != FormalValue::Variadic)
      actual = actual.take_front(!actual.empty() && actual.front());
    state.addOperands(ValueRange(actual));
    operandSegments.push_back(actual.size());
  }
  unsigned made = 0;
  for (auto [index, formal] : llvm::enumerate(signature.outputs)) {
    unsigned left = outputs - std::min<unsigned>(index, outputs);
    unsigned actual = formal.kind == FormalValue::Single ? 1 : formal.kind == FormalValue::Variadic ? left : left > 0;
    resultSegments.push_back(actual);
    made += actual;
  }
  state.addAttributes(attributes);
  if (registered->hasTrait<OpTrait::AttrSizedOperandSegments>())
    state.addAttribute("operandSegmentSizes", builder.getDenseI32ArrayAttr(operandSegments));
  if (registered->hasTrait<OpTrait::AttrSizedResultSegments>())
    state.addAttribute("resultSegmentSizes", builder.getDenseI32ArrayAttr(resultSegments));
  return finish(state, made);
}

SmallVector<Value> FunctionBuilder::finish(OperationState &state, unsigned results) {
  // Inference only asks which results are there.
  state.addTypes(SmallVector<Type>(results, UnrankedTensorType::get(builder.getI8Type())));
  Operation *op = builder.create(state);
  FailureOr<SmallVector<Type>> types = inferResultTypes(op);
  if (failed(types) || types->size() != op->getNumResults()) {
    op->erase();
    isBad = true;
    return SmallVector<Value>(results);
  }
  for (auto [result, type] : llvm::zip(op->getResults(), *types))
    result.setType(type);
  return fold(op);
}

SmallVector<Value> FunctionBuilder::fold(Operation *op) {
  SmallVector<Value> values(op->result_begin(), op->result_end());
  SmallVector<OpFoldResult> folded;
  if (values.size() != 1 || failed(op->fold(folded)) || folded.size() != 1)
    return values;
  auto elements = dyn_cast_if_present<ElementsAttr>(dyn_cast<Attribute>(folded[0]));
  Value value = dyn_cast<Value>(folded[0]);
  if (elements)
    value = constant(elements);
  if (!value || value == values[0])
    return values;
  op->erase();
  return {value};
}

Value FunctionBuilder::op(StringRef name, ArrayRef<Value> inputs, ArrayRef<NamedAttribute> attributes) {
  return ops(name, inputs, attributes, 1).front();
}

SmallVector<Value> FunctionBuilder::scan(ArrayRef<Value> states, ArrayRef<Value> inputs, int64_t axis, unsigned outputs,
                                         llvm::function_ref<SmallVector<Value>(ArrayRef<Value>)> body) {
  SmallVector<Value> nothing(states.size() + outputs);
  if (isBad)
    return nothing;
  OperationState state(loc, "onnx.Scan");
  state.addOperands(states);
  state.addOperands(inputs);
  SmallVector<int64_t> inputAxes(inputs.size(), axis), outputAxes(outputs, axis);
  state.addAttributes({integer("num_scan_inputs", inputs.size()), integers("scan_input_axes", inputAxes),
                       integers("scan_output_axes", outputAxes)});
  {
    OpBuilder::InsertionGuard guard(builder);
    SmallVector<Type> types;
    for (Value value : states)
      types.push_back(value.getType());
    for (Value value : inputs) {
      auto type = llvm::cast<RankedTensorType>(value.getType());
      SmallVector<int64_t> shape(type.getShape());
      shape.erase(shape.begin() + axis);
      types.push_back(RankedTensorType::get(shape, type.getElementType()));
    }
    Block *block = builder.createBlock(state.addRegion(), {}, types, SmallVector<Location>(types.size(), loc));
    SmallVector<Value> results = body(SmallVector<Value>(block->args_begin(), block->args_end()));
    if (isBad)
      return nothing;
    OperationState yield(loc, "onnx.Yield");
    yield.addOperands(results);
    builder.create(yield);
  }
  return finish(state, nothing.size());
}

SmallVector<Value> FunctionBuilder::scanWith(ArrayRef<Value> operands, ArrayRef<NamedAttribute> attributes,
                                             unsigned results, Region &body) {
  if (isBad)
    return SmallVector<Value>(results);
  OperationState state(loc, "onnx.Scan");
  state.addOperands(operands);
  state.addAttributes(attributes);
  IRMapping mapping;
  body.cloneInto(state.addRegion(), mapping);
  return finish(state, results);
}

SmallVector<Value> FunctionBuilder::inlineBody(Region &body, ArrayRef<Value> arguments) {
  Block &block = body.front();
  SmallVector<Value> nothing(block.getTerminator()->getNumOperands());
  if (isBad)
    return nothing;
  IRMapping mapping;
  mapping.map(block.getArguments(), arguments);
  for (Operation &inner : block.without_terminator()) {
    Operation *copy = builder.clone(inner, mapping);
    if (!isa<OnnxOpInterface>(copy))
      continue;
    FailureOr<SmallVector<Type>> types = inferResultTypes(copy);
    if (failed(types)) {
      isBad = true;
      return nothing;
    }
    for (auto [result, type] : llvm::zip(copy->getResults(), *types))
      result.setType(type);
  }
  SmallVector<Value> results;
  for (Value value : block.getTerminator()->getOperands())
    results.push_back(mapping.lookupOrDefault(value));
  return results;
}

//===-- Attributes and constants ----------------------------------------------------------------------------------===//

NamedAttribute FunctionBuilder::integer(StringRef name, int64_t value) {
  return builder.getNamedAttr(name, builder.getI64IntegerAttr(value));
}
NamedAttribute FunctionBuilder::integers(StringRef name, ArrayRef<int64_t> values) {
  return builder.getNamedAttr(name, builder.getDenseI64ArrayAttr(values));
}
NamedAttribute FunctionBuilder::real(StringRef name, double value) {
  return builder.getNamedAttr(name, builder.getF32FloatAttr(value));
}
NamedAttribute FunctionBuilder::text(StringRef name, StringRef value) {
  return builder.getNamedAttr(name, builder.getStringAttr(value));
}
void FunctionBuilder::copy(Operation *op, StringRef name, SmallVectorImpl<NamedAttribute> &to) {
  if (Attribute attribute = op->getAttr(name))
    to.push_back(builder.getNamedAttr(name, attribute));
}

Value FunctionBuilder::constant(ElementsAttr value) {
  OperationState state(loc, "onnx.Constant");
  state.addTypes(value.getType());
  state.addAttribute("value", value);
  return builder.create(state)->getResult(0);
}

Value FunctionBuilder::number(double value, Type element) {
  Attribute attribute;
  if (auto real = dyn_cast<FloatType>(element)) {
    APFloat rounded(value);
    bool lost;
    rounded.convert(real.getFloatSemantics(), APFloat::rmNearestTiesToEven, &lost);
    attribute = FloatAttr::get(element, rounded);
  } else {
    unsigned width = element.getIntOrFloatBitWidth();
    attribute = IntegerAttr::get(element, APInt(64, uint64_t(int64_t(value))).zextOrTrunc(width));
  }
  return constant(DenseElementsAttr::get(RankedTensorType::get({}, element), attribute));
}

Value FunctionBuilder::like(double value, Value like) { return isBad ? Value() : number(value, elementOf(like)); }

Value FunctionBuilder::list(ArrayRef<int64_t> values) {
  auto type = RankedTensorType::get(int64_t(values.size()), builder.getI64Type());
  return constant(DenseElementsAttr::get(type, values));
}

//===-- Short forms -----------------------------------------------------------------------------------------------===//

/// ONNX's number of an element type.
static int64_t dataTypeOf(Type element) {
  for (int64_t number = 1; number <= 32; ++number)
    if (elementTypeOfDataType(element.getContext(), number) == element)
      return number;
  return 0;
}

Value FunctionBuilder::cast(Value value, Type element) {
  if (isBad || elementOf(value) == element)
    return value;
  return op("Cast", {value}, {integer("to", dataTypeOf(element))});
}

Value FunctionBuilder::transpose(Value value, ArrayRef<int64_t> order) {
  return op("Transpose", {value}, {integers("perm", order)});
}

Value FunctionBuilder::concat(ArrayRef<Value> values, int64_t axis) {
  return op("Concat", values, {integer("axis", axis)});
}

Value FunctionBuilder::extents(Value value, int64_t first, int64_t last) {
  return op("Shape", {value}, {integer("start", first), integer("end", last)});
}

Value FunctionBuilder::slice(Value value, int64_t axis, int64_t start, int64_t end) {
  return op("Slice", {value, list(start), list(end), list(axis)});
}

Value FunctionBuilder::reduce(StringRef name, Value value, ArrayRef<int64_t> axes, bool keepdims) {
  return op(name, {value, list(axes)}, {integer("keepdims", keepdims)});
}

//===-- The table -------------------------------------------------------------------------------------------------===//

Type onnx_aot::onnx::elementOf(Value value) { return getElementTypeOrSelf(value.getType()); }

std::optional<int64_t> onnx_aot::onnx::rankOf(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type ? std::optional<int64_t>(type.getRank()) : std::nullopt;
}

namespace onnx_aot::onnx {
#define ONNX_FAMILY(Name) ArrayRef<FunctionRow> get##Name##Functions();
#include "dialects/onnx/FamilyFunctions.inc"
#undef ONNX_FAMILY
} // namespace onnx_aot::onnx

Expansion onnx_aot::onnx::expansionOf(Operation *op) {
  static const llvm::StringMap<Expansion> table = [] {
    llvm::StringMap<Expansion> rows;
#define ONNX_FAMILY(Name)                                                                                              \
  for (const FunctionRow &row : get##Name##Functions())                                                                \
    rows[row.op] = row.expand;
#include "dialects/onnx/FamilyFunctions.inc"
#undef ONNX_FAMILY
    return rows;
  }();
  return table.lookup(op->getName().stripDialect());
}

LogicalResult onnx_aot::onnx::inferByExpansion(Operation *op, SmallVectorImpl<ResultShape> &results) {
  Block scratch;
  OpBuilder builder(op->getContext());
  builder.setInsertionPointToStart(&scratch);
  FunctionBuilder f(builder, op->getLoc());
  SmallVector<Value> values;
  LogicalResult expanded = expansionOf(op)(op, f, values);
  if (succeeded(expanded) && !f.hasFailed()) {
    for (unsigned index = 0; index < op->getNumResults(); ++index) {
      if (values.empty()) {
        results.emplace_back(elementOf(op->getOperand(0)));
        continue;
      }
      auto type = dyn_cast<RankedTensorType>(values[index].getType());
      std::optional<Shape> shape;
      if (type)
        shape = llvm::map_to_vector(type.getShape(), Dim::fromType);
      results.emplace_back(elementOf(values[index]), shape);
    }
  }
  for (Operation &made : llvm::make_early_inc_range(llvm::reverse(scratch)))
    made.erase();
  return success(succeeded(expanded) && !f.hasFailed());
}
