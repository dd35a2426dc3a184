//===- Budget.cpp - Whether a model fits ----------------------------------===//
//
// See Budget.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/artifact/Budget.h"

#include "compiler/Diagnostics.h"
#include "compiler/Options.h"
#include "compiler/artifact/CodeFacts.h"
#include "compiler/artifact/ModelInterface.h"
#include "passes/buffer/DescribeLayers.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;

namespace onnx_aot {

/// How many of the layers to blame are named.
static constexpr size_t kMostBlamed = 5;

static std::string bytes(uint64_t value) { return std::to_string(value) + " bytes"; }

static std::string nameOf(const LayerFacts &layer) {
  NodeRef node = nodeOfLocation(layer.location);
  if (node.opType.empty())
    return "the " + layer.kernel + " that the compiler adds";
  return "node \"" + node.name + "\" (" + node.opType + ")";
}

std::optional<uint64_t> ramBytes(const ModelInterface &interface, const CodeFacts &code) {
  if (interface.arenaBytes == TensorInterface::unbounded || interface.slots != 0 || !code.stackBytes)
    return std::nullopt;
  return interface.arenaBytes + *code.stackBytes + code.dataBytes + code.bssBytes;
}

std::optional<int64_t> totalMultiplyAdds(const ModelFacts &facts) {
  int64_t total = 0;
  for (const LayerFacts &layer : facts.layers)
    if (!layer.multiplyAdds || AddOverflow(total, *layer.multiplyAdds, total))
      return std::nullopt;
  return total;
}

std::vector<uint64_t> codeBytesOfLayers(const ModelFacts &facts, const CodeFacts &code) {
  StringMap<uint64_t> sizes, uses;
  for (const FunctionFacts &function : code.functions)
    sizes[function.name] = function.textBytes;
  for (const LayerFacts &layer : facts.layers)
    ++uses[layer.function];
  std::vector<uint64_t> result;
  for (const LayerFacts &layer : facts.layers)
    result.push_back(layer.function.empty() ? 0 : sizes.lookup(layer.function) / uses[layer.function]);
  return result;
}

/// The layer at which most of the arena is in use, and the buffers that are.
static std::vector<std::string> blameForRam(const ModelFacts &facts) {
  auto isLive = [](const PlaceFacts &place, int64_t layer) {
    return !place.output && place.first && *place.first <= layer && layer <= *place.last;
  };
  int64_t heaviest = 0, most = -1;
  for (int64_t layer = 0; layer < int64_t(facts.layers.size()); ++layer) {
    int64_t sum = 0;
    for (const PlaceFacts &place : facts.places)
      sum += isLive(place, layer) ? place.bytes : 0;
    if (sum > most) {
      most = sum;
      heaviest = layer;
    }
  }
  if (most <= 0)
    return {};
  std::vector<std::string> notes = {"most of the arena, " + bytes(most) + ", is in use at " +
                                    nameOf(facts.layers[heaviest])};
  std::vector<PlaceFacts> live;
  copy_if(facts.places, std::back_inserter(live), [&](const PlaceFacts &place) { return isLive(place, heaviest); });
  sort(live, [](const PlaceFacts &a, const PlaceFacts &b) {
    return std::pair(-a.bytes, a.offset) < std::pair(-b.bytes, b.offset);
  });
  live.resize(std::min(live.size(), kMostBlamed));
  for (const PlaceFacts &place : live)
    notes.push_back(bytes(place.bytes) + " from " + nameOf(facts.layers[*place.first]) + " to " +
                    nameOf(facts.layers[*place.last]));
  return notes;
}

static std::vector<std::string> blameForFlash(const ModelFacts &facts, const CodeFacts &code) {
  std::vector<uint64_t> codeBytes = codeBytesOfLayers(facts, code);
  auto sizeOf = [&](size_t layer) { return codeBytes[layer] + facts.layers[layer].weightBytes; };
  auto largest = to_vector(seq<size_t>(0, facts.layers.size()));
  sort(largest,
       [&](size_t a, size_t b) { return std::pair(-int64_t(sizeOf(a)), a) < std::pair(-int64_t(sizeOf(b)), b); });
  largest.resize(std::min(largest.size(), kMostBlamed));
  std::vector<std::string> notes;
  for (size_t layer : largest)
    if (sizeOf(layer) > 0)
      notes.push_back(bytes(sizeOf(layer)) + " for " + nameOf(facts.layers[layer]) + ": " +
                      bytes(facts.layers[layer].weightBytes) + " of weights and " + bytes(codeBytes[layer]) +
                      " of code");
  return notes;
}

static bool checkRam(const ModelFacts &facts, const ModelInterface &interface, const CodeFacts &code, uint64_t most,
                     Diagnostics &diagnostics) {
  std::string flag = "--max-ram=" + std::to_string(most);
  std::optional<uint64_t> needed = ramBytes(interface, code);
  if (!needed) {
    bool isArena = interface.arenaBytes == TensorInterface::unbounded || interface.slots != 0;
    diagnostics.fault(
        flag + ": only a run knows how much the model needs; " +
        (isArena ? "fix or bound its dims with --dim and --shape" : "its stack grows with what it computes"));
    return false;
  }
  if (*needed <= most)
    return true;
  diagnostics.fault(flag + ": the model needs " + bytes(*needed) + " of RAM: " + bytes(interface.arenaBytes) +
                        " of arena, " + bytes(*code.stackBytes) + " of stack and " +
                        bytes(code.dataBytes + code.bssBytes) + " of variables (inputs and outputs do not count)",
                    blameForRam(facts));
  return false;
}

bool checkBudget(const ModelFacts &facts, const ModelInterface &interface, const CodeFacts &code,
                 const ArtifactOptions &options, Diagnostics &diagnostics) {
  bool fits = !options.maxRam || checkRam(facts, interface, code, *options.maxRam, diagnostics);
  if (!options.maxFlash || code.flashBytes() <= *options.maxFlash)
    return fits;
  diagnostics.fault("--max-flash=" + std::to_string(*options.maxFlash) + ": the model needs " +
                        bytes(code.flashBytes()) + " of flash: " + bytes(code.textBytes) + " of code, " +
                        bytes(code.readOnlyBytes) + " of constants and " + bytes(code.dataBytes) +
                        " of variables' first values",
                    blameForFlash(facts, code));
  return false;
}

} // namespace onnx_aot
