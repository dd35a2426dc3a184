//===- HalideProvider.cpp - kernels made by Halide ----------------------------------------------------------------===//
//
// See HalideProvider.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/halide/HalideProvider.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/Linker/Linker.h"
#include "llvm/Support/ThreadPool.h"
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
  bool isFaster = family == aot::KernelFamily::ResizeByPhases || family == aot::KernelFamily::ResizeOfBytes;
  return isForced || (isFaster && results >= kFewest);
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

/// Compiles, and imports once to know what the kernel needs. For several threads at once; the symbol comes later.
HalideProvider::Entry HalideProvider::make(const std::string &text) const {
  Entry entry;
  if (!target.hasRoots && StringRef(text).contains(" sqrt")) {
    entry.refusal = "a square root is no instruction of " + importTarget.triple.str();
    return entry;
  }
  auto bitcode = plugin->compile(text);
  if (!bitcode) {
    entry.refusal = "Halide: " + toString(bitcode.takeError());
    return entry;
  }
  LLVMContext context;
  auto imported = importHalideKernel(*bitcode, "kernel", importTarget, context);
  if (!imported) {
    entry.refusal = "Halide's code: " + toString(imported.takeError());
    return entry;
  }
  entry.kernel.scratchBytes = imported->scratchBytes;
  entry.bitcode = std::move(*bitcode);
  return entry;
}

std::string HalideProvider::symbolFor(StringRef text) {
  std::string symbol = "hk_" + utohexstr(xxh3_64bits(text), /*LowerCase=*/true);
  while (!symbols.insert(symbol).second)
    symbol += "_";
  return symbol;
}

void HalideProvider::makeAll(ArrayRef<std::string> texts) {
  std::vector<Entry> made(texts.size());
  if (texts.size() == 1) {
    made.front() = make(texts.front());
  } else if (!texts.empty()) {
    DefaultThreadPool pool(optimal_concurrency(texts.size()));
    for (size_t index = 0; index < texts.size(); ++index)
      pool.async([&, index] { made[index] = make(texts[index]); });
    pool.wait();
  }
  // Symbols that collide are told apart by their order here.
  for (auto [text, entry] : zip(texts, made)) {
    if (entry.refusal.empty())
      entry.kernel.symbol = symbolFor(text);
    entries.emplace(text, std::move(entry));
  }
}

bool HalideProvider::isReady(mlir::Location loc) {
  if (target.name.empty())
    refuse(loc, "Halide makes no code for " + importTarget.triple.str());
  else if (!loadPlugin())
    refuse(loc, "Halide's plugin is not there");
  else
    return true;
  return false;
}

std::vector<std::optional<aot::PreparedKernel>> HalideProvider::prepare(ArrayRef<aot::KernelRequest> requests) {
  std::vector<std::optional<aot::PreparedKernel>> kernels(requests.size());
  std::vector<std::string> texts, missing;
  for (const aot::KernelRequest &request : requests) {
    if (!isReady(request.location))
      return kernels;
    texts.push_back("target " + target.name + "\nlanes " + std::to_string(target.lanes) + "\n" + request.specification);
    if (!entries.count(texts.back()) && !is_contained(missing, texts.back()))
      missing.push_back(texts.back());
  }
  makeAll(missing);
  for (auto [request, text, kernel] : zip(requests, texts, kernels))
    if (const Entry &entry = entries.at(text); entry.refusal.empty())
      kernel = entry.kernel;
    else
      refuse(request.location, entry.refusal);
  return kernels;
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
