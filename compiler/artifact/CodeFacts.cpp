//===- CodeFacts.cpp - What an object takes of a machine ------------------===//
//
// See CodeFacts.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/artifact/CodeFacts.h"

#include "compiler/artifact/OutputFiles.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Object/SymbolSize.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/TargetParser/Triple.h"

using namespace llvm;

namespace onnx_aot {

//===----------------------------------------------------------------------===//
// Frames
//===----------------------------------------------------------------------===//

class FrameSizes::Listener : public DiagnosticHandler {
public:
  Listener(StringMap<uint64_t> &sizes, std::unique_ptr<DiagnosticHandler> before)
      : sizes(sizes), before(std::move(before)) {}

  bool handleDiagnostics(const DiagnosticInfo &info) override {
    const auto *remark = dyn_cast<DiagnosticInfoOptimizationBase>(&info);
    if (!remark)
      return before && before->handleDiagnostics(info);
    if (remark->getRemarkName() == "StackSize")
      for (const auto &argument : remark->getArgs()) {
        uint64_t bytes = 0;
        if (argument.Key == "NumStackBytes" && !StringRef(argument.Val).getAsInteger(10, bytes))
          sizes[remark->getFunction().getName()] = bytes;
      }
    return true;
  }
  bool isAnalysisRemarkEnabled(StringRef pass) const override { return pass == "prologepilog"; }
  bool isAnyRemarkEnabled() const override { return true; }

  StringMap<uint64_t> &sizes;
  std::unique_ptr<DiagnosticHandler> before;
};

FrameSizes::FrameSizes(LLVMContext &context) : context(context) {
  context.setDiagnosticHandler(std::make_unique<Listener>(sizes, context.getDiagnosticHandler()));
}

FrameSizes::~FrameSizes() {
  std::unique_ptr<DiagnosticHandler> listener = context.getDiagnosticHandler();
  context.setDiagnosticHandler(std::move(static_cast<Listener &>(*listener).before));
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

namespace {
/// Adds frames up along calls.
class CallDepth {
public:
  CallDepth(const Module &module, const StringMap<uint64_t> &frames)
      : frames(frames),
        returnAddress(Triple(module.getTargetTriple()).isX86() ? module.getDataLayout().getPointerSize() : 0) {}

  /// The frame of one function; none where it grows while it runs.
  std::optional<uint64_t> frameOf(const Function &function) const {
    auto frame = frames.find(function.getName());
    if (frame == frames.end())
      return std::nullopt;
    for (const BasicBlock &block : function)
      for (const Instruction &instruction : block)
        if (const auto *alloca = dyn_cast<AllocaInst>(&instruction); alloca && !alloca->isStaticAlloca())
          return std::nullopt;
    return frame->second + returnAddress;
  }

  /// Nothing where a frame is not known, a pointer is called, or a function calls itself.
  std::optional<uint64_t> below(const Function &function) {
    if (function.isDeclaration())
      return 0;
    auto [known, isNew] = depths.try_emplace(&function, std::nullopt);
    if (!isNew)
      return known->second;
    std::optional<uint64_t> frame = frameOf(function), deepest = 0;
    for (const BasicBlock &block : function)
      for (const Instruction &instruction : block)
        if (const auto *call = dyn_cast<CallBase>(&instruction)) {
          const Function *callee = call->getCalledFunction();
          std::optional<uint64_t> depth = call->isInlineAsm() ? 0 : callee ? below(*callee) : std::nullopt;
          deepest = deepest && depth ? std::optional(std::max(*deepest, *depth)) : std::nullopt;
        }
    std::optional<uint64_t> sum = frame && deepest ? std::optional(*frame + *deepest) : std::nullopt;
    depths[&function] = sum;
    return sum;
  }

private:
  const StringMap<uint64_t> &frames;
  uint64_t returnAddress; // which the call itself puts on the stack
  DenseMap<const Function *, std::optional<uint64_t>> depths;
};
} // namespace

//===----------------------------------------------------------------------===//
// Sections and functions
//===----------------------------------------------------------------------===//

static void addSection(const object::SectionRef &section, CodeFacts &facts) {
  bool isELF = isa<object::ELFObjectFileBase>(section.getObject());
  uint64_t flags = isELF ? object::ELFSectionRef(section).getFlags() : 0;
  if (isELF && !(flags & ELF::SHF_ALLOC))
    return;
  uint64_t bytes = section.getSize();
  if (section.isBSS())
    facts.bssBytes += bytes;
  else if (section.isText())
    facts.textBytes += bytes;
  else if (flags & ELF::SHF_WRITE)
    facts.dataBytes += bytes;
  else if (isELF || section.isData())
    facts.readOnlyBytes += bytes;
}

Expected<CodeFacts> measureCode(StringRef path, const Module &module, StringRef entry,
                                const StringMap<uint64_t> &frames) {
  Expected<object::OwningBinary<object::ObjectFile>> file = object::ObjectFile::createObjectFile(path);
  if (!file)
    return file.takeError();
  const object::ObjectFile &object = *file->getBinary();
  CodeFacts facts;
  for (const object::SectionRef &section : object.sections())
    addSection(section, facts);

  StringMap<uint64_t> sizes;
  for (const auto &[symbol, size] : object::computeSymbolSizes(object)) {
    auto name = symbol.getName();
    if (!name) {
      consumeError(name.takeError());
      continue;
    }
    sizes[*name] = size;
  }
  CallDepth depth(module, frames);
  for (const Function &function : module) {
    auto size = sizes.find(function.getName());
    if (!function.isDeclaration() && size != sizes.end())
      facts.functions.push_back({function.getName().str(), size->second, depth.frameOf(function)});
  }
  if (const Function *function = module.getFunction(entry))
    facts.stackBytes = depth.below(*function);
  return facts;
}

} // namespace onnx_aot
