//===- DimRanges.cpp - how large integers of a run can be ---------------------------------------------------------===//
//
// See DimRanges.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "passes/buffer/DimRanges.h"
#include "mlir/Analysis/DataFlow/ConstantPropagationAnalysis.h"
#include "mlir/Analysis/DataFlow/DeadCodeAnalysis.h"
#include "mlir/Analysis/DataFlow/IntegerRangeAnalysis.h"

using namespace mlir;
using namespace onnx_aot;

namespace {
struct DimRangeAnalysis : dataflow::IntegerRangeAnalysis {
  using IntegerRangeAnalysis::IntegerRangeAnalysis;

  void setToEntryState(dataflow::IntegerValueRangeLattice *lattice) override {
    auto argument = dyn_cast<BlockArgument>(lattice->getAnchor());
    auto function = argument ? dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp()) : func::FuncOp();
    if (!function || !argument.getType().isIndex() || !function.getArgAttr(argument.getArgNumber(), "aot.dim"))
      return IntegerRangeAnalysis::setToEntryState(lattice);
    auto bounds = function.getArgAttrOfType<DenseI64ArrayAttr>(argument.getArgNumber(), "aot.bounds");
    APInt low(64, bounds ? std::max<int64_t>(bounds[0], 0) : 0), high(64, bounds ? bounds[1] : INT64_MAX);
    propagateIfChanged(lattice, lattice->join(IntegerValueRange(ConstantIntRanges::fromSigned(low, high))));
  }
};
} // namespace

DimRanges::DimRanges(func::FuncOp function) {
  solver.load<dataflow::DeadCodeAnalysis>();
  solver.load<dataflow::SparseConstantPropagation>();
  solver.load<DimRangeAnalysis>();
  isSolved = succeeded(solver.initializeAndRun(function));
}

ConstantIntRanges DimRanges::of(Value value) const {
  const auto *state = isSolved ? solver.lookupState<dataflow::IntegerValueRangeLattice>(value) : nullptr;
  if (state && !state->getValue().isUninitialized())
    return state->getValue().getValue();
  return ConstantIntRanges::maxRange(ConstantIntRanges::getStorageBitwidth(value.getType()));
}

std::optional<int64_t> DimRanges::bound(Value value) const {
  int64_t high = of(value).smax().getSExtValue();
  if (high >= INT32_MAX)
    return std::nullopt;
  return std::max<int64_t>(high, 0);
}

bool DimRanges::isNonNegative(Value value) const { return of(value).smin().isNonNegative(); }
