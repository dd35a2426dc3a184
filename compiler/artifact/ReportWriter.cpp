//===- ReportWriter.cpp - What was built, as JSON -------------------------===//
//
// See ReportWriter.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/artifact/ReportWriter.h"

#include "codegen/halide/HalideProvider.h"
#include "compiler/Diagnostics.h"
#include "compiler/Options.h"
#include "compiler/artifact/Budget.h"
#include "compiler/artifact/CodeFacts.h"
#include "compiler/artifact/ModelInterface.h"
#include "passes/buffer/DescribeLayers.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"
#include <cmath>
#include <set>

using namespace llvm;

namespace onnx_aot {

/// Names come from the model, whose strings need not be UTF-8.
static json::Value text(StringRef value) { return value.empty() ? json::Value(nullptr) : json::fixUTF8(value); }

static json::Value number(std::optional<int64_t> value) { return value ? json::Value(*value) : nullptr; }

/// Three digits say all that a measurement does.
static void writeError(json::OStream &out, StringRef key, double value) {
  if (!std::isfinite(value))
    return out.attribute(key, nullptr);
  out.attributeBegin(key);
  out.rawValue([&](raw_ostream &os) { os << format("%.2e", value); });
  out.attributeEnd();
}

static void writeStrategy(json::OStream &out, aot::StrategyAttr strategy) {
  if (!strategy)
    return out.attribute("strategy", nullptr);
  out.attributeObject("strategy", [&] {
    out.attribute("vector", strategy.getVector());
    out.attribute("width", strategy.getWidth());
    out.attribute("vectors", strategy.getVectors());
    out.attribute("row", strategy.getRow());
    out.attribute("rows", strategy.getRows());
    out.attribute("block", strategy.getBlock());
  });
}

/// Why the provider of generated kernels did not make those of a node, the last reason of several.
static StringRef refusalOf(const NodeRef &node, ArrayRef<KernelRefusal> refusals) {
  StringRef reason;
  for (const KernelRefusal &refusal : refusals)
    if (NodeRef refused = nodeOfLocation(refusal.location); refused.name == node.name && refused.opType == node.opType)
      reason = refusal.reason;
  return reason;
}

static void writeLaunches(json::OStream &out, ArrayRef<LaunchFacts> launches) {
  out.attribute("runs_on", launches.empty() ? "cpu" : "device");
  if (launches.empty())
    return out.attribute("launches", nullptr);
  out.attributeArray("launches", [&] {
    for (const LaunchFacts &launch : launches)
      out.object([&] {
        out.attribute("kernel", launch.kernel);
        out.attributeArray("blocks", [&] {
          for (std::optional<int64_t> extent : launch.blocks)
            out.value(number(extent));
        });
        out.attribute("threads", launch.threads);
      });
  });
}

static void writeLayer(json::OStream &out, const LayerFacts &layer, ArrayRef<KernelRefusal> refusals,
                       std::optional<uint64_t> codeBytes) {
  NodeRef node = nodeOfLocation(layer.location);
  out.object([&] {
    out.attribute("node", text(node.name));
    out.attribute("op", text(node.opType));
    out.attribute("kernel", layer.kernel);
    out.attribute("provider", text(layer.provider));
    writeStrategy(out, layer.strategy);
    bool isRefused = !node.opType.empty() && layer.provider != "halide";
    out.attribute("halide_refused", text(isRefused ? refusalOf(node, refusals) : ""));
    out.attribute("multiply_adds", number(layer.multiplyAdds));
    out.attribute("weight_bytes", layer.weightBytes);
    out.attribute("read_bytes", number(layer.readBytes));
    out.attribute("written_bytes", number(layer.writtenBytes));
    if (layer.error)
      out.attributeObject("winograd_error", [&] {
        writeError(out, "relative_rms", *layer.error);
        writeError(out, "direct_relative_rms", layer.directError.value_or(0));
      });
    else
      out.attribute("winograd_error", nullptr);
    writeLaunches(out, layer.launches);
    out.attribute("function", text(layer.function));
    out.attribute("code_bytes", codeBytes && !layer.function.empty() ? json::Value(*codeBytes) : nullptr);
  });
}

/// Bytes that go one way; none where only the run knows those of a copy.
static std::optional<int64_t> bytesMoved(const DeviceFacts &device, bool isToDevice) {
  int64_t sum = 0;
  for (const TransferFacts &transfer : device.transfers) {
    if (transfer.isToDevice != isToDevice)
      continue;
    if (!transfer.bytes)
      return std::nullopt;
    sum += *transfer.bytes;
  }
  return sum;
}

/// What the arena takes on the device; none where that depends on dims.
static std::optional<int64_t> arenaOfDevice(const ModelFacts &facts, const ModelInterface &interface) {
  if (!interface.dims.empty())
    return std::nullopt;
  int64_t bytes = 0;
  for (const PlaceFacts &place : facts.places)
    if (!place.output)
      bytes = std::max(bytes, place.offset + place.bytes);
  return bytes;
}

static void writeNode(json::OStream &out, mlir::Location location) {
  NodeRef node = nodeOfLocation(location);
  out.attribute("node", text(node.name));
  out.attribute("op", text(node.opType));
}

static void writeDevice(json::OStream &out, const BuiltModel &built) {
  if (!built.facts.device)
    return out.attribute("device", nullptr);
  const DeviceFacts &device = *built.facts.device;
  const DeviceOptions &options = built.options.device;
  out.attributeObject("device", [&] {
    out.attributeArray("architectures", [&] {
      for (StringRef name : options.architectures)
        out.value(name);
    });
    out.attribute("machine_code", options.hasMachineCode);
    out.attribute("io", options.hasBuffers ? "device" : "host");
    out.attribute("arena_bytes", number(arenaOfDevice(built.facts, built.interface)));
    out.attribute("waits", number(device.waits));
    out.attribute("to_device_bytes", number(bytesMoved(device, true)));
    out.attribute("to_host_bytes", number(bytesMoved(device, false)));
    out.attributeArray("transfers", [&] {
      for (const TransferFacts &transfer : device.transfers)
        out.object([&] {
          out.attribute("to", transfer.isToDevice ? "device" : "host");
          writeNode(out, transfer.location);
          out.attribute("bytes", number(transfer.bytes));
        });
    });
    out.attributeArray("host_nodes", [&] {
      std::set<std::pair<std::string, std::string>> known;
      for (mlir::Location location : device.hostNodes)
        if (NodeRef node = nodeOfLocation(location);
            !node.opType.empty() && known.insert({node.name, node.opType}).second)
          out.object([&] { writeNode(out, location); });
    });
  });
}

/// The layers of the version that runs where there is no device; null where there is no such version.
static void writeFallback(json::OStream &out, const BuiltModel &built) {
  if (!built.fallback)
    return out.attribute("fallback", nullptr);
  out.attributeObject("fallback", [&] {
    out.attributeArray("layers", [&] {
      for (LayerFacts layer : built.fallback->layers) {
        layer.function.clear(); // linking may have given it another name
        writeLayer(out, layer, built.refusals, std::nullopt);
      }
    });
  });
}

static void writeMemory(json::OStream &out, const ModelFacts &facts, const ModelInterface &interface) {
  bool isFunction = interface.arenaBytes == TensorInterface::unbounded;
  out.attribute("arena_bytes", isFunction ? json::Value(nullptr) : json::Value(interface.arenaBytes));
  out.attribute("arena_lower_bound", isFunction ? json::Value(nullptr) : json::Value(facts.arenaLowerBound));
  out.attribute("context_slots", interface.slots);
  out.attribute("weights_bytes", interface.weightBytes);
  out.attributeArray("buffers", [&] {
    for (const PlaceFacts &place : facts.places)
      out.object([&] {
        out.attribute("offset", place.offset);
        out.attribute("bytes", place.bytes);
        out.attribute("first", number(place.first));
        out.attribute("last", number(place.last));
        out.attribute("output", place.output ? text(interface.outputs[*place.output].name) : json::Value(nullptr));
      });
  });
}

/// What the object takes; null where none was written.
static void writeCodeFacts(json::OStream &out, const ModelInterface &interface, const CodeFacts *code) {
  if (!code) {
    for (StringRef key : {"flash", "ram", "functions"})
      out.attribute(key, nullptr);
    return;
  }
  auto known = [](std::optional<uint64_t> value) { return value ? json::Value(*value) : json::Value(nullptr); };
  bool isFunction = interface.arenaBytes == TensorInterface::unbounded;
  out.attributeObject("flash", [&] {
    out.attribute("text_bytes", code->textBytes);
    out.attribute("read_only_bytes", code->readOnlyBytes);
    out.attribute("data_bytes", code->dataBytes);
    out.attribute("bytes", code->flashBytes());
  });
  out.attributeObject("ram", [&] {
    out.attribute("arena_bytes", isFunction ? json::Value(nullptr) : json::Value(interface.arenaBytes));
    out.attribute("stack_bytes", known(code->stackBytes));
    out.attribute("data_bytes", code->dataBytes);
    out.attribute("bss_bytes", code->bssBytes);
    out.attribute("bytes", known(ramBytes(interface, *code)));
  });
  out.attributeArray("functions", [&] {
    for (const FunctionFacts &function : code->functions)
      out.object([&] {
        out.attribute("name", function.name);
        out.attribute("text_bytes", function.textBytes);
        out.attribute("stack_bytes", known(function.stackBytes));
      });
  });
}

void writeJSONReport(const BuiltModel &built, raw_ostream &os) {
  const ModelFacts &facts = built.facts;
  const ModelInterface &interface = built.interface;
  const CodeFacts *code = built.code;
  const CompilerOptions &options = built.options;
  ArrayRef<KernelRefusal> refusals = built.refusals;
  std::vector<uint64_t> codeBytes = code ? codeBytesOfLayers(facts, *code) : std::vector<uint64_t>();
  json::OStream out(os, /*IndentSize=*/2);
  out.object([&] {
    out.attribute("version", ONNX_AOT_VERSION);
    out.attribute("model", text(sys::path::filename(built.modelPath)));
    out.attribute("name", options.artifact.prefix);
    out.attributeObject("target", [&] {
      out.attribute("triple", options.codegen.triple);
      out.attribute("cpu", options.codegen.cpu);
    });
    out.attribute("multiply_adds", number(totalMultiplyAdds(facts)));
    out.attributeArray("layers", [&] {
      for (auto [index, layer] : enumerate(facts.layers))
        writeLayer(out, layer, refusals, code ? std::optional(codeBytes[index]) : std::nullopt);
    });
    writeDevice(out, built);
    writeFallback(out, built);
    out.attributeObject("memory", [&] { writeMemory(out, facts, interface); });
    writeCodeFacts(out, interface, code);
  });
  os << "\n";
}

void writeReport(const BuiltModel &built, StringRef path, raw_ostream &os) {
  if (sys::path::extension(path) == ".html")
    writeHTMLReport(built, os);
  else
    writeJSONReport(built, os);
}

} // namespace onnx_aot
