//===- FoldBatchNormalization.cpp - batch normalisation with constant statistics ----------------------------------===//
//
// In inference BatchNormalization is y = x * factor + shift per channel, with
//   factor = scale / sqrt(var + epsilon), shift = B - mean * factor.
// Where these are constant it vanishes:
//   1. after a Conv, ConvTranspose or Gemm with constant weights and no other reader, factor goes into the weights and
//      shift into the bias;
//   2. elsewhere it becomes one Mul and one Add, which are fused into their surroundings later.
// All is computed in double precision and rounded once.
//
// Before: BatchNormalization with any operands.  After: only those with statistics that are not constant.
//
//   %c = onnx.Conv %x, %w                                 =>  %y = onnx.Conv %x, %w', %b'
//   %y = onnx.BatchNormalization %c, %s, %b, %m, %v
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/convolution/Convolution.h"
#include "dialects/onnx/elementwise/Elementwise.h"
#include "dialects/onnx/generator/Generator.h"
#include "dialects/onnx/matmul/Matmul.h"
#include "dialects/onnx/normalization/Normalization.h"
#include "dialects/onnx/support/Constants.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Pass/Pass.h"
#include <cmath>

namespace onnx_aot {
#define GEN_PASS_DEF_FOLDBATCHNORMALIZATION
#include "passes/graph/Passes.h.inc"

using namespace mlir;
using namespace onnx;

namespace {
/// y = x * factor + shift, one entry per channel.
struct Affine {
  SmallVector<double> factor, shift;
};

std::optional<Affine> getAffine(BatchNormalizationOp op) {
  std::optional<SmallVector<double>> scale = getConstantFloats(op.getScale()), bias = getConstantFloats(op.getB());
  std::optional<SmallVector<double>> mean = getConstantFloats(op.getInputMean());
  std::optional<SmallVector<double>> variance = getConstantFloats(op.getInputVar());
  if (!scale || !bias || !mean || !variance || op.getTrainingMode() || bias->size() != scale->size() ||
      mean->size() != scale->size() || variance->size() != scale->size())
    return std::nullopt;
  double epsilon = op.getEpsilon().convertToDouble();
  Affine affine;
  for (size_t channel = 0; channel < scale->size(); ++channel) {
    double factor = (*scale)[channel] / std::sqrt((*variance)[channel] + epsilon);
    affine.factor.push_back(factor);
    affine.shift.push_back((*bias)[channel] - (*mean)[channel] * factor);
  }
  return affine;
}

/// onnx.Constant of `values`, rounded to `element`.
Value makeFloats(OpBuilder &builder, Location loc, ArrayRef<int64_t> shape, Type element, ArrayRef<double> values,
                 StringRef hint) {
  const llvm::fltSemantics &semantics = cast<FloatType>(element).getFloatSemantics();
  int64_t size = bytesPerElement(element);
  SmallVector<char> bytes(values.size() * size);
  for (auto [index, value] : llvm::enumerate(values)) {
    APFloat number(value);
    bool lost;
    number.convert(semantics, APFloat::rmNearestTiesToEven, &lost);
    uint64_t bits = number.bitcastToAPInt().getZExtValue();
    std::memcpy(bytes.data() + index * size, &bits, size);
  }
  auto type = RankedTensorType::get(shape, element);
  return ConstantOp::create(builder, loc, type, makeConstant(type, bytes, hint));
}

/// Multiplies each weight by the factor of its output channel, which `channelOf` gives for a flat index.
Value scaleWeights(OpBuilder &builder, Value weights, ArrayRef<double> factor, StringRef hint,
                   llvm::function_ref<int64_t(int64_t)> channelOf) {
  SmallVector<double> values = *getConstantFloats(weights);
  for (auto [index, value] : llvm::enumerate(values))
    value *= factor[channelOf(index)];
  auto type = cast<RankedTensorType>(weights.getType());
  return makeFloats(builder, weights.getLoc(), type.getShape(), type.getElementType(), values, hint);
}

/// bias * scale * factor + shift, with a bias of one element, of one per channel, or none.
std::optional<SmallVector<double>> foldBias(Value bias, double scale, const Affine &affine) {
  SmallVector<double> values = affine.shift;
  if (!bias)
    return values;
  std::optional<SmallVector<double>> given = getConstantFloats(bias);
  if (!given || (given->size() != 1 && given->size() != values.size()))
    return std::nullopt;
  for (auto [index, value] : llvm::enumerate(values))
    value += (*given)[given->size() == 1 ? 0 : index] * scale * affine.factor[index];
  return values;
}

bool isConstantTensor(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.hasStaticShape() && getConstantFloats(value).has_value();
}

/// Conv and ConvTranspose, whose output channels lie differently in the weights.
template <typename ConvTy> struct FoldIntoConvolution : OpRewritePattern<BatchNormalizationOp> {
  using OpRewritePattern<BatchNormalizationOp>::OpRewritePattern;
  LogicalResult matchAndRewrite(BatchNormalizationOp op, PatternRewriter &rewriter) const override {
    auto conv = op.getX().template getDefiningOp<ConvTy>();
    if (!conv || !conv->hasOneUse() || op->getNumResults() != 1)
      return rewriter.notifyMatchFailure(op, "does not follow a convolution alone");
    std::optional<Affine> affine = getAffine(op);
    if (!affine || !isConstantTensor(conv.getW()))
      return rewriter.notifyMatchFailure(op, "statistics or weights are not constant");
    ArrayRef<int64_t> shape = cast<RankedTensorType>(conv.getW().getType()).getShape();
    constexpr bool isTransposed = std::is_same_v<ConvTy, ConvTransposeOp>;
    int64_t group = conv.getGroup(), taps = ShapedType::getNumElements(shape.drop_front(2));
    int64_t channels = isTransposed ? shape[1] * group : shape[0];
    std::optional<SmallVector<double>> bias = foldBias(conv.getB(), 1.0, *affine);
    if (!bias || int64_t(affine->factor.size()) != channels)
      return rewriter.notifyMatchFailure(op, "the bias is not constant");
    int64_t inputsPerGroup = isTransposed ? std::max<int64_t>(shape[0] / group, 1) : 1;
    Value weights = scaleWeights(rewriter, conv.getW(), affine->factor, "normalized_weights", [&](int64_t index) {
      int64_t row = index / (shape[1] * taps);
      return isTransposed ? row / inputsPerGroup * shape[1] + index / taps % shape[1] : row;
    });
    Type element = cast<RankedTensorType>(conv.getW().getType()).getElementType();
    Value shift = makeFloats(rewriter, op.getLoc(), {channels}, element, *bias, "normalized_bias");
    auto folded = cast<ConvTy>(rewriter.clone(*conv));
    folded.getWMutable().assign(weights);
    folded.getBMutable().assign(shift);
    folded.getResult().setType(op.getY().getType());
    rewriter.replaceOp(op, folded->getResults());
    rewriter.eraseOp(conv);
    return success();
  }
};

struct FoldIntoGemm : OpRewritePattern<BatchNormalizationOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(BatchNormalizationOp op, PatternRewriter &rewriter) const override {
    auto gemm = op.getX().getDefiningOp<GemmOp>();
    if (!gemm || !gemm->hasOneUse() || op->getNumResults() != 1)
      return rewriter.notifyMatchFailure(op, "does not follow a Gemm alone");
    std::optional<Affine> affine = getAffine(op);
    if (!affine || !isConstantTensor(gemm.getB()))
      return rewriter.notifyMatchFailure(op, "statistics or weights are not constant");
    ArrayRef<int64_t> shape = cast<RankedTensorType>(gemm.getB().getType()).getShape();
    int64_t channels = affine->factor.size();
    if (shape.size() != 2 || shape[gemm.getTransB() ? 0 : 1] != channels)
      return rewriter.notifyMatchFailure(op, "the weights have another number of channels");
    // Of a matrix C only a row can be folded.
    auto addend = gemm.getC() ? dyn_cast<RankedTensorType>(gemm.getC().getType()) : RankedTensorType();
    if (gemm.getC() && (!addend || !addend.hasStaticShape() || (addend.getRank() == 2 && addend.getDimSize(0) != 1)))
      return rewriter.notifyMatchFailure(op, "C differs from row to row");
    std::optional<SmallVector<double>> bias = foldBias(gemm.getC(), gemm.getBeta().convertToDouble(), *affine);
    if (!bias)
      return rewriter.notifyMatchFailure(op, "C is not constant");
    Value weights = scaleWeights(rewriter, gemm.getB(), affine->factor, "normalized_weights",
                                 [&](int64_t index) { return gemm.getTransB() ? index / shape[1] : index % shape[1]; });
    Type element = cast<RankedTensorType>(gemm.getB().getType()).getElementType();
    Value shift = makeFloats(rewriter, op.getLoc(), {channels}, element, *bias, "normalized_bias");
    auto folded = cast<GemmOp>(rewriter.clone(*gemm));
    folded.getBMutable().assign(weights);
    folded.getCMutable().assign(shift);
    folded.setBeta(APFloat(1.0f));
    folded.getResult().setType(op.getY().getType());
    rewriter.replaceOp(op, folded->getResults());
    rewriter.eraseOp(gemm);
    return success();
  }
};

struct ExpandToMulAdd : OpRewritePattern<BatchNormalizationOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(BatchNormalizationOp op, PatternRewriter &rewriter) const override {
    auto type = dyn_cast<RankedTensorType>(op.getX().getType());
    std::optional<Affine> affine = getAffine(op);
    if (!affine || !type || op->getNumResults() != 1)
      return rewriter.notifyMatchFailure(op, "the rank is not known or the statistics are not constant");
    // [C, 1, ... 1] broadcasts over axis 1.
    SmallVector<int64_t> shape(std::max<int64_t>(type.getRank() - 1, 1), 1);
    shape[0] = affine->factor.size();
    auto constant = [&](ArrayRef<double> values, StringRef hint) {
      return makeFloats(rewriter, op.getLoc(), shape, type.getElementType(), values, hint);
    };
    Type result = op.getY().getType();
    Value product = MulOp::create(rewriter, op.getLoc(), result, op.getX(), constant(affine->factor, "factor"));
    rewriter.replaceOpWithNewOp<AddOp>(op, result, product, constant(affine->shift, "shift"));
    return success();
  }
};

struct FoldBatchNormalization : impl::FoldBatchNormalizationBase<FoldBatchNormalization> {
  void runOnOperation() override {
    // One walk in order: a normalisation is folded before its readers are looked at.
    FoldIntoConvolution<ConvOp> conv(&getContext());
    FoldIntoConvolution<ConvTransposeOp> transposed(&getContext());
    FoldIntoGemm gemm(&getContext());
    ExpandToMulAdd expand(&getContext());
    SmallVector<BatchNormalizationOp> ops;
    getOperation().walk([&](BatchNormalizationOp op) { ops.push_back(op); });
    for (BatchNormalizationOp op : ops)
      rewrite(op, &getContext(), {&conv, &transposed, &gemm, &expand});
  }

  /// Applies the first pattern that matches.
  static void rewrite(BatchNormalizationOp op, MLIRContext *context,
                      ArrayRef<const OpRewritePattern<BatchNormalizationOp> *> patterns) {
    for (const OpRewritePattern<BatchNormalizationOp> *pattern : patterns) {
      PatternRewriter rewriter(context);
      rewriter.setInsertionPoint(op);
      if (succeeded(pattern->matchAndRewrite(op, rewriter)))
        return;
    }
  }
};
} // namespace
} // namespace onnx_aot
