//===- ResamplingUpgrades.cpp - old opsets of operators that resample ---------------------------------------------===//
//
// Upsample-1 (two scale attributes) -> Upsample-7 (attribute scales) -> Upsample-9 (input scales) -> Resize-10 ->
// Resize-11, where coordinates and rounding became attributes with other defaults.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/support/OpsetUpgrade.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace onnx_aot::onnx {

static LogicalResult gatherScales(NodeForm &node) {
  auto height = dyn_cast_or_null<FloatAttr>(node.take("height_scale"));
  auto width = dyn_cast_or_null<FloatAttr>(node.take("width_scale"));
  if (!height || !width)
    return node.fail("height_scale and width_scale must be given as FLOAT attributes");
  float scales[] = {1.0f, 1.0f, static_cast<float>(height.getValueAsDouble()),
                    static_cast<float>(width.getValueAsDouble())};
  node.attributes.set("scales", DenseF32ArrayAttr::get(node.getContext(), scales));
  return success();
}

/// Replaces values of a string attribute.
static UpgradeFn renameValue(StringRef name, StringRef from, StringRef to) {
  return [=](NodeForm &node) -> LogicalResult {
    auto value = dyn_cast_or_null<StringAttr>(node.attributes.get(name));
    if (value && value.getValue() == from)
      node.attributes.set(name, StringAttr::get(node.getContext(), to));
    return success();
  };
}

/// Resize-10 sampled at x / scale; its nearest neighbour was the one below when enlarging and the one above when
/// shrinking, axis by axis. Resize-11 has one rule for all axes; ceil_if_shrinking is a word of this dialect alone.
static LogicalResult stateCoordinates(NodeForm &node) {
  if (node.inputs.size() > 2)
    return node.fail("has too many inputs for its opset");
  node.attributes.append(node.stringAttribute("coordinate_transformation_mode", "asymmetric"));
  node.attributes.append(node.stringAttribute("nearest_mode", "ceil_if_shrinking"));
  node.inputs = {node.input(0), Value(), node.input(1)};
  return success();
}

/// Where opset 11 demanded an empty tensor, opset 13 lets the input be absent.
static LogicalResult dropEmptyInputs(NodeForm &node) {
  for (Value &input : llvm::drop_begin(node.inputs, std::min<size_t>(1, node.inputs.size()))) {
    auto type = input ? dyn_cast<RankedTensorType>(input.getType()) : RankedTensorType();
    if (type && type.hasStaticShape() && type.getNumElements() == 0)
      input = Value();
  }
  return success();
}

ArrayRef<OpsetUpgrade> getResamplingUpgrades() {
  static const OpsetUpgrade table[] = {
      {"GridSample", 20, renameValue("mode", "bilinear", "linear")},
      {"GridSample", 20, renameValue("mode", "bicubic", "cubic")},
      {"Resize", 11, stateCoordinates},
      {"Resize", 13, dropEmptyInputs},
      {"RoiAlign", 16, defaultString("coordinate_transformation_mode", "output_half_pixel")},
      {"Upsample", 7, gatherScales},
      {"Upsample", 7, renameValue("mode", "bilinear", "linear")},
      {"Upsample", 9, attributeToInput("scales", 1)},
      {"Upsample", 10, renameOp("Resize")},
  };
  return table;
}

} // namespace onnx_aot::onnx
