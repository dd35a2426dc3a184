//===- GeneratorChecks.cpp - what generators ask of a run's values ------------------------------------------------===//
//
// The step of a Range leads somewhere.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/generator/Generator.h"
#include "dialects/onnx/support/OperandCheck.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::onnx;

static void checkRange(RangeOp op, RangeOp::Adaptor operands, ImplicitLocOpBuilder &b) {
  Type element = getElementTypeOrSelf(op.getDelta().getType());
  if (isa<IntegerType>(element))
    return requireNonzero(b, b.getLoc(), operands.getDelta(), aot::Code::invalid_value);
  auto holds = [&](ImplicitLocOpBuilder &inner, Value stored) -> Value {
    Value delta = toCompute(inner, inner.getLoc(), stored, element);
    Value zero = scalarConstant(inner, inner.getLoc(), element, 0);
    return arith::CmpFOp::create(inner, arith::CmpFPredicate::ONE, delta, zero);
  };
  requireAll(b, b.getLoc(), operands.getDelta(), holds, aot::Code::invalid_value);
}

namespace onnx_aot::onnx {
void populateGeneratorChecks(TypeConverter &converter, RewritePatternSet &patterns) {
  addCheck<RangeOp>(converter, patterns, checkRange);
}
} // namespace onnx_aot::onnx
