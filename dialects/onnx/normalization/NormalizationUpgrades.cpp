//===- NormalizationUpgrades.cpp - old opsets of normalizations ---------------------------------------------------===//
#include "dialects/onnx/support/OpsetUpgrade.h"
#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;

namespace onnx_aot::onnx {

static LogicalResult requireSpatial(NodeForm &node) {
  FailureOr<int64_t> spatial = node.takeInt("spatial", 1);
  if (failed(spatial))
    return failure();
  if (*spatial != 1)
    return node.unsupported("spatial = 0 (statistics per activation) is not supported");
  return success();
}

/// Before opset 14 a second output meant training.
static LogicalResult refuseTraining(NodeForm &node) {
  if (node.outputs.size() > 1)
    return node.unsupported("its training form (more than one output) is not supported");
  return success();
}

/// Before opset 10 the mask of Dropout had the type of the data.
static LogicalResult castMask(NodeForm &node) {
  if (!node.hasOutput(1) || !node.input(0))
    return success();
  Type element = getElementTypeOrSelf(node.input(0).getType());
  int64_t number = element.isF32() ? 1 : element.isF16() ? 10 : element.isF64() ? 11 : 0;
  if (!number)
    return node.fail("its input has the wrong element type");
  node.wrapResult(
      1, [number](NodeForm &form, Value mask) { return form.create("Cast", mask, form.intAttribute("to", number)); });
  return success();
}

/// Before opset 21 scale and bias had one value per group; since then one per channel.
static LogicalResult repeatPerChannel(NodeForm &node) {
  if (!node.input(0) || !node.input(1) || !node.input(2))
    return success();
  auto data = dyn_cast<RankedTensorType>(node.input(0).getType());
  auto groups = dyn_cast_if_present<IntegerAttr>(node.attributes.get("num_groups"));
  if (!groups)
    return success(); // the missing attribute is reported with the others
  if (!data || data.getRank() < 2 || data.isDynamicDim(1))
    return node.unsupported("GroupNormalization of this opset is supported only with a known number of channels");
  int64_t channels = data.getDimSize(1), count = groups.getInt();
  if (count <= 0 || channels % count != 0)
    return node.fail(Twine(channels) + " channels cannot be divided into " + Twine(count) + " groups");
  for (unsigned index : {1u, 2u}) {
    Value column = node.create("Unsqueeze", {node.input(index), node.integers(int64_t(1))});
    Value table = column ? node.create("Expand", {column, node.integers({count, channels / count})}) : Value();
    Value flat = table ? node.create("Reshape", {table, node.integers(channels)}) : Value();
    if (!flat)
      return failure();
    node.inputs[index] = flat;
  }
  return success();
}

ArrayRef<OpsetUpgrade> getNormalizationUpgrades() {
  static const OpsetUpgrade table[] = {
      {"BatchNormalization", 6, dropAttribute("consumed_inputs")},
      {"BatchNormalization", 7, dropAttribute("is_test")},
      {"BatchNormalization", 9, requireSpatial},
      {"BatchNormalization", 14, refuseTraining},
      {"Dropout", 6, dropAttribute("consumed_inputs")},
      {"Dropout", 7, dropAttribute("is_test")},
      {"Dropout", 10, castMask},
      {"Dropout", 12, attributeToScalarInput("ratio", 1)},
      {"GroupNormalization", 21, repeatPerChannel},
      {"InstanceNormalization", 6, dropAttribute("consumed_inputs")},
  };
  return table;
}

} // namespace onnx_aot::onnx
