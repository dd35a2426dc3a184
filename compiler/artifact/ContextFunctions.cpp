//===- ContextFunctions.cpp - The functions of a context, in LLVM IR ------===//
//
// See ContextFunctions.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/artifact/ContextFunctions.h"

#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"
#include "llvm/TargetParser/Triple.h"

using namespace llvm;

/// Defines `name`, which calls `core`. Integers are 64 bits wide there: size_t may be narrower.
static Function *forward(Module &module, StringRef name, StringRef core, Type *result, ArrayRef<Type *> parameters) {
  LLVMContext &context = module.getContext();
  Function *declared = module.getFunction(name); // where the model's code calls it
  if (declared)
    declared->setName("");
  auto *type = FunctionType::get(result, parameters, /*isVarArg=*/false);
  Function *function = Function::Create(type, GlobalValue::WeakODRLinkage, name, module);
  if (declared) {
    declared->replaceAllUsesWith(function);
    declared->eraseFromParent();
  }
  if (Triple(module.getTargetTriple()).supportsCOMDAT())
    function->setComdat(module.getOrInsertComdat(name));

  // Some ABIs want 32-bit values extended to a register.
  auto extend = TargetLibraryInfo::getExtAttrForI32Return(module.getTargetTriple(), /*Signed=*/true);
  if (result->isIntegerTy(32) && extend != Attribute::None)
    function->addRetAttr(extend);
  IRBuilder<> builder(BasicBlock::Create(context, "", function));
  auto wide = [&](Type *narrow) { return narrow->isIntegerTy() ? Type::getInt64Ty(context) : narrow; };
  SmallVector<Value *> arguments;
  for (Argument &argument : function->args())
    arguments.push_back(argument.getType()->isIntegerTy() ? builder.CreateZExt(&argument, wide(argument.getType()))
                                                          : &argument);
  auto *coreType = FunctionType::get(wide(result), map_to_vector(parameters, wide), /*isVarArg=*/false);
  Value *value = builder.CreateCall(module.getOrInsertFunction(core, coreType), arguments);
  if (result->isVoidTy())
    builder.CreateRetVoid();
  else
    builder.CreateRet(result->isIntegerTy() ? builder.CreateZExtOrTrunc(value, result) : value);
  return function;
}

onnx_aot::ContextFunctions onnx_aot::emitContextFunctions(Module &module) {
  LLVMContext &context = module.getContext();
  Type *none = Type::getVoidTy(context), *i64 = Type::getInt64Ty(context);
  Type *i32 = Type::getInt32Ty(context), *pointer = PointerType::getUnqual(context),
       *size = module.getDataLayout().getIntPtrType(context);
  ContextFunctions functions;
  functions.init =
      forward(module, "onnx_aot_context_init", "onnx_aot_begin_context", none, {pointer, pointer, pointer, pointer});
  functions.destroy = forward(module, "onnx_aot_context_destroy", "onnx_aot_end_context", none, {pointer});
  forward(module, "onnx_aot_context_slot", "onnx_aot_grow_slot", pointer, {pointer, i64, i64});
  forward(module, "onnx_aot_context_on_device", "onnx_aot_was_on_device", i32, {pointer});
  forward(module, "onnx_aot_context_set_stream", "onnx_aot_choose_stream", none, {pointer, pointer});
  forward(module, "onnx_aot_context_error", "onnx_aot_copy_error", size, {pointer, pointer, size});
  return functions;
}
