//===- MovementUpgrades.cpp - old opsets of operators that move data ----------------------------------------------===//
#include "dialects/onnx/support/Axes.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/support/OpsetUpgrade.h"
#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;

namespace onnx_aot::onnx {

/// Tile-1 repeats one axis: inputs (data, tiles, axis), both scalars of the data's type.
static LogicalResult tileRepeats(NodeForm &node) {
  auto scalar = [](Value value) -> std::optional<int64_t> {
    if (auto integers = getConstantIntegers(value); integers && integers->size() == 1)
      return integers->front();
    // What no int64 holds (NaN, infinities) is no number of repeats either.
    if (auto floats = getConstantFloats(value); floats && floats->size() == 1 && std::abs(floats->front()) < 0x1p53)
      return static_cast<int64_t>(floats->front());
    return std::nullopt;
  };
  if (!node.input(0) || !node.input(1) || !node.input(2))
    return node.fail("Tile of this opset takes three inputs");
  auto type = dyn_cast<RankedTensorType>(node.input(0).getType());
  std::optional<int64_t> tiles = scalar(node.input(1)), axis = scalar(node.input(2));
  if (!type || !tiles || !axis)
    return node.unsupported("Tile of this opset is supported only with a known rank and constant tiles and axis");
  int64_t place = wrapAxis(*axis, type.getRank());
  if (place < 0 || place >= type.getRank())
    return node.fail("axis " + Twine(*axis) + " is outside a tensor of rank " + Twine(type.getRank()));
  SmallVector<int64_t> repeats(type.getRank(), 1);
  repeats[place] = *tiles;
  node.inputs = {node.input(0), node.integers(repeats)};
  return success();
}

/// Split-1 may have its lengths as an input of the data's type; Split-13 has int64s.
static LogicalResult castSplitInput(NodeForm &node) {
  if (!node.input(1))
    return success();
  SmallVector<int64_t> lengths;
  if (std::optional<SmallVector<double>> floats = getConstantFloats(node.input(1))) {
    for (double length : *floats)
      lengths.push_back(std::abs(length) < 0x1p53 ? int64_t(length) : -1);
    node.inputs[1] = node.integers(lengths);
  } else {
    node.inputs[1] = node.create("Cast", node.input(1), node.intAttribute("to", /*int64*/ 7));
  }
  return success(node.inputs[1] != nullptr);
}

/// Since opset 18 a split into equal parts says how many.
static LogicalResult countParts(NodeForm &node) {
  if (!node.input(1) && !node.attributes.get("num_outputs"))
    node.attributes.append(node.intAttribute("num_outputs", node.outputs.size()));
  return success();
}

ArrayRef<OpsetUpgrade> getMovementUpgrades() {
  static const OpsetUpgrade table[] = {
      {"Concat", 4, defaultInt("axis", 1)},
      {"Pad", 2, renameAttribute("paddings", "pads")},
      {"Pad", 11, attributeToInput("pads", 1)},
      {"Pad", 11, attributeToScalarInput("value", 2)},
      {"Reshape", 5, dropAttribute("consumed_inputs")},
      {"Reshape", 5, attributeToInput("shape", 1)},
      {"Slice", 10, attributeToInput("starts", 1)},
      {"Slice", 10, attributeToInput("ends", 2)},
      {"Slice", 10, attributeToInput("axes", 3)},
      {"Split", 2, castSplitInput},
      {"Split", 13, attributeToInput("split", 1)},
      {"Split", 18, countParts},
      {"Squeeze", 13, attributeToInput("axes", 1)},
      {"Tile", 6, tileRepeats},
      {"Unsqueeze", 13, attributeToInput("axes", 1)},
  };
  return table;
}

} // namespace onnx_aot::onnx
