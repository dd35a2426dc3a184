//===- HTMLReport.cpp - What was built, as a page to look at --------------===//
//
// What it is for: `--report=FILE.html`, the numbers of the JSON report for people: a summary, the plan of the memory
// over the layers of a run, the largest contributors to flash, and all layers and functions.
//
// How it works: one file without scripts, fonts or images from elsewhere, so that it can be archived or mailed; charts
// are inline SVG, whose <title> elements browsers show as tooltips, and colours follow the reader's dark or light mode.
// The markup is HTML that also is well-formed XML. Names come from the model: all of them pass through `escaped`.
//
//===----------------------------------------------------------------------===//

#include "compiler/Diagnostics.h"
#include "compiler/Options.h"
#include "compiler/artifact/Budget.h"
#include "compiler/artifact/CodeFacts.h"
#include "compiler/artifact/ModelInterface.h"
#include "compiler/artifact/ReportWriter.h"
#include "passes/buffer/DescribeLayers.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <tuple>

using namespace llvm;

namespace onnx_aot {

/// How many contributors to flash have a bar.
static constexpr size_t kMostBars = 12;

static constexpr StringLiteral kStyle = R"(
:root { color-scheme: light dark; --back: #ffffff; --text: #1d2330; --faint: #667085; --line: #d9dde5;
  --code: #d97706; --weights: #2563eb; --c0: #2563eb; --c1: #059669; --c2: #d97706; --c3: #7c3aed; --c4: #db2777; --c5: #0891b2; }
@media (prefers-color-scheme: dark) {
  :root { --back: #14171d; --text: #e4e7ec; --faint: #98a2b3; --line: #343a46;
    --code: #fbbf24; --weights: #60a5fa; --c0: #60a5fa; --c1: #34d399; --c2: #fbbf24; --c3: #a78bfa; --c4: #f472b6; --c5: #22d3ee; } }
body { margin: 2rem auto; max-width: 76rem; padding: 0 1rem; background: var(--back); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { margin-bottom: 0; } h2 { margin-top: 2.5rem; } p, small { color: var(--faint); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { font-weight: 600; } td small { display: block; } .number { text-align: right; white-space: nowrap; }
.bar { width: 24rem; } .bar span { display: inline-block; height: .9rem; vertical-align: middle; }
.code { background: var(--code); } .weights { background: var(--weights); }
.key { display: inline-block; width: .9rem; height: .9rem; vertical-align: middle; }
svg text { fill: var(--faint); font: 11px system-ui, sans-serif; } svg line { stroke: var(--line); }
svg rect { fill-opacity: .55; stroke: var(--back); stroke-width: .5; } svg rect:hover { fill-opacity: .9; } svg text.inside { fill: var(--text); pointer-events: none; }
.c0 { fill: var(--c0); } .c1 { fill: var(--c1); } .c2 { fill: var(--c2); } .c3 { fill: var(--c3); } .c4 { fill: var(--c4); } .c5 { fill: var(--c5); }
)";

//===----------------------------------------------------------------------===//
// Texts
//===----------------------------------------------------------------------===//

/// Names need not be UTF-8, and may hold control characters, which neither HTML nor XML can write.
static std::string escaped(StringRef name) {
  std::string clean, result;
  for (char c : json::fixUTF8(name))
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      clean += "\xEF\xBF\xBD"; // U+FFFD
    else
      clean += c;
  raw_string_ostream os(result);
  printHTMLEscaped(clean, os);
  return result;
}

/// With the digits in groups of three.
static std::string number(std::optional<uint64_t> value) {
  if (!value)
    return "known at run time";
  std::string digits = std::to_string(*value);
  for (int64_t at = int64_t(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(at, ",");
  return digits;
}

static std::string bytesText(std::optional<uint64_t> value) {
  return number(value) + (!value ? "" : *value == 1 ? " byte" : " bytes");
}

/// Short where it can be, for the ends of axes and for small places.
static std::string shortBytes(uint64_t value) {
  if (value != 0 && value % (1 << 20) == 0)
    return number(value >> 20) + " MiB";
  if (value != 0 && value % (1 << 10) == 0)
    return number(value >> 10) + " KiB";
  return number(value) + " B";
}

static std::string nameOf(const LayerFacts &layer) {
  NodeRef node = nodeOfLocation(layer.location);
  if (node.opType.empty())
    return escaped(layer.kernel) + ", added by the compiler";
  return escaped(node.name) + " (" + escaped(node.opType) + ")";
}

/// "matmul_2: 4 x 2 x 1 blocks of 128 threads"
static std::string launchText(const LaunchFacts &launch) {
  std::string text = escaped(launch.kernel) + ": ";
  for (auto [index, extent] : enumerate(launch.blocks))
    text += (index == 0 ? "" : " \u00d7 ") + (extent ? std::to_string(*extent) : "?");
  return text + " blocks of " + std::to_string(launch.threads) + " threads";
}

static std::string strategyOf(const LayerFacts &layer) {
  if (!layer.strategy)
    return escaped(layer.provider);
  std::string result;
  raw_string_ostream os(result);
  os << escaped(layer.strategy.getProvider()) << "<small>vector " << layer.strategy.getVector() << ", width "
     << layer.strategy.getWidth() << ", vectors " << layer.strategy.getVectors() << ", row " << layer.strategy.getRow()
     << ", rows " << layer.strategy.getRows() << ", block " << layer.strategy.getBlock() << "</small>";
  return result;
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

/// Columns from the one of index `firstNumber` on hold numbers. Texts are markup.
static void writeRow(raw_ostream &os, StringRef cell, ArrayRef<std::string> texts, size_t firstNumber) {
  os << "<tr>";
  for (auto [column, text] : enumerate(texts))
    os << "<" << cell << (column >= firstNumber ? " class=\"number\"" : "") << ">" << text << "</" << cell << ">";
  os << "</tr>\n";
}

static void writeSummary(const BuiltModel &built, raw_ostream &os) {
  const auto &[facts, interface, code, refusals, options, modelPath, fallback] = built;
  bool isFunction = interface.arenaBytes == TensorInterface::unbounded;
  std::optional<uint64_t> arena = isFunction ? std::nullopt : std::optional(interface.arenaBytes);
  auto row = [&](StringRef what, const std::string &value, const std::string &parts) {
    writeRow(os, "td", {what.str(), value, parts.empty() ? "" : "<small>" + parts + "</small>"}, /*firstNumber=*/3);
  };
  os << "<h2>Summary</h2>\n<table id=\"summary\">\n";
  row("Model", escaped(sys::path::filename(modelPath)), "");
  row("Target", escaped(options.codegen.triple), escaped(options.codegen.cpu));
  row("Multiply-adds of a run", number(totalMultiplyAdds(facts)), "in " + number(facts.layers.size()) + " layers");
  row("Weights", bytesText(interface.weightBytes), "");
  if (code) {
    row("Flash", bytesText(code->flashBytes()),
        "code " + number(code->textBytes) + ", constants " + number(code->readOnlyBytes) +
            ", variables' first values " + number(code->dataBytes));
    row("RAM", bytesText(ramBytes(interface, *code)),
        "arena " + number(arena) + ", stack " + number(code->stackBytes) + ", variables " +
            number(code->dataBytes + code->bssBytes) + "; inputs and outputs are the caller's");
  } else {
    row("Flash, RAM", "not measured", "no object was written");
  }
  row("Arena", bytesText(arena),
      isFunction ? "a function of the dims" : "no plan takes less than " + number(facts.arenaLowerBound));
  if (facts.device) {
    row("Device", escaped(llvm::join(options.device.architectures, ", ")), fallback ? "or the CPU" : "");
    row("Copies", number(facts.device->transfers.size()) + " in a run", number(facts.device->waits) + " waits amid it");
  }
  if (interface.slots != 0)
    row("Blocks of the context", number(interface.slots), "for buffers whose size only the run knows");
  os << "</table>\n";
}

static void writeLayers(const BuiltModel &built, ArrayRef<uint64_t> codeBytes, raw_ostream &os) {
  os << "<h2>Layers</h2>\n<p>In the order in which they stand in the code; numbers are those of one run.</p>\n"
        "<div class=\"wide\"><table id=\"layers\">\n";
  writeRow(os, "th",
           {"", "Node", "Kernel", "Provider, strategy", "Multiply-adds", "Bytes read", "Bytes written",
            "Bytes of weights", "Bytes of code"},
           /*firstNumber=*/4);
  for (auto [index, layer] : enumerate(built.facts.layers)) {
    std::string kernel = escaped(layer.kernel);
    if (layer.error) {
      raw_string_ostream text(kernel);
      text << "<small>relative error " << format("%.2e", *layer.error) << ", of a direct sum "
           << format("%.2e", layer.directError.value_or(0)) << "</small>";
    }
    for (const LaunchFacts &launch : layer.launches)
      kernel += "<small>" + launchText(launch) + "</small>";
    bool hasCode = built.code && !layer.function.empty();
    if (!layer.function.empty())
      kernel += "<small>" + escaped(layer.function) + "</small>";
    writeRow(os, "td",
             {std::to_string(index), nameOf(layer), kernel, strategyOf(layer), number(layer.multiplyAdds),
              number(layer.readBytes), number(layer.writtenBytes), number(layer.weightBytes),
              hasCode ? number(codeBytes[index]) : "\u2013"},
             /*firstNumber=*/4);
  }
  os << "</table></div>\n";
}

static void writeFunctions(const CodeFacts &code, raw_ostream &os) {
  os << "<h2>Functions</h2>\n<div class=\"wide\"><table id=\"functions\">\n";
  writeRow(os, "th", {"Function", "Bytes of code", "Bytes of a frame"}, /*firstNumber=*/1);
  for (const FunctionFacts &function : code.functions)
    writeRow(os, "td", {escaped(function.name), number(function.textBytes), number(function.stackBytes)},
             /*firstNumber=*/1);
  os << "</table></div>\n";
}

//===----------------------------------------------------------------------===//
// Flash
//===----------------------------------------------------------------------===//

namespace {
struct Contributor {
  std::string name; // markup
  uint64_t weights = 0, code = 0;
  uint64_t bytes() const { return weights + code; }
};
} // namespace

/// The layers, and the functions that are none's; largest first.
static std::vector<Contributor> contributorsToFlash(const BuiltModel &built, ArrayRef<uint64_t> codeBytes) {
  std::vector<Contributor> result;
  StringSet<> ofLayers;
  for (auto [index, layer] : enumerate(built.facts.layers)) {
    ofLayers.insert(layer.function);
    result.push_back(
        {std::to_string(index) + ": " + nameOf(layer), uint64_t(layer.weightBytes), built.code ? codeBytes[index] : 0});
  }
  if (built.code)
    for (const FunctionFacts &function : built.code->functions)
      if (!ofLayers.contains(function.name))
        result.push_back({"function " + escaped(function.name), 0, function.textBytes});
  erase_if(result, [](const Contributor &contributor) { return contributor.bytes() == 0; });
  sort(result, [](const Contributor &a, const Contributor &b) {
    return std::tuple(b.bytes(), StringRef(a.name)) < std::tuple(a.bytes(), StringRef(b.name));
  });
  return result;
}

static void writeFlash(const BuiltModel &built, ArrayRef<uint64_t> codeBytes, raw_ostream &os) {
  std::vector<Contributor> contributors = contributorsToFlash(built, codeBytes);
  if (contributors.empty())
    return;
  uint64_t most = contributors.front().bytes();
  size_t shown = std::min(contributors.size(), kMostBars);
  os << "<h2>Largest contributors to flash</h2>\n<p><span class=\"key weights\"></span> weights "
        "<span class=\"key code\"></span> code. "
     << shown << " of " << contributors.size()
     << "; weights that several layers read count for each of them.</p>\n<div class=\"wide\"><table id=\"flash\">\n";
  for (const Contributor &contributor : ArrayRef(contributors).take_front(shown)) {
    std::string bars;
    raw_string_ostream bar(bars);
    for (auto [kind, bytes] : {std::pair("weights", contributor.weights), std::pair("code", contributor.code)})
      if (bytes != 0)
        bar << "<span class=\"" << kind << "\" style=\"width:" << format("%.2f", 100.0 * double(bytes) / double(most))
            << "%\" title=\"" << bytesText(bytes) << " of " << kind << "\"></span>";
    os << "<tr><td>" << contributor.name << "</td><td class=\"bar\">" << bars << "</td><td class=\"number\">"
       << number(contributor.bytes()) << "</td></tr>\n";
  }
  os << "</table></div>\n";
}

//===----------------------------------------------------------------------===//
// The plan of the memory
//===----------------------------------------------------------------------===//

namespace {
/// A region of memory over the layers of a run: time goes to the right, addresses go up.
class MemoryChart {
public:
  MemoryChart(ArrayRef<LayerFacts> layers, int64_t bytes)
      : layers(layers), bytes(std::max<int64_t>(bytes, 1)), width(std::max<int64_t>(1000, 4 * layers.size())) {}

  void write(StringRef title, ArrayRef<PlaceFacts> places, raw_ostream &os) const;

private:
  static constexpr int64_t left = 70, top = 10, height = 340, bottom = 40;

  double x(int64_t layer) const { return left + double(width) * double(layer) / double(layers.size()); }
  double y(int64_t address) const { return top + height - double(height) * double(address) / double(bytes); }
  void writeAxes(raw_ostream &os) const;
  void writePlace(size_t index, const PlaceFacts &place, raw_ostream &os) const;

  ArrayRef<LayerFacts> layers;
  int64_t bytes, width;
};
} // namespace

void MemoryChart::writeAxes(raw_ostream &os) const {
  int64_t byteStep = 1;
  while (bytes / byteStep > 8)
    byteStep *= 2;
  for (int64_t address = 0; address <= bytes; address += byteStep)
    os << format("<line x1=\"%d\" x2=\"%d\" y1=\"%.2f\" y2=\"%.2f\"/>", int(left), int(left + width), y(address),
                 y(address))
       << format("<text x=\"%d\" y=\"%.2f\" text-anchor=\"end\">", int(left - 6), y(address) + 4) << shortBytes(address)
       << "</text>\n";
  int64_t layerStep = 1;
  while (width * layerStep < 40 * int64_t(layers.size()))
    layerStep *= layerStep % 5 == 0 || layerStep == 1 ? 2 : 5;
  for (int64_t layer = 0; layer < int64_t(layers.size()); layer += layerStep)
    os << format("<text x=\"%.2f\" y=\"%d\" text-anchor=\"middle\">", (x(layer) + x(layer + 1)) / 2,
                 int(top + height + 16))
       << layer << "</text>\n";
  os << "<text x=\"" << left << "\" y=\"" << top + height + 34 << "\">layer of the run</text>\n";
}

void MemoryChart::writePlace(size_t index, const PlaceFacts &place, raw_ostream &os) const {
  double boxWidth = x(*place.last + 1) - x(*place.first), boxHeight = y(place.offset) - y(place.offset + place.bytes);
  os << "<rect class=\"c" << index % 6 << "\""
     << format(" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\">", x(*place.first), y(place.offset + place.bytes),
               boxWidth, boxHeight)
     << "<title>" << bytesText(place.bytes) << " at " << number(place.offset) << ", from layer " << *place.first << ", "
     << nameOf(layers[*place.first]) << ", to layer " << *place.last << ", " << nameOf(layers[*place.last])
     << "</title></rect>\n";
  if (boxWidth >= 70 && boxHeight >= 16)
    os << format("<text class=\"inside\" text-anchor=\"middle\" x=\"%.2f\" y=\"%.2f\">", x(*place.first) + boxWidth / 2,
                 y(place.offset) - boxHeight / 2 + 4)
       << shortBytes(place.bytes) << "</text>\n";
}

void MemoryChart::write(StringRef title, ArrayRef<PlaceFacts> places, raw_ostream &os) const {
  auto isDrawn = [](const PlaceFacts &place) { return place.first && place.last; };
  size_t drawn = count_if(places, isDrawn);
  int64_t allWidth = left + width + 10, allHeight = top + height + bottom;
  os << "<h3>" << title << "</h3>\n<div class=\"wide\"><svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" "
     << "aria-label=\"" << title << "\" width=\"" << allWidth << "\" height=\"" << allHeight << "\" viewBox=\"0 0 "
     << allWidth << " " << allHeight << "\">\n";
  writeAxes(os);
  for (auto [index, place] : enumerate(places))
    if (isDrawn(place))
      writePlace(index, place, os);
  os << "</svg></div>\n";
  if (drawn != places.size())
    os << "<p>Not drawn: " << places.size() - drawn << " in use only between two layers.</p>\n";
}

/// One chart for the arena, and one for each output in which intermediate results lie.
static void writeMemory(const BuiltModel &built, raw_ostream &os) {
  const ModelFacts &facts = built.facts;
  auto writeRegion = [&](std::optional<size_t> output, const std::string &title) {
    std::vector<PlaceFacts> places;
    copy_if(facts.places, std::back_inserter(places), [&](const PlaceFacts &place) { return place.output == output; });
    int64_t bytes = 0;
    for (const PlaceFacts &place : places)
      bytes = std::max(bytes, place.offset + place.bytes);
    if (!places.empty())
      MemoryChart(facts.layers, bytes).write(title, places, os);
  };
  os << "<h2>Memory over time</h2>\n";
  if (facts.places.empty() || facts.layers.empty()) {
    os << "<p>No buffer of known size lies in the arena.</p>\n";
    return;
  }
  os << "<p>Each box is a buffer: the layers between which it is in use, and the bytes that it takes. Boxes lie over "
        "each "
        "other where a result is written in place of an operand.</p>\n";
  writeRegion(std::nullopt, "Arena");
  for (auto [index, output] : enumerate(built.interface.outputs))
    writeRegion(index, "Output " + escaped(output.name));
}

void writeHTMLReport(const BuiltModel &built, raw_ostream &os) {
  std::vector<uint64_t> codeBytes = built.code ? codeBytesOfLayers(built.facts, *built.code) : std::vector<uint64_t>();
  std::string name = escaped(built.options.artifact.prefix);
  os << "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n<meta "
        "charset=\"utf-8\"/>\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>"
     << name << " - onnx-aot</title>\n<style>" << kStyle << "</style>\n</head>\n<body>\n<h1>" << name
     << "</h1>\n<p>What onnx-aot " << ONNX_AOT_VERSION << " built</p>\n";
  writeSummary(built, os);
  writeMemory(built, os);
  writeFlash(built, codeBytes, os);
  writeLayers(built, codeBytes, os);
  if (built.code)
    writeFunctions(*built.code, os);
  os << "</body>\n</html>\n";
}

} // namespace onnx_aot
