//===- PoolingChecks.cpp - what pooling asks of a run's values ----------------------------------------------------===//
//
// MaxUnpool puts an element where its index says: a place in the tensor that the window leads to.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/pooling/Pooling.h"
#include "dialects/onnx/support/OperandCheck.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::onnx;

static void checkMaxUnpool(MaxUnpoolOp op, MaxUnpoolOp::Adaptor operands, ImplicitLocOpBuilder &b) {
  auto type = cast<RankedTensorType>(op.getOutput().getType());
  if (type.hasStaticShape())
    requireIndices(b, b.getLoc(), operands.getI(), getElementTypeOrSelf(op.getI().getType()),
                   b.getIndexAttr(type.getNumElements()), AffineMap(), /*fromEnd=*/false);
}

namespace onnx_aot::onnx {
void populatePoolingChecks(TypeConverter &converter, RewritePatternSet &patterns) {
  addCheck<MaxUnpoolOp>(converter, patterns, checkMaxUnpool);
}
} // namespace onnx_aot::onnx
