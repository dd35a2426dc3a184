//===- Ranges.cpp - which arithmetic cannot overflow --------------------------------------------------------------===//
//
// See Ranges.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/c/Ranges.h"
#include "mlir/Analysis/DataFlow/ConstantPropagationAnalysis.h"
#include "mlir/Analysis/DataFlow/DeadCodeAnalysis.h"
#include "mlir/Analysis/DataFlow/IntegerRangeAnalysis.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace onnx_aot::c {

FailureOr<std::unique_ptr<Ranges>> Ranges::of(ModuleOp module) {
  std::unique_ptr<Ranges> ranges(new Ranges(module));
  if (failed(ranges->solver.initializeAndRun(module)))
    return failure();
  return ranges;
}

Ranges::Ranges(ModuleOp) {
  solver.load<dataflow::DeadCodeAnalysis>();
  solver.load<dataflow::SparseConstantPropagation>();
  solver.load<dataflow::IntegerRangeAnalysis>();
}

std::optional<ConstantIntRanges> Ranges::range(Value value) const {
  auto *state = solver.lookupState<dataflow::IntegerValueRangeLattice>(value);
  if (!state || state->getValue().isUninitialized())
    return std::nullopt;
  return state->getValue().getValue();
}

bool Ranges::isNonNegative(Value value) const {
  std::optional<ConstantIntRanges> known = range(value);
  return known && known->smin().isNonNegative();
}

bool Ranges::isShiftInRange(Value distance, unsigned width) const {
  std::optional<ConstantIntRanges> known = range(distance);
  return known && known->umax().ult(width);
}

bool Ranges::isAddress(Value value) const {
  return llvm::all_of(value.getUses(), [&](OpOperand &use) {
    return TypeSwitch<Operation *, bool>(use.getOwner())
        .Case<arith::AddIOp, arith::SubIOp, arith::MulIOp>(
            [&](Operation *op) { return isa<IndexType>(op->getResult(0).getType()) && isAddress(op->getResult(0)); })
        .Case<memref::LoadOp>([](auto) { return true; })
        .Case<memref::StoreOp>([&](memref::StoreOp store) { return store.getValue() != value; })
        .Case<memref::ReinterpretCastOp>([&](memref::ReinterpretCastOp view) {
          return llvm::is_contained(view.getOffsets(), value) && !llvm::is_contained(view.getSizes(), value) &&
                 !llvm::is_contained(view.getStrides(), value);
        })
        .Default([](Operation *) { return false; });
  });
}

bool Ranges::fits(Operation *op) {
  Type type = op->getResult(0).getType();
  bool isIndex = isa<IndexType>(type);
  // What C promotes to int is not of its own width.
  if (!isIndex && type.getIntOrFloatBitWidth() < 32)
    return false;
  if (auto flags = dyn_cast<arith::ArithIntegerOverflowFlagsInterface>(op))
    if (flags.hasNoSignedWrap())
      return true;
  std::optional<ConstantIntRanges> left = range(op->getOperand(0)), right = range(op->getOperand(1));
  bool fits = false;
  if (left && right) {
    SmallVector<APInt, 4> corners;
    bool overflows = false;
    for (const APInt &a : {left->smin(), left->smax()})
      for (const APInt &b : {right->smin(), right->smax()}) {
        bool wraps = false;
        corners.push_back(isa<arith::AddIOp>(op)   ? a.sadd_ov(b, wraps)
                          : isa<arith::SubIOp>(op) ? a.ssub_ov(b, wraps)
                                                   : a.smul_ov(b, wraps));
        overflows |= wraps;
      }
    fits = !overflows;
    // A range that merely stops short of the limits was not bounded by anything of this model.
    constexpr int64_t kBeyondAllBuffers = int64_t(1) << 48;
    if (fits && isIndex)
      for (const APInt &corner : corners) {
        int64_t magnitude = corner.isMinSignedValue() ? INT64_MAX : corner.abs().getSExtValue();
        fits &= magnitude < kBeyondAllBuffers;
        if (fits)
          largest = std::max(largest, magnitude);
      }
  }
  return fits || (isIndex && isAddress(op->getResult(0)));
}

} // namespace onnx_aot::c
