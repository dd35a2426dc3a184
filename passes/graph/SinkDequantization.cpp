//===- SinkDequantization.cpp - elements move as the integers that they are ---------------------------------------===//
//
// What only moves elements, or takes the largest of some, gives the same before and after a dequantization with one
// scale. It is done before, on a quarter of the bytes; the dequantization then meets the product that wants integers,
// or a quantization with the same scale, which it undoes:
//
//   %d = onnx.DequantizeLinear %x, %s, %z       =>   %y = onnx.MaxPool %x
//   %m = onnx.MaxPool %d
//   %y = onnx.QuantizeLinear %m, %s, %z
//
// Exact: |x - z| < 2^8, so that (x - z) * s / s rounds to x - z for scales that are far from the ends of single
// precision.
//
// Before: shapes are inferred.  After: no such operator reads what is dequantized with one scale.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/movement/Movement.h"
#include "dialects/onnx/pooling/Pooling.h"
#include "dialects/onnx/quantization/Quantization.h"
#include "dialects/onnx/support/Constants.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace onnx_aot {
#define GEN_PASS_DEF_SINKDEQUANTIZATION
#include "passes/graph/Passes.h.inc"

using namespace mlir;
using namespace onnx;

namespace {
bool isByte(Type type) {
  auto element = dyn_cast<IntegerType>(getElementTypeOrSelf(type));
  return element && element.getWidth() == 8;
}

/// A dequantization of bytes with one positive scale, whose products neither underflow nor overflow.
DequantizeLinearOp plainDequantization(Value value) {
  auto op = value.getDefiningOp<DequantizeLinearOp>();
  if (!op || !isByte(op.getX().getType()) || op.getBlockSize() != 0)
    return {};
  std::optional<SmallVector<double>> scale = getConstantFloats(op.getXScale());
  auto zeroPoint = op.getXZeroPoint() ? dyn_cast<RankedTensorType>(op.getXZeroPoint().getType()) : RankedTensorType();
  bool hasOneZero = !op.getXZeroPoint() || (zeroPoint && zeroPoint.hasStaticShape() && zeroPoint.getNumElements() == 1);
  constexpr double kSmallest = 1e-30, kLargest = 1e30;
  bool isPlain = scale && scale->size() == 1 && scale->front() >= kSmallest && scale->front() <= kLargest && hasOneZero;
  return isPlain ? op : DequantizeLinearOp();
}

/// Whether each window certainly holds data: padding is shorter than the kernel.
bool readsData(MaxPoolOp pool) {
  ArrayRef<int64_t> kernel = pool.getKernelShape();
  bool isPlain = !pool.getDilations() || llvm::all_of(*pool.getDilations(), [](int64_t one) { return one == 1; });
  if (!pool.getPads())
    return isPlain;
  for (auto [index, pad] : llvm::enumerate(*pool.getPads()))
    if (pad >= kernel[index % kernel.size()])
      return false;
  return isPlain;
}

struct SinkBehindMovement : RewritePattern {
  SinkBehindMovement(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/1, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isa<MaxPoolOp, ReshapeOp, TransposeOp, FlattenOp, SqueezeOp, UnsqueezeOp>(op) || op->getNumResults() != 1)
      return failure();
    if (auto pool = dyn_cast<MaxPoolOp>(op); pool && !readsData(pool))
      return rewriter.notifyMatchFailure(op, "a window may lie beside the data, where floats are -inf");
    DequantizeLinearOp dequantize = plainDequantization(op->getOperand(0));
    auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
    if (!dequantize || !type)
      return rewriter.notifyMatchFailure(op, "does not read what is dequantized");
    Operation *moved = rewriter.clone(*op);
    rewriter.modifyOpInPlace(moved, [&] {
      moved->setOperand(0, dequantize.getX());
      moved->getResult(0).setType(type.clone(getElementTypeOrSelf(dequantize.getX().getType())));
    });
    rewriter.replaceOpWithNewOp<DequantizeLinearOp>(op, type, moved->getResult(0), dequantize.getXScale(),
                                                    dequantize.getXZeroPoint(), dequantize.getAxis(),
                                                    dequantize.getBlockSize(), dequantize.getOutputDtype());
    return success();
  }
};

/// Whether both are constants of the same elements, or both absent.
bool areEqual(Value left, Value right) {
  if (!left || !right)
    return !left && !right;
  ElementsAttr leftValue = getConstant(left), rightValue = getConstant(right);
  SmallVector<char> leftStorage, rightStorage;
  ArrayRef<char> leftBytes, rightBytes;
  return leftValue && rightValue && leftValue.getElementType() == rightValue.getElementType() &&
         getRawBytes(leftValue, leftStorage, leftBytes) && getRawBytes(rightValue, rightStorage, rightBytes) &&
         leftBytes == rightBytes;
}

struct CancelQuantization : OpRewritePattern<QuantizeLinearOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(QuantizeLinearOp op, PatternRewriter &rewriter) const override {
    DequantizeLinearOp dequantize = plainDequantization(op.getX());
    bool isUndone = dequantize && op.getBlockSize() == 0 && dequantize.getX().getType() == op.getY().getType() &&
                    getElementTypeOrSelf(op.getX().getType()).isF32() && op.getPrecision() == 0 &&
                    areEqual(op.getYScale(), dequantize.getXScale()) &&
                    areEqual(op.getYZeroPoint(), dequantize.getXZeroPoint());
    if (!isUndone)
      return rewriter.notifyMatchFailure(op, "does not undo a dequantization");
    rewriter.replaceOp(op, dequantize.getX());
    return success();
  }
};

struct SinkDequantization : impl::SinkDequantizationBase<SinkDequantization> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<SinkBehindMovement, CancelQuantization>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
} // namespace onnx_aot
