//===- MovementChecks.cpp - what operators that move elements ask of a run's values -------------------------------===//
//
// Starts and ends of a Slice are clamped by its definition; its steps may not be 0 and its axes have to exist. The
// lengths of ReverseSequence lie within the time axis.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/movement/Movement.h"
#include "dialects/onnx/support/OperandCheck.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::onnx;

static void checkSlice(SliceOp op, SliceOp::Adaptor operands, ImplicitLocOpBuilder &b) {
  int64_t rank = cast<RankedTensorType>(op.getData().getType()).getRank();
  if (Value steps = operands.getSteps())
    requireNonzero(b, b.getLoc(), steps, aot::Code::invalid_value);
  if (Value axes = operands.getAxes())
    requireIndices(b, b.getLoc(), axes, getElementTypeOrSelf(op.getAxes().getType()), b.getIndexAttr(rank), AffineMap(),
                   /*fromEnd=*/true, aot::Code::invalid_value);
}

static void checkReverseSequence(ReverseSequenceOp op, ReverseSequenceOp::Adaptor operands, ImplicitLocOpBuilder &b) {
  OpFoldResult extent = tensor::getMixedSize(b, b.getLoc(), operands.getInput(), op.getTimeAxis());
  requireIndices(b, b.getLoc(), operands.getSequenceLens(), getElementTypeOrSelf(op.getSequenceLens().getType()),
                 plusOne(b, extent), AffineMap(), /*fromEnd=*/false, aot::Code::invalid_value);
}

namespace onnx_aot::onnx {
void populateMovementChecks(TypeConverter &converter, RewritePatternSet &patterns) {
  addCheck<SliceOp>(converter, patterns, checkSlice);
  addCheck<ReverseSequenceOp>(converter, patterns, checkReverseSequence);
}
} // namespace onnx_aot::onnx
