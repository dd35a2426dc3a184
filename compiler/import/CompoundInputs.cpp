//===- CompoundInputs.cpp - inputs that are not plain tensors -----------------------------------------------------===//
//
// Sequences and optionals exist at compile time only (see passes/graph/ResolveSequences.h): how many elements an input
// has, and whether an optional one is there, is fixed by --shape. Each tensor of it becomes an argument of its own, and
// the value is made of them:
//
//   input x: seq(tensor(float)), --shape x=2x3,4    =>    arguments "x[0]": 2x3 and "x[1]": 4
//   input y: optional(tensor(float))                =>    argument "y"; none with --shape y=none
//
// An input whose value is fixed by --value stays an argument. The graph sees a constant, and a run with another value
// ends with a status.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/import/Importer.h"
#include "compiler/import/Types.h"
#include "dialects/onnx/support/SequenceTypes.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace onnx_aot;

static bool isCompoundInput(const pb::ValueInfoProto &input) {
  return input.type().has_sequence_type() || input.type().has_optional_type();
}

bool Importer::checkInputFlags(ArrayRef<const pb::ValueInfoProto *> inputs) {
  bool isGood = true;
  auto find = [&](const std::string &name, StringRef flag) -> const pb::ValueInfoProto * {
    for (const pb::ValueInfoProto *input : inputs)
      if (input->name() == name)
        return input;
    diagnostics.fault("--" + flag + " " + name + ": the model has no input of this name");
    isGood = false;
    return nullptr;
  };
  for (const auto &entry : options.sequences) {
    const pb::ValueInfoProto *input = find(entry.first, "shape");
    if (input && !isCompoundInput(*input)) {
      diagnostics.fault("--shape " + entry.first + ": the input is neither a sequence nor an optional");
      isGood = false;
    }
  }
  for (const auto &entry : options.values)
    find(entry.first, "value");
  return isGood;
}

Value Importer::makeOperation(StringRef op, ValueRange inputs, Type type, StringRef name, Scope &scope,
                              ArrayRef<NamedAttribute> attributes) {
  builder.setInsertionPointToEnd(scope.block);
  OperationState state(locationOf(NodeRef{name.str(), op.str()}, -1), ("onnx." + op).str());
  state.addOperands(inputs);
  state.addTypes(type);
  state.addAttributes(attributes);
  return builder.create(state)->getResult(0);
}

bool Importer::importCompoundInput(const pb::ValueInfoProto &input, Scope &scope, SmallVectorImpl<Type> &types,
                                   SmallVectorImpl<Attribute> &attributes) {
  if (!isCompoundInput(input))
    return false;
  Value &value = scope.values[input.name()]; // poisoned until it is known to be good
  llvm::Expected<Type> type = typeOf(input.type(), dims, &context);
  if (!type) {
    diagnostics.unsupported("input \"" + input.name() + "\": " + llvm::toString(type.takeError()));
    return true;
  }
  auto addArgument = [&](const std::string &name, const pb::TypeProto &declared) {
    pb::ValueInfoProto info;
    info.set_name(name);
    *info.mutable_type() = declared;
    Type argument = mainInputType(info);
    if (!argument)
      return Value();
    types.push_back(argument);
    attributes.push_back(interfaceAttributes(info, argument, /*isInput=*/true));
    return Value(scope.block->addArgument(argument, builder.getUnknownLoc()));
  };
  bool isOptional = input.type().has_optional_type();
  const pb::TypeProto &inner = isOptional ? input.type().optional_type().elem_type() : input.type();
  auto shape = options.shapes.find(input.name());
  auto shapes = options.sequences.find(input.name());
  std::vector<std::vector<int64_t>> given;
  if (shapes != options.sequences.end())
    given = shapes->second;
  else if (shape != options.shapes.end())
    given = {shape->second};
  bool isGiven = shapes != options.sequences.end() || shape != options.shapes.end();

  if (isOptional && isGiven && given.empty()) {
    value = makeOperation("Optional", {}, *type, input.name(), scope);
    return true;
  }
  Value content;
  if (inner.has_sequence_type()) {
    if (!isGiven) {
      diagnostics.fault("input \"" + input.name() +
                        "\" is a sequence whose elements have to be known; give their shapes with --shape " +
                        input.name() + "=2x3,4x5, or --shape " + input.name() + "=none where it has no elements");
      return true;
    }
    SmallVector<Value> elements;
    for (auto [index, dims] : llvm::enumerate(given)) {
      pb::TypeProto element = inner.sequence_type().elem_type();
      pb::TensorShapeProto *declared = element.mutable_tensor_type()->mutable_shape();
      declared->clear_dim();
      for (int64_t dim : dims)
        declared->add_dim()->set_dim_value(dim);
      elements.push_back(addArgument(input.name() + "[" + std::to_string(index) + "]", element));
      if (!elements.back())
        return true;
    }
    Type sequence = onnx::SequenceType::get(onnx::tensorElementType(*type));
    content = makeOperation("SequenceConstruct", elements, sequence, input.name(), scope);
  } else if (given.size() > 1) {
    diagnostics.fault("--shape " + input.name() + ": the input is one tensor");
    return true;
  } else {
    content = addArgument(input.name(), inner);
  }
  value = isOptional && content ? makeOperation("Optional", content, *type, input.name(), scope) : content;
  return true;
}

/// The constant that --value says; null after a reported error.
static ElementsAttr fixedValue(Type type, ArrayRef<int64_t> values, const llvm::Twine &flag, Diagnostics &diagnostics) {
  auto ranked = dyn_cast<RankedTensorType>(type);
  auto element = dyn_cast<IntegerType>(getElementTypeOrSelf(type));
  if (!ranked || !ranked.hasStaticShape() || !element) {
    diagnostics.fault(flag + "the input is not a tensor of integers or bools of a fixed shape");
    return nullptr;
  }
  if (ranked.getNumElements() != int64_t(values.size())) {
    diagnostics.fault(flag + "the input has " + llvm::Twine(ranked.getNumElements()) + " elements");
    return nullptr;
  }
  SmallVector<APInt> elements;
  for (int64_t value : values) {
    bool isSigned = !element.isUnsigned() && element.getWidth() > 1;
    APInt wide(64, uint64_t(value), /*isSigned=*/true);
    if (isSigned ? !wide.isSignedIntN(element.getWidth()) : !wide.isIntN(element.getWidth())) {
      diagnostics.fault(flag + "an element cannot be " + llvm::Twine(value));
      return nullptr;
    }
    elements.push_back(wide.trunc(element.getWidth()));
  }
  return DenseElementsAttr::get(ranked, elements);
}

Value Importer::fixValue(const std::string &name, Value argument, Scope &scope) {
  auto given = options.values.find(name);
  if (given == options.values.end())
    return argument;
  ElementsAttr value = fixedValue(argument.getType(), given->second, "--value " + name + ": ", diagnostics);
  if (!value)
    return Value();
  Value constant = makeConstant(value, locationOf(NodeRef{name, "Constant"}, -1), scope);
  auto tensorOf = [&](Type element) {
    return RankedTensorType::get(cast<RankedTensorType>(argument.getType()).getShape(), element);
  };
  Value same = makeOperation("Equal", {argument, constant}, tensorOf(builder.getI1Type()), name, scope);
  if (given->second.size() != 1) {
    // All of them: the least of zeros and ones.
    auto to = [&](int32_t dataType) { return builder.getNamedAttr("to", builder.getI64IntegerAttr(dataType)); };
    Type i32 = builder.getI32Type();
    Value bits = makeOperation("Cast", same, tensorOf(i32), name, scope, to(pb::TensorProto::INT32));
    Value least = makeOperation("ReduceMin", bits, RankedTensorType::get({}, i32), name, scope,
                                builder.getNamedAttr("keepdims", builder.getI64IntegerAttr(0)));
    same = makeOperation("Cast", least, RankedTensorType::get({}, builder.getI1Type()), name, scope,
                         to(pb::TensorProto::BOOL));
  }
  OperationState state(same.getLoc(), "onnx.Require");
  state.addOperands(same);
  state.addAttribute("expected", builder.getBoolAttr(true));
  state.addAttribute("code", builder.getStringAttr("invalid_value"));
  builder.setInsertionPointToEnd(scope.block);
  builder.create(state);
  return constant;
}
