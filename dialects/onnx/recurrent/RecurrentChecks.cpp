//===- RecurrentChecks.cpp - what RNN, GRU and LSTM ask of a run's values -----------------------------------------===//
//
// A sequence is not longer than the number of steps, nor is its length negative.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/recurrent/Recurrent.h"
#include "dialects/onnx/support/OperandCheck.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::onnx;

template <typename OpTy> static void checkLengths(OpTy op, typename OpTy::Adaptor operands, ImplicitLocOpBuilder &b) {
  Value lengths = operands.getSequenceLens();
  if (!lengths)
    return;
  OpFoldResult steps = tensor::getMixedSize(b, b.getLoc(), operands.getX(), op.getLayout() == 0 ? 0 : 1);
  requireIndices(b, b.getLoc(), lengths, getElementTypeOrSelf(op.getSequenceLens().getType()), plusOne(b, steps),
                 AffineMap(), /*fromEnd=*/false, aot::Code::invalid_value);
}

namespace onnx_aot::onnx {
void populateRecurrentChecks(TypeConverter &converter, RewritePatternSet &patterns) {
  addCheck<RNNOp>(converter, patterns, checkLengths<RNNOp>);
  addCheck<GRUOp>(converter, patterns, checkLengths<GRUOp>);
  addCheck<LSTMOp>(converter, patterns, checkLengths<LSTMOp>);
}
} // namespace onnx_aot::onnx
