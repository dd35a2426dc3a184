//===- DeviceProgram.cpp - what the object says of its device code ------------------------------------------------===//
//
// See DeviceProgram.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/nvptx/DeviceProgram.h"
#include "codegen/nvptx/Passes.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/Module.h"

using namespace llvm;

/// A constant of the module's own.
static GlobalVariable *constant(Module &module, Constant *value, const Twine &name) {
  auto *global =
      new GlobalVariable(module, value->getType(), /*isConstant=*/true, GlobalValue::PrivateLinkage, value, name);
  global->setUnnamedAddr(GlobalValue::UnnamedAddr::Global);
  return global;
}

static GlobalVariable *array(Module &module, ArrayRef<Constant *> values, Type *type, const Twine &name) {
  return constant(module, ConstantArray::get(ArrayType::get(type, values.size()), values), name);
}

void onnx_aot::defineDeviceProgram(Module &module, mlir::ModuleOp compiled, bool hasFallback) {
  GlobalVariable *declared = module.getGlobalVariable("onnx_aot_cuda_program", /*AllowInternal=*/true);
  auto images = compiled->getAttrOfType<mlir::ArrayAttr>(kDeviceImagesAttr);
  auto kernels = compiled->getAttrOfType<mlir::ArrayAttr>(kDeviceKernelsAttr);
  if (!declared || !images || !kernels)
    return;
  LLVMContext &context = module.getContext();
  Type *i32 = Type::getInt32Ty(context), *i64 = Type::getInt64Ty(context);
  PointerType *pointer = PointerType::getUnqual(context);
  auto number = [](Type *type, uint64_t value) { return ConstantInt::get(type, value); };

  auto *imageType = StructType::get(i32, i32, i32, pointer, i64);
  SmallVector<Constant *> imageRows, kernelRows;
  for (auto image : images.getAsRange<mlir::DictionaryAttr>()) {
    StringRef text = image.getAs<mlir::StringAttr>("text").getValue();
    Constant *bytes = ConstantDataArray::getString(context, text, /*AddNull=*/true);
    bool isCubin = image.getAs<mlir::BoolAttr>("cubin").getValue();
    GlobalVariable *content = constant(module, bytes, isCubin ? "cubin" : "ptx");
    if (isCubin)
      content->setAlignment(Align(8)); // it is an ELF file
    imageRows.push_back(ConstantStruct::get(imageType,
                                            number(i32, image.getAs<mlir::IntegerAttr>("capability").getInt()),
                                            number(i32, image.getAs<mlir::BoolAttr>("specific").getValue()),
                                            number(i32, isCubin), content, number(i64, text.size())));
  }
  auto *kernelType = StructType::get(pointer, i32);
  for (auto kernel : kernels.getAsRange<mlir::DictionaryAttr>()) {
    StringRef name = kernel.getAs<mlir::StringAttr>("name").getValue();
    kernelRows.push_back(ConstantStruct::get(kernelType,
                                             constant(module, ConstantDataArray::getString(context, name), "kernel"),
                                             number(i32, kernel.getAs<mlir::IntegerAttr>("shared_bytes").getInt())));
  }

  GlobalVariable *weights = module.getGlobalVariable("weights", /*AllowInternal=*/true);
  uint64_t weightBytes = weights ? module.getDataLayout().getTypeAllocSize(weights->getValueType()).getFixedValue() : 0;
  Constant *weightsOrNull = weights ? cast<Constant>(weights) : ConstantPointerNull::get(pointer);
  auto *programType = StructType::get(i32, i32, pointer, pointer, pointer, i64, i32);
  Constant *program = ConstantStruct::get(programType, number(i32, imageRows.size()), number(i32, kernelRows.size()),
                                          array(module, imageRows, imageType, "images"),
                                          array(module, kernelRows, kernelType, "kernels"), weightsOrNull,
                                          number(i64, weightBytes), number(i32, hasFallback));
  declared->replaceAllUsesWith(constant(module, program, "program"));
  declared->eraseFromParent();
}

StringRef onnx_aot::firstDeviceText(mlir::ModuleOp compiled) {
  auto images = compiled->getAttrOfType<mlir::ArrayAttr>(kDeviceImagesAttr);
  if (!images || images.empty())
    return "";
  return cast<mlir::DictionaryAttr>(images[0]).getAs<mlir::StringAttr>("text").getValue();
}
