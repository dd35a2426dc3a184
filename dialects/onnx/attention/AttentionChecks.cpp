//===- AttentionChecks.cpp - what attention operators ask of a run's values ---------------------------------------===//
//
// The positions of RotaryEmbedding are rows of its tables.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/attention/Attention.h"
#include "dialects/onnx/support/OperandCheck.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::onnx;

static void checkPositions(RotaryEmbeddingOp op, RotaryEmbeddingOp::Adaptor operands, ImplicitLocOpBuilder &b) {
  if (Value ids = operands.getPositionIds())
    requireIndices(b, b.getLoc(), ids, getElementTypeOrSelf(op.getPositionIds().getType()),
                   tensor::getMixedSize(b, b.getLoc(), operands.getCosCache(), 0), AffineMap(), /*fromEnd=*/false);
}

namespace onnx_aot::onnx {
void populateAttentionChecks(TypeConverter &converter, RewritePatternSet &patterns) {
  addCheck<RotaryEmbeddingOp>(converter, patterns, checkPositions);
}
} // namespace onnx_aot::onnx
