//===- Bufferization.cpp - aot.kernel in one-shot bufferization ---------------------------------------------------===//
//
// A kernel writes its destination without reading it, and reads its inputs. No operand but the destination aliases the
// result.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/AotDialect.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"

using namespace mlir;
using namespace mlir::bufferization;
using namespace onnx_aot::aot;

namespace {
struct KernelBufferization : DstBufferizableOpInterfaceExternalModel<KernelBufferization, KernelOp> {
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand, const AnalysisState &) const {
    return !cast<KernelOp>(op).isDpsInit(&operand);
  }
  bool bufferizesToMemoryWrite(Operation *op, OpOperand &operand, const AnalysisState &) const {
    return cast<KernelOp>(op).isDpsInit(&operand);
  }
  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto kernel = cast<KernelOp>(op);
    if (kernel.getNumResults() == 0)
      return success();
    rewriter.setInsertionPoint(kernel);
    SmallVector<Value> inputs;
    for (Value input : kernel.getInputs()) {
      FailureOr<Value> buffer = getBuffer(rewriter, input, options, state);
      if (failed(buffer))
        return failure();
      inputs.push_back(*buffer);
    }
    FailureOr<Value> init = getBuffer(rewriter, kernel.getInit(), options, state);
    if (failed(init))
      return failure();
    auto buffered = KernelOp::create(rewriter, kernel.getLoc(), TypeRange(), kernel.getKindAttr(), inputs, *init,
                                     kernel.getIndexingMapsAttr(), kernel.getIteratorTypesAttr(), kernel.getIdentity(),
                                     kernel.getStrategyAttr());
    buffered.getCompute().takeBody(kernel.getCompute());
    buffered.getEpilogue().takeBody(kernel.getEpilogue());
    replaceOpWithBufferizedValues(rewriter, kernel, {*init});
    return success();
  }
};
} // namespace

void onnx_aot::aot::registerBufferization(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, AotDialect *) {
    KernelOp::attachInterface<KernelBufferization>(*context);
  });
}
