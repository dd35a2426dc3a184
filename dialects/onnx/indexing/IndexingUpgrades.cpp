//===- IndexingUpgrades.cpp - old opsets of operators that select by index ----------------------------------------===//
#include "dialects/onnx/support/OpsetUpgrade.h"

using namespace mlir;

namespace onnx_aot::onnx {

ArrayRef<OpsetUpgrade> getIndexingUpgrades() {
  static const OpsetUpgrade table[] = {
      {"Scatter", 11, renameOp("ScatterElements")},
      {"TopK", 10, attributeToInput("k", 1)},
  };
  return table;
}

} // namespace onnx_aot::onnx
