//===- MatmulUpgrades.cpp - old opsets of matrix products ---------------------------------------------------------===//
#include "dialects/onnx/support/OpsetUpgrade.h"

using namespace mlir;

namespace onnx_aot::onnx {

ArrayRef<OpsetUpgrade> getMatmulUpgrades() {
  // Since opset 7 the third input broadcasts wherever its shape lets it.
  static const OpsetUpgrade table[] = {{"Gemm", 7, dropAttribute("broadcast")}};
  return table;
}

} // namespace onnx_aot::onnx
