//===- OpsetUpgrade.cpp - drives the upgrade tables of the operator families --------------------------------------===//
#include "compiler/import/OpsetUpgrade.h"
#include "llvm/ADT/StringMap.h"
#include <map>

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::onnx;

namespace onnx_aot::onnx {
#define ONNX_FAMILY(Name) llvm::ArrayRef<OpsetUpgrade> get##Name##Upgrades();
#include "dialects/onnx/FamilyUpgrades.inc"
#undef ONNX_FAMILY
} // namespace onnx_aot::onnx

/// The rows of one operator by version, in the order of their table.
using Versions = std::map<int64_t, llvm::SmallVector<const OpsetUpgrade *, 1>>;

static const llvm::StringMap<Versions> &upgradeTable() {
  static const llvm::StringMap<Versions> table = [] {
    llvm::StringMap<Versions> rows;
#define ONNX_FAMILY(Name)                                                                                              \
  for (const OpsetUpgrade &row : get##Name##Upgrades())                                                                \
    rows[row.op][row.version].push_back(&row);
#include "dialects/onnx/FamilyUpgrades.inc"
#undef ONNX_FAMILY
    return rows;
  }();
  return table;
}

bool onnx_aot::hasUpgrade(StringRef op) { return upgradeTable().contains(op); }

LogicalResult onnx_aot::upgradeToNewest(NodeForm &node, int64_t opset) {
  // Each round applies the rows of the next version; a row may rename the node, so the rows are looked up again.
  for (int64_t version = opset;;) {
    auto versions = upgradeTable().find(node.op);
    if (versions == upgradeTable().end())
      return success();
    auto next = versions->second.upper_bound(version);
    if (next == versions->second.end())
      return success();
    version = next->first;
    for (const OpsetUpgrade *row : next->second)
      if (failed(row->apply(node)))
        return failure();
  }
}

//===-- The operators of ai.onnx ----------------------------------------------------------------------------------===//

namespace {
struct Introduction {
  int64_t opset;
  const char *operators;
};
} // namespace

/// By the opset that introduced them, also those that were withdrawn later.
static const Introduction introductions[] = {
    {1,
     "Abs Add And ArgMax ArgMin AveragePool BatchNormalization Cast Ceil Clip Concat Constant Conv ConvTranspose "
     "DepthToSpace Div Dropout Elu Equal Exp Flatten Floor GRU Gather Gemm GlobalAveragePool GlobalLpPool "
     "GlobalMaxPool "
     "Greater HardSigmoid Hardmax Identity If InstanceNormalization LRN LSTM LeakyRelu Less Log LogSoftmax Loop "
     "LpNormalization LpPool MatMul Max MaxPool MaxRoiPool Mean Min Mul Neg Not Or PRelu Pad Pow RNN RandomNormal "
     "RandomNormalLike RandomUniform RandomUniformLike Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp "
     "ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Selu Shape Sigmoid Size Slice "
     "Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Tanh Tile TopK Transpose Unsqueeze Upsample "
     "Xor"},
    {7, "Acos Asin Atan Cos Multinomial Sin Tan"},
    {8, "Expand Scan"},
    {9, "Acosh Asinh Atanh Compress ConstantOfShape Cosh Erf EyeLike IsNaN MaxUnpool MeanVarianceNormalization NonZero "
        "OneHot Scatter Shrink Sign Sinh TfIdfVectorizer Where"},
    {10, "ConvInteger DequantizeLinear IsInf MatMulInteger Mod NonMaxSuppression QLinearConv QLinearMatMul "
         "QuantizeLinear Resize ReverseSequence RoiAlign StringNormalizer ThresholdedRelu"},
    {11, "BitShift ConcatFromSequence CumSum Det DynamicQuantizeLinear GatherElements GatherND Range Round "
         "ScatterElements ScatterND SequenceAt SequenceConstruct SequenceEmpty SequenceErase SequenceInsert "
         "SequenceLength SplitToSequence Unique"},
    {12, "Celu Einsum GreaterOrEqual LessOrEqual NegativeLogLikelihoodLoss SoftmaxCrossEntropyLoss"},
    {14, "HardSwish Trilu"},
    {15, "Bernoulli CastLike Optional OptionalGetElement OptionalHasElement"},
    {16, "GridSample"},
    {17, "BlackmanWindow DFT HammingWindow HannWindow LayerNormalization MelWeightMatrix STFT SequenceMap"},
    {18, "BitwiseAnd BitwiseNot BitwiseOr BitwiseXor CenterCropPad Col2Im GroupNormalization Mish"},
    {19, "DeformConv"},
    {20, "AffineGrid Gelu ImageDecoder RegexFullMatch StringConcat StringSplit"},
    {23, "Attention RMSNormalization RotaryEmbedding"},
    {24, "Swish TensorScatter"},
    {26, "BitCast CumProd"},
    {27, "CausalConvWithState LinearAttention"},
    {28, "SwiGLU"},
};

std::optional<int64_t> onnx_aot::introducedIn(StringRef op) {
  static const llvm::StringMap<int64_t> opsets = [] {
    llvm::StringMap<int64_t> map;
    for (const Introduction &row : introductions) {
      SmallVector<StringRef> names;
      StringRef(row.operators).split(names, ' ');
      for (StringRef name : names)
        map[name] = row.opset;
    }
    return map;
  }();
  auto it = opsets.find(op);
  if (it == opsets.end())
    return std::nullopt;
  return it->second;
}
