//===- NormalizationUpgrades.cpp - old opsets of normalizations ---------------------------------------------------===//
#include "dialects/onnx/support/OpsetUpgrade.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace onnx_aot::onnx {

/// spatial = 0 has a statistic per element of a sample, which is arithmetic with broadcasting.
static LogicalResult expandPerActivation(NodeForm &node) {
  FailureOr<int64_t> spatial = node.takeInt("spatial", 1);
  if (failed(spatial))
    return failure();
  if (*spatial != 0)
    return success();
  if (node.outputs.size() > 1)
    return node.unsupported("spatial = 0 (statistics per activation) in its training form");
  auto epsilon = dyn_cast_or_null<FloatAttr>(node.take("epsilon"));
  if (node.inputs.size() != 5 || llvm::is_contained(node.inputs, Value()))
    return node.fail("has " + Twine(node.inputs.size()) + " inputs; the operator takes 5");
  Value x = node.input(0), scale = node.input(1), bias = node.input(2), mean = node.input(3), variance = node.input(4);
  Value least = node.scalarLike(epsilon ? epsilon.getValueAsDouble() : 1e-5, x);
  auto create = [&](StringRef op, ArrayRef<Value> inputs) {
    return llvm::is_contained(inputs, Value()) ? Value() : node.create(op, inputs);
  };
  Value deviation = create("Sqrt", {create("Add", {variance, least})});
  Value normalized = create("Div", {create("Sub", {x, mean}), deviation});
  Value scaled = create("Mul", {normalized, scale});
  node.op = "Add";
  node.inputs = {scaled, bias};
  node.attributes = NamedAttrList();
  return success(scaled != nullptr);
}

/// Before opset 14 more than one output meant training; the results beside Y were (mean, var, saved_mean, saved_var).
static LogicalResult stateTraining(NodeForm &node) {
  if (node.op != "BatchNormalization" || node.outputs.size() < 2)
    return success();
  if (node.outputs.size() > 3)
    return node.unsupported("the outputs saved_mean and saved_var of BatchNormalization");
  node.attributes.set("training_mode", IntegerAttr::get(IntegerType::get(node.getContext(), 64), 1));
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
      {"BatchNormalization", 9, expandPerActivation},
      {"BatchNormalization", 14, stateTraining},
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
