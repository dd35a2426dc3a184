//===- NodeImporter.cpp - Nodes become operations -----------------------------------------------------------------===//
//
// One node, step by step: find its inputs (a poisoned one ends it here, silently); attributes; the old form upgraded;
// arity, attribute names and kinds checked against the operator's signature; the operation made, its result types
// inferred and verified, and compared with the model's declarations.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/import/Importer.h"
#include "compiler/import/Suggestions.h"
#include "compiler/import/Types.h"
#include "dialects/onnx/OnnxInterfaces.h"
#include "mlir/IR/Verifier.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace onnx_aot;
using onnx::FormalAttribute;
using onnx::FormalValue;
using onnx::OpSignature;

/// Functions calling functions can describe far more nodes than a file has; beyond this the model is refused.
static constexpr size_t maxNodes = 250'000;

//===-- Names -----------------------------------------------------------------------------------------------------===//

std::string Importer::nodeName(const pb::NodeProto &node, const Frame &frame) const {
  StringRef name = node.name();
  for (const std::string &output : node.output())
    if (name.empty())
      name = output;
  return frame.prefix + (name.empty() ? node.op_type() : name.str());
}

Location Importer::locationOf(const NodeRef &ref, int64_t number) {
  StringRef file = llvm::sys::path::filename(model.path);
  return NameLoc::get(builder.getStringAttr("\"" + ref.name + "\" (" + ref.opType + ")"),
                      FileLineColLoc::get(&context, file, number + 1, 0));
}

//===-- Values ----------------------------------------------------------------------------------------------------===//

Value Importer::makeConstant(ElementsAttr value, Location location, Scope &scope) {
  OpBuilder::InsertionGuard guard(builder);
  if (scope.lastConstant)
    builder.setInsertionPointAfter(scope.lastConstant);
  else
    builder.setInsertionPointToStart(scope.block);
  OperationState state(location, "onnx.Constant");
  state.addTypes(value.getType());
  state.addAttribute("value", value);
  scope.lastConstant = builder.create(state);
  return scope.lastConstant->getResult(0);
}

std::optional<Value> Importer::lookup(StringRef name, Scope &scope) {
  if (auto it = scope.values.find(name); it != scope.values.end())
    return it->second;
  auto dense = scope.initializers.find(name);
  auto sparse = scope.sparseInitializers.find(name);
  if (dense == scope.initializers.end() && sparse == scope.sparseInitializers.end())
    return scope.parent ? lookup(name, *scope.parent) : std::nullopt;

  Value &value = scope.values[name]; // poisoned until it is known to be good
  llvm::Expected<ElementsAttr> elements =
      dense != scope.initializers.end() ? tensors.read(*dense->second, name) : tensors.read(*sparse->second, name);
  if (!elements) {
    diagnostics.fault("initializer \"" + name + "\": " + llvm::toString(elements.takeError()));
    return Value();
  }
  if (auto declared = scope.declared.find(name);
      declared != scope.declared.end() && !agree(declared->second, elements->getType())) {
    diagnostics.fault("initializer \"" + name + "\": it is declared as " + shown(declared->second) +
                      ", but its data is " + shown(elements->getType()));
    return Value();
  }
  NodeRef ref{name.str(), "Constant"};
  return value = makeConstant(*elements, locationOf(ref, -1), scope);
}

bool Importer::resolveInputs(const pb::NodeProto &node, const NodeRef &ref, Scope &scope,
                             SmallVectorImpl<Value> &inputs) {
  bool isGood = true;
  for (const std::string &name : node.input()) {
    if (name.empty() || scope.absent.contains(name)) { // an optional input that is left out
      inputs.push_back(Value());
      continue;
    }
    std::optional<Value> value = lookup(name, scope);
    if (!value)
      diagnostics.user(ref, "input \"" + name + "\" is not defined by any node, initializer or graph input");
    inputs.push_back(value.value_or(Value()));
    isGood &= inputs.back() != nullptr;
  }
  while (!inputs.empty() && !inputs.back())
    inputs.pop_back();
  return isGood;
}

void Importer::poisonOutputs(const pb::NodeProto &node, Scope &scope) {
  for (const std::string &output : node.output())
    if (!output.empty())
      scope.values.try_emplace(output, Value());
}

/// Exporters leave behind declarations whose rank is wrong where they did not know a single extent. What the node makes
/// is right then; a declaration with extents of its own is a contradiction.
static bool fixesNothing(Type declared, Type made) {
  auto ranked = dyn_cast<RankedTensorType>(declared);
  return ranked && getElementTypeOrSelf(declared) == getElementTypeOrSelf(made) &&
         llvm::all_of(ranked.getShape(), ShapedType::isDynamic) && ranked.getRank() > 0;
}

void Importer::defineOutputs(const pb::NodeProto &node, const NodeRef &ref, Scope &scope, ArrayRef<Value> results) {
  for (auto [index, name] : llvm::enumerate(node.output())) {
    if (name.empty())
      continue;
    Value result = index < results.size() ? results[index] : Value();
    if (!scope.values.try_emplace(name, result).second || scope.initializers.contains(name) ||
        scope.sparseInitializers.contains(name)) {
      diagnostics.user(ref, "output \"" + name + "\" is already defined: every name may be assigned once");
      continue;
    }
    auto declared = scope.declared.find(name);
    if (!result || declared == scope.declared.end() || agree(declared->second, result.getType()))
      continue;
    std::string reason = "output \"" + name + "\" is declared as " + shown(declared->second) + ", but the node makes " +
                         shown(result.getType());
    if (fixesNothing(declared->second, result.getType())) {
      diagnostics.warning("node \"" + ref.name + "\" (" + ref.opType + "): " + reason);
      continue;
    }
    diagnostics.user(ref, reason);
    ++contradictions;
    scope.values[name] = Value();
  }
}

//===-- Operations ------------------------------------------------------------------------------------------------===//

/// ONNX's word for the kind that an attribute's storage class stands for.
static StringRef kindName(StringRef storage) {
  storage = storage.rsplit(':').second;
  return llvm::StringSwitch<StringRef>(storage)
      .Case("IntegerAttr", "INT")
      .Case("FloatAttr", "FLOAT")
      .Case("StringAttr", "STRING")
      .Case("DenseI64ArrayAttr", "INTS")
      .Case("DenseF32ArrayAttr", "FLOATS")
      .Case("ArrayAttr", "STRINGS")
      .Case("ElementsAttr", "TENSOR")
      .Case("TypeAttr", "TYPE_PROTO")
      .Case("Region", "GRAPH")
      .Default(storage);
}

static bool hasStorage(Attribute attribute, StringRef storage) {
  storage = storage.rsplit(':').second;
  return llvm::StringSwitch<bool>(storage)
      .Case("IntegerAttr", isa<IntegerAttr>(attribute))
      .Case("FloatAttr", isa<FloatAttr>(attribute))
      .Case("StringAttr", isa<StringAttr>(attribute))
      .Case("DenseI64ArrayAttr", isa<DenseI64ArrayAttr>(attribute))
      .Case("DenseF32ArrayAttr", isa<DenseF32ArrayAttr>(attribute))
      .Case("ArrayAttr", isa<ArrayAttr>(attribute))
      .Case("ElementsAttr", isa<ElementsAttr>(attribute))
      .Case("TypeAttr", isa<TypeAttr>(attribute))
      .Default(true);
}

/// The signature of `onnx.<op>`; null where it is not registered or does not stand for an ONNX operator.
static const OpSignature *signatureOf(StringRef op, MLIRContext *context) {
  auto name = RegisteredOperationName::lookup(("onnx." + op).str(), context);
  auto *interface = name ? name->getInterface<onnx::OnnxOpInterface>() : nullptr;
  return interface ? &interface->getSignature() : nullptr;
}

bool Importer::checkRequest(const OpRequest &request, const OpSignature &signature, const NodeRef &ref) {
  bool isGood = true;
  auto error = [&](const llvm::Twine &reason) {
    diagnostics.user(ref, reason);
    isGood = false;
  };
  size_t count = request.inputs.size(), least = signature.minInputs(), most = signature.maxInputs();
  if (count < least || count > most) {
    std::string range = std::to_string(least);
    if (most == SIZE_MAX)
      range = "at least " + range;
    else if (most != least)
      range += " to " + std::to_string(most);
    error("has " + llvm::Twine(count) + " inputs; the operator takes " + range);
  } else {
    for (auto [index, input] : llvm::enumerate(request.inputs)) {
      const FormalValue &formal = signature.inputs[std::min(index, signature.inputs.size() - 1)];
      if (!input && formal.kind != FormalValue::Optional)
        error("input " + llvm::Twine(index) + " (" + formal.name + ") is missing");
    }
  }
  bool openOutputs = !signature.outputs.empty() && signature.outputs.back().kind == FormalValue::Variadic;
  if (!openOutputs && request.outputs.size() > signature.outputs.size())
    error("has " + llvm::Twine(request.outputs.size()) + " outputs; the operator has " +
          llvm::Twine(signature.outputs.size()));

  for (NamedAttribute attribute : request.attributes) {
    // No attribute of a model is a unit: an upgrade tells a later stage something.
    if (isa<UnitAttr>(attribute.getValue()))
      continue;
    const FormalAttribute *formal = signature.findAttribute(attribute.getName());
    if (!formal)
      error("the operator has no attribute \"" + attribute.getName().strref() + "\"");
    else if (!hasStorage(attribute.getValue(), formal->storage))
      error("attribute \"" + formal->name + "\" has the wrong type; it must be " + kindName(formal->storage));
  }
  for (const FormalAttribute &formal : signature.attributes)
    if (formal.required && kindName(formal.storage) != "GRAPH" && !request.attributes.get(formal.name))
      error("the required attribute \"" + formal.name + "\" is missing");
  return isGood;
}

bool Importer::createOperation(OpRequest &request, const NodeRef &ref, Location location, Scope &scope,
                               const Frame &frame, SmallVectorImpl<Value> &results) {
  const OpSignature *found = signatureOf(request.op, &context);
  if (!found) {
    diagnostics.unsupported(ref, "the operator is not supported");
    return false;
  }
  const OpSignature &signature = *found;
  if (!checkRequest(request, signature, ref))
    return false;
  OperationName name("onnx." + request.op.str(), &context);

  // A variadic formal takes what is left; an optional one is there or not.
  SmallVector<int32_t> operandSegments, resultSegments;
  OperationState state(location, name);
  for (auto [index, formal] : llvm::enumerate(signature.inputs)) {
    ArrayRef<Value> actual = ArrayRef(request.inputs).drop_front(std::min(index, request.inputs.size()));
    if (formal.kind != FormalValue::Variadic)
      actual = actual.take_front(!actual.empty() && actual.front());
    state.addOperands(ValueRange(actual));
    operandSegments.push_back(actual.size());
  }
  SmallVector<unsigned> formalOfResult;
  for (auto [index, formal] : llvm::enumerate(signature.outputs)) {
    size_t left = request.outputs.size() - std::min(index, request.outputs.size());
    size_t actual = formal.kind == FormalValue::Single     ? 1
                    : formal.kind == FormalValue::Variadic ? left
                                                           : left && request.outputs[index];
    resultSegments.push_back(actual);
    for (size_t result = 0; result < actual; ++result)
      formalOfResult.push_back(index + result);
  }
  state.addAttributes(request.attributes.getAttrs());
  if (name.hasTrait<OpTrait::AttrSizedOperandSegments>())
    state.addAttribute("operandSegmentSizes", builder.getDenseI32ArrayAttr(operandSegments));
  if (name.hasTrait<OpTrait::AttrSizedResultSegments>())
    state.addAttribute("resultSegmentSizes", builder.getDenseI32ArrayAttr(resultSegments));
  // Inference only asks which results are there, so any tensor type will do until it has answered.
  state.addTypes(SmallVector<Type>(formalOfResult.size(), UnrankedTensorType::get(builder.getI8Type())));
  std::optional<unsigned> broken;
  if (!importBodies(request, ref, location, state, scope, frame, broken))
    return false;
  if (broken) {
    takeBranch(state, 1 - *broken, scope, results);
    return true;
  }

  size_t errorsBefore = diagnostics.errors().size();
  builder.setInsertionPointToEnd(scope.block);
  Operation *op = builder.create(state);
  auto giveUp = [&]() {
    // What went wrong has been reported through MLIR's diagnostics; if not, that is our fault.
    if (diagnostics.errors().size() == errorsBefore)
      diagnostics.user(ref, "its result types cannot be inferred from its inputs and attributes");
    contradictions += diagnostics.errors().size() - errorsBefore;
    op->erase();
    return false;
  };
  FailureOr<SmallVector<Type>> types = onnx::inferResultTypes(op);
  if (failed(types))
    return giveUp();
  bool perFormal = types->size() != op->getNumResults();
  for (auto [index, result] : llvm::enumerate(op->getResults())) {
    size_t place = perFormal ? formalOfResult[index] : index;
    if (place >= types->size())
      return giveUp();
    result.setType((*types)[place]);
  }
  // Dominance is asked for around bodies, up to the function: one in a body waits for the operation around it.
  bool isAttached = scope.block->getParentOp() != nullptr;
  if ((op->getNumRegions() == 0 || isAttached) && failed(verify(op)))
    return giveUp();

  results.assign(std::max<size_t>(request.outputs.size(), 1), Value());
  for (auto [result, formal] : llvm::zip(op->getResults(), formalOfResult)) {
    if (formal >= results.size())
      results.resize(formal + 1);
    results[formal] = result;
  }
  return true;
}

//===-- Nodes -----------------------------------------------------------------------------------------------------===//

namespace onnx_aot {
/// What upgrades see of the importer.
class ImportNodeBuilder : public onnx::NodeBuilder {
public:
  ImportNodeBuilder(Importer &importer, const NodeRef &ref, Location location, Scope &scope, const Frame &frame)
      : importer(importer), ref(ref), location(location), scope(scope), frame(frame) {}

  Value create(StringRef op, ValueRange inputs, ArrayRef<NamedAttribute> attributes) override {
    OpRequest request;
    request.op = op;
    request.inputs.assign(inputs.begin(), inputs.end());
    request.attributes = attributes;
    request.outputs = {true};
    SmallVector<Value> results;
    return importer.createOperation(request, ref, location, scope, frame, results) ? results.front() : Value();
  }
  Value lookup(StringRef name) override { return importer.lookup(name, scope).value_or(Value()); }
  Value constant(ElementsAttr value) override { return importer.makeConstant(value, location, scope); }
  void error(const llvm::Twine &reason, bool isUnsupported) override {
    if (isUnsupported)
      importer.diagnostics.unsupported(ref, reason);
    else
      importer.diagnostics.user(ref, reason);
  }

private:
  Importer &importer;
  const NodeRef &ref;
  Location location;
  Scope &scope;
  const Frame &frame;
};
} // namespace onnx_aot

/// `Constant` may state its value in one of several attributes; the operation has `value` alone.
bool Importer::foldConstantForms(onnx::NodeForm &form, const NodeRef &ref) {
  ElementsAttr value;
  auto splat = [&](Type element) { return RankedTensorType::get({}, element); };
  auto vector = [&](size_t size, Type element) { return RankedTensorType::get(static_cast<int64_t>(size), element); };
  for (NamedAttribute named : form.attributes) {
    StringRef name = named.getName();
    Attribute attribute = named.getValue();
    if (auto elements = dyn_cast<ElementsAttr>(attribute); elements && !isa<DenseArrayAttr>(attribute))
      value = name == "value" || name == "sparse_value" ? elements : nullptr;
    else if (auto integer = dyn_cast<IntegerAttr>(attribute); integer && name == "value_int")
      value = DenseElementsAttr::get(splat(integer.getType()), integer.getValue());
    else if (auto number = dyn_cast<FloatAttr>(attribute); number && name == "value_float")
      value = DenseElementsAttr::get(splat(number.getType()), number.getValue());
    else if (auto ints = dyn_cast<DenseI64ArrayAttr>(attribute); ints && name == "value_ints")
      value = DenseElementsAttr::get(vector(ints.size(), builder.getI64Type()), ints.asArrayRef());
    else if (auto floats = dyn_cast<DenseF32ArrayAttr>(attribute); floats && name == "value_floats")
      value = DenseElementsAttr::get(vector(floats.size(), builder.getF32Type()), floats.asArrayRef());
    else if (name == "value_string" || name == "value_strings") {
      diagnostics.unsupported(ref, "string tensors are not supported; work on text before the run");
      return false;
    } else {
      diagnostics.user(ref, "attribute \"" + name + "\" is not a value of its type");
      return false;
    }
  }
  if (form.attributes.getAttrs().size() != 1 || !value) {
    diagnostics.user(ref, "a Constant needs exactly one of value, sparse_value, value_int(s), value_float(s)");
    return false;
  }
  form.attributes = NamedAttrList();
  form.attributes.append("value", value);
  return true;
}

void Importer::importNode(const pb::NodeProto &node, int64_t number, Scope &scope, const Frame &frame) {
  StringRef domain = normalizedDomain(node.domain());
  NodeRef ref{nodeName(node, frame), domain.empty() ? node.op_type() : (domain + "." + node.op_type()).str()};
  auto opset = frame.opsets.find(domain);
  ref.opset = opset == frame.opsets.end() ? 0 : opset->second;

  SmallVector<Value> inputs;
  bool isGood = resolveInputs(node, ref, scope, inputs);
  if (const pb::FunctionProto *function = findFunction(node)) {
    if (isGood)
      inlineFunction(*function, node, ref, inputs, scope, frame);
    else
      poisonOutputs(node, scope);
    return;
  }

  std::string op = operationName(domain, node.op_type());
  // A dot in an operator's name would make it one of another domain; what is since no opset, upgrades make.
  const OpSignature *named = signatureOf(op, &context);
  bool isRegistered = named && named->sinceVersion > 0 && !StringRef(node.op_type()).contains('.');
  std::optional<int64_t> introduced = domain.empty() ? introducedIn(op) : std::nullopt;
  auto refuse = [&](const llvm::Twine &reason, bool isUnsupported = false) {
    if (isUnsupported)
      diagnostics.unsupported(ref, reason);
    else
      diagnostics.user(ref, reason);
    isGood = false;
  };
  if (node.op_type().empty())
    refuse("the node has no operator");
  else if (opset == frame.opsets.end())
    refuse("the model imports no opset of the domain \"" + domain + "\"");
  else if (introduced && *introduced > opset->second)
    refuse("the operator exists since opset " + llvm::Twine(*introduced) + ", and the model imports opset " +
           llvm::Twine(opset->second));
  else if (!isRegistered && !hasUpgrade(op)) {
    std::string outside = whyOutside(domain, node.op_type());
    std::string instead = outside.empty() ? suggestOperator(domain, node.op_type(), context) : outside;
    if (domain.empty() && !introduced)
      refuse("ONNX has no operator of this name, and the model defines no function for it" + instead);
    else if (isKnownDomain(domain, context))
      refuse("the operator is not supported" + instead, /*isUnsupported=*/true);
    else
      refuse("no operator of this name is known in the domain \"" + domain + "\"" + instead);
  }

  NamedAttrList attributes;
  llvm::StringMap<const pb::GraphProto *> graphs;
  if (isGood)
    isGood = importAttributes(node, ref, frame, attributes, graphs);
  if (!isGood)
    return poisonOutputs(node, scope);

  Location location = locationOf(ref, number);
  ImportNodeBuilder nodeBuilder(*this, ref, location, scope, frame);
  onnx::NodeForm form(nodeBuilder, &context);
  form.op = op;
  form.inputs = inputs;
  form.attributes = attributes;
  for (const std::string &output : node.output())
    form.outputs.push_back(!output.empty());
  while (!form.outputs.empty() && !form.outputs.back())
    form.outputs.pop_back();
  builder.setInsertionPointToEnd(scope.block);
  if (failed(upgradeToNewest(form, opset->second)) || (form.op == "Constant" && !foldConstantForms(form, ref)))
    return poisonOutputs(node, scope);

  OpRequest request;
  request.op = form.op;
  request.inputs = form.inputs;
  while (!request.inputs.empty() && !request.inputs.back())
    request.inputs.pop_back();
  request.attributes = form.attributes;
  request.outputs = form.outputs;
  const OpSignature *bodies = signatureOf(request.op, &context);
  bool takesGraphs = bodies && llvm::any_of(bodies->attributes, [](const FormalAttribute &formal) {
                       return kindName(formal.storage) == "GRAPH" && !formal.required;
                     });
  if ((takesGraphs || !graphs.empty()) && !collectGraphs(request, graphs, ref))
    return poisonOutputs(node, scope);
  SmallVector<Value> results;
  if (!createOperation(request, ref, location, scope, frame, results))
    return poisonOutputs(node, scope);
  for (auto &[index, wrap] : form.wraps) {
    if (index >= results.size() || !form.hasOutput(index))
      continue;
    results[index] = wrap(form, results[index]);
    if (!results[index])
      return poisonOutputs(node, scope);
  }
  defineOutputs(node, ref, scope, results);
}

bool Importer::collectGraphs(OpRequest &request, llvm::StringMap<const pb::GraphProto *> &graphs, const NodeRef &ref) {
  const OpSignature *signature = signatureOf(request.op, &context);
  if (!signature) {
    diagnostics.unsupported(ref, "the operator is not supported");
    return false;
  }
  for (const FormalAttribute &formal : signature->attributes) {
    if (kindName(formal.storage) != "GRAPH")
      continue;
    auto graph = graphs.find(formal.name);
    if (graph == graphs.end() && !formal.required) {
      request.graphs.push_back(nullptr);
      continue;
    }
    if (graph == graphs.end()) {
      diagnostics.user(ref, "the required attribute \"" + formal.name + "\" is missing");
      return false;
    }
    request.graphs.push_back(graph->second);
    graphs.erase(graph);
  }
  for (const auto &entry : graphs)
    diagnostics.user(ref, "the operator has no attribute \"" + entry.getKey() + "\"");
  return graphs.empty();
}

void Importer::importNodes(const NodeList &nodes, Scope &scope, const Frame &frame) {
  size_t first = nodeNames.size();
  if (first + nodes.size() > maxNodes) {
    diagnostics.fault("the model has more than " + llvm::Twine(maxNodes) + " nodes once its functions are inlined");
    for (const pb::NodeProto &node : nodes)
      poisonOutputs(node, scope);
    return;
  }
  for (const pb::NodeProto &node : nodes)
    nodeNames.push_back(nodeName(node, frame));
  NodeOrder order = orderNodes(nodes);
  if (!order.cycle.empty()) {
    std::string path;
    for (int index : order.cycle)
      path += "\"" + nodeNames[first + index] + "\" -> ";
    int start = order.cycle.front();
    diagnostics.user(NodeRef{nodeNames[first + start], nodes[start].op_type()},
                     "the graph is cyclic: " + path + "\"" + nodeNames[first + start] + "\"");
  }
  for (int index : order.unsorted)
    poisonOutputs(nodes[index], scope);
  for (int index : order.sorted)
    importNode(nodes[index], first + index, scope, frame);
}
