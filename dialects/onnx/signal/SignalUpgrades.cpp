//===- SignalUpgrades.cpp - old opsets of signal processing -------------------------------------------------------===//
#include "dialects/onnx/support/OpsetUpgrade.h"

using namespace mlir;

namespace onnx_aot::onnx {

ArrayRef<OpsetUpgrade> getSignalUpgrades() {
  // The default axis was the second one; since opset 20 it is the last but one.
  static const OpsetUpgrade table[] = {
      {"DFT", 20, sequence({defaultInt("axis", 1), attributeToScalarInput("axis", 2)})},
  };
  return table;
}

} // namespace onnx_aot::onnx
