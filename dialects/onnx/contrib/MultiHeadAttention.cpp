//===- MultiHeadAttention.cpp - ONNX Runtime's attention operators as graphs --------------------------------------===//
//
// Both bring queries, keys and values into the layout batch x heads x positions x head size, put the cached keys and
// values in front, and turn all masks into one that is added to the scores:
//
//   mask = attention_bias + (is kept ? 0 : mask_filter_value)
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/contrib/Contrib.h"
#include "dialects/onnx/contrib/Expansions.h"

using namespace mlir;
using namespace onnx_aot::onnx;

namespace {
/// One attention: everything batch x heads x positions x head size.
struct Heads {
  FunctionBuilder &f;
  Value q, k, v;
  Value kept; // bool, broadcasts to the scores; null: all are
  Value bias; // added to the scores; null: none

  void keep(Value mask) { kept = kept ? f.op("And", {kept, mask}) : mask; }

  /// Queries see the positions up to their own; the last query stands at the last position.
  void keepPast() {
    Value shape = f.concat({f.extents(q, 2, 3), f.extents(k, 2, 3)}, 0);
    Value ones = f.op("Expand", {f.number(1, f.builder.getI32Type()), shape});
    Value offset = f.squeeze(f.sub(f.extents(k, 2, 3), f.extents(q, 2, 3)), {0});
    keep(f.cast(f.op("Trilu", {ones, offset}, {f.integer("upper", 0)}), f.builder.getI1Type()));
  }

  /// `mask` [batch, positions] of integers (1: kept), or [batch] of lengths, or [batch, queries, positions].
  LogicalResult keepWords(Operation *op, Value mask) {
    std::optional<int64_t> rank = rankOf(mask);
    Value zero = f.like(0, mask);
    if (*rank == 1) {
      auto lengths = cast<RankedTensorType>(mask.getType()), queries = cast<RankedTensorType>(q.getType());
      // Where only the run knows, it does not let another number pass.
      bool isKnown = !lengths.isDynamicDim(0) && !queries.isDynamicDim(0);
      if (isKnown && lengths.getDimSize(0) != queries.getDimSize(0))
        return op->emitError("unsupported: a mask of rank 1 that is not one length for each entry of the batch");
      Type i64 = f.builder.getI64Type();
      Value count = f.squeeze(f.extents(k, 2, 3), {0});
      Value positions = f.op("Range", {f.number(0, i64), count, f.number(1, i64)});
      keep(f.op("Less", {positions, f.unsqueeze(f.cast(mask, i64), {1, 2, 3})}));
    } else if (*rank == 2) {
      keep(f.op("Greater", {f.unsqueeze(mask, {1, 2}), zero}));
    } else if (*rank == 3) {
      keep(f.op("Greater", {f.unsqueeze(mask, {1}), zero}));
    } else {
      return op->emitError("unsupported: a mask of rank ") << *rank << "; ranks 1, 2 and 3 are supported";
    }
    return success();
  }

  /// batch x positions x (heads * head size)
  Value attend(std::optional<APFloat> scale, std::optional<APFloat> filter) {
    Value mask = bias;
    if (kept) {
      Value low = f.like(filter ? filter->convertToDouble() : -10000.0, q);
      Value added = f.op("Where", {kept, f.like(0, q), low});
      mask = mask ? f.add(mask, added) : added;
    }
    SmallVector<NamedAttribute> attributes;
    if (scale && !scale->isZero())
      attributes.push_back(f.real("scale", scale->convertToDouble()));
    Value y = f.op("Attention", {q, k, v, mask}, attributes);
    return f.reshape(f.transpose(y, {0, 2, 1, 3}), {0, 0, -1});
  }
};
} // namespace

/// batch x positions x (heads * size) -> batch x heads x positions x size
static Value splitHeads(FunctionBuilder &f, Value x, int64_t heads) {
  return f.transpose(f.reshape(x, {0, 0, heads, -1}), {0, 2, 1, 3});
}

static LogicalResult expandAttention(Operation *op, FunctionBuilder &f, SmallVectorImpl<Value> &results) {
  auto attention = cast<MsAttentionOp>(op);
  auto weights = dyn_cast<RankedTensorType>(attention.getWeights().getType());
  Value mask = attention.getMaskIndex();
  if (!weights || !rankOf(attention.getInput()) || (mask && !rankOf(mask)))
    return success();
  if (attention.getDoRotary() || attention.getPastPresentShareBuffer() || attention.getPastSequenceLength())
    return op->emitError("unsupported: rotary embedding and shared buffers in com.microsoft.Attention");
  if (weights.getRank() != 2 || attention.getNumHeads() < 1)
    return op->emitOpError("needs weights of rank 2 and num_heads of at least 1");
  SmallVector<int64_t> sizes;
  if (attention.getQkvHiddenSizes())
    sizes.assign(attention.getQkvHiddenSizes()->begin(), attention.getQkvHiddenSizes()->end());
  if (sizes.empty() && !weights.isDynamicDim(1))
    sizes.assign(3, weights.getDimSize(1) / 3);
  bool isDivided =
      sizes.empty() ||
      (sizes.size() == 3 && (weights.isDynamicDim(1) || sizes[0] + sizes[1] + sizes[2] == weights.getDimSize(1)));
  if (!isDivided)
    return op->emitOpError("the weights' columns are not those of qkv_hidden_sizes");
  Value all = f.matmul(attention.getInput(), attention.getWeights());
  if (attention.getBias())
    all = f.add(all, attention.getBias());
  int64_t heads = attention.getNumHeads();
  SmallVector<Value> parts = sizes.empty()
                                 ? f.ops("Split", {all}, {f.integer("axis", 2), f.integer("num_outputs", 3)}, 3)
                                 : f.ops("Split", {all, f.list(sizes)}, {f.integer("axis", 2)}, 3);
  if (f.hasFailed())
    return failure();
  Heads h{f,       splitHeads(f, parts[0], heads), splitHeads(f, parts[1], heads), splitHeads(f, parts[2], heads),
          Value(), attention.getAttentionBias()};
  if (Value past = attention.getPast()) {
    auto part = [&](int64_t index) { return f.squeeze(f.slice(past, 0, index, index + 1), {0}); };
    h.k = f.concat({part(0), h.k}, 2);
    h.v = f.concat({part(1), h.v}, 2);
  }
  if (f.hasFailed() || (mask && failed(h.keepWords(op, mask))))
    return failure();
  if (attention.getUnidirectional())
    h.keepPast();
  results.push_back(h.attend(attention.getScale(), attention.getMaskFilterValue()));
  if (attention.getPresent())
    results.push_back(f.concat({f.unsqueeze(h.k, {0}), f.unsqueeze(h.v, {0})}, 0));
  return success();
}

static LogicalResult expandMultiHead(Operation *op, FunctionBuilder &f, SmallVectorImpl<Value> &results) {
  auto attention = cast<MsMultiHeadAttentionOp>(op);
  for (Value operand : op->getOperands())
    if (!rankOf(operand))
      return success();
  Value q = attention.getQuery(), k = attention.getKey(), v = attention.getValue();
  if (*rankOf(q) != 3 || !k || !v || (*rankOf(k) != 3 && *rankOf(k) != 4) || *rankOf(k) != *rankOf(v))
    return op->emitError("unsupported: packed queries, keys and values; three tensors of rank 3 are supported, or keys "
                         "and values of rank 4");
  int64_t heads = attention.getNumHeads();
  if (Value bias = attention.getBias()) {
    if (*rankOf(k) != 3)
      return op->emitError("unsupported: a bias with keys of rank 4");
    Value zero = f.list(int64_t(0)), first = f.extents(q, 2, 3), second = f.add(first, f.extents(k, 2, 3));
    Value end = f.list(std::numeric_limits<int64_t>::max());
    q = f.add(q, f.op("Slice", {bias, zero, first, zero}));
    k = f.add(k, f.op("Slice", {bias, first, second, zero}));
    v = f.add(v, f.op("Slice", {bias, second, end, zero}));
  }
  bool isSplit = *rankOf(attention.getKey()) == 4;
  Heads h{f,
          splitHeads(f, q, heads),
          isSplit ? k : splitHeads(f, k, heads),
          isSplit ? v : splitHeads(f, v, heads),
          Value(),
          attention.getAttentionBias()};
  if (attention.getPastKey() && attention.getPastValue()) {
    h.k = f.concat({attention.getPastKey(), h.k}, 2);
    h.v = f.concat({attention.getPastValue(), h.v}, 2);
  }
  if (f.hasFailed() || (attention.getKeyPaddingMask() && failed(h.keepWords(op, attention.getKeyPaddingMask()))))
    return failure();
  if (attention.getUnidirectional())
    h.keepPast();
  results.push_back(h.attend(attention.getScale(), attention.getMaskFilterValue()));
  if (attention.getPresentKey())
    results.push_back(h.k);
  if (attention.getPresentValue())
    results.push_back(h.v);
  return success();
}

ArrayRef<FunctionRow> onnx_aot::onnx::getAttentionContribFunctions() {
  static const FunctionRow table[] = {
      {"com_microsoft.Attention", expandAttention},
      {"com_microsoft.MultiHeadAttention", expandMultiHead},
  };
  return table;
}
