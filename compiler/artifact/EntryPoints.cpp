//===- EntryPoints.cpp - The C functions of a model, in LLVM IR -----------===//
//
// See EntryPoints.h. The struct types below repeat those of include/onnx_aot/runtime.h field by field; the data layout
// gives them the layout that the target's C compiler uses.
//
//===----------------------------------------------------------------------===//

#include "compiler/artifact/EntryPoints.h"

#include "compiler/artifact/ModelInterface.h"
#include "onnx_aot/runtime.h"
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
  Error adoptWeights();
  void emitRun();
  void emitEntry();
  void emitModel();
  void emitStatusText();

  Function *makeFunction(const Twine &name, Type *result, ArrayRef<Type *> parameters, bool exported);
  void returnUnless(Value *bad, uint32_t status);
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
  StructType *modelType = nullptr;
};
} // namespace

/// Fields of onnx_aot_model that code reads.
enum ModelField : unsigned { NumNodesField = 4, NameField = 9, NodeNamesField = 18, FieldCount = 20 };

Error EntryEmitter::adoptMain() {
  main = module.getFunction("main");
  if (!main || main->isDeclaration())
    return createStringError("the translated module has no entry @main");
  size_t expected = model.inputs.size() + model.outputs.size() + 1;
  bool fits = main->arg_size() == expected && main->getReturnType() == i32 && !main->isVarArg() &&
              all_of(main->args(), [&](Argument &argument) { return argument.getType() == pointer; });
  if (!fits)
    return createStringError("the translated entry does not take one pointer for each of its %zu buffers", expected);
  main->setName(prefix + "_main");
  main->setLinkage(GlobalValue::InternalLinkage);
  main->setVisibility(GlobalValue::DefaultVisibility);
  main->setDSOLocal(true);

  // What the caller promises (see the header): buffers do not overlap.
  for (Argument &argument : main->args())
    argument.addAttr(Attribute::NoAlias);
  if (model.arenaBytes != 0) {
    Argument *arena = main->getArg(main->arg_size() - 1);
    arena->addAttr(Attribute::NonNull);
    arena->removeAttr(Attribute::Alignment);
    arena->addAttr(Attribute::getWithAlignment(context, Align(model.arenaAlign)));
    arena->removeAttr(Attribute::Dereferenceable);
    arena->addAttr(Attribute::getWithDereferenceableBytes(context, model.arenaBytes));
  }
  return Error::success();
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

void EntryEmitter::emitRun() {
  SmallVector<Type *> parameters(main->arg_size(), pointer);
  run = makeFunction(prefix + "_run", i32, parameters, /*exported=*/true);

  // An empty buffer has no address to check: an empty std::vector hands out NULL.
  SmallVector<uint64_t> sizes;
  for (const TensorInterface &tensor : model.inputs)
    sizes.push_back(tensor.bytes);
  for (const TensorInterface &tensor : model.outputs)
    sizes.push_back(tensor.bytes);
  sizes.push_back(model.arenaBytes);
  Value *anyNull = nullptr;
  for (Argument &argument : run->args()) {
    if (sizes[argument.getArgNo()] == 0)
      continue;
    Value *isNull = builder.CreateIsNull(&argument);
    anyNull = anyNull ? builder.CreateOr(anyNull, isNull) : isNull;
  }
  if (anyNull)
    returnUnless(anyNull, ONNX_AOT_NULL_ARGUMENT);

  if (model.arenaBytes != 0 && model.arenaAlign > 1) {
    Type *integer = module.getDataLayout().getIntPtrType(context);
    Value *address = builder.CreatePtrToInt(run->getArg(run->arg_size() - 1), integer);
    Value *low = builder.CreateAnd(address, ConstantInt::get(integer, model.arenaAlign - 1));
    returnUnless(builder.CreateIsNotNull(low), ONNX_AOT_ARENA_ALIGNMENT);
  }
  SmallVector<Value *> arguments;
  for (Argument &argument : run->args())
    arguments.push_back(&argument);
  CallInst *call = builder.CreateCall(main, arguments);
  call->setTailCall();
  builder.CreateRet(call);
}

void EntryEmitter::emitEntry() {
  entry = makeFunction(prefix + "_entry", i32, {pointer, pointer, pointer}, /*exported=*/false);
  entry->setDSOLocal(true);
  SmallVector<Value *> arguments;
  const std::pair<unsigned, size_t> arrays[] = {{0, model.inputs.size()}, {1, model.outputs.size()}};
  for (auto [index, count] : arrays)
    if (count != 0)
      returnUnless(builder.CreateIsNull(entry->getArg(index)), ONNX_AOT_NULL_ARGUMENT);
  for (auto [index, count] : arrays)
    for (size_t i = 0; i < count; ++i) {
      Value *slot = builder.CreateConstInBoundsGEP1_32(pointer, entry->getArg(index), unsigned(i));
      arguments.push_back(builder.CreateLoad(pointer, slot));
    }
  arguments.push_back(entry->getArg(2));
  CallInst *call = builder.CreateCall(run, arguments);
  call->setIsNoInline(); // the model's code is there once
  call->setAttributes(AttributeList::get(context, AttributeSet(), run->getAttributes().getRetAttrs(), {}));
  call->setTailCall();
  builder.CreateRet(call);
}

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
  return global;
}

Constant *EntryEmitter::tensors(ArrayRef<TensorInterface> list, StringRef kind) {
  // onnx_aot_tensor_info
  auto *type = StructType::get(context, {pointer, pointer, i64, i32, i32});
  SmallVector<Constant *> rows;
  for (const TensorInterface &tensor : list) {
    SmallVector<Constant *> dims;
    for (int64_t dim : tensor.dims)
      dims.push_back(ConstantInt::get(i64, dim));
    rows.push_back(
        ConstantStruct::get(type, {string(tensor.name, kind + ".name"), array(i64, dims, kind + ".dims"),
                                   ConstantInt::get(i64, tensor.bytes), ConstantInt::getSigned(i32, tensor.dtype),
                                   ConstantInt::get(i32, tensor.dims.size())}));
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

  auto number = [&](Type *type, uint64_t value) { return ConstantInt::get(type, value); };
  SmallVector<Constant *> fields = {
      number(i32, ONNX_AOT_ABI_VERSION),
      number(i32, model.inputs.size()),
      number(i32, model.outputs.size()),
      number(i32, model.metadata.size()),
      number(i32, model.nodeNames.size()),
      number(i32, model.arenaAlign),
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
      entry,
  };
  assert(fields.size() == FieldCount);
  SmallVector<Type *> types;
  for (Constant *field : fields)
    types.push_back(field->getType());
  modelType = StructType::get(context, types);
  auto *global = new GlobalVariable(module, modelType, /*isConstant=*/true, GlobalValue::ExternalLinkage,
                                    ConstantStruct::get(modelType, fields), prefix + "_model");
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
  // The rest of the module is the model's own business.
  for (GlobalValue &value : module.global_values())
    if (!value.isDeclaration() && value.hasExternalLinkage() && value.getName() != prefix + "_weights")
      value.setLinkage(GlobalValue::InternalLinkage);
  emitRun();
  emitEntry();
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
