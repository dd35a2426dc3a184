//===- Importer.cpp - Halide's bitcode in a module of this LLVM ---------------------------------------------------===//
//
// See Importer.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/halide/Importer.h"
#include "codegen/halide/plugin/PluginInterface.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/PatternMatch.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Transforms/IPO/AlwaysInliner.h"
#include "llvm/Transforms/IPO/GlobalDCE.h"
#include "llvm/Transforms/Scalar/SROA.h"

using namespace llvm;
using namespace onnx_aot;

namespace {
/// Of a slice of the scratch memory: a line of a cache.
constexpr int64_t kScratchAlign = 64;

class Importer {
public:
  Importer(Module &module, const ImportTarget &target) : module(module), target(target) {}

  Error import(StringRef name) {
    kernel = module.getFunction(ONNX_AOT_HALIDE_FUNCTION);
    if (!kernel || kernel->isDeclaration())
      return createStringError("the bitcode has no kernel");
    setTarget();
    for (Instruction &instruction : make_early_inc_range(instructions(*kernel))) {
      stripMetadata(instruction);
      lowerAlignment(instruction);
      keepSpecialValues(instruction);
    }
    if (Error error = placeScratch())
      return error;
    if (Error error = checkCalls())
      return error;
    wrap(name);
    simplify();
    std::string text;
    raw_string_ostream stream(text);
    if (verifyModule(module, &stream))
      return createStringError("the bitcode is not valid: " + StringRef(text).trim());
    return Error::success();
  }

  int64_t scratchBytes = 0;

private:
  /// Leaves the kernel alone in a module for our target.
  void setTarget() {
    for (StringRef suffix : {"_argv", "_metadata"})
      if (Function *extra = module.getFunction((Twine(ONNX_AOT_HALIDE_FUNCTION) + suffix).str())) {
        extra->replaceAllUsesWith(PoisonValue::get(extra->getType()));
        extra->eraseFromParent();
      }
    for (NamedMDNode &node : make_early_inc_range(module.named_metadata()))
      module.eraseNamedMetadata(&node);
    for (Function &function : module)
      for (StringRef attribute : {"target-cpu", "target-features", "tune-cpu", "reciprocal-estimates", "frame-pointer",
                                  "min-legal-vector-width", "no-trapping-math", "stack-protector-buffer-size"})
        function.removeFnAttr(attribute);
    kernel->removeFnAttr(Attribute::UWTable);
    module.setTargetTriple(target.triple);
    module.setDataLayout(target.layout);
    module.setSourceFileName("");
  }

  static void stripMetadata(Instruction &instruction) { instruction.dropUnknownNonDebugMetadata({}); }

  void lowerAlignment(Instruction &instruction) const {
    auto lower = [&](auto *access, Type *type) {
      if (auto *vector = dyn_cast<VectorType>(type))
        access->setAlignment(std::min(access->getAlign(), target.layout.getABITypeAlign(vector->getElementType())));
    };
    if (auto *load = dyn_cast<LoadInst>(&instruction))
      lower(load, load->getType());
    else if (auto *store = dyn_cast<StoreInst>(&instruction))
      lower(store, store->getValueOperand()->getType());
    else if (auto *call = dyn_cast<IntrinsicInst>(&instruction))
      lowerAlignment(*call);
  }

  /// Masked loads and stores and gathers carry alignments of their own.
  void lowerAlignment(IntrinsicInst &call) const {
    for (unsigned index = 0; index < call.arg_size(); ++index)
      if (MaybeAlign align = call.getParamAlign(index);
          align && call.getArgOperand(index)->getType()->isPtrOrPtrVectorTy()) {
        Align least = std::min(*align, Align(4));
        call.removeParamAttr(index, Attribute::Alignment);
        call.addParamAttr(index, Attribute::getWithAlignment(call.getContext(), least));
      }
  }

  /// The larger or the smaller one, NaN if one of them is. Where that is no instruction, LLVM may know no better than
  /// to call a function.
  Value *chooseLarger(Instruction *before, Value *left, Value *right, bool isLarger) const {
    IRBuilder<> builder(before);
    if (target.triple.isAArch64())
      return builder.CreateBinaryIntrinsic(isLarger ? Intrinsic::maximum : Intrinsic::minimum, left, right);
    Value *wins = isLarger ? builder.CreateFCmpOGT(left, right) : builder.CreateFCmpOLT(left, right);
    Value *ordered = builder.CreateSelect(wins, left, right); // `right` if that is NaN
    return builder.CreateSelect(builder.CreateFCmpUNO(left, left), left, ordered);
  }

  /// Flags that exclude NaN and infinity go. Halide's max(a, b) is a > b ? a : b, which drops NaN.
  void keepSpecialValues(Instruction &instruction) const {
    using namespace PatternMatch;
    Value *left, *right;
    CmpPredicate predicate;
    bool isSelect = match(
        &instruction, m_Select(m_FCmp(predicate, m_Value(left), m_Value(right)), m_Deferred(left), m_Deferred(right)));
    bool isLarger = isSelect && predicate == CmpInst::FCMP_OGT, isSmaller = isSelect && predicate == CmpInst::FCMP_OLT;
    if (auto *call = dyn_cast<IntrinsicInst>(&instruction)) {
      isLarger = call->getIntrinsicID() == Intrinsic::maxnum;
      isSmaller = call->getIntrinsicID() == Intrinsic::minnum;
      if (isLarger || isSmaller) {
        left = call->getArgOperand(0);
        right = call->getArgOperand(1);
      }
    }
    if (isLarger || isSmaller) {
      Value *chosen = chooseLarger(&instruction, left, right, isLarger);
      instruction.replaceAllUsesWith(chosen);
      instruction.eraseFromParent();
      return;
    }
    if (!isa<FPMathOperator>(instruction))
      return;
    FastMathFlags flags;
    unsigned opcode = instruction.getOpcode();
    flags.setAllowContract(opcode == Instruction::FMul || opcode == Instruction::FAdd || opcode == Instruction::FSub);
    instruction.copyFastMathFlags(flags);
  }

  /// Gives the kernel a parameter for its memory, and every allocation a slice of that.
  Error placeScratch() {
    std::vector<Type *> parameters;
    for (Argument &argument : kernel->args())
      parameters.push_back(argument.getType());
    parameters.push_back(PointerType::get(module.getContext(), 0));
    auto *type = FunctionType::get(kernel->getReturnType(), parameters, /*isVarArg=*/false);
    Function *extended = Function::Create(type, Function::InternalLinkage, "", module);
    extended->copyAttributesFrom(kernel);
    extended->splice(extended->begin(), kernel);
    for (auto [old, argument] : zip(kernel->args(), extended->args()))
      old.replaceAllUsesWith(&argument);
    kernel->eraseFromParent();
    kernel = extended;
    kernel->setLinkage(Function::InternalLinkage);
    Value *scratch = kernel->getArg(kernel->arg_size() - 1);

    for (Instruction &instruction : make_early_inc_range(instructions(*kernel))) {
      auto *call = dyn_cast<CallInst>(&instruction);
      Function *callee = call ? call->getCalledFunction() : nullptr;
      if (!callee)
        continue;
      if (callee->getName() == "halide_free") {
        call->eraseFromParent();
      } else if (callee->getName() == "halide_malloc") {
        auto *size = dyn_cast<ConstantInt>(call->getArgOperand(1));
        if (!size)
          return createStringError("its memory has a size that is not constant");
        IRBuilder<> builder(call);
        Value *slice = builder.CreateConstInBoundsGEP1_64(builder.getInt8Ty(), scratch, scratchBytes);
        scratchBytes += int64_t(alignTo(size->getZExtValue(), kScratchAlign));
        call->replaceAllUsesWith(slice);
        call->eraseFromParent();
      }
    }
    return Error::success();
  }

  Error checkCalls() const {
    for (Instruction &instruction : instructions(*kernel)) {
      auto *call = dyn_cast<CallBase>(&instruction);
      if (!call)
        continue;
      Function *callee = call->getCalledFunction();
      if (!callee)
        return createStringError("it calls a pointer");
      StringRef name = callee->getName();
      bool isKnown = callee->isIntrinsic() || name == "memcpy" || name == "memset" || name == "memmove";
      if (!isKnown)
        return createStringError("it needs the function " + name);
    }
    return Error::success();
  }

  /// The function that is called: it takes bare pointers, and makes the descriptors of which the kernel reads nothing
  /// but the pointers, as extents and strides are constants.
  void wrap(StringRef name) {
    LLVMContext &context = module.getContext();
    auto *pointer = PointerType::get(context, 0);
    std::vector<Type *> parameters(kernel->arg_size(), pointer);
    auto *type = FunctionType::get(Type::getVoidTy(context), parameters, /*isVarArg=*/false);
    Function *outer = Function::Create(type, Function::ExternalLinkage, name, module);
    outer->addFnAttr(Attribute::NoInline);
    outer->addFnAttr(Attribute::NoUnwind);
    IRBuilder<> builder(BasicBlock::Create(context, "entry", outer));
    // halide_buffer_t: device, device_interface, host ...
    auto *descriptor = StructType::get(context, {builder.getInt64Ty(), pointer, pointer, builder.getInt64Ty()});
    std::vector<Value *> arguments;
    for (unsigned index = 0; index + 1 < kernel->arg_size(); ++index) {
      Value *buffer = builder.CreateAlloca(descriptor);
      builder.CreateStore(outer->getArg(index), builder.CreateStructGEP(descriptor, buffer, 2));
      arguments.push_back(buffer);
    }
    arguments.push_back(outer->getArg(kernel->arg_size() - 1));
    builder.CreateCall(kernel, arguments);
    builder.CreateRetVoid();
    kernel->removeFnAttr(Attribute::NoInline);
    kernel->addFnAttr(Attribute::AlwaysInline);
  }

  void simplify() {
    LoopAnalysisManager loops;
    FunctionAnalysisManager functions;
    CGSCCAnalysisManager callGraph;
    ModuleAnalysisManager modules;
    PassBuilder builder;
    builder.registerModuleAnalyses(modules);
    builder.registerCGSCCAnalyses(callGraph);
    builder.registerFunctionAnalyses(functions);
    builder.registerLoopAnalyses(loops);
    builder.crossRegisterProxies(loops, functions, callGraph, modules);
    ModulePassManager passes;
    passes.addPass(AlwaysInlinerPass(/*InsertLifetimeIntrinsics=*/false));
    passes.addPass(createModuleToFunctionPassAdaptor(SROAPass(SROAOptions::ModifyCFG)));
    passes.addPass(GlobalDCEPass());
    passes.run(module, modules);
  }

  Module &module;
  const ImportTarget &target;
  Function *kernel = nullptr;
};
} // namespace

Expected<ImportedKernel> onnx_aot::importHalideKernel(StringRef bitcode, StringRef name, const ImportTarget &target,
                                                      LLVMContext &context) {
  auto parsed = parseBitcodeFile(MemoryBufferRef(bitcode, name), context);
  if (!parsed)
    return parsed.takeError();
  ImportedKernel imported;
  imported.module = std::move(*parsed);
  Importer importer(*imported.module, target);
  if (Error error = importer.import(name))
    return std::move(error);
  imported.scratchBytes = importer.scratchBytes;
  return imported;
}
