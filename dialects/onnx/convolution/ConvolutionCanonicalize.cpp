//===- ConvolutionCanonicalize.cpp - canonical forms of the convolutions ------------------------------------------===//
//
// FoldPadIntoConv: zeros that a Pad puts around the spatial dims become padding of the convolution that reads them.
//
//   %p = onnx.Pad %x, dense<[0, 0, 1, 1, 0, 0, 1, 1]>
//   %y = onnx.Conv %p, %w {pads = [0, 0, 0, 0]}          =>  %y = onnx.Conv %x, %w {pads = [1, 1, 1, 1]}
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/convolution/Convolution.h"
#include "dialects/onnx/movement/Movement.h"
#include "dialects/onnx/support/Axes.h"
#include "dialects/onnx/support/Constants.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace onnx_aot::onnx;

namespace {
struct FoldPadIntoConv : OpRewritePattern<ConvOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ConvOp conv, PatternRewriter &rewriter) const override {
    auto pad = conv.getX().getDefiningOp<PadOp>();
    auto type = dyn_cast<RankedTensorType>(conv.getX().getType());
    if (!pad || !type)
      return rewriter.notifyMatchFailure(conv, "does not read a Pad of known rank");
    if (pad.getMode() != "constant" || !isZero(pad.getConstantValue()))
      return rewriter.notifyMatchFailure(conv, "the Pad does not add zeros");
    StringRef autoPad = conv.getAutoPad();
    if (autoPad != "NOTSET" && autoPad != "VALID")
      return rewriter.notifyMatchFailure(conv, "its padding depends on the extent of its input");

    int64_t rank = type.getRank(), spatial = rank - 2;
    std::optional<SmallVector<int64_t>> amounts = getConstantIntegers(pad.getPads());
    SmallVector<int64_t> axes;
    for (int64_t axis = 0; axis < rank; ++axis)
      axes.push_back(axis);
    if (pad.getAxes()) {
      std::optional<SmallVector<int64_t>> given = getConstantIntegers(pad.getAxes());
      if (!given)
        return rewriter.notifyMatchFailure(conv, "the axes of the Pad are not constant");
      axes = *given;
    }
    if (!amounts || amounts->size() != 2 * axes.size())
      return rewriter.notifyMatchFailure(conv, "the amounts of the Pad are not constant");

    SmallVector<int64_t> pads(2 * spatial, 0);
    if (autoPad == "NOTSET" && conv.getPads() && conv.getPads()->size() == pads.size())
      pads.assign(conv.getPads()->begin(), conv.getPads()->end());
    for (auto [index, axis] : llvm::enumerate(axes)) {
      int64_t low = (*amounts)[index], high = (*amounts)[axes.size() + index];
      int64_t dim = wrapAxis(axis, rank) - 2;
      if (low == 0 && high == 0)
        continue;
      if (dim < 0 || dim >= spatial || low < 0 || high < 0)
        return rewriter.notifyMatchFailure(conv, "the Pad crops or adds outside of the spatial dims");
      pads[dim] += low;
      pads[spatial + dim] += high;
    }
    rewriter.modifyOpInPlace(conv, [&] {
      conv.getXMutable().assign(pad.getData());
      conv.setAutoPad("NOTSET");
      conv.setPads(pads);
    });
    return success();
  }

  /// An absent value is zero.
  static bool isZero(Value value) {
    if (!value)
      return true;
    std::optional<SmallVector<double>> values = getConstantFloats(value);
    return values && values->size() == 1 && values->front() == 0;
  }
};
} // namespace

void ConvOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<FoldPadIntoConv>(context);
}
