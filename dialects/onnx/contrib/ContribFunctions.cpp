//===- ContribFunctions.cpp - ONNX Runtime's operators as graphs: activations, products, normalisations -----------===//
#include "dialects/onnx/contrib/Contrib.h"
#include "dialects/onnx/contrib/Expansions.h"
#include "dialects/onnx/support/Axes.h"

using namespace mlir;
using namespace onnx_aot::onnx;

//===-- Activations -----------------------------------------------------------------------------------------------===//

static LogicalResult expandGelu(Operation *op, FunctionBuilder &f, SmallVectorImpl<Value> &results) {
  bool isFast = isa<MsFastGeluOp>(op);
  Value x = op->getOperand(0);
  if (op->getNumOperands() > 1)
    x = f.add(x, op->getOperand(1));
  results.push_back(f.op("Gelu", {x}, {f.text("approximate", isFast ? "tanh" : "none")}));
  return success();
}

static LogicalResult expandQuickGelu(Operation *op, FunctionBuilder &f, SmallVectorImpl<Value> &results) {
  auto gelu = cast<MsQuickGeluOp>(op);
  results.push_back(f.op("Swish", {gelu.getX()}, {f.real("alpha", gelu.getAlpha().convertToDouble())}));
  return success();
}

/// Softmax over all axes from `axis` on, as it was before opset 13.
static Value flatSoftmax(FunctionBuilder &f, Value x, int64_t axis, int64_t rank) {
  if (axis == rank - 1)
    return f.op("Softmax", {x}, {f.integer("axis", -1)});
  Value flat = f.op("Flatten", {x}, {f.integer("axis", axis)});
  return f.reshape(f.op("Softmax", {flat}, {f.integer("axis", -1)}), f.op("Shape", {x}));
}

static LogicalResult expandBiasSoftmax(Operation *op, FunctionBuilder &f, SmallVectorImpl<Value> &results) {
  auto softmax = cast<MsBiasSoftmaxOp>(op);
  std::optional<int64_t> rank = rankOf(softmax.getData()), biasRank = rankOf(softmax.getBias());
  if (!rank || !biasRank)
    return success();
  int64_t axis = wrapAxis(softmax.getAxis(), *rank);
  if (axis < 0 || axis >= *rank)
    return op->emitOpError("axis ") << softmax.getAxis() << " is outside a tensor of rank " << *rank;
  if (!softmax.getIsInnerBroadcast() && *biasRank != *rank)
    return op->emitError("unsupported: a bias of another rank than the data that is repeated along outer axes");
  results.push_back(flatSoftmax(f, f.add(softmax.getData(), softmax.getBias()), axis, *rank));
  return success();
}

static LogicalResult expandBiasDropout(Operation *op, FunctionBuilder &f, SmallVectorImpl<Value> &results) {
  auto dropout = cast<MsBiasDropoutOp>(op);
  SmallVector<NamedAttribute> seed;
  f.copy(op, "seed", seed);
  results =
      f.ops("Dropout", {f.add(dropout.getData(), dropout.getBias()), dropout.getRatio(), dropout.getTrainingMode()},
            seed, op->getNumResults());
  if (dropout.getResidual())
    results[0] = f.add(results[0], dropout.getResidual());
  return success();
}

//===-- Products --------------------------------------------------------------------------------------------------===//

static LogicalResult expandFusedMatMul(Operation *op, FunctionBuilder &f, SmallVectorImpl<Value> &results) {
  auto flag = [&](StringRef name) {
    auto attribute = op->getAttrOfType<IntegerAttr>(name);
    return attribute && attribute.getInt() != 0;
  };
  Value operands[2] = {op->getOperand(0), op->getOperand(1)};
  StringRef suffixes[2] = {"A", "B"};
  for (auto [operand, suffix] : llvm::zip(operands, suffixes)) {
    bool swaps = flag(("trans" + suffix).str()), movesBatch = flag(("transBatch" + suffix).str());
    if (!swaps && !movesBatch)
      continue;
    std::optional<int64_t> rank = rankOf(operand);
    if (!rank)
      return success();
    if (*rank < 2)
      continue; // a vector stays one
    SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, *rank));
    // (m, batch..., k) -> (batch..., m, k)
    if (movesBatch)
      std::rotate(order.begin(), order.begin() + 1, order.end() - 1);
    if (swaps)
      std::swap(order[*rank - 1], order[*rank - 2]);
    operand = f.transpose(operand, order);
  }
  Value product = f.matmul(operands[0], operands[1]);
  double alpha = op->getAttrOfType<FloatAttr>("alpha").getValueAsDouble();
  results.push_back(alpha == 1 ? product : f.mul(product, f.like(alpha, product)));
  return success();
}

/// The activation that a fused operator names; null (and no value) for an unknown one.
static FailureOr<Value> activate(Operation *op, FunctionBuilder &f, Value x, StringRef name, ArrayRef<double> values) {
  if (name.empty())
    return x;
  auto at = [&](size_t index, double absent) { return index < values.size() ? values[index] : absent; };
  if (llvm::is_contained({"Relu", "Tanh", "Sigmoid", "Softplus", "Softsign"}, name))
    return f.op(name, {x});
  if (name == "LeakyRelu" || name == "Elu" || name == "ThresholdedRelu")
    return f.op(name, {x}, {f.real("alpha", at(0, name == "LeakyRelu" ? 0.01 : 1))});
  if (name == "HardSigmoid")
    return f.op(name, {x}, {f.real("alpha", at(0, 0.2)), f.real("beta", at(1, 0.5))});
  if (name == "Clip")
    return f.op(name, {x, f.like(at(0, std::numeric_limits<float>::lowest()), x),
                       f.like(at(1, std::numeric_limits<float>::max()), x)});
  return op->emitError("unsupported: the activation \"")
         << name << "\"; supported are Relu, LeakyRelu, Elu, ThresholdedRelu, Tanh, Sigmoid, HardSigmoid, Softplus, "
         << "Softsign and Clip";
}

static LogicalResult expandFusedGemm(Operation *op, FunctionBuilder &f, SmallVectorImpl<Value> &results) {
  auto gemm = cast<MsFusedGemmOp>(op);
  SmallVector<NamedAttribute> attributes;
  for (StringRef name : {"alpha", "beta", "transA", "transB"})
    f.copy(op, name, attributes);
  Value product = f.op("Gemm", {gemm.getA(), gemm.getB(), gemm.getC()}, attributes);
  double values[] = {gemm.getActivationAlpha().convertToDouble(), gemm.getActivationBeta().convertToDouble()};
  FailureOr<Value> result = activate(op, f, product, gemm.getActivation(), values);
  if (failed(result))
    return failure();
  results.push_back(*result);
  return success();
}

static LogicalResult expandFusedConv(Operation *op, FunctionBuilder &f, SmallVectorImpl<Value> &results) {
  auto conv = cast<MsFusedConvOp>(op);
  SmallVector<NamedAttribute> attributes;
  for (StringRef name : {"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"})
    f.copy(op, name, attributes);
  Value sum = f.op("Conv", {conv.getX(), conv.getW(), conv.getB()}, attributes);
  if (conv.getZ())
    sum = f.add(sum, conv.getZ());
  SmallVector<double> values;
  if (conv.getActivationParams())
    values.assign(conv.getActivationParams()->begin(), conv.getActivationParams()->end());
  FailureOr<Value> result = activate(op, f, sum, conv.getActivation(), values);
  if (failed(result))
    return failure();
  results.push_back(*result);
  return success();
}

//===-- Normalisations --------------------------------------------------------------------------------------------===//

/// Results of a normalisation of `sum` by the formal outputs (output, mean, inv_std_var, sum) that are there.
static LogicalResult normalizeSum(Operation *op, FunctionBuilder &f, Value sum, Value gamma, Value beta, double epsilon,
                                  ArrayRef<Value> wanted, SmallVectorImpl<Value> &results) {
  bool isSimplified = isa<MsSkipSimplifiedLayerNormalizationOp>(op);
  SmallVector<NamedAttribute> attributes = {f.integer("axis", -1), f.real("epsilon", epsilon)};
  if (isSimplified && (wanted[1] || wanted[2]))
    return op->emitError("unsupported: the outputs mean and inv_std_var, which ONNX Runtime leaves undefined");
  bool hasStatistics = wanted[1] || wanted[2];
  SmallVector<Value> made = isSimplified
                                ? f.ops("RMSNormalization", {sum, gamma}, attributes, 1)
                                : f.ops("LayerNormalization", {sum, gamma, beta}, attributes, hasStatistics ? 3 : 1);
  made.resize(3);
  made.push_back(sum);
  for (auto [present, value] : llvm::zip(wanted, made))
    if (present)
      results.push_back(value);
  return success();
}

template <typename OpTy>
static LogicalResult expandSkipNormalization(Operation *op, FunctionBuilder &f, SmallVectorImpl<Value> &results) {
  auto skip = cast<OpTy>(op);
  Value sum = f.add(skip.getInput(), skip.getSkip()), beta;
  if (skip.getBias())
    sum = f.add(sum, skip.getBias());
  if constexpr (std::is_same_v<OpTy, MsSkipLayerNormalizationOp>)
    beta = skip.getBeta();
  return normalizeSum(op, f, sum, skip.getGamma(), beta, skip.getEpsilon().convertToDouble(),
                      {skip.getOutput(), skip.getMean(), skip.getInvStdVar(), skip.getInputSkipBiasSum()}, results);
}

static LogicalResult expandSimplified(Operation *op, FunctionBuilder &f, SmallVectorImpl<Value> &results) {
  auto norm = cast<SimplifiedLayerNormalizationOp>(op);
  SmallVector<NamedAttribute> attributes;
  for (StringRef name : {"axis", "epsilon", "stash_type"})
    f.copy(op, name, attributes);
  results.push_back(f.op("RMSNormalization", {norm.getX(), norm.getScale()}, attributes));
  if (!norm.getInvStdVar())
    return success();
  std::optional<int64_t> rank = rankOf(norm.getX());
  if (!rank) {
    results.clear();
    return success();
  }
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(wrapAxis(norm.getAxis(), *rank), *rank));
  Value wide = f.cast(norm.getX(), f.builder.getF32Type());
  Value mean = f.reduce("ReduceMean", f.mul(wide, wide), axes, true);
  Value shifted = f.add(mean, f.like(norm.getEpsilon().convertToDouble(), mean));
  results.push_back(f.op("Reciprocal", {f.op("Sqrt", {shifted})}));
  return success();
}

static LogicalResult expandEmbedding(Operation *op, FunctionBuilder &f, SmallVectorImpl<Value> &results) {
  auto embed = cast<MsEmbedLayerNormalizationOp>(op);
  std::optional<int64_t> rank = rankOf(embed.getInputIds());
  if (!rank || !rankOf(embed.getPositionEmbedding()))
    return success();
  if (*rank != 2)
    return op->emitOpError("input_ids must have rank 2, not ") << *rank;
  auto row = [&](Value table, Value indices) { return f.op("Gather", {table, indices}, {f.integer("axis", 0)}); };
  Value sum = row(embed.getWordEmbedding(), embed.getInputIds());
  // Without position_ids the positions are 0, 1, ...: the first rows of the table.
  Value positions;
  if (embed.getPositionIds())
    positions = row(embed.getPositionEmbedding(), embed.getPositionIds());
  else
    positions = f.op("Slice", {embed.getPositionEmbedding(), f.list(int64_t(0)), f.extents(embed.getInputIds(), 1, 2),
                               f.list(int64_t(0))});
  sum = f.add(sum, positions);
  if (embed.getSegmentEmbedding() && embed.getSegmentIds())
    sum = f.add(sum, row(embed.getSegmentEmbedding(), embed.getSegmentIds()));
  results.push_back(f.op("LayerNormalization", {sum, embed.getGamma(), embed.getBeta()},
                         {f.integer("axis", -1), f.real("epsilon", embed.getEpsilon().convertToDouble())}));
  if (embed.getMaskIndex()) {
    // The number of words of each sentence; 0 where there is no mask.
    Type i32 = f.builder.getI32Type();
    Value counts;
    if (embed.getMask() && embed.getMaskIndexType() == 0)
      return op->emitError("unsupported: the output mask_index with mask_index_type 0");
    if (embed.getMask())
      counts = f.cast(f.reduce("ReduceSum", f.cast(embed.getMask(), i32), {1}, false), i32);
    else
      counts = f.op("Expand", {f.number(0, i32), f.extents(embed.getInputIds(), 0, 1)});
    results.push_back(counts);
  }
  if (embed.getEmbeddingSum())
    results.push_back(sum);
  return success();
}

namespace onnx_aot::onnx {
ArrayRef<FunctionRow> getContribFunctions() {
  static const SmallVector<FunctionRow> table = [] {
    SmallVector<FunctionRow> rows = {
        {"SimplifiedLayerNormalization", expandSimplified},
        {"com_microsoft.BiasDropout", expandBiasDropout},
        {"com_microsoft.BiasGelu", expandGelu},
        {"com_microsoft.BiasSoftmax", expandBiasSoftmax},
        {"com_microsoft.EmbedLayerNormalization", expandEmbedding},
        {"com_microsoft.FastGelu", expandGelu},
        {"com_microsoft.FusedConv", expandFusedConv},
        {"com_microsoft.FusedGemm", expandFusedGemm},
        {"com_microsoft.FusedMatMul", expandFusedMatMul},
        {"com_microsoft.Gelu", expandGelu},
        {"com_microsoft.QuickGelu", expandQuickGelu},
        {"com_microsoft.SkipLayerNormalization", expandSkipNormalization<MsSkipLayerNormalizationOp>},
        {"com_microsoft.SkipSimplifiedLayerNormalization",
         expandSkipNormalization<MsSkipSimplifiedLayerNormalizationOp>},
        {"com_microsoft.TransposeMatMul", expandFusedMatMul},
    };
    llvm::append_range(rows, getQuantizedContribFunctions());
    llvm::append_range(rows, getAttentionContribFunctions());
    return rows;
  }();
  return table;
}
} // namespace onnx_aot::onnx
