//===- ControlflowUpgrades.cpp - old opsets of the operators with bodies ------------------------------------------===//
#include "dialects/onnx/support/OpsetUpgrade.h"

using namespace mlir;

namespace onnx_aot::onnx {

ArrayRef<OpsetUpgrade> getControlflowUpgrades() {
  static const OpsetUpgrade table[] = {
      // It scanned every entry of a batch, up to a length of its own.
      {"Scan", 9, [](NodeForm &form) { return form.unsupported("Scan over a batch, as it was up to opset 8"); }},
  };
  return table;
}

} // namespace onnx_aot::onnx
