//===- Functions.cpp - Bodies: model-local functions and subgraphs ------------------------------------------------===//
//
// A call of a model-local function is replaced by the function's nodes, imported into the caller's block with names of
// their own ("call/inner"), attributes bound by ref_attr_name and the function's own opsets. A subgraph becomes a
// region of one block whose arguments are the subgraph's inputs and whose nodes may use the values around it.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/import/Importer.h"
#include "compiler/import/Types.h"
#include "dialects/onnx/support/SequenceTypes.h"

using namespace mlir;
using namespace onnx_aot;

/// How deep calls may nest; importing a call recurses.
static constexpr int maxCallDepth = 100;

static std::string functionKey(StringRef domain, StringRef name, StringRef overload) {
  return (normalizedDomain(domain) + llvm::Twine('\0') + name + llvm::Twine('\0') + overload).str();
}

void Importer::declareFunctions() {
  for (const pb::FunctionProto &function : model.proto->functions())
    if (!functions.try_emplace(functionKey(function.domain(), function.name(), function.overload()), &function).second)
      diagnostics.fault("the function \"" + function.name() + "\" of the domain \"" + function.domain() +
                        "\" is defined twice");
}

const pb::FunctionProto *Importer::findFunction(const pb::NodeProto &node) const {
  if (functions.empty())
    return nullptr;
  return functions.lookup(functionKey(node.domain(), node.op_type(), node.overload()));
}

bool Importer::bindAttributes(const pb::FunctionProto &function, const pb::NodeProto &node, const NodeRef &ref,
                              const Frame &caller, Frame &frame) {
  for (const std::string &name : function.attribute())
    frame.attributes[name] = nullptr;
  for (const pb::AttributeProto &attribute : function.attribute_proto())
    frame.attributes[attribute.name()] = &attribute;
  for (const pb::AttributeProto &attribute : node.attribute()) {
    auto formal = frame.attributes.find(attribute.name());
    if (formal == frame.attributes.end()) {
      diagnostics.user(ref, "the function has no attribute \"" + attribute.name() + "\"");
      return false;
    }
    if (attribute.ref_attr_name().empty()) {
      formal->second = &attribute;
      continue;
    }
    auto outer = caller.attributes.find(attribute.ref_attr_name());
    if (outer == caller.attributes.end()) {
      diagnostics.user(ref, "attribute \"" + attribute.name() + "\" refers to \"" + attribute.ref_attr_name() +
                                "\", which no function around it has");
      return false;
    }
    if (outer->second)
      formal->second = outer->second;
  }
  return true;
}

void Importer::inlineFunction(const pb::FunctionProto &function, const pb::NodeProto &node, const NodeRef &ref,
                              ArrayRef<Value> inputs, Scope &scope, const Frame &caller) {
  auto refuse = [&](const llvm::Twine &reason) {
    diagnostics.user(ref, reason);
    poisonOutputs(node, scope);
  };
  int depth = 0;
  for (const Frame *frame = &caller; frame; frame = frame->caller, ++depth)
    if (frame->function == &function)
      return refuse("the function calls itself, directly or through others");
  if (depth > maxCallDepth)
    return refuse("calls of functions nest deeper than " + llvm::Twine(maxCallDepth));
  if (inputs.size() > static_cast<size_t>(function.input_size()))
    return refuse("has " + llvm::Twine(inputs.size()) + " inputs; the function takes " +
                  llvm::Twine(function.input_size()));
  if (node.output_size() > function.output_size())
    return refuse("has " + llvm::Twine(node.output_size()) + " outputs; the function has " +
                  llvm::Twine(function.output_size()));

  Frame frame;
  frame.caller = &caller;
  frame.function = &function;
  frame.prefix = ref.name + "/";
  frame.opsets = caller.opsets;
  if (!readOpsets(function.opset_import(), frame.opsets, "the function \"" + function.name() + "\"") ||
      !bindAttributes(function, node, ref, caller, frame))
    return poisonOutputs(node, scope);

  Scope body(scope.block, /*parent=*/nullptr);
  for (auto [index, name] : llvm::enumerate(function.input())) {
    if (index < inputs.size() && inputs[index])
      body.values.try_emplace(name, inputs[index]);
    else
      body.absent.insert(name);
  }
  importNodes(function.node(), body, frame);

  SmallVector<Value> results;
  for (auto [index, name] : llvm::enumerate(node.output())) {
    results.push_back(Value());
    if (name.empty())
      continue;
    const std::string &inner = function.output(index);
    std::optional<Value> value = lookup(inner, body);
    if (!value)
      diagnostics.user(ref, body.absent.contains(inner)
                                ? "output \"" + name + "\" passes on an input that the call leaves out"
                                : "the function does not define its output \"" + inner + "\"");
    results.back() = value.value_or(Value());
  }
  defineOutputs(node, ref, scope, results);
}

/// What is known of the inputs of an operator's body without their declarations. Shapes may change from call to call.
static SmallVector<Type> bodyInputTypes(const OpRequest &request, MLIRContext *context) {
  SmallVector<Type> types;
  auto add = [&](Value value) {
    Type type = value ? value.getType() : Type();
    if (type && (request.op == "SequenceMap" || !onnx::isCompound(type)))
      type = UnrankedTensorType::get(onnx::tensorElementType(type));
    types.push_back(type);
  };
  if (request.op == "Loop") {
    types = {RankedTensorType::get({}, IntegerType::get(context, 64)),
             RankedTensorType::get({}, IntegerType::get(context, 1))};
    for (Value input : ArrayRef(request.inputs).drop_front(std::min<size_t>(2, request.inputs.size())))
      add(input);
  } else if (request.op == "Scan" || request.op == "SequenceMap") {
    for (Value input : request.inputs)
      add(input);
  }
  return types;
}

bool Importer::importSubgraph(const pb::GraphProto &graph, const NodeRef &ref, Location location, Region &region,
                              Scope &scope, const Frame &frame, ArrayRef<Type> inputTypes) {
  if (!RegisteredOperationName::lookup("onnx.Yield", &context)) {
    diagnostics.unsupported(ref, "operators with subgraphs are not supported");
    return false;
  }
  OpBuilder::InsertionGuard guard(builder);
  Scope body(&region.emplaceBlock(), &scope);
  declareInitializers(graph, body);
  declareTypes(graph, body);
  bool isGood = true;
  for (const pb::ValueInfoProto &input : graph.input()) {
    if (body.initializers.contains(input.name()) || body.sparseInitializers.contains(input.name()))
      continue;
    bool isOpen = input.type().value_case() == pb::TypeProto::VALUE_NOT_SET;
    size_t place = body.block->getNumArguments();
    llvm::Expected<Type> type = isOpen && place < inputTypes.size() ? llvm::Expected<Type>(inputTypes[place])
                                                                    : typeOf(input.type(), dims, &context);
    if (!type) {
      diagnostics.user(ref, "input \"" + input.name() + "\" of its subgraph: " + llvm::toString(type.takeError()));
      body.values.try_emplace(input.name(), Value());
      isGood = false;
    } else if (!body.values.try_emplace(input.name(), body.block->addArgument(*type, location)).second) {
      diagnostics.user(ref, "its subgraph has the input \"" + input.name() + "\" twice");
      isGood = false;
    }
  }
  importNodes(graph.node(), body, frame);

  SmallVector<Value> results;
  SmallVector<Type> declared;
  for (const pb::ValueInfoProto &output : graph.output()) {
    std::optional<Value> value = lookup(output.name(), body);
    Type type = body.declared.lookup(output.name());
    declared.push_back(type ? type : builder.getNoneType());
    if (!value)
      diagnostics.user(ref, "output \"" + output.name() + "\" of its subgraph is not defined");
    results.push_back(value.value_or(Value()));
    isGood &= results.back() != nullptr;
  }
  if (!isGood)
    return false;
  OperationState state(location, "onnx.Yield");
  state.addOperands(results);
  if (ref.opType == "Loop" || ref.opType == "Scan")
    state.addAttribute("declared", builder.getTypeArrayAttr(declared));
  builder.setInsertionPointToEnd(body.block);
  builder.create(state);
  return true;
}

bool Importer::importBodies(const OpRequest &request, const NodeRef &ref, Location location, OperationState &state,
                            Scope &scope, const Frame &frame, std::optional<unsigned> &broken) {
  SmallVector<Type> inputTypes = bodyInputTypes(request, &context);
  for (auto [index, graph] : llvm::enumerate(request.graphs)) {
    Region *region = state.addRegion();
    size_t errors = diagnostics.errors().size(), others = errors - contradictions;
    if (!graph || importSubgraph(*graph, ref, location, *region, scope, frame, inputTypes))
      continue;
    bool isAboutTypes = diagnostics.errors().size() > errors && diagnostics.errors().size() - contradictions == others;
    bool isUnsupported = llvm::any_of(diagnostics.errors().drop_front(errors),
                                      [](const ErrorEntry &error) { return error.kind != ErrorKind::User; });
    if (request.op != "If" || !isAboutTypes || isUnsupported || broken)
      return false;
    broken = index;
    contradictions -= diagnostics.errors().size() - errors;
    for (const ErrorEntry &error : diagnostics.withdraw(errors))
      diagnostics.warning(error.text + "; a run that takes this branch of the node \"" + ref.name +
                          "\" (If) will fail");
  }
  return true;
}

void Importer::takeBranch(OperationState &state, unsigned branch, Scope &scope, SmallVectorImpl<Value> &results) {
  Block &body = state.regions[branch]->front();
  Operation *terminator = body.getTerminator();
  results.assign(terminator->operand_begin(), terminator->operand_end());
  scope.block->getOperations().splice(scope.block->end(), body.getOperations(), body.begin(),
                                      Block::iterator(terminator));
  OperationState check(state.location, "onnx.Require");
  check.addOperands(state.operands.front());
  check.addAttribute("expected", builder.getBoolAttr(branch == 0));
  check.addAttribute("code", builder.getStringAttr("shape_mismatch"));
  builder.setInsertionPointToEnd(scope.block);
  builder.create(check);
}
