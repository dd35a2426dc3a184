//===- AttentionOps.cpp - shapes of attention ---------------------------------------------------------------------===//
#include "dialects/onnx/attention/Attention.h"

using namespace mlir;
using namespace onnx_aot::onnx;

/// [batch, heads, sequence, size per head] of one of Q, K and V.
static FailureOr<Shape> headShape(AttentionOp op, const Shape &shape, std::optional<int64_t> heads) {
  if (shape.size() == 4)
    return shape;
  if (!heads || *heads < 1) { // (C5)
    op.emitOpError("q_num_heads and kv_num_heads must be given for inputs of rank 3");
    return failure();
  }
  if (shape[2].isKnown() && shape[2].get() % *heads != 0) { // (C5)
    op.emitOpError() << *heads << " heads do not divide " << shape[2].get() << " elements";
    return failure();
  }
  return Shape{shape[0], Dim(*heads), shape[1], shape[2].floorDiv(*heads)};
}

static bool differ(Dim left, Dim right) { return left.isKnown() && right.isKnown() && left.get() != right.get(); }

LogicalResult AttentionOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type element = ctx.elementType(getQ());
  int64_t mode = getQkMatmulOutputMode();
  if (mode < 0 || mode > 3) // (C6)
    return emitOpError("qk_matmul_output_mode must be 0, 1, 2 or 3, not ") << mode;
  if (bool(getPastKey()) != bool(getPastValue())) // (C3)
    return emitOpError("past_key and past_value go together");
  auto finish = [&](std::optional<Shape> y, std::optional<Shape> key, std::optional<Shape> value,
                    std::optional<Shape> scores) {
    results.emplace_back(element, y);
    if (getPresentKey())
      results.emplace_back(ctx.elementType(getK()), key);
    if (getPresentValue())
      results.emplace_back(ctx.elementType(getV()), value);
    if (getQkMatmulOutput())
      results.emplace_back(element, scores);
    return success();
  };
  std::optional<Shape> q = ctx.shape(getQ()), k = ctx.shape(getK()), v = ctx.shape(getV());
  if (!q || !k || !v)
    return finish(std::nullopt, std::nullopt, std::nullopt, std::nullopt);
  if ((q->size() != 3 && q->size() != 4) || k->size() != q->size() || v->size() != q->size()) // (C1)
    return emitOpError("Q, K and V must all have rank 3 or all have rank 4");
  std::optional<int64_t> queryHeads, keyHeads;
  if (getQNumHeads())
    queryHeads = int64_t(*getQNumHeads());
  if (getKvNumHeads())
    keyHeads = int64_t(*getKvNumHeads());
  FailureOr<Shape> query = headShape(*this, *q, queryHeads), key = headShape(*this, *k, keyHeads);
  FailureOr<Shape> value = headShape(*this, *v, keyHeads);
  if (failed(query) || failed(key) || failed(value))
    return failure();
  if (differ((*query)[3], (*key)[3]) || differ((*key)[1], (*value)[1]) || differ((*key)[2], (*value)[2]) ||
      differ((*query)[0], (*key)[0]) || differ((*key)[0], (*value)[0])) // (C1)
    return emitOpError("the shapes of Q, K and V do not agree");
  Dim heads = (*query)[1], groups = (*key)[1];
  if (heads.isKnown() && groups.isKnown() && (groups.is(0) || heads.get() % groups.get() != 0)) // (C5)
    return emitOpError() << groups.get() << " key heads do not divide " << heads.get() << " query heads";
  Shape presentKey = *key, presentValue = *value;
  if (getPastKey()) {
    std::optional<Shape> pastKey = ctx.shape(getPastKey()), pastValue = ctx.shape(getPastValue());
    if ((pastKey && pastKey->size() != 4) || (pastValue && pastValue->size() != 4)) // (C3)
      return emitOpError("past_key and past_value must have rank 4");
    presentKey[2] = pastKey ? presentKey[2] + (*pastKey)[2] : Dim();
    presentValue[2] = pastValue ? presentValue[2] + (*pastValue)[2] : Dim();
    if (differ(presentKey[2], presentValue[2]) || (pastKey && differ((*pastKey)[3], presentKey[3])) ||
        (pastValue && differ((*pastValue)[3], presentValue[3])) || (pastKey && differ((*pastKey)[1], presentKey[1])) ||
        (pastValue && differ((*pastValue)[1], presentValue[1]))) // (C3)
      return emitOpError("the shapes of past_key and past_value do not agree with those of K and V");
  }
  Shape scores = {(*query)[0], heads, (*query)[2], presentKey[2]};
  if (std::optional<Shape> mask = getAttnMask() ? ctx.shape(getAttnMask()) : std::nullopt) {
    if (mask->size() < 2 || mask->size() > 4) // (C2)
      return emitOpError("the mask must have rank 2, 3 or 4, not ") << mask->size();
    // The last dim may be shorter than the keys: the rest is masked.
    if (mask->back().isKnown() && scores[3].isKnown() && mask->back().get() > scores[3].get()) // (C2)
      return emitOpError("the mask is longer than the keys");
    Shape full = *mask;
    if (!full.back().is(1))
      full.back() = scores[3];
    FailureOr<std::optional<Shape>> merged = broadcastShapes(*this, {scores, full});
    if (failed(merged))
      return failure();
    for (auto [own, both] : llvm::zip(scores, **merged))
      if (differ(own, both)) // (C2)
        return emitOpError("the mask does not broadcast to the shape of the scores");
  }
  if (std::optional<Shape> lengths = getNonpadKvSeqlen() ? ctx.shape(getNonpadKvSeqlen()) : std::nullopt)
    if (lengths->size() != 1 || differ((*lengths)[0], (*query)[0])) // (C4)
      return emitOpError("nonpad_kv_seqlen does not have one element per batch");
  Dim size = (*value)[3];
  Shape y =
      q->size() == 4 ? Shape{(*query)[0], heads, (*query)[2], size} : Shape{(*query)[0], (*query)[2], heads * size};
  return finish(y, presentKey, presentValue, scores);
}

LogicalResult RotaryEmbeddingOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  std::optional<Shape> x = ctx.shape(getX()), cosines = ctx.shape(getCosCache()), sines = ctx.shape(getSinCache());
  if (x && x->size() != 3 && x->size() != 4) // (C1)
    return emitOpError("the data must have rank 3 or 4, not ") << x->size();
  int64_t heads = getNumHeads(), rotated = getRotaryEmbeddingDim();
  if (x && x->size() == 3 && (heads < 1 || ((*x)[2].isKnown() && (*x)[2].get() % heads != 0))) // (C1)
    return emitOpError("num_heads must be given for data of rank 3, and divide its last dim");
  size_t rank = getPositionIds() ? 2 : 3;
  if ((cosines && cosines->size() != rank) || (sines && sines->size() != rank)) // (C2)
    return emitOpError("the caches must have rank ") << rank;
  if (x && cosines && sines) {
    Dim size = x->size() == 4 ? (*x)[3] : (*x)[2].floorDiv(heads);
    Dim extent = rotated > 0 ? Dim(rotated) : size;
    if ((extent.isKnown() && size.isKnown() && extent.get() > size.get()) || rotated < 0 ||
        (extent.isKnown() && extent.get() % 2 != 0) || differ(cosines->back(), extent.floorDiv(2)) ||
        differ(sines->back(), extent.floorDiv(2))) // (C2)
      return emitOpError("the caches do not have half of the rotated extent");
    if (rank == 3)
      for (const Shape &cache : {*cosines, *sines})
        if (differ(cache[0], (*x)[0]) || differ(cache[1], (*x)[x->size() == 4 ? 2 : 1])) // (C2)
          return emitOpError("the caches do not have one row per position of the data");
  }
  results.emplace_back(ctx.elementType(getX()), x);
  return success();
}
