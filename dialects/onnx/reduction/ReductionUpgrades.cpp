//===- ReductionUpgrades.cpp - old opsets of reductions -----------------------------------------------------------===//
#include "dialects/onnx/support/OpsetUpgrade.h"

using namespace mlir;

namespace onnx_aot::onnx {

ArrayRef<OpsetUpgrade> getReductionUpgrades() {
  static const OpsetUpgrade table[] = {
      {"ReduceSum", 13, attributeToInput("axes", 1)},       {"ReduceL1", 18, attributeToInput("axes", 1)},
      {"ReduceL2", 18, attributeToInput("axes", 1)},        {"ReduceLogSum", 18, attributeToInput("axes", 1)},
      {"ReduceLogSumExp", 18, attributeToInput("axes", 1)}, {"ReduceMax", 18, attributeToInput("axes", 1)},
      {"ReduceMean", 18, attributeToInput("axes", 1)},      {"ReduceMin", 18, attributeToInput("axes", 1)},
      {"ReduceProd", 18, attributeToInput("axes", 1)},      {"ReduceSumSquare", 18, attributeToInput("axes", 1)},
  };
  return table;
}

} // namespace onnx_aot::onnx
