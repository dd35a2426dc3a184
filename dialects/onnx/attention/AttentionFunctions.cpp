//===- AttentionFunctions.cpp - variants of attention as graphs ---------------------------------------------------===//
//
// LinearAttention keeps one matrix S (key size x value size) per head of keys and values. Position by position, with
// its key k, value v, decay g and factor b:
//
//   gated rules:  S = exp(g) * S
//   delta rules:  v = b * (v - k S)        what S does not know yet
//   all:          S = S + k' v             output = scale * q S
//
// A Scan runs over the positions; the query heads that share a head of keys are the rows of one product.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/attention/Attention.h"
#include "dialects/onnx/support/DataTypes.h"
#include "dialects/onnx/support/Functions.h"
#include <cmath>

using namespace mlir;
using namespace onnx_aot::onnx;

/// 1 / sqrt(extent `dim` of `value` / parts), of rank 1.
static Value inverseRoot(FunctionBuilder &f, Value value, int64_t dim, int64_t parts, Type real) {
  Value extent = f.div(f.extents(value, dim, dim + 1), f.number(parts, f.builder.getI64Type()));
  return f.op("Reciprocal", {f.op("Sqrt", {f.cast(extent, real)})});
}

//===-- LinearAttention -------------------------------------------------------------------------------------------===//

namespace {
struct LinearSpec {
  Value q, k, v, decay, beta; // batch x positions x heads x (queries per head x) elements; the last two may be null
  Value state;
  Value scale; // one element
  bool isDelta;
};
} // namespace

/// (state, slices of the spec's tensors) -> (state, output)
static SmallVector<Value> stepOf(FunctionBuilder &f, const LinearSpec &spec, ArrayRef<Value> arguments) {
  Value state = arguments[0], q = arguments[1], k = arguments[2], v = arguments[3];
  arguments = arguments.drop_front(4);
  if (spec.decay) {
    state = f.mul(state, f.op("Exp", {f.unsqueeze(arguments[0], {-1})}));
    arguments = arguments.drop_front();
  }
  v = f.unsqueeze(v, {-2});
  if (spec.isDelta) {
    v = f.sub(v, f.matmul(f.unsqueeze(k, {-2}), state));
    v = f.mul(v, f.unsqueeze(arguments[0], {-1}));
  }
  state = f.add(state, f.mul(f.unsqueeze(k, {-1}), v));
  Value output = f.mul(f.matmul(q, state), spec.scale);
  return {state, output};
}

static LogicalResult expandLinearAttention(Operation *op, FunctionBuilder &f, SmallVectorImpl<Value> &results) {
  auto attention = cast<LinearAttentionOp>(op);
  int64_t heads = attention.getKvNumHeads(), queryHeads = attention.getQNumHeads();
  if (heads < 1 || queryHeads < 1 || queryHeads % heads != 0) // (C5)
    return op->emitOpError("kv_num_heads ") << heads << " does not divide q_num_heads " << queryHeads;
  StringRef rule = attention.getUpdateRule();
  if (rule != "linear" && rule != "gated" && rule != "delta" && rule != "gated_delta") // (C6)
    return op->emitOpError("update_rule \"") << rule << "\" is not known";
  bool isGated = rule.starts_with("gated"), isDelta = rule.ends_with("delta");
  if ((isGated && !attention.getDecay()) || (isDelta && !attention.getBeta()))
    return op->emitOpError("update_rule \"") << rule << "\" needs " << (isGated ? "decay" : "beta");
  auto key = dyn_cast<RankedTensorType>(attention.getKey().getType());
  if (!key)
    return success();
  if (key.getRank() != 3) // (C1)
    return op->emitOpError("the keys must have rank 3, not ") << key.getRank();

  Type given = elementOf(attention.getQuery());
  bool isNarrow = given.getIntOrFloatBitWidth() < 32;
  Type real = isNarrow ? Type(f.builder.getF32Type()) : given;
  auto split = [&](Value value, ArrayRef<int64_t> shape) { return f.reshape(f.cast(value, real), shape); };
  LinearSpec spec;
  spec.q = split(attention.getQuery(), {0, 0, heads, queryHeads / heads, -1});
  spec.k = split(attention.getKey(), {0, 0, heads, -1});
  spec.v = split(attention.getValue(), {0, 0, heads, -1});
  spec.decay = isGated ? split(attention.getDecay(), {0, 0, heads, -1}) : Value();
  spec.isDelta = isDelta;
  if (!attention.getScale().isZero())
    spec.scale = f.number(attention.getScale().convertToDouble(), real);
  else if (key.isDynamicDim(2))
    spec.scale = inverseRoot(f, attention.getKey(), 2, heads, real);
  else
    spec.scale = f.number(1 / std::sqrt(double(key.getDimSize(2) / heads)), real);
  Type stateType = attention.getPastState() ? elementOf(attention.getPastState()) : given;
  if (attention.getPastState()) {
    spec.state = f.cast(attention.getPastState(), real);
  } else {
    Value shape = f.concat({f.extents(spec.k, 0, 1), f.extents(spec.k, 2, 4), f.extents(spec.v, 3, 4)}, 0);
    spec.state = f.op("Expand", {f.number(0, real), shape});
  }
  SmallVector<Value> inputs = {spec.q, spec.k, spec.v};
  if (isGated)
    inputs.push_back(spec.decay);
  if (isDelta) // (C4) one for all heads is repeated by the product
    inputs.push_back(split(attention.getBeta(), {0, 0, heads == 1 ? 1 : -1, 1}));
  if (f.hasFailed())
    return failure();
  SmallVector<Value> made =
      f.scan({spec.state}, inputs, 1, 1, [&](ArrayRef<Value> arguments) { return stepOf(f, spec, arguments); });
  if (f.hasFailed())
    return failure();
  results.push_back(f.cast(f.reshape(made[1], {0, 0, -1}), given));
  if (attention.getPresentState())
    results.push_back(f.cast(made[0], stateType));
  return success();
}

//===-- FlexAttention ---------------------------------------------------------------------------------------------===//

static LogicalResult expandFlexAttention(Operation *op, FunctionBuilder &f, SmallVectorImpl<Value> &results) {
  auto attention = cast<FlexAttentionOp>(op);
  auto q = dyn_cast<RankedTensorType>(attention.getQ().getType()),
       k = dyn_cast<RankedTensorType>(attention.getK().getType());
  if (!q || !k || !rankOf(attention.getV()))
    return success();
  if (q.getRank() != 4 || k.getRank() != 4 || *rankOf(attention.getV()) != 4) // (C1)
    return op->emitOpError("Q, K and V must have rank 4");
  bool isKnown = !q.isDynamicDim(1) && !k.isDynamicDim(1);
  if (isKnown && (k.getDimSize(1) < 1 || q.getDimSize(1) % k.getDimSize(1) != 0))
    return op->emitOpError("the heads of K must divide those of Q");
  Type given = q.getElementType();
  Type real = given.getIntOrFloatBitWidth() < 32 ? Type(f.builder.getF32Type()) : given;
  // The query heads that share a head of keys are an axis of their own: batch x shared x group x positions x size.
  Value all = f.extents(attention.getQ(), 1, 2), shared = f.extents(attention.getK(), 1, 2);
  if (isKnown) {
    all = f.list(q.getDimSize(1));
    shared = f.list(k.getDimSize(1));
  }
  Value split =
      f.concat({f.extents(attention.getQ(), 0, 1), shared, f.div(all, shared), f.extents(attention.getQ(), 2, 4)}, 0);
  Value queries = f.reshape(f.cast(attention.getQ(), real), split);
  Value keys = f.unsqueeze(f.transpose(f.cast(attention.getK(), real), {0, 1, 3, 2}), {2});
  Value values = f.unsqueeze(f.cast(attention.getV(), real), {2});
  Value scale;
  if (attention.getScale())
    scale = f.number(attention.getScale()->convertToDouble(), real);
  else if (q.isDynamicDim(3))
    scale = inverseRoot(f, attention.getQ(), 3, 1, real);
  else
    scale = f.number(1 / std::sqrt(double(q.getDimSize(3))), real);
  Value grouped = f.mul(f.matmul(queries, keys), scale);
  Value shape = f.concat({f.extents(attention.getQ(), 0, 3), f.extents(attention.getK(), 2, 3)}, 0);
  Value scores = f.cast(f.reshape(grouped, shape), given);
  auto modify = [&](Region &body, Value value) {
    return body.empty() || f.hasFailed() ? value : f.inlineBody(body, {value}).front();
  };
  scores = modify(attention.getScoreMod(), scores);
  Type precise = given;
  if (attention.getSoftmaxPrecision())
    precise = elementTypeOfDataType(op->getContext(), *attention.getSoftmaxPrecision());
  if (!isa_and_nonnull<FloatType>(precise))
    return op->emitOpError("softmax_precision is not a floating-point type's");
  Value probabilities = f.cast(f.op("Softmax", {f.cast(scores, precise)}, {f.integer("axis", -1)}), given);
  probabilities = modify(attention.getProbMod(), probabilities);
  Value groups = f.reshape(f.cast(probabilities, real), f.op("Shape", {grouped}));
  Value result = f.matmul(groups, values);
  Value resultShape = f.concat({f.extents(attention.getQ(), 0, 3), f.extents(attention.getV(), 3, 4)}, 0);
  results.push_back(f.cast(f.reshape(result, resultShape), given));
  return success();
}

namespace onnx_aot::onnx {
ArrayRef<FunctionRow> getAttentionFunctions() {
  static const FunctionRow table[] = {
      {"LinearAttention", expandLinearAttention},
      {"ai_onnx_preview.FlexAttention", expandFlexAttention},
  };
  return table;
}
} // namespace onnx_aot::onnx
