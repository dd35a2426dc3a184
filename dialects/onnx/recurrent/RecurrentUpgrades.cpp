//===- RecurrentUpgrades.cpp - old opsets of recurrent operators --------------------------------------------------===//
#include "dialects/onnx/support/OpsetUpgrade.h"

using namespace mlir;

namespace onnx_aot::onnx {

ArrayRef<OpsetUpgrade> getRecurrentUpgrades() {
  // Whether the sequence is an output follows from the node's outputs.
  static const OpsetUpgrade table[] = {
      {"GRU", 7, dropAttribute("output_sequence")},
      {"LSTM", 7, dropAttribute("output_sequence")},
      {"RNN", 7, dropAttribute("output_sequence")},
  };
  return table;
}

} // namespace onnx_aot::onnx
