//===- TrainingUpgrades.cpp - names become values -----------------------------------------------------------------===//
#include "dialects/onnx/support/OpsetUpgrade.h"
#include "mlir/IR/BuiltinAttributes.h"

using namespace mlir;

namespace onnx_aot::onnx {

/// Gradient names the tensors of the graph around it; here their values become operands.
static LogicalResult bindNames(NodeForm &node) {
  auto xs = dyn_cast_or_null<ArrayAttr>(node.attributes.get("xs"));
  auto zs = dyn_cast_or_null<ArrayAttr>(node.attributes.get("zs"));
  auto y = dyn_cast_or_null<StringAttr>(node.attributes.get("y"));
  if (!xs || !y)
    return node.fail("the attributes xs (STRINGS) and y (STRING) are required");
  SmallVector<StringRef> names;
  for (ArrayAttr list : {xs, zs})
    for (Attribute name : list ? list.getValue() : ArrayRef<Attribute>())
      if (auto text = dyn_cast<StringAttr>(name))
        names.push_back(text.getValue());
  if (node.inputs.size() != names.size())
    return node.fail("has " + Twine(node.inputs.size()) + " inputs for " + Twine(names.size()) + " names in xs and zs");
  names.push_back(y.getValue());
  for (StringRef name : names) {
    Value value = node.lookup(name);
    if (!value)
      return node.fail("\"" + name + "\" is not defined before the node");
    node.inputs.push_back(value);
  }
  return success();
}

ArrayRef<OpsetUpgrade> getTrainingUpgrades() {
  // Version 1 is the newest; every node passes the row.
  static const OpsetUpgrade table[] = {{"ai_onnx_preview_training.Gradient", 2, bindNames}};
  return table;
}

} // namespace onnx_aot::onnx
