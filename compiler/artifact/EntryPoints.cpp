//===- EntryPoints.cpp - The C functions of a model, in LLVM IR -----------===//
//
// See EntryPoints.h. The struct types below repeat those of include/onnx_aot/runtime.h field by field; the data layout
// gives them the layout that the target's C compiler uses.
//
//===----------------------------------------------------------------------===//

#include "compiler/artifact/EntryPoints.h"

#include "codegen/nvptx/Passes.h"
#include "compiler/artifact/ContextFunctions.h"
#include "compiler/artifact/ModelInterface.h"
#include "onnx_aot/runtime.h"
#include "llvm/ADT/SmallVectorExtras.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/MDBuilder.h"
#include "llvm/IR/Module.h"
#include "llvm/TargetParser/Triple.h"

using namespace llvm;

namespace onnx_aot {

namespace {
class EntryEmitter {
public:
  EntryEmitter(Module &module, ModelInterface &model, StringRef prefix)
      : module(module), context(module.getContext()), model(model), prefix(prefix.str()), builder(context),
        pointer(PointerType::getUnqual(context)), i32(Type::getInt32Ty(context)), i64(Type::getInt64Ty(context)) {}

  Error emit();

private:
  Error adoptMain();
  void promise(Function &function);
  Error adoptWeights();
  Error adoptHelpers();
  void emitRun();
  Value *isMissing(Argument *pointer, const TensorInterface &tensor);
  void emitEntry();
  void emitArenaBytes();
  void emitOutputDims();
  void emitPlan();
  void emitModel();
  void emitStatusText();

  Function *makeFunction(const Twine &name, Type *result, ArrayRef<Type *> parameters, bool exported);
  void returnUnless(Value *bad, uint32_t status);
  bool isPlanned() const { return arenaBytes || outputDims; }
  Value *element(Type *type, Value *array, size_t index);
  Value *asParameter(Argument *argument, Function *callee);
  Value *isTooLarge(Function *function, Function *callee);
  Constant *string(StringRef text, const Twine &name);
  Constant *array(Type *type, ArrayRef<Constant *> values, const Twine &name);
  Constant *tensors(ArrayRef<TensorInterface> list, StringRef kind);

  Module &module;
  LLVMContext &context;
  ModelInterface &model;
  std::string prefix;
  IRBuilder<> builder;
  PointerType *pointer;
  Type *i32, *i64;
  Function *main = nullptr, *run = nullptr, *entry = nullptr;
  Function *arenaBytes = nullptr, *outputDims = nullptr; // the model's own; null where nothing depends on dims
  Function *arenaBytesOf = nullptr, *outputDimsOf = nullptr, *plan = nullptr;
  ContextFunctions contextFunctions;
  size_t firstDim = 0, arena = 0; // positions among the parameters of `run`
  StructType *modelType = nullptr;
};
} // namespace

/// Fields of onnx_aot_model that code reads.
enum ModelField : unsigned { NumNodesField = 4, NameField = 11, NodeNamesField = 20, FieldCount = 26 };

Error EntryEmitter::adoptMain() {
  main = module.getFunction("main");
  if (!main || main->isDeclaration())
    return createStringError("the translated module has no entry @main");
  firstDim = model.inputs.size() + model.outputs.size();
  size_t dynamicOutputs = count_if(model.outputs, [](const TensorInterface &tensor) { return tensor.isDynamic; });
  arena = firstDim + model.dims.size() + dynamicOutputs;
  size_t expected = arena + (model.slots != 0 ? 2 : 1);
  bool fits = main->arg_size() == expected && main->getReturnType() == i32 && !main->isVarArg() &&
              all_of(main->args(), [&](Argument &argument) {
                size_t index = argument.getArgNo();
                bool isDim = index >= firstDim && index < firstDim + model.dims.size();
                return isDim ? argument.getType()->isIntegerTy() : argument.getType() == pointer;
              });
  if (!fits)
    return createStringError("the translated entry does not take one argument for each of its %zu parameters",
                             expected);
  main->setName(prefix + "_main");
  main->setLinkage(GlobalValue::InternalLinkage);
  main->setVisibility(GlobalValue::DefaultVisibility);
  main->setDSOLocal(true);

  promise(*main);
  if (Function *host = module.getFunction(kHostEntry); host && !host->isDeclaration())
    promise(*host);
  return Error::success();
}

/// What the caller promises (see the header): buffers do not overlap.
void EntryEmitter::promise(Function &function) {
  for (Argument &argument : function.args())
    if (argument.getType() == pointer)
      argument.addAttr(Attribute::NoAlias);
  if (model.arenaBytes != 0) {
    Argument *memory = function.getArg(arena);
    memory->addAttr(Attribute::NonNull);
    memory->removeAttr(Attribute::Alignment);
    memory->addAttr(Attribute::getWithAlignment(context, Align(model.arenaAlign)));
    memory->removeAttr(Attribute::Dereferenceable);
    if (model.arenaBytes != TensorInterface::unbounded)
      memory->addAttr(Attribute::getWithDereferenceableBytes(context, model.arenaBytes));
  }
}

Error EntryEmitter::adoptWeights() {
  GlobalVariable *old = module.getGlobalVariable("weights", /*AllowInternal=*/true);
  if (!old || old->use_empty()) {
    if (old)
      old->eraseFromParent();
    model.weightBytes = 0;
    model.slices.clear();
    return Error::success();
  }
  if (module.getDataLayout().getTypeAllocSize(old->getValueType()) != model.weightBytes)
    return createStringError("the translated weights differ in size from the model's");
  auto *type = ArrayType::get(builder.getInt8Ty(), model.weightBytes);
  auto *weights = new GlobalVariable(module, type, /*isConstant=*/true, GlobalValue::ExternalLinkage,
                                     ConstantAggregateZero::get(type), prefix + "_weights", nullptr,
                                     GlobalValue::NotThreadLocal, std::nullopt, /*isExternallyInitialized=*/true);
  weights->setVisibility(GlobalValue::HiddenVisibility);
  weights->setDSOLocal(true);
  weights->setAlignment(Align(model.weightAlign));
  Triple triple(module.getTargetTriple());
  if (triple.isOSBinFormatELF()) {
    // Code reaches 2 GB around itself; weights that may go past that live in a large section behind everything else.
    bool large = triple.getArch() == Triple::x86_64 && model.weightBytes > (uint64_t(1) << 30);
    if (large)
      weights->setCodeModel(CodeModel::Large);
    weights->setSection((Twine(large ? ".lrodata." : ".rodata.") + prefix + "_weights").str());
  }
  old->replaceAllUsesWith(weights);
  old->eraseFromParent();
  return Error::success();
}

/// The functions that say sizes before a run.
Error EntryEmitter::adoptHelpers() {
  auto adopt = [&](StringRef name, size_t parameters, Function *&out) -> Error {
    Function *function = module.getFunction(name);
    if (!function || function->isDeclaration() || function->arg_size() != parameters)
      return createStringError("the translated module lacks the function @" + name);
    function->setName(prefix + "_" + name + "_of_dims");
    out = function;
    return Error::success();
  };
  if (!model.arenaFunction.empty())
    if (Error error = adopt(model.arenaFunction, model.dims.size(), arenaBytes))
      return error;
  if (model.hasDynamicOutputs())
    return adopt("output_dims", arena - firstDim, outputDims);
  return Error::success();
}

Function *EntryEmitter::makeFunction(const Twine &name, Type *result, ArrayRef<Type *> parameters, bool exported) {
  auto *type = FunctionType::get(result, parameters, /*isVarArg=*/false);
  auto *function =
      Function::Create(type, exported ? GlobalValue::ExternalLinkage : GlobalValue::InternalLinkage, name, module);
  // Some ABIs want 32-bit values extended to a register.
  auto extend = TargetLibraryInfo::getExtAttrForI32Return(module.getTargetTriple(), /*Signed=*/false);
  if (result == i32 && extend != Attribute::None)
    function->addRetAttr(extend);
  builder.SetInsertPoint(BasicBlock::Create(context, "", function));
  return function;
}

void EntryEmitter::returnUnless(Value *bad, uint32_t status) {
  Function *function = builder.GetInsertBlock()->getParent();
  auto *fail = BasicBlock::Create(context, "fail", function);
  auto *next = BasicBlock::Create(context, "next", function);
  builder.CreateCondBr(bad, fail, next, MDBuilder(context).createUnlikelyBranchWeights());
  builder.SetInsertPoint(fail);
  builder.CreateRet(ConstantInt::get(i32, status));
  builder.SetInsertPoint(next);
}

/// Whether a pointer is NULL that may not be, or null where it may. An empty buffer has no address to check: an empty
/// std::vector hands out NULL.
Value *EntryEmitter::isMissing(Argument *argument, const TensorInterface &tensor) {
  if (tensor.bytes == 0 && !tensor.isInContext)
    return nullptr;
  Value *isNull = builder.CreateIsNull(argument);
  if (tensor.isInContext)
    return isNull;
  for (int64_t dim : tensor.dims) {
    if (dim >= 0 || dim == TensorInterface::computed)
      continue;
    Value *extent = run->getArg(unsigned(firstDim + size_t(-1 - dim)));
    isNull = builder.CreateAnd(isNull, builder.CreateIsNotNull(extent));
  }
  return isNull;
}

/// An argument as that of the same position of a function of the model, whose dims may have another width.
Value *EntryEmitter::asParameter(Argument *argument, Function *callee) {
  Type *type = callee->getArg(argument->getArgNo())->getType();
  return type->isIntegerTy() ? builder.CreateZExtOrTrunc(argument, type) : argument;
}

/// Whether a dim that `function` gets does not fit that of `callee`; null where it always does.
Value *EntryEmitter::isTooLarge(Function *function, Function *callee) {
  Value *any = nullptr;
  for (Argument &argument : function->args()) {
    Type *type = callee->getArg(argument.getArgNo())->getType();
    if (argument.getType() != i64 || type == i64)
      continue;
    Value *tooLarge =
        builder.CreateICmpUGT(&argument, ConstantInt::get(i64, maxIntN(int64_t(type->getIntegerBitWidth()))));
    any = any ? builder.CreateOr(any, tooLarge) : tooLarge;
  }
  return any;
}

void EntryEmitter::emitRun() {
  SmallVector<Type *> parameters(main->arg_size(), pointer);
  std::fill_n(parameters.begin() + firstDim, model.dims.size(), i64);
  run = makeFunction(prefix + "_run", i32, parameters, /*exported=*/true);

  Value *anyNull = nullptr;
  for (Argument &argument : run->args()) {
    size_t index = argument.getArgNo(), inputs = model.inputs.size();
    Value *isNull = nullptr;
    if (index < firstDim)
      isNull = isMissing(&argument, index < inputs ? model.inputs[index] : model.outputs[index - inputs]);
    else if (argument.getType() == pointer && !(index == arena && model.arenaBytes == 0))
      isNull = builder.CreateIsNull(&argument);
    if (isNull)
      anyNull = anyNull ? builder.CreateOr(anyNull, isNull) : isNull;
  }
  if (anyNull)
    returnUnless(anyNull, ONNX_AOT_NULL_ARGUMENT);
  if (Value *tooLarge = isTooLarge(run, main))
    returnUnless(tooLarge, ONNX_AOT_DIM_OUT_OF_BOUNDS);

  if (model.arenaBytes != 0 && model.arenaAlign > 1) {
    Type *integer = module.getDataLayout().getIntPtrType(context);
    Value *address = builder.CreatePtrToInt(run->getArg(unsigned(arena)), integer);
    Value *low = builder.CreateAnd(address, ConstantInt::get(integer, model.arenaAlign - 1));
    returnUnless(builder.CreateIsNotNull(low), ONNX_AOT_ARENA_ALIGNMENT);
  }

  // The entry stores addresses as 64-bit numbers, whatever the target's pointers are.
  SmallVector<Value *> arguments;
  SmallVector<std::pair<Value *, Value *>> addresses; // the entry's, the caller's
  for (Argument &argument : run->args()) {
    size_t output = argument.getArgNo() - model.inputs.size();
    if (argument.getArgNo() >= model.inputs.size() && output < model.outputs.size() &&
        model.outputs[output].isInContext) {
      Value *number = builder.CreateAlloca(i64);
      builder.CreateStore(ConstantInt::get(i64, 0), number);
      addresses.push_back({number, &argument});
      arguments.push_back(number);
    } else {
      arguments.push_back(asParameter(&argument, main));
    }
  }
  CallInst *call = builder.CreateCall(main, arguments);
  if (addresses.empty())
    call->setTailCall();
  for (auto [number, place] : addresses)
    builder.CreateStore(builder.CreateIntToPtr(builder.CreateLoad(i64, number), pointer), place);
  builder.CreateRet(call);
}

/// Element `index` of an array of `type`.
Value *EntryEmitter::element(Type *type, Value *array, size_t index) {
  return builder.CreateLoad(type, builder.CreateConstInBoundsGEP1_32(type, array, unsigned(index)));
}

void EntryEmitter::emitEntry() {
  enum { Inputs, Outputs, Dims, OutputDims, Arena, Context };
  entry = makeFunction(prefix + "_entry", i32, {pointer, pointer, pointer, pointer, pointer, pointer},
                       /*exported=*/false);
  entry->setDSOLocal(true);
  SmallVector<Value *> arguments;
  const std::pair<unsigned, size_t> arrays[] = {{Inputs, model.inputs.size()},
                                                {Outputs, model.outputs.size()},
                                                {Dims, model.dims.size()},
                                                {OutputDims, model.hasDynamicOutputs() ? model.outputs.size() : 0}};
  for (auto [index, count] : arrays)
    if (count != 0)
      returnUnless(builder.CreateIsNull(entry->getArg(index)), ONNX_AOT_NULL_ARGUMENT);
  for (auto [index, count] : arrays)
    for (size_t i = 0; i < count; ++i)
      if (index != OutputDims || model.outputs[i].isDynamic)
        arguments.push_back(element(index == Dims ? i64 : cast<Type>(pointer), entry->getArg(index), i));
  arguments.push_back(entry->getArg(Arena));
  if (model.slots != 0)
    arguments.push_back(entry->getArg(Context));
  CallInst *call = builder.CreateCall(run, arguments);
  call->setIsNoInline(); // the model's code is there once
  call->setAttributes(AttributeList::get(context, AttributeSet(), run->getAttributes().getRetAttrs(), {}));
  call->setTailCall();
  builder.CreateRet(call);
}

//===----------------------------------------------------------------------===//
// What depends on dims
//===----------------------------------------------------------------------===//

/// size_t PREFIX_arena_bytes(int64_t ...): SIZE_MAX where no arena would do.
void EntryEmitter::emitArenaBytes() {
  Type *size = module.getDataLayout().getIntPtrType(context);
  SmallVector<Type *> parameters(model.dims.size(), i64);
  arenaBytesOf = makeFunction(prefix + "_arena_bytes", size, parameters, /*exported=*/true);
  SmallVector<Value *> arguments;
  for (Argument &argument : arenaBytesOf->args())
    arguments.push_back(asParameter(&argument, arenaBytes));
  // The model's function says -1 where it does not know, which is the largest number too.
  Value *bytes = builder.CreateSExtOrTrunc(builder.CreateCall(arenaBytes, arguments), i64);
  if (model.leastArenaBytes != 0)
    bytes = builder.CreateBinaryIntrinsic(Intrinsic::umax, bytes, ConstantInt::get(i64, model.leastArenaBytes));
  Value *largest = ConstantInt::getAllOnesValue(size);
  Value *noArena = builder.CreateICmpUGE(bytes, builder.CreateZExt(largest, i64));
  if (arenaBytes->getReturnType() != i64) // it saturates
    noArena = builder.CreateOr(noArena, builder.CreateICmpEQ(bytes, ConstantInt::get(i64, INT32_MAX)));
  if (Value *tooLarge = isTooLarge(arenaBytesOf, arenaBytes))
    noArena = builder.CreateOr(noArena, tooLarge);
  builder.CreateRet(builder.CreateSelect(noArena, largest, builder.CreateZExtOrTrunc(bytes, size)));
}

/// onnx_aot_status PREFIX_output_dims(int64_t ..., int64_t y_dims[2], ...).
void EntryEmitter::emitOutputDims() {
  SmallVector<Type *> parameters(outputDims->arg_size(), pointer);
  std::fill_n(parameters.begin(), model.dims.size(), i64);
  outputDimsOf = makeFunction(prefix + "_output_dims", i32, parameters, /*exported=*/true);
  Value *anyNull = nullptr;
  SmallVector<Value *> arguments;
  for (Argument &argument : outputDimsOf->args()) {
    arguments.push_back(asParameter(&argument, outputDims));
    if (argument.getType() != pointer)
      continue;
    Value *isNull = builder.CreateIsNull(&argument);
    anyNull = anyNull ? builder.CreateOr(anyNull, isNull) : isNull;
  }
  returnUnless(anyNull, ONNX_AOT_NULL_ARGUMENT);
  if (Value *tooLarge = isTooLarge(outputDimsOf, outputDims))
    returnUnless(tooLarge, ONNX_AOT_DIM_OUT_OF_BOUNDS);
  builder.CreateRet(builder.CreateCall(outputDims, arguments));
}

/// onnx_aot_model.plan
void EntryEmitter::emitPlan() {
  enum { Dims, ArenaBytes, OutputDims };
  plan = makeFunction(prefix + "_plan", i32, {pointer, pointer, pointer}, /*exported=*/false);
  plan->setDSOLocal(true);
  Value *isNull = builder.CreateIsNull(plan->getArg(ArenaBytes));
  if (!model.dims.empty())
    isNull = builder.CreateOr(isNull, builder.CreateIsNull(plan->getArg(Dims)));
  if (outputDims)
    isNull = builder.CreateOr(isNull, builder.CreateIsNull(plan->getArg(OutputDims)));
  returnUnless(isNull, ONNX_AOT_NULL_ARGUMENT);
  SmallVector<Value *> arguments;
  for (size_t i = 0; i < model.dims.size(); ++i)
    arguments.push_back(element(i64, plan->getArg(Dims), i));

  Value *bytes = ConstantInt::get(i64, model.arenaBytes);
  if (arenaBytes) {
    Type *size = arenaBytesOf->getReturnType();
    Value *known = builder.CreateCall(arenaBytesOf, arguments);
    Value *isTooLarge = builder.CreateICmpEQ(known, ConstantInt::getAllOnesValue(size));
    returnUnless(isTooLarge, ONNX_AOT_DIM_OUT_OF_BOUNDS);
    bytes = builder.CreateZExt(known, i64);
  }
  builder.CreateStore(bytes, plan->getArg(ArenaBytes));
  if (!outputDims) {
    builder.CreateRet(ConstantInt::get(i32, ONNX_AOT_OK));
    return;
  }
  for (size_t i = 0; i < model.outputs.size(); ++i)
    if (model.outputs[i].isDynamic)
      arguments.push_back(element(pointer, plan->getArg(OutputDims), i));
  builder.CreateRet(builder.CreateCall(outputDimsOf, arguments));
}

//===----------------------------------------------------------------------===//
// The description
//===----------------------------------------------------------------------===//

Constant *EntryEmitter::string(StringRef text, const Twine &name) {
  Constant *value = ConstantDataArray::getString(context, text);
  auto *global = new GlobalVariable(module, value->getType(), /*isConstant=*/true, GlobalValue::PrivateLinkage, value,
                                    prefix + "." + name);
  global->setUnnamedAddr(GlobalValue::UnnamedAddr::Global);
  global->setAlignment(Align(1));
  return global;
}

Constant *EntryEmitter::array(Type *type, ArrayRef<Constant *> values, const Twine &name) {
  if (values.empty())
    return ConstantPointerNull::get(pointer);
  Constant *value = ConstantArray::get(ArrayType::get(type, values.size()), values);
  auto *global = new GlobalVariable(module, value->getType(), /*isConstant=*/true, GlobalValue::PrivateLinkage, value,
                                    prefix + "." + name);
  global->setUnnamedAddr(GlobalValue::UnnamedAddr::Global);
  global->setAlignment(module.getDataLayout().getABITypeAlign(value->getType()));
  return global;
}

Constant *EntryEmitter::tensors(ArrayRef<TensorInterface> list, StringRef kind) {
  // onnx_aot_tensor_info
  auto *type = StructType::get(context, {pointer, pointer, i64, i32, i32, i32, i32});
  SmallVector<Constant *> rows;
  for (const TensorInterface &tensor : list) {
    SmallVector<Constant *> dims;
    for (int64_t dim : tensor.dims)
      dims.push_back(ConstantInt::getSigned(i64, dim));
    uint32_t flags =
        (tensor.isDynamic ? ONNX_AOT_TENSOR_DYNAMIC : 0) | (tensor.isInContext ? ONNX_AOT_TENSOR_IN_CONTEXT : 0);
    rows.push_back(
        ConstantStruct::get(type, {string(tensor.name, kind + ".name"), array(i64, dims, kind + ".dims"),
                                   ConstantInt::get(i64, tensor.bytes), ConstantInt::getSigned(i32, tensor.dtype),
                                   ConstantInt::get(i32, tensor.dims.size()), ConstantInt::get(i32, flags),
                                   ConstantInt::get(i32, tensor.elementBytes)}));
  }
  return array(type, rows, kind + "s");
}

void EntryEmitter::emitModel() {
  SmallVector<Constant *> metadata, nodes;
  auto *pair = StructType::get(context, {pointer, pointer});
  for (const auto &[key, value] : model.metadata)
    metadata.push_back(ConstantStruct::get(pair, {string(key, "key"), string(value, "value")}));
  for (const std::string &name : model.nodeNames)
    nodes.push_back(string(name, "node"));

  SmallVector<Constant *> dims; // onnx_aot_dim_info
  auto *dimType = StructType::get(context, {pointer, i64, i64});
  for (const DimInterface &dim : model.dims)
    dims.push_back(ConstantStruct::get(dimType, {string(dim.name, "dim"), ConstantInt::getSigned(i64, dim.min),
                                                 ConstantInt::getSigned(i64, dim.max)}));

  auto number = [&](Type *type, uint64_t value) { return ConstantInt::get(type, value); };
  SmallVector<Constant *> fields = {
      number(i32, ONNX_AOT_ABI_VERSION),
      number(i32, model.inputs.size()),
      number(i32, model.outputs.size()),
      number(i32, model.metadata.size()),
      number(i32, model.nodeNames.size()),
      number(i32, model.arenaAlign),
      number(i32, model.dims.size()),
      number(i32, model.slots),
      number(i64, model.arenaBytes),
      number(i64, model.weightBytes),
      number(i64, model.modelVersion),
      string(prefix, "name"),
      string(model.graphName, "graph"),
      string(model.producerName, "producer"),
      string(model.producerVersion, "producer_version"),
      string(model.domain, "domain"),
      string(model.docString, "doc"),
      tensors(model.inputs, "input"),
      tensors(model.outputs, "output"),
      array(pair, metadata, "metadata"),
      array(pointer, nodes, "nodes"),
      array(dimType, dims, "dims"),
      plan ? cast<Constant>(plan) : ConstantPointerNull::get(pointer),
      entry,
      contextFunctions.init ? cast<Constant>(contextFunctions.init) : ConstantPointerNull::get(pointer),
      contextFunctions.destroy ? cast<Constant>(contextFunctions.destroy) : ConstantPointerNull::get(pointer),
  };
  assert(fields.size() == FieldCount);
  SmallVector<Type *> types;
  for (Constant *field : fields)
    types.push_back(field->getType());
  modelType = StructType::get(context, types);
  auto *global = new GlobalVariable(module, modelType, /*isConstant=*/true, GlobalValue::ExternalLinkage,
                                    ConstantStruct::get(modelType, fields), prefix + "_model");
  global->setAlignment(module.getDataLayout().getABITypeAlign(modelType));
  global->setVisibility(GlobalValue::DefaultVisibility);
}

void EntryEmitter::emitStatusText() {
  Type *size = module.getDataLayout().getIntPtrType(context);
  Function *text = makeFunction("onnx_aot_status_text", size, {pointer, i32, pointer, size}, /*exported=*/true);
  // Each model brings one; the linker keeps the first.
  text->setLinkage(GlobalValue::WeakODRLinkage);
  if (Triple(module.getTargetTriple()).supportsCOMDAT())
    text->setComdat(module.getOrInsertComdat("onnx_aot_status_text"));
  auto extend = TargetLibraryInfo::getExtAttrForI32Param(module.getTargetTriple(), /*Signed=*/false);
  if (extend != Attribute::None)
    text->addParamAttr(1, extend);
  Value *description = text->getArg(0), *status = text->getArg(1);

  auto *hasModel = BasicBlock::Create(context, "model", text);
  auto *hasNode = BasicBlock::Create(context, "node", text);
  auto *format = BasicBlock::Create(context, "format", text);
  BasicBlock *begin = builder.GetInsertBlock();
  builder.CreateCondBr(builder.CreateIsNull(description), format, hasModel);

  auto field = [&](Type *type, unsigned index) {
    return builder.CreateLoad(type, builder.CreateStructGEP(modelType, description, index));
  };
  builder.SetInsertPoint(hasModel);
  Value *name = field(pointer, NameField);
  // Node numbers begin at 1; 0 wraps to the largest number and so is past the end.
  Value *node = builder.CreateSub(builder.CreateLShr(status, 8), ConstantInt::get(i32, 1));
  builder.CreateCondBr(builder.CreateICmpULT(node, field(i32, NumNodesField)), hasNode, format);

  builder.SetInsertPoint(hasNode);
  Value *names = field(pointer, NodeNamesField);
  Value *slot = builder.CreateInBoundsGEP(pointer, names, builder.CreateZExtOrTrunc(node, size));
  Value *nodeName = builder.CreateLoad(pointer, slot);
  builder.CreateBr(format);

  builder.SetInsertPoint(format);
  Constant *null = ConstantPointerNull::get(pointer);
  PHINode *namePhi = builder.CreatePHI(pointer, 3), *nodePhi = builder.CreatePHI(pointer, 3);
  namePhi->addIncoming(null, begin);
  namePhi->addIncoming(name, hasModel);
  namePhi->addIncoming(name, hasNode);
  nodePhi->addIncoming(null, begin);
  nodePhi->addIncoming(null, hasModel);
  nodePhi->addIncoming(nodeName, hasNode);
  FunctionCallee core = module.getOrInsertFunction("onnx_aot_format_status", i64, pointer, pointer, i32, pointer, i64);
  Value *length = builder.CreateCall(
      core, {namePhi, nodePhi, status, text->getArg(2), builder.CreateZExtOrTrunc(text->getArg(3), i64)});
  builder.CreateRet(builder.CreateZExtOrTrunc(length, size));
}

Error EntryEmitter::emit() {
  if (Error error = adoptMain())
    return error;
  if (Error error = adoptWeights())
    return error;
  if (Error error = adoptHelpers())
    return error;
  // The rest of the module is the model's own business.
  for (GlobalValue &value : module.global_values())
    if (!value.isDeclaration() && value.hasExternalLinkage() && value.getName() != prefix + "_weights")
      value.setLinkage(GlobalValue::InternalLinkage);
  emitRun();
  emitEntry();
  if (arenaBytes)
    emitArenaBytes();
  if (outputDims)
    emitOutputDims();
  if (isPlanned())
    emitPlan();
  if (model.slots != 0)
    contextFunctions = emitContextFunctions(module);
  emitModel();
  emitStatusText();
  // Nothing of where and how the module was made reaches the object.
  module.setModuleIdentifier(prefix);
  module.setSourceFileName(prefix);
  return Error::success();
}

Error emitEntryPoints(Module &module, ModelInterface &model, StringRef prefix) {
  return EntryEmitter(module, model, prefix).emit();
}

} // namespace onnx_aot
