//===- GraphImporter.cpp - ModelProto -> MLIR ---------------------------------------------------------------------===//
#include "compiler/import/GraphImporter.h"
#include "compiler/import/Importer.h"
#include "compiler/import/Types.h"
#include "dialects/onnx/OnnxDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"

using namespace mlir;
using namespace onnx_aot;

/// From this IR version on a model says which opsets it uses; before, all operators were those of opset 1.
static constexpr int64_t firstIrVersionWithOpsets = 3;

Importer::Importer(LoadedModel &model, const ImportOptions &options, MLIRContext &context, Diagnostics &diagnostics)
    : model(model), options(options), context(context), diagnostics(diagnostics), builder(&context),
      tensors(model.external, &context) {}

OwningOpRef<ModuleOp> onnx_aot::importModel(LoadedModel &model, const ImportOptions &options, MLIRContext &context,
                                            Diagnostics &diagnostics, OwningOpRef<ModuleOp> *partial) {
  context.loadDialect<onnx::OnnxDialect, func::FuncDialect>();
  DiagnosticCapture capture(context, diagnostics);
  OwningOpRef<ModuleOp> module = Importer(model, options, context, diagnostics).run();
  if (module && diagnostics.hasErrors()) {
    if (partial)
      *partial = std::move(module);
    return nullptr;
  }
  return module;
}

//===-- The model -------------------------------------------------------------------------------------------------===//

bool Importer::readOpsets(const google::protobuf::RepeatedPtrField<pb::OperatorSetIdProto> &imports,
                          llvm::StringMap<int64_t> &opsets, const llvm::Twine &owner) {
  bool isGood = true;
  for (const pb::OperatorSetIdProto &import : imports) {
    StringRef domain = normalizedDomain(import.domain());
    opsets[domain] = import.version();
    if (!domain.empty())
      continue;
    if (import.version() > newestOpset)
      diagnostics.fault(owner + " uses opset " + llvm::Twine(import.version()) +
                        " of ai.onnx; the newest that is known is " + llvm::Twine(newestOpset));
    else if (import.version() < 1)
      diagnostics.fault(owner + " imports opset " + llvm::Twine(import.version()) +
                        " of ai.onnx, which does not exist");
    isGood &= import.version() >= 1 && import.version() <= newestOpset;
  }
  return isGood;
}

void Importer::setModelAttributes(ModuleOp module, const Frame &frame) {
  const pb::ModelProto &proto = *model.proto;
  NamedAttrList metadata, attributes, imports;
  for (const pb::StringStringEntryProto &entry : proto.metadata_props())
    if (!entry.key().empty())
      metadata.set(entry.key(), builder.getStringAttr(entry.value()));
  attributes.set("name", builder.getStringAttr(options.name));
  attributes.set("producer_name", builder.getStringAttr(proto.producer_name()));
  attributes.set("producer_version", builder.getStringAttr(proto.producer_version()));
  attributes.set("domain", builder.getStringAttr(proto.domain()));
  attributes.set("doc_string", builder.getStringAttr(proto.doc_string()));
  attributes.set("graph_name", builder.getStringAttr(proto.graph().name()));
  attributes.set("model_version", builder.getI64IntegerAttr(proto.model_version()));
  attributes.set("ir_version", builder.getI64IntegerAttr(proto.ir_version()));
  attributes.set("metadata", metadata.getDictionary(&context));
  for (const auto &entry : frame.opsets)
    imports.set(entry.getKey().empty() ? "ai.onnx" : entry.getKey(), builder.getI64IntegerAttr(entry.second));
  module->setAttr("onnx.model", attributes.getDictionary(&context));
  module->setAttr("onnx.opset_imports", imports.getDictionary(&context));
  SmallVector<StringRef> names(nodeNames.begin(), nodeNames.end());
  module->setAttr("onnx.node_names", builder.getStrArrayAttr(names));
}

OwningOpRef<ModuleOp> Importer::run() {
  const pb::ModelProto &proto = *model.proto;
  Frame frame;
  if (proto.opset_import_size() == 0) {
    if (proto.ir_version() >= firstIrVersionWithOpsets || !proto.has_ir_version()) {
      diagnostics.fault("the model imports no opset: its opset_import is empty");
      return nullptr;
    }
    frame.opsets[""] = 1;
  }
  if (!readOpsets(proto.opset_import(), frame.opsets, "the model"))
    return nullptr;
  for (const auto &entry : frame.opsets)
    diagnostics.setOpset(entry.getKey(), entry.second);
  declareFunctions();

  StringRef name = options.name.empty() ? StringRef("model") : StringRef(options.name);
  OwningOpRef<ModuleOp> module = ModuleOp::create(NameLoc::get(builder.getStringAttr(name)));
  importMain(*module, frame);
  if (diagnostics.hasErrors())
    return module;
  setModelAttributes(*module, frame);
  if (failed(verify(*module))) {
    if (!diagnostics.hasErrors())
      diagnostics.internal("the imported module does not verify");
    return nullptr;
  }
  return module;
}

//===-- Inputs ----------------------------------------------------------------------------------------------------===//

void Importer::declareInitializers(const pb::GraphProto &graph, Scope &scope) {
  auto declare = [&](auto &map, StringRef name, const auto *tensor) {
    if (name.empty())
      diagnostics.fault("an initializer has no name");
    else if (scope.initializers.contains(name) || scope.sparseInitializers.contains(name))
      diagnostics.fault("initializer \"" + name + "\" is defined twice");
    else
      map[name] = tensor;
  };
  for (const pb::TensorProto &tensor : graph.initializer())
    declare(scope.initializers, tensor.name(), &tensor);
  for (const pb::SparseTensorProto &tensor : graph.sparse_initializer())
    declare(scope.sparseInitializers, tensor.values().name(), &tensor);
}

void Importer::declareTypes(const pb::GraphProto &graph, Scope &scope) {
  auto declare = [&](const pb::ValueInfoProto &info) {
    // Declarations are there to be checked; one that says nothing, or something that we lack, is of no use for that.
    llvm::Expected<Type> type = typeOf(info.type(), dims, &context);
    if (!type)
      return llvm::consumeError(type.takeError());
    auto [it, isNew] = scope.declared.try_emplace(info.name(), *type);
    if (!isNew && !agree(it->second, *type))
      diagnostics.fault("\"" + info.name() + "\" is declared as " + shown(it->second) + " and as " + shown(*type));
  };
  for (const pb::ValueInfoProto &input : graph.input())
    declare(input);
  for (const pb::ValueInfoProto &output : graph.output())
    declare(output);
  for (const pb::ValueInfoProto &info : graph.value_info())
    declare(info);
}

/// The inputs that a caller passes: those without an initializer.
static SmallVector<const pb::ValueInfoProto *> runtimeInputs(const pb::GraphProto &graph, const Scope &scope) {
  SmallVector<const pb::ValueInfoProto *> inputs;
  for (const pb::ValueInfoProto &input : graph.input())
    if (!scope.initializers.contains(input.name()) && !scope.sparseInitializers.contains(input.name()))
      inputs.push_back(&input);
  return inputs;
}

static std::string shapeFlag(StringRef name, ArrayRef<int64_t> dims) {
  return ("--shape " + name + "=").str() +
         llvm::join(llvm::map_range(dims, [](int64_t dim) { return std::to_string(dim); }), "x") + ": ";
}

static std::string rangeText(const DimBounds &bounds) {
  return std::to_string(bounds.low) + ".." + (bounds.high == DimBounds::unbounded ? "" : std::to_string(bounds.high));
}

bool Importer::bindShape(const pb::ValueInfoProto &input, ArrayRef<int64_t> shape) {
  const std::string flag = shapeFlag(input.name(), shape);
  if (input.type().has_sequence_type() || input.type().has_optional_type())
    return true; // CompoundInputs.cpp reads it
  if (!input.type().has_tensor_type()) {
    diagnostics.fault(flag + "the input is not a tensor");
    return false;
  }
  if (!input.type().tensor_type().has_shape())
    return true;
  const pb::TensorShapeProto &declared = input.type().tensor_type().shape();
  if (declared.dim_size() != static_cast<int>(shape.size())) {
    diagnostics.fault(flag + "the input has rank " + llvm::Twine(declared.dim_size()));
    return false;
  }
  for (auto [index, dim] : llvm::enumerate(declared.dim())) {
    if (dim.has_dim_value() && dim.dim_value() >= 0 && dim.dim_value() != shape[index]) {
      diagnostics.fault(flag + "dimension " + llvm::Twine(index) + " of the input is fixed to " +
                        llvm::Twine(dim.dim_value()));
      return false;
    }
    if (dim.dim_param().empty())
      continue;
    auto [it, isNew] = dims.try_emplace(dim.dim_param(), shape[index]);
    if (!isNew && it->second != shape[index]) {
      diagnostics.fault(flag + "dimension \"" + dim.dim_param() + "\" is " + llvm::Twine(it->second) +
                        " by another flag");
      return false;
    }
  }
  return true;
}

/// The name that flags, headers and messages use for dimension `axis` of an input: the model's own, or one made of the
/// input's name where the model leaves the dimension open without a name. Empty for a fixed dimension.
static std::string dimensionName(const pb::ValueInfoProto &input, int64_t axis) {
  const pb::TensorShapeProto::Dimension &dim = input.type().tensor_type().shape().dim(static_cast<int>(axis));
  if (!dim.dim_param().empty())
    return dim.dim_param();
  if (dim.has_dim_value() && dim.dim_value() >= 0)
    return "";
  return input.name() + "_dim" + std::to_string(axis);
}

bool Importer::bindDimensions(ArrayRef<const pb::ValueInfoProto *> inputs) {
  llvm::StringSet<> symbols;
  for (const pb::ValueInfoProto *input : inputs)
    for (int axis = 0; axis < input->type().tensor_type().shape().dim_size(); ++axis)
      symbols.insert(dimensionName(*input, axis));
  bool isGood = true;
  auto check = [&](const std::string &name, const std::string &value, int64_t low) {
    const std::string flag = "--dim " + name + "=" + value + ": ";
    bool isKnown = !name.empty() && symbols.contains(name);
    if (low < 0)
      diagnostics.fault(flag + "a dimension cannot be negative");
    else if (!isKnown)
      diagnostics.fault(flag + "no input of the model has a dimension of this name");
    isGood &= low >= 0 && isKnown;
  };
  for (const auto &[name, extent] : options.dims)
    check(name, std::to_string(extent), extent);
  for (const auto &[name, bounds] : options.bounds)
    check(name, rangeText(bounds), bounds.low);
  dims = options.dims;
  for (const auto &[name, shape] : options.shapes) {
    const auto *input = llvm::find_if(inputs, [&, &name = name](const auto *info) { return info->name() == name; });
    if (input == inputs.end()) {
      diagnostics.fault(shapeFlag(name, shape) + "the model has no input of this name");
      isGood = false;
    } else if (llvm::any_of(shape, [](int64_t dim) { return dim < 0; })) {
      diagnostics.fault(shapeFlag(name, shape) + "a dimension cannot be negative");
      isGood = false;
    } else {
      isGood &= bindShape(**input, shape);
    }
  }
  return isGood;
}

/// `type` with those dimensions static that have a name of ours (see dimensionName) that a flag fixes.
static Type withMadeUpDims(Type type, const pb::ValueInfoProto &input, const std::map<std::string, int64_t> &fixed) {
  auto ranked = dyn_cast<RankedTensorType>(type);
  if (!ranked)
    return type;
  SmallVector<int64_t> shape(ranked.getShape());
  for (auto [axis, dim] : llvm::enumerate(shape))
    if (auto it = fixed.find(dimensionName(input, axis)); ShapedType::isDynamic(dim) && it != fixed.end())
      dim = it->second;
  return ranked.clone(shape);
}

Type Importer::mainInputType(const pb::ValueInfoProto &input) {
  llvm::Expected<Type> type = typeOf(input.type(), dims, &context);
  if (!type) {
    std::string reason = llvm::toString(type.takeError());
    std::string text = "input \"" + input.name() + "\": " + reason;
    if (StringRef(reason).ends_with("not supported"))
      diagnostics.unsupported(text);
    else
      diagnostics.fault(text);
    return Type();
  }
  auto shape = options.shapes.find(input.name());
  if (shape == options.shapes.end())
    return withMadeUpDims(*type, input, dims);
  Type element = getElementTypeOrSelf(*type);
  if (!sizeOf(shape->second, storageBits(element))) {
    diagnostics.fault(shapeFlag(input.name(), shape->second) + "the product of its dimensions overflows");
    return Type();
  }
  return RankedTensorType::get(shape->second, element);
}

//===-- The main graph --------------------------------------------------------------------------------------------===//

static ArrayAttr stringArray(OpBuilder &builder, ArrayRef<std::string> texts) {
  SmallVector<StringRef> refs(texts.begin(), texts.end());
  return builder.getStrArrayAttr(refs);
}

DictionaryAttr Importer::interfaceAttributes(const pb::ValueInfoProto &info, Type type, bool isInput) {
  SmallVector<std::string> names;
  if (auto ranked = dyn_cast<RankedTensorType>(type))
    names.resize(ranked.getRank());
  for (auto [index, dim] : llvm::enumerate(info.type().tensor_type().shape().dim()))
    if (index < names.size())
      names[index] = dim.dim_param();
  // Of an output only the model's own names are known; what its open dimensions are is found out later.
  if (isInput && info.type().tensor_type().has_shape())
    for (auto [axis, name] : llvm::enumerate(names))
      if (cast<RankedTensorType>(type).isDynamicDim(axis))
        name = dimensionName(info, axis);
  NamedAttrList attributes;
  attributes.set("onnx.name", builder.getStringAttr(info.name()));
  attributes.set("onnx.dtype", builder.getI32IntegerAttr(dataTypeOf(onnx::tensorElementType(type))));
  attributes.set("onnx.dim_names", stringArray(builder, names));
  return attributes.getDictionary(&context);
}

/// `onnx.dim_bounds = {batch = array<i64: 1, 8>}`: of the dimensions that are still open.
void Importer::setDimensionBounds(Operation *main, ArrayRef<Attribute> inputAttributes, ArrayRef<Type> inputTypes) {
  NamedAttrList bounds;
  for (auto [attributes, type] : llvm::zip(inputAttributes, inputTypes)) {
    auto ranked = dyn_cast<RankedTensorType>(type);
    auto names = cast<DictionaryAttr>(attributes).getAs<ArrayAttr>("onnx.dim_names");
    for (int64_t axis = 0; ranked && axis < ranked.getRank(); ++axis) {
      StringRef name = cast<StringAttr>(names[axis]).getValue();
      if (auto it = options.bounds.find(name.str()); ranked.isDynamicDim(axis) && it != options.bounds.end())
        bounds.set(name, builder.getDenseI64ArrayAttr({it->second.low, it->second.high}));
    }
  }
  if (!bounds.empty())
    main->setAttr("onnx.dim_bounds", bounds.getDictionary(&context));
}

/// An output whose shape the graph alone does not give keeps its declared type in `onnx.declared` (see InferShapes).
DictionaryAttr Importer::resultAttributesOf(const pb::ValueInfoProto &output, Type type, Type declared) {
  auto isStatic = [](Type candidate) {
    auto ranked = dyn_cast_or_null<RankedTensorType>(candidate);
    return ranked && ranked.hasStaticShape();
  };
  if (isStatic(type) || !isStatic(declared))
    return interfaceAttributes(output, type, /*isInput=*/false);
  NamedAttrList attributes(interfaceAttributes(output, declared, /*isInput=*/false));
  attributes.set("onnx.declared", TypeAttr::get(declared));
  return attributes.getDictionary(&context);
}

void Importer::importMain(ModuleOp module, const Frame &frame) {
  const pb::GraphProto &graph = model.proto->graph();
  builder.setInsertionPointToStart(module.getBody());
  auto main = func::FuncOp::create(builder, module.getLoc(), "main", builder.getFunctionType({}, {}));
  Scope scope(main.addEntryBlock(), /*parent=*/nullptr);
  declareInitializers(graph, scope);
  SmallVector<const pb::ValueInfoProto *> inputs = runtimeInputs(graph, scope);
  if (!bindDimensions(inputs) || !checkInputFlags(inputs))
    return; // with the wrong shapes every later message would be about the flag again
  declareTypes(graph, scope);

  SmallVector<Type> inputTypes, resultTypes;
  SmallVector<Attribute> inputAttributes, resultAttributes;
  for (const pb::ValueInfoProto *input : inputs) {
    if (importCompoundInput(*input, scope, inputTypes, inputAttributes))
      continue;
    Type type = mainInputType(*input);
    if (input->name().empty())
      diagnostics.fault("an input of the graph has no name");
    else if (scope.values.contains(input->name()))
      diagnostics.fault("input \"" + input->name() + "\" is listed twice");
    else
      scope.values[input->name()] =
          type ? fixValue(input->name(), scope.block->addArgument(type, main.getLoc()), scope) : Value();
    if (!type)
      continue;
    inputTypes.push_back(type);
    inputAttributes.push_back(interfaceAttributes(*input, type, /*isInput=*/true));
  }
  importNodes(graph.node(), scope, frame);

  SmallVector<Value> results;
  llvm::StringSet<> seen;
  for (const pb::ValueInfoProto &output : graph.output()) {
    if (!seen.insert(output.name()).second)
      diagnostics.fault("output \"" + output.name() + "\" is listed twice");
    std::optional<Value> value = lookup(output.name(), scope);
    if (!value)
      diagnostics.fault("output \"" + output.name() + "\" is not produced by any node, initializer or input");
    if (!value || !*value)
      continue;
    results.push_back(*value);
    resultTypes.push_back(value->getType());
    resultAttributes.push_back(resultAttributesOf(output, value->getType(), scope.declared.lookup(output.name())));
  }
  if (graph.output().empty())
    diagnostics.fault("the graph has no outputs");
  // After an error the function returns what is there: a later stage may find more to report.
  builder.setInsertionPointToEnd(scope.block);
  func::ReturnOp::create(builder, main.getLoc(), results);
  main.setType(builder.getFunctionType(inputTypes, resultTypes));
  main.setAllArgAttrs(inputAttributes);
  setDimensionBounds(main, inputAttributes, inputTypes);
  main.setAllResultAttrs(resultAttributes);
}
