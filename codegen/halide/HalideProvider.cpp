//===- HalideProvider.cpp - kernels made by Halide ----------------------------------------------------------------===//
//
// See HalideProvider.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/halide/HalideProvider.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/Linker/Linker.h"
#include "llvm/Support/xxhash.h"
#include "llvm/Target/TargetMachine.h"

using namespace llvm;
using namespace onnx_aot;

HalideProvider::HalideProvider(const TargetMachine &machine, bool isForced,
                               std::function<void(const std::string &)> missing)
    : importTarget{machine.getTargetTriple(), machine.createDataLayout()}, target(halideTargetOf(machine)),
      isForced(isForced), missing(std::move(missing)) {}

bool HalideProvider::wants(aot::KernelFamily family, int64_t results) const {
  // Below that, the call is what counts.
  constexpr int64_t kFewest = 1024;
  return isForced || (family == aot::KernelFamily::ResizeByPhases && results >= kFewest);
}

HalidePlugin *HalideProvider::loadPlugin() {
  if (isTried)
    return plugin.get();
  isTried = true;
  if (auto loaded = HalidePlugin::load())
    plugin = std::move(*loaded);
  else
    missing(toString(loaded.takeError()));
  return plugin.get();
}

/// Compiles, and imports once to know what the kernel needs.
HalideProvider::Entry HalideProvider::make(const std::string &text) {
  Entry entry;
  auto bitcode = plugin->compile(text);
  if (!bitcode) {
    entry.refusal = "Halide: " + toString(bitcode.takeError());
    return entry;
  }
  std::string symbol = "hk_" + utohexstr(xxh3_64bits(text), /*LowerCase=*/true);
  while (!symbols.insert(symbol).second)
    symbol += "_";
  LLVMContext context;
  auto imported = importHalideKernel(*bitcode, symbol, importTarget, context);
  if (!imported) {
    entry.refusal = "Halide's code: " + toString(imported.takeError());
    return entry;
  }
  entry.kernel = {symbol, imported->scratchBytes};
  entry.bitcode = std::move(*bitcode);
  return entry;
}

std::optional<aot::PreparedKernel> HalideProvider::prepare(StringRef specification, mlir::Location loc) {
  if (target.name.empty()) {
    refuse(loc, "Halide makes no code for " + importTarget.triple.str());
    return std::nullopt;
  }
  if (!loadPlugin()) {
    refuse(loc, "Halide's plugin is not there");
    return std::nullopt;
  }
  std::string text = "target " + target.name + "\nlanes " + std::to_string(target.lanes) + "\n" + specification.str();
  auto known = entries.find(text);
  if (known == entries.end())
    known = entries.emplace(text, make(text)).first;
  const Entry &entry = known->second;
  if (entry.refusal.empty())
    return entry.kernel;
  refuse(loc, entry.refusal);
  return std::nullopt;
}

void HalideProvider::refuse(mlir::Location loc, StringRef reason) { refused.push_back({loc, reason.str()}); }

Error HalideProvider::linkInto(Module &module) const {
  for (const auto &[text, entry] : entries) {
    Function *declared = entry.refusal.empty() ? module.getFunction(entry.kernel.symbol) : nullptr;
    if (!declared || !declared->isDeclaration())
      continue;
    auto imported = importHalideKernel(entry.bitcode, entry.kernel.symbol, importTarget, module.getContext());
    if (!imported)
      return imported.takeError();
    if (Linker::linkModules(module, std::move(imported->module)))
      return createStringError("the kernel " + entry.kernel.symbol + " does not link with the emitted module");
    module.getFunction(entry.kernel.symbol)->setLinkage(GlobalValue::InternalLinkage);
  }
  return Error::success();
}
