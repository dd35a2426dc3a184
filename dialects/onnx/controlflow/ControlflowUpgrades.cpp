//===- ControlflowUpgrades.cpp - old opsets of the operators with bodies ------------------------------------------===//
#include "dialects/onnx/support/OpsetUpgrade.h"

using namespace mlir;

namespace onnx_aot::onnx {

/// Scan-8 scanned each entry of a batch, up to a length of its own where the first input gave one.
static LogicalResult scanBatch(NodeForm &node) {
  if (node.input(0))
    return node.unsupported("the input sequence_lens of Scan up to opset 8");
  if (!node.inputs.empty())
    node.inputs.erase(node.inputs.begin());
  node.op = "BatchScan";
  return success();
}

ArrayRef<OpsetUpgrade> getControlflowUpgrades() {
  static const OpsetUpgrade table[] = {
      {"Scan", 9, scanBatch},
  };
  return table;
}

} // namespace onnx_aot::onnx
