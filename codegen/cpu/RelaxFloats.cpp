//===- RelaxFloats.cpp - --fast-math ------------------------------------------------------------------------------===//
//
// Lets LLVM round results otherwise, by flags on floating-point operations:
//
//   contract  a product and a sum fused into one rounding     arcp  x / y as x * (1 / y)
//   nsz       the sign of a zero is open                      afn   functions by approximations
//
//   %0 = arith.mulf %a, %b : f32     =>     %0 = arith.mulf %a, %b fastmath<nsz,arcp,contract,afn> : f32
//
// Infinities and NaNs keep their meaning, as models pass them on purpose: a mask of -inf in attention, a NaN for what
// is missing. So neither nnan nor ninf is set; nor is reassoc, by which a * c + b * c becomes (a + b) * c, where the
// sum may overflow; and LLVM may not replace 1 / sqrt(x) by an estimate and Newton's steps, which make NaN of 0 and of
// infinity (prepareModule). What is left is a divisor so small that 1 / y overflows, below 2.9e-39.
//
// What becomes an integer (by its bits as well), or is rounded to one, in the same loop is computed as before: there
// one last bit more or less chooses another element (Resize, Mod, Range) or another level (QuantizeLinear). What comes
// from another loop, through a buffer, may have been rounded otherwise.
//
// Before: loops are emitted, math functions are operations.  After: flags for LLVM; the code that LowerMath makes of
// math functions, which relies on exact rounding, has none.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/cpu/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace onnx_aot {
#define GEN_PASS_DEF_RELAXFLOATS
#include "codegen/cpu/Passes.h.inc"

namespace {
constexpr arith::FastMathFlags kRelaxed =
    arith::FastMathFlags::contract | arith::FastMathFlags::arcp | arith::FastMathFlags::nsz | arith::FastMathFlags::afn;

bool isFloat(Type type) { return isa<FloatType>(getElementTypeOrSelf(type)); }

struct RelaxFloats : impl::RelaxFloatsBase<RelaxFloats> {
  void runOnOperation() override {
    llvm::SetVector<Operation *> exact;
    getOperation().walk([&](Operation *op) {
      if (isa<math::FloorOp, math::CeilOp, math::RoundOp, math::RoundEvenOp, math::TruncOp, arith::FPToSIOp,
              arith::FPToUIOp>(op) ||
          (isa<arith::BitcastOp>(op) && !isFloat(op->getResult(0).getType())))
        exact.insert(op);
    });
    for (size_t next = 0; next < exact.size(); ++next) // grows
      for (Value operand : exact[next]->getOperands()) {
        Operation *maker = operand.getDefiningOp();
        if (maker && isFloat(operand.getType()) &&
            isa<arith::ArithDialect, math::MathDialect, vector::VectorDialect>(maker->getDialect()))
          exact.insert(maker);
      }
    getOperation().walk([&](arith::ArithFastMathInterface op) {
      if (exact.contains(op) || !llvm::any_of(op->getOperandTypes(), isFloat))
        return;
      arith::FastMathFlagsAttr given = op.getFastMathFlagsAttr();
      arith::FastMathFlags flags = given ? given.getValue() | kRelaxed : kRelaxed;
      op->setAttr(op.getFastMathAttrName(), arith::FastMathFlagsAttr::get(&getContext(), flags));
    });
  }
};
} // namespace
} // namespace onnx_aot
