//===- ElementwiseChecks.cpp - what elementwise operators ask of a run's values -----------------------------------===//
//
// Integers are not divided by zero. The smallest integer divided by -1 wraps around to itself, shifts by the width or
// more give 0, and conversions saturate: these are defined and need no check.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/elementwise/Elementwise.h"
#include "dialects/onnx/support/OperandCheck.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::onnx;

template <typename OpTy> static void checkDivisor(OpTy op, typename OpTy::Adaptor operands, ImplicitLocOpBuilder &b) {
  if (isa<IntegerType>(getElementTypeOrSelf(op.getB().getType())))
    requireNonzero(b, b.getLoc(), operands.getB());
}

namespace onnx_aot::onnx {
void populateElementwiseChecks(TypeConverter &converter, RewritePatternSet &patterns) {
  addCheck<DivOp>(converter, patterns, checkDivisor<DivOp>);
  addCheck<ModOp>(converter, patterns, checkDivisor<ModOp>);
}
} // namespace onnx_aot::onnx
