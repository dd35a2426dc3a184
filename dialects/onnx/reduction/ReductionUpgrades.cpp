//===- ReductionUpgrades.cpp - old opsets of reductions -----------------------------------------------------------===//
#include "dialects/onnx/reduction/ReductionAxes.h"
#include "dialects/onnx/support/OpsetUpgrade.h"

using namespace mlir;

namespace onnx_aot::onnx {

/// The axes become an input; and nothing is said about the extremum of no elements.
static LogicalResult upgradeExtremum(NodeForm &form) {
  form.attributes.append(kUndefinedIfEmpty, UnitAttr::get(form.getContext()));
  return attributeToInput("axes", 1)(form);
}

ArrayRef<OpsetUpgrade> getReductionUpgrades() {
  static const OpsetUpgrade table[] = {
      {"ReduceSum", 13, attributeToInput("axes", 1)},       {"ReduceL1", 18, attributeToInput("axes", 1)},
      {"ReduceL2", 18, attributeToInput("axes", 1)},        {"ReduceLogSum", 18, attributeToInput("axes", 1)},
      {"ReduceLogSumExp", 18, attributeToInput("axes", 1)}, {"ReduceMax", 18, upgradeExtremum},
      {"ReduceMean", 18, attributeToInput("axes", 1)},      {"ReduceMin", 18, upgradeExtremum},
      {"ReduceProd", 18, attributeToInput("axes", 1)},      {"ReduceSumSquare", 18, attributeToInput("axes", 1)},
  };
  return table;
}

} // namespace onnx_aot::onnx
