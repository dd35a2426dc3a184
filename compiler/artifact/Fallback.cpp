//===- Fallback.cpp - the CPU's version of a model for a device ---------------------------------------------------===//
//
// See Fallback.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/artifact/Fallback.h"
#include "codegen/nvptx/Passes.h"
#include "compiler/artifact/ModelInterface.h"
#include "mlir/IR/Builders.h"
#include "passes/buffer/Passes.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"
#include "llvm/Linker/Linker.h"

using namespace llvm;

void onnx_aot::noteWeights(const ModelInterface &device, mlir::ModuleOp module) {
  mlir::Builder builder(module.getContext());
  SmallVector<mlir::Attribute> slices;
  for (const WeightSlice &slice : device.slices)
    slices.push_back(
        builder.getDictionaryAttr({builder.getNamedAttr("offset", builder.getI64IntegerAttr(int64_t(slice.offset))),
                                   builder.getNamedAttr("value", slice.value)}));
  module->setAttr(kFirstWeightsAttr, builder.getArrayAttr(slices));
}

/// Makes @main the function that the device's entry calls: the CPU may do without a context, which is the last
/// argument.
static Error renameEntry(Module &host, FunctionType *type) {
  Function *main = host.getFunction("main");
  if (!main || main->isDeclaration())
    return createStringError("the version for the CPU has no entry");
  if (main->getFunctionType() == type) {
    main->setName(onnx_aot::kHostEntry);
    return Error::success();
  }
  auto *wanted = FunctionType::get(type->getReturnType(), type->params().drop_back(), /*isVarArg=*/false);
  if (main->getFunctionType() != wanted)
    return createStringError("the version for the CPU takes other arguments than that for the device");
  main->setLinkage(GlobalValue::InternalLinkage);
  main->setName("main_without_context");
  auto *entry = Function::Create(type, GlobalValue::ExternalLinkage, onnx_aot::kHostEntry, host);
  IRBuilder<> builder(BasicBlock::Create(host.getContext(), "", entry));
  SmallVector<Value *> arguments;
  for (Argument &argument : drop_end(entry->args()))
    arguments.push_back(&argument);
  builder.CreateRet(builder.CreateCall(main, arguments));
  return Error::success();
}

Error onnx_aot::linkFallback(Module &module, std::unique_ptr<Module> host) {
  Function *declared = module.getFunction(kHostEntry);
  if (!declared || !declared->isDeclaration())
    return createStringError("the version for the device has no call of the CPU's");
  if (Error error = renameEntry(*host, declared->getFunctionType()))
    return error;
  constexpr StringLiteral hostWeights = "weights_of_host";
  Type *weightsType = nullptr;
  if (GlobalVariable *weights = host->getGlobalVariable("weights", /*AllowInternal=*/true)) {
    weights->setName(hostWeights);
    weightsType = weights->getValueType();
  }
  // The linker gives internal names that are taken others. What says sizes before a run is the CPU's: that of the
  // device is constant.
  for (GlobalValue &value : host->global_values())
    if (!value.isDeclaration() && value.getName() != kHostEntry && value.getName() != hostWeights &&
        module.getNamedValue(value.getName()))
      value.setLinkage(GlobalValue::InternalLinkage);
  if (Linker::linkModules(module, std::move(host)))
    return createStringError("the versions for the device and for the CPU cannot be linked");

  GlobalVariable *old = module.getGlobalVariable("weights", /*AllowInternal=*/true);
  GlobalVariable *both = module.getGlobalVariable(hostWeights, /*AllowInternal=*/true);
  if (old && !both && weightsType) // the CPU's code reads none of them
    both = cast<GlobalVariable>(module.getOrInsertGlobal(hostWeights, weightsType));
  if (old && both) {
    old->replaceAllUsesWith(both);
    old->eraseFromParent();
  }
  if (both)
    both->setName("weights");
  return Error::success();
}
