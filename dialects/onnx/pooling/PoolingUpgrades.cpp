//===- PoolingUpgrades.cpp - old opsets of pooling ----------------------------------------------------------------===//
#include "dialects/onnx/support/OpsetUpgrade.h"
#include <cmath>

using namespace mlir;

namespace onnx_aot::onnx {

/// Opset 1 had the norm's order as a float.
static LogicalResult integralOrder(NodeForm &node) {
  auto order = dyn_cast_or_null<FloatAttr>(node.attributes.get("p"));
  if (!order)
    return success();
  double value = order.getValueAsDouble();
  if (!(std::fabs(value) < 1e9) || value != std::floor(value))
    return node.unsupported("an order p that is not an integer is not supported");
  node.attributes.set("p", node.intAttribute("p", static_cast<int64_t>(value)).getValue());
  return success();
}

ArrayRef<OpsetUpgrade> getPoolingUpgrades() {
  static const OpsetUpgrade table[] = {
      {"GlobalLpPool", 2, integralOrder},
      {"LpPool", 2, integralOrder},
  };
  return table;
}

} // namespace onnx_aot::onnx
