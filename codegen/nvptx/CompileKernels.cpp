//===- CompileKernels.cpp - the module @device becomes PTX --------------------------------------------------------===//
//
// Kernels go the way of the CPU's functions: mathematical functions become code of ours, everything becomes the LLVM
// dialect, with indices of 32 bits. LLVM optimises the module and prints it as PTX, once per architecture. What kernels
// call of the runtime library is linked in, so that no library of the CUDA Toolkit is needed. No product is fused with
// a sum that the operators do not fuse. Where an assembler is given, each PTX becomes machine code too.
//
// Before: functions of func, scf, memref, vector, arith, math and nvvm in @device.  After: the texts are attributes of
// the module (Passes.h), and @device is gone.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/RuntimeLink.h"
#include "codegen/cpu/Passes.h"
#include "codegen/cpu/TargetMachine.h"
#include "codegen/nvptx/Architecture.h"
#include "codegen/nvptx/Assembler.h"
#include "codegen/nvptx/Passes.h"
#include "dialects/aot/DeviceOps.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/DLTI/DLTI.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/Utils/Cloning.h"

namespace onnx_aot {
#define GEN_PASS_DEF_COMPILEKERNELS
#include "codegen/nvptx/Passes.h.inc"

using namespace mlir;

namespace {
struct CompileKernels : impl::CompileKernelsBase<CompileKernels> {
  using CompileKernelsBase::CompileKernelsBase;

  void runOnOperation() override {
    auto device = getOperation().lookupSymbol<ModuleOp>(aot::kDeviceModule);
    if (!device)
      return;
    SmallVector<Attribute> kernels;
    OpBuilder builder(&getContext());
    for (auto function : device.getOps<func::FuncOp>()) {
      if (function.isExternal())
        continue;
      NamedAttrList row;
      row.set("name", function.getSymNameAttr());
      auto shared = function->getAttrOfType<IntegerAttr>(aot::kSharedBytesAttr);
      row.set("shared_bytes", builder.getI32IntegerAttr(shared ? int32_t(shared.getInt()) : 0));
      kernels.push_back(row.getDictionary(&getContext()));
    }
    OpPassManager passes(ModuleOp::getOperationName());
    buildLowering(passes);
    if (failed(runPipeline(passes, device)))
      return signalPassFailure();
    for (auto kernel : device.getOps<LLVM::LLVMFuncOp>())
      if (auto threads = dyn_cast_or_null<IntegerAttr>(kernel->removeDiscardableAttr(aot::kThreadsAttr))) {
        kernel->setAttr(NVVM::NVVMDialect::getKernelFuncAttrName(), builder.getUnitAttr());
        kernel->setAttr(NVVM::NVVMDialect::getMaxntidAttrName(),
                        builder.getDenseI32ArrayAttr({int32_t(threads.getInt())}));
        kernel->removeDiscardableAttr(aot::kSharedBytesAttr);
        passTensorMapsByValue(kernel);
      }
    llvm::LLVMContext context;
    std::unique_ptr<llvm::Module> module = translateModuleToLLVMIR(device, context, "kernels");
    if (!module) {
      device.emitError("internal error: the kernels have no LLVM IR");
      return signalPassFailure();
    }
    SmallVector<Attribute> images, cubins;
    for (const std::string &name : architectures) {
      std::optional<nvptx::Architecture> architecture = nvptx::Architecture::named(name);
      llvm::Expected<std::string> text = compile(*module, *architecture);
      if (!text) {
        device.emitError("unsupported: no PTX for ") << name << ": " << llvm::toString(text.takeError());
        return signalPassFailure();
      }
      images.push_back(describeImage(*architecture, /*isCubin=*/false, *text));
      if (ptxas.empty())
        continue;
      llvm::Expected<std::string> cubin = nvptx::assemble(ptxas, *text, name);
      if (!cubin) {
        device.emitError("unsupported: no machine code for ") << name << ": " << llvm::toString(cubin.takeError());
        return signalPassFailure();
      }
      cubins.push_back(describeImage(*architecture, /*isCubin=*/true, *cubin));
    }
    llvm::append_range(images, cubins);
    getOperation()->setAttr(kDeviceImagesAttr, builder.getArrayAttr(images));
    getOperation()->setAttr(kDeviceKernelsAttr, builder.getArrayAttr(kernels));
    device.erase();
  }

  /// They are the kernel's own, in the space of parameters, where copies read them.
  static void passTensorMapsByValue(LLVM::LLVMFuncOp kernel) {
    constexpr int64_t kBytes = 128, kAlignment = 64;
    Builder builder(kernel.getContext());
    Type bytes = LLVM::LLVMArrayType::get(builder.getI8Type(), kBytes);
    for (unsigned index = 0; index < kernel.getNumArguments(); ++index) {
      if (!kernel.removeArgAttr(index, StringAttr::get(kernel.getContext(), aot::kTensorMapAttr)))
        continue;
      kernel.setArgAttr(index, LLVM::LLVMDialect::getByValAttrName(), TypeAttr::get(bytes));
      kernel.setArgAttr(index, LLVM::LLVMDialect::getAlignAttrName(), builder.getI64IntegerAttr(kAlignment));
      kernel.setArgAttr(index, NVVM::NVVMDialect::getGridConstantAttrName(), builder.getUnitAttr());
    }
  }

  /// What kernels ask of the architecture.
  static void answer(llvm::Module &module, const nvptx::Architecture &architecture) {
    llvm::Function *asked = module.getFunction(aot::kIsHopper);
    if (!asked)
      return;
    bool isHopper = architecture.isSpecific && architecture.capability == 90;
    for (llvm::User *user : llvm::make_early_inc_range(asked->users())) {
      auto *call = llvm::cast<llvm::CallInst>(user);
      call->replaceAllUsesWith(llvm::ConstantInt::getBool(module.getContext(), isHopper));
      call->eraseFromParent();
    }
    asked->eraseFromParent();
  }

  DictionaryAttr describeImage(const nvptx::Architecture &architecture, bool isCubin, StringRef content) {
    Builder builder(&getContext());
    return builder.getDictionaryAttr(
        {builder.getNamedAttr("capability", builder.getI32IntegerAttr(architecture.capability)),
         builder.getNamedAttr("specific", builder.getBoolAttr(architecture.isSpecific)),
         builder.getNamedAttr("cubin", builder.getBoolAttr(isCubin)),
         builder.getNamedAttr("text", builder.getStringAttr(content))});
  }

  static void buildLowering(OpPassManager &passes) {
    passes.addPass(createCanonicalizerPass());
    passes.addPass(createCSEPass());
    passes.nest<func::FuncOp>().addPass(createLoopInvariantCodeMotionPass());
    passes.addPass(createLowerMath(LowerMathOptions()));
    arith::ArithExpandOpsPassOptions expand;
    expand.includeBf16 = true;
    passes.addPass(arith::createArithExpandOpsPass(expand));
    passes.addPass(createNarrowIndex());
    passes.addPass(memref::createExpandStridedMetadataPass());
    passes.addPass(createLowerAffinePass());
    passes.addPass(createSCFToControlFlowPass());
    passes.addPass(createConvertToLLVM());
    passes.addPass(createConvertNVVMToLLVMPass());
    passes.addPass(createReconcileUnrealizedCastsPass());
    passes.addPass(createEraseNarrowFloats());
  }

  static llvm::Expected<std::string> compile(const llvm::Module &kernels, const nvptx::Architecture &architecture) {
    std::unique_ptr<llvm::Module> module = llvm::CloneModule(kernels);
    std::unique_ptr<llvm::TargetMachine> machine = architecture.createTargetMachine();
    answer(*module, architecture);
    prepareModule(*module, *machine);
    if (llvm::Error error = linkRuntime(*module))
      return std::move(error);
    prepareModule(*module, *machine);
    std::string text;
    llvm::raw_string_ostream stream(text);
    if (llvm::verifyModule(*module, &stream))
      return llvm::createStringError("invalid LLVM IR: " + text);
    optimizeModule(*module, *machine, OptOptions());
    SmallString<0> ptx;
    llvm::raw_svector_ostream output(ptx);
    llvm::legacy::PassManager passes;
    if (machine->addPassesToEmitFile(passes, output, nullptr, llvm::CodeGenFileType::AssemblyFile))
      return llvm::createStringError("LLVM writes no PTX");
    passes.run(*module);
    return ptx.str().str();
  }
};
} // namespace
} // namespace onnx_aot
