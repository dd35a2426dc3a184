//===- Specification.cpp - what a kernel computes, as text --------------------------------------------------------===//
//
// See Specification.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/halide/plugin/Specification.h"
#include <cstdint>
#include <cstring>
#include <sstream>

using namespace onnx_aot::halide;

static int toInt(const std::string &word) {
  size_t used = 0;
  long long value = 0;
  try {
    value = std::stoll(word, &used);
  } catch (const std::exception &) {
    used = 0;
  }
  if (used == 0 || used != word.size() || value < INT32_MIN || value > INT32_MAX)
    throw Refusal("'" + word + "' is no number of 32 bits");
  return int(value);
}

float onnx_aot::halide::parseFloat(const std::string &word) {
  if (word.size() != 8 || word.find_first_not_of("0123456789abcdef") != std::string::npos)
    throw Refusal("'" + word + "' is no float");
  uint32_t bits = uint32_t(std::stoul(word, nullptr, 16));
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

namespace {
/// The words of one line behind its first.
class Words {
public:
  explicit Words(std::istringstream &line) : line(line) {}
  std::string next() {
    std::string word;
    if (!(line >> word))
      throw Refusal("a line is too short");
    return word;
  }
  bool atEnd() { return (line >> std::ws).eof(); }
  std::vector<std::string> rest() {
    std::vector<std::string> words;
    while (!atEnd())
      words.push_back(next());
    return words;
  }

private:
  std::istringstream &line;
};
} // namespace

static Address parseAddress(Words &words) {
  Address address;
  address.offset = toInt(words.next());
  while (!words.atEnd()) {
    std::string word = words.next();
    if (word == "bytes") {
      address.isBytes = true;
      continue;
    }
    if (word != "panel") {
      address.strides.push_back(toInt(word));
      continue;
    }
    address.panelDim = toInt(words.next());
    address.panel = toInt(words.next());
    address.panelStride = toInt(words.next());
  }
  return address;
}

static Axis parseAxis(Words &words) {
  Axis axis;
  axis.in = toInt(words.next());
  axis.out = toInt(words.next());
  std::string kind = words.next();
  if (kind == "phases") {
    axis.kind = Axis::Phases;
    axis.period = toInt(words.next());
    axis.step = toInt(words.next());
  } else if (kind == "table") {
    axis.kind = Axis::Table;
    axis.taps = toInt(words.next());
  } else if (kind != "same" || axis.in != axis.out) {
    throw Refusal("an axis of the unknown kind " + kind);
  }
  if (axis.in < 1 || axis.out < 1 || axis.period < 1 || axis.taps < 0)
    throw Refusal("an axis without elements");
  return axis;
}

/// bytes | floats
static bool parseIsBytes(const std::string &word) {
  if (word != "bytes" && word != "floats")
    throw Refusal("elements of the unknown type " + word);
  return word == "bytes";
}

static void check(const Specification &spec) {
  if (spec.target.empty() || spec.lanes < 1)
    throw Refusal("no target");
  for (const Axis &axis : spec.axes)
    if (axis.kind == Axis::Phases && int(axis.phases.size()) != axis.period)
      throw Refusal("an axis does not have one phase for each of its period");
  bool isWindow = spec.family == "window";
  std::vector<Address> addresses = spec.inputs;
  if (isWindow)
    addresses.push_back(spec.output);
  int dims = int(isWindow ? spec.dims.size() : spec.axes.size());
  for (const Address &address : addresses) {
    if (int(address.strides.size()) != dims)
      throw Refusal("an operand does not have one stride per dim");
    if (address.panelDim >= dims || address.panel < 1)
      throw Refusal("panels along a dim that is not there");
  }
  if (isWindow && (spec.tile.vector >= dims || spec.tile.row >= dims || spec.tile.vectors < 1 || spec.tile.rows < 1))
    throw Refusal("a tile over dims that are not there");
}

Specification onnx_aot::halide::parseSpecification(const std::string &text) {
  Specification spec;
  std::istringstream lines(text);
  for (std::string each; std::getline(lines, each);) {
    std::istringstream line(each);
    Words words(line);
    std::string key = words.next();
    if (key == "target") {
      spec.target = words.next();
    } else if (key == "lanes") {
      spec.lanes = toInt(words.next());
    } else if (key == "family") {
      spec.family = words.next();
    } else if (key == "dim") {
      Dim dim;
      dim.extent = toInt(words.next());
      dim.isReduction = words.next() == "r";
      spec.dims.push_back(dim);
    } else if (key == "input") {
      spec.inputs.push_back(parseAddress(words));
    } else if (key == "output") {
      spec.output = parseAddress(words);
    } else if (key == "identity") {
      spec.identity = parseFloat(words.next());
    } else if (key == "compute") {
      spec.compute = words.rest();
    } else if (key == "epilogue") {
      spec.epilogue = words.rest();
    } else if (key == "moves") {
      spec.moves = true;
    } else if (key == "data") {
      spec.hasBytes = parseIsBytes(words.next());
    } else if (key == "result") {
      spec.makesBytes = parseIsBytes(words.next());
    } else if (key == "prologue") {
      spec.prologue = words.rest();
    } else if (key == "tile") {
      spec.tile.vector = toInt(words.next());
      spec.tile.vectors = toInt(words.next());
      spec.tile.row = toInt(words.next());
      spec.tile.rows = toInt(words.next());
    } else if (key == "axis") {
      spec.axes.push_back(parseAxis(words));
    } else if (key == "phase") {
      if (spec.axes.empty())
        throw Refusal("a phase of no axis");
      std::vector<std::pair<int, float>> taps;
      while (!words.atEnd()) {
        int position = toInt(words.next());
        taps.emplace_back(position, parseFloat(words.next()));
      }
      spec.axes.back().phases.push_back(taps);
    } else {
      throw Refusal("the unknown fact " + key);
    }
  }
  check(spec);
  return spec;
}
