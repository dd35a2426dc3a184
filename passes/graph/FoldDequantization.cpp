//===- FoldDequantization.cpp - constants that are stored as integers ---------------------------------------------===//
//
// (x - zero point) * scale of a constant x is a constant: it is computed here, as a run would, rather than in each run.
// Biases and the like always; matrices and kernels (`weights`) where speed counts more than their bytes, of which
// floats take four times as many.
//
//   %w = onnx.DequantizeLinear %constant, %scale, %zero   =>   %w = onnx.Constant
//
// Before: shapes are inferred.  After: of constants only those of rank 2 and more are dequantized by a run, and with
// `weights` none.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/generator/Generator.h"
#include "dialects/onnx/quantization/Quantization.h"
#include "dialects/onnx/support/Constants.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"
#include "passes/graph/Passes.h"

namespace onnx_aot {
#define GEN_PASS_DEF_FOLDDEQUANTIZATION
#include "passes/graph/Passes.h.inc"

using namespace mlir;
using namespace onnx;

namespace {
struct FoldDequantizeLinear : OpRewritePattern<DequantizeLinearOp> {
  FoldDequantizeLinear(MLIRContext *context, bool weights) : OpRewritePattern(context), weights(weights) {}

  LogicalResult matchAndRewrite(DequantizeLinearOp op, PatternRewriter &rewriter) const override {
    auto type = dyn_cast<RankedTensorType>(op.getX().getType());
    auto result = dyn_cast<RankedTensorType>(op.getY().getType());
    if (!type || !type.hasStaticShape() || !result || !result.getElementType().isF32() || op.getBlockSize() != 0 ||
        (type.getRank() > 1 && !weights))
      return rewriter.notifyMatchFailure(op, "not to be computed here");
    auto scaleType = dyn_cast<RankedTensorType>(op.getXScale().getType());
    std::optional<SmallVector<int64_t>> values = getIntegerElements(op.getX());
    std::optional<SmallVector<double>> scales = getConstantFloats(op.getXScale());
    std::optional<SmallVector<int64_t>> zeros =
        op.getXZeroPoint() ? getIntegerElements(op.getXZeroPoint()) : SmallVector<int64_t>(1, 0);
    if (!values || !scales || !zeros || !scaleType.getElementType().isF32())
      return rewriter.notifyMatchFailure(op, "an operand is not constant");
    int64_t axis = op.getAxis() < 0 ? op.getAxis() + type.getRank() : op.getAxis(), channels = 1, inner = 1;
    if (scales->size() > 1 || zeros->size() > 1) {
      if (axis >= type.getRank())
        return rewriter.notifyMatchFailure(op, "there is no such axis");
      channels = type.getDimSize(axis);
      for (int64_t extent : type.getShape().drop_front(axis + 1))
        inner *= extent;
    }
    auto fits = [&](size_t count) { return count == 1 || int64_t(count) == channels; };
    if (!fits(scales->size()) || !fits(zeros->size()))
      return rewriter.notifyMatchFailure(op, "the scale does not fit");
    SmallVector<float> floats;
    for (auto [index, value] : llvm::enumerate(*values)) {
      int64_t channel = index / inner % channels;
      auto difference = int32_t(value - (*zeros)[zeros->size() == 1 ? 0 : channel]);
      floats.push_back(float(difference) * float((*scales)[scales->size() == 1 ? 0 : channel]));
    }
    rewriter.replaceOpWithNewOp<ConstantOp>(op, result, makeConstantOf(result, ArrayRef(floats), "dequantized"));
    return success();
  }

  bool weights;
};

struct FoldDequantization : impl::FoldDequantizationBase<FoldDequantization> {
  using FoldDequantizationBase::FoldDequantizationBase;
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FoldDequantizeLinear>(&getContext(), weights);
    walkAndApplyPatterns(getOperation(), std::move(patterns));
  }
};
} // namespace
} // namespace onnx_aot
