//===- AttentionToLinalg.cpp - attention as kernels ---------------------------------------------------------------===//
//
// Heads are seen as [groups, heads per group], one key head per group, so that shared key heads are an indexing map and
// nothing is repeated. Inputs of rank 3 are views [batch, sequence, groups, heads, size], of rank 4 [batch, groups,
// heads, sequence, size]; maps read either.
//
//   scores  = aot.kernel "matmul" (batch, group, head, i, j, d), times scale, softcap
//   masked  = linalg.generic: mask, causality and padding set scores to -inf
//   maximum, sum = aot.kernel "reduce"
//   y       = aot.kernel "matmul" over exp(masked - maximum) / sum
//
// A row in which everything is masked gives zeros.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/attention/Attention.h"
#include "dialects/onnx/support/Checks.h"
#include "dialects/onnx/support/Extents.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <cmath>

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::onnx;

using Sizes = SmallVector<OpFoldResult>;

//===-- Views -----------------------------------------------------------------------------------------------------===//

/// `value` with each dim as a group of dims of `sizes`.
static Value split(OpBuilder &builder, Location loc, Value value, ArrayRef<ReassociationIndices> groups,
                   ArrayRef<OpFoldResult> sizes) {
  Type element = getElementTypeOrSelf(value.getType());
  SmallVector<int64_t> source, target = staticShape(sizes);
  for (const ReassociationIndices &group : groups) {
    int64_t extent = 1;
    for (int64_t dim : group)
      extent = ShapedType::isDynamic(extent) || ShapedType::isDynamic(target[dim]) ? ShapedType::kDynamic
                                                                                   : extent * target[dim];
    source.push_back(extent);
  }
  value = castTensor(builder, loc, value, RankedTensorType::get(source, element));
  return tensor::ExpandShapeOp::create(builder, loc, RankedTensorType::get(target, element), value, groups, sizes);
}

/// The other way round, as a tensor of `type`.
static Value merge(OpBuilder &builder, Location loc, Value value, ArrayRef<ReassociationIndices> groups, Type type) {
  return castTensor(builder, loc, tensor::CollapseShapeOp::create(builder, loc, value, groups), type);
}

static RankedTensorType storedType(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  return RankedTensorType::get(type.getShape(), storageType(type.getElementType()));
}

//===-- Attention -------------------------------------------------------------------------------------------------===//

namespace {
class AttentionBuilder {
public:
  AttentionBuilder(AttentionOp op, AttentionOp::Adaptor adaptor, const TypeConverter *converter, OpBuilder &builder)
      : op(op), adaptor(adaptor), converter(converter), builder(builder), loc(op.getLoc()), context(op.getContext()) {
    element = getElementTypeOrSelf(op.getQ().getType());
    valueElement = getElementTypeOrSelf(op.getV().getType());
    compute = computeType(element);
    isFlat = cast<RankedTensorType>(op.getQ().getType()).getRank() == 3;
    readExtents();
  }

  SmallVector<Value> build() {
    // The cache is a result of its own or has to be joined; else keys and values are read where they are.
    bool joins = bool(op.getPastKey());
    Value key = joins || op.getPresentKey() ? present(adaptor.getK(), adaptor.getPastKey(), size, element) : Value();
    Value value;
    if (joins || op.getPresentValue())
      value = present(adaptor.getV(), adaptor.getPastValue(), valueSize, valueElement);

    Value raw = scores(key);
    Value capped = softcap(raw);
    Value masked = mask(capped);
    Value probabilities = softmax(masked);
    SmallVector<Value> results = {product(probabilities, value)};
    if (op.getPresentKey())
      results.push_back(castTensor(builder, loc, key, storedType(op.getPresentKey())));
    if (op.getPresentValue())
      results.push_back(castTensor(builder, loc, value, storedType(op.getPresentValue())));
    if (op.getQkMatmulOutput()) {
      Value chosen[] = {raw, capped, masked, probabilities};
      results.push_back(store(chosen[int64_t(op.getQkMatmulOutputMode())]));
    }
    return results;
  }

private:
  AffineExpr dim(unsigned position) { return getAffineDimExpr(position, context); }
  AffineMap map(unsigned loops, ArrayRef<unsigned> dims) {
    SmallVector<AffineExpr> exprs;
    for (unsigned position : dims)
      exprs.push_back(dim(position));
    return AffineMap::get(loops, 0, exprs, context);
  }
  //===-- Extents -------------------------------------------------------------------------------------------------===//

  /// [batch, heads, sequence, size] of one of the operands.
  struct HeadExtents {
    Shape dims;
    Sizes sizes;
  };

  HeadExtents extentsOf(Value value, Value lowered, std::optional<uint64_t> heads) {
    HeadExtents own{symbolicShape(converter, value), sizesOf(builder, loc, lowered)};
    if (own.dims.size() == 4)
      return own;
    Dim count = int64_t(*heads), width = own.dims[2], part = width.floorDiv(count);
    OpFoldResult divisor = builder.getIndexAttr(*heads);
    OpFoldResult partSize = divideSizes(builder, loc, own.sizes[2], divisor);
    if (!(part * count).equals(width))
      requireEqual(builder, loc, own.sizes[2], multiplySizes(builder, loc, partSize, divisor),
                   aot::Code::shape_mismatch);
    return {{own.dims[0], count, own.dims[1], part}, {own.sizes[0], divisor, own.sizes[1], partSize}};
  }

  /// The extent of dim `at` of both, which the run checks where it has to; the one that is constant, if there is one.
  OpFoldResult agree(HeadExtents &a, HeadExtents &b, unsigned at) {
    if (!a.dims[at].equals(b.dims[at]))
      requireEqual(builder, loc, a.sizes[at], b.sizes[at], aot::Code::shape_mismatch);
    return constantSize(b.sizes[at]) ? b.sizes[at] : a.sizes[at];
  }

  void readExtents() {
    HeadExtents q = extentsOf(op.getQ(), adaptor.getQ(), op.getQNumHeads());
    HeadExtents k = extentsOf(op.getK(), adaptor.getK(), op.getKvNumHeads());
    HeadExtents v = extentsOf(op.getV(), adaptor.getV(), op.getKvNumHeads());
    batch = agree(q, k, 0);
    agree(k, v, 0);
    groups = agree(k, v, 1);
    ownKeys = agree(k, v, 2);
    size = agree(q, k, 3);
    queries = q.sizes[2];
    heads = q.sizes[1];
    valueSize = v.sizes[3];
    scoreDims = {q.dims[0], q.dims[1], q.dims[2], k.dims[2]};
    past = builder.getIndexAttr(0);
    if (op.getPastKey()) {
      HeadExtents key = extentsOf(op.getPastKey(), adaptor.getPastKey(), std::nullopt);
      HeadExtents value = extentsOf(op.getPastValue(), adaptor.getPastValue(), std::nullopt);
      for (unsigned at : {0, 1, 3}) {
        agree(k, key, at);
        agree(v, value, at);
      }
      past = agree(key, value, 2);
      scoreDims[3] = scoreDims[3] + key.dims[2];
    }
    keys = addSizes(builder, loc, past, ownKeys);
    // No heads at all are one group of none.
    OpFoldResult divisor = maxSize(builder, loc, groups, builder.getIndexAttr(1));
    headsPerGroup = divideSizes(builder, loc, heads, divisor);
    if (!constantSize(heads) || !constantSize(groups))
      requireEqual(builder, loc, heads, multiplySizes(builder, loc, groups, headsPerGroup), aot::Code::shape_mismatch);
  }

  Sizes scoresSizes(OpFoldResult last) { return {batch, groups, headsPerGroup, queries, last}; }
  RankedTensorType scoresType(OpFoldResult last) {
    return RankedTensorType::get(staticShape(scoresSizes(last)), compute);
  }

  //===-- Parts ---------------------------------------------------------------------------------------------------===//

  /// Keys or values as [batch, groups, past + own, size].
  Value present(Value own, Value before, OpFoldResult extent, Type element) {
    if (isFlat) {
      Value view = split(builder, loc, own, {{0}, {1}, {2, 3}}, {batch, ownKeys, groups, extent});
      Value empty = emptyTensor(builder, loc, {batch, groups, ownKeys, extent}, element);
      SmallVector<AffineMap> maps = {map(4, {0, 2, 1, 3}), map(4, {0, 1, 2, 3})};
      SmallVector<utils::IteratorType> iterators(4, utils::IteratorType::parallel);
      own = linalg::GenericOp::create(builder, loc, empty.getType(), view, empty, maps, iterators,
                                      [](OpBuilder &nested, Location bodyLoc, ValueRange elements) {
                                        linalg::YieldOp::create(nested, bodyLoc, elements[0]);
                                      })
                .getResult(0);
    }
    if (!before)
      return own;
    Value joined = emptyTensor(builder, loc, {batch, groups, keys, extent}, element);
    auto insert = [&](Value part, OpFoldResult at, OpFoldResult count) {
      Sizes offsets(4, builder.getIndexAttr(0)), sizes = {batch, groups, count, extent},
                                                 ones(4, builder.getIndexAttr(1));
      offsets[2] = at;
      part = castTensor(builder, loc, part, RankedTensorType::get(staticShape(sizes), element));
      joined = tensor::InsertSliceOp::create(builder, loc, part, joined, offsets, sizes, ones);
    };
    insert(before, builder.getIndexAttr(0), past);
    insert(own, past, ownKeys);
    return joined;
  }

  /// Q K' * scale in the compute type; `key` is null where K is read as it comes.
  Value scores(Value key) {
    Value query;
    KernelSpec spec;
    // Dims: batch 0, group 1, head 2, i 3, j 4, d 5.
    if (isFlat)
      query = split(builder, loc, adaptor.getQ(), {{0}, {1}, {2, 3, 4}}, {batch, queries, groups, headsPerGroup, size});
    else
      query =
          split(builder, loc, adaptor.getQ(), {{0}, {1, 2}, {3}, {4}}, {batch, groups, headsPerGroup, queries, size});
    spec.maps = {isFlat ? map(6, {0, 3, 1, 2, 5}) : map(6, {0, 1, 2, 3, 5})};
    bool readsFlat = !key && isFlat;
    if (readsFlat)
      key = split(builder, loc, adaptor.getK(), {{0}, {1}, {2, 3}}, {batch, ownKeys, groups, size});
    else if (!key)
      key = adaptor.getK();
    spec.maps.push_back(readsFlat ? map(6, {0, 4, 1, 5}) : map(6, {0, 1, 4, 5}));
    spec.maps.push_back(map(6, {0, 1, 2, 3, 4}));
    spec.kind = "matmul";
    spec.inputs = {query, key};
    spec.isReduction = {false, false, false, false, false, true};
    spec.identity = cast<TypedAttr>(builder.getZeroAttr(compute));
    spec.resultType = scoresType(keys);
    spec.resultSizes = scoresSizes(keys);
    spec.compute = [&](ImplicitLocOpBuilder &b, ValueRange x, Value sum) -> Value {
      return math::FmaOp::create(b, toCompute(b, loc, x[0], element), toCompute(b, loc, x[1], element), sum);
    };
    Value runtimeScale = op.getScale() || constantSize(size) ? Value() : inverseRoot(size);
    spec.epilogue = [&](ImplicitLocOpBuilder &b, ValueRange, Value sum) -> Value {
      if (runtimeScale)
        return arith::MulFOp::create(b, sum, runtimeScale);
      double scale = op.getScale() ? op.getScale()->convertToDouble() : 1.0 / std::sqrt(double(*constantSize(size)));
      return arith::MulFOp::create(b, sum, scalarConstant(b, loc, compute, scale));
    };
    return buildKernel(builder, loc, spec);
  }

  /// 1 / sqrt(extent)
  Value inverseRoot(OpFoldResult extent) {
    ImplicitLocOpBuilder b(loc, builder);
    Value integer = arith::IndexCastOp::create(b, b.getI64Type(), asIndex(b, loc, extent));
    Value root = math::SqrtOp::create(b, arith::SIToFPOp::create(b, compute, integer));
    return arith::DivFOp::create(b, scalarConstant(b, loc, compute, 1), root);
  }

  Value softcap(Value scores) {
    double cap = op.getSoftcap().convertToDouble();
    if (!(cap > 0))
      return scores;
    return buildElementwise(builder, loc, scoresType(keys), scores, compute, [&](ScalarBody &body) -> Value {
      Value bounded = math::TanhOp::create(body.b, arith::DivFOp::create(body.b, body.x[0], body.constant(cap)));
      return arith::MulFOp::create(body.b, bounded, body.constant(cap));
    });
  }

  /// The mask over [batch, groups, heads, i, j], each dim full or 1, padded along j with what masks.
  Value maskView(Type &maskElement) {
    auto type = cast<RankedTensorType>(op.getAttnMask().getType());
    Value value = adaptor.getAttnMask();
    if (isa<IntegerType>(maskElement) && !maskElement.isInteger(1)) {
      // Integers are added as floats are; only those have a value that masks.
      value =
          buildElementwise(builder, loc, RankedTensorType::get(type.getShape(), compute), value, maskElement,
                           [&](ScalarBody &body) { return castScalar(body.b, loc, body.x[0], body.type[0], compute); });
      maskElement = compute;
    }
    Shape own = symbolicShape(converter, op.getAttnMask());
    size_t rank = own.size();
    if (!own.back().is(1) && !own.back().equals(scoreDims[3]))
      value = padMask(value, maskElement, own.back());
    Sizes full = {batch, heads, queries, keys};
    value = alignTo(builder, loc, value, own, scoreDims, full);
    // Dims that are 1 stay so; the others are full.
    Sizes sizes(4 - rank, builder.getIndexAttr(1));
    for (auto [index, dim] : llvm::enumerate(own))
      sizes.push_back(dim.is(1) ? OpFoldResult(builder.getIndexAttr(1)) : full[4 - rank + index]);
    bool perHead = rank > 2 && !own[rank - 3].is(1);
    sizes[1] = perHead ? groups : builder.getIndexAttr(1);
    sizes.insert(sizes.begin() + 2, perHead ? headsPerGroup : builder.getIndexAttr(1));
    static const SmallVector<ReassociationIndices> views[] = {
        {{0, 1, 2, 3}, {4}}, {{0, 1, 2}, {3}, {4}}, {{0}, {1, 2}, {3}, {4}}};
    return split(builder, loc, value, views[rank - 2], sizes);
  }

  /// A mask whose last dim may be shorter than the keys, or 1, which stays. `last` becomes what its dim is then.
  Value padMask(Value value, Type maskElement, Dim &last) {
    Sizes given = sizesOf(builder, loc, value), padded = given;
    padded.back() = keys;
    if (!constantSize(given.back()) || !constantSize(keys)) {
      Value extent = asIndex(builder, loc, given.back()), total = asIndex(builder, loc, keys);
      Value one = arith::ConstantIndexOp::create(builder, loc, 1);
      auto compare = [&](arith::CmpIPredicate predicate, Value other) {
        return builder.createOrFold<arith::CmpIOp>(loc, predicate, extent, other);
      };
      Value isOne = compare(arith::CmpIPredicate::eq, one);
      Value fits = builder.createOrFold<arith::OrIOp>(loc, isOne, compare(arith::CmpIPredicate::ule, total));
      require(builder, loc, fits, aot::Code::shape_mismatch);
      if (!last.isAtLeast(2))
        padded.back() = arith::SelectOp::create(builder, loc, isOne, one, total).getResult();
    }
    last = last.isAtLeast(2) ? scoreDims[3] : Dim();
    Value filler =
        toStorage(builder, loc, scalarConstant(builder, loc, maskElement, maskElement.isInteger(1) ? 0.0 : -INFINITY),
                  maskElement);
    Sizes zeros(given.size(), builder.getIndexAttr(0)), ones(given.size(), builder.getIndexAttr(1));
    return tensor::InsertSliceOp::create(builder, loc, value, filledTensor(builder, loc, padded, filler), zeros, given,
                                         ones);
  }

  /// Adds the mask; what is masked, lies ahead of a causal query or is padding becomes -inf.
  Value mask(Value scores) {
    bool isCausal = op.getIsCausal() != 0;
    Value lengths = adaptor.getNonpadKvSeqlen();
    if (!op.getAttnMask() && !isCausal && !lengths)
      return scores;
    SmallVector<Value> inputs = {scores};
    SmallVector<Type> types = {compute};
    if (op.getAttnMask()) {
      Type maskElement = getElementTypeOrSelf(op.getAttnMask().getType());
      inputs.push_back(maskView(maskElement));
      types.push_back(maskElement);
    }
    if (lengths) {
      types.push_back(builder.getI64Type());
      requireExtents(builder, loc, lengths, symbolicShape(converter, op.getNonpadKvSeqlen()), scoreDims[0], batch);
      OpFoldResult one = builder.getIndexAttr(1);
      inputs.push_back(split(builder, loc, lengths, {{0, 1, 2, 3, 4}}, {batch, one, one, one, one}));
    }
    Value pastCount = asIndex(builder, loc, past), queryCount = asIndex(builder, loc, queries);
    return buildElementwise(builder, loc, scoresType(keys), inputs, types, [&](ScalarBody &body) -> Value {
      ImplicitLocOpBuilder &b = body.b;
      Value score = body.x[0], forbidden = scalarConstant(b, loc, compute, -INFINITY);
      auto keep = [&](Value condition) { score = arith::SelectOp::create(b, condition, score, forbidden); };
      if (op.getAttnMask() && body.type[1].isInteger(1))
        keep(body.x[1]);
      else if (op.getAttnMask())
        score = arith::AddFOp::create(b, score, castScalar(b, loc, body.x[1], body.type[1], compute));
      auto position = [&](unsigned at) -> Value {
        return arith::IndexCastOp::create(b, b.getI64Type(), linalg::IndexOp::create(b, at));
      };
      auto number = [&](Value count) -> Value { return b.createOrFold<arith::IndexCastOp>(b.getI64Type(), count); };
      if (isCausal) {
        // Queries stand at the end of the valid keys.
        Value offset = number(pastCount);
        if (lengths && !op.getPastKey())
          offset = arith::SubIOp::create(b, body.x.back(), number(queryCount));
        Value last = arith::AddIOp::create(b, position(3), offset);
        keep(arith::CmpIOp::create(b, arith::CmpIPredicate::sle, position(4), last));
      }
      if (lengths)
        keep(arith::CmpIOp::create(b, arith::CmpIPredicate::slt, position(4), body.x.back()));
      return score;
    });
  }

  /// The maximum or the sum over j of a row, in which -inf - -inf does not occur.
  Value reduceRow(ArrayRef<Value> inputs, bool isSum) {
    KernelSpec spec;
    AffineMap row = AffineMap::get(5, 0, {dim(0), dim(1), dim(2), dim(3), getAffineConstantExpr(0, context)}, context);
    spec.kind = "reduce";
    spec.inputs.assign(inputs.begin(), inputs.end());
    spec.maps = {map(5, {0, 1, 2, 3, 4})};
    spec.maps.append(inputs.size(), row);
    spec.isReduction = {false, false, false, false, true};
    auto real = cast<FloatType>(compute);
    spec.identity = isSum ? cast<TypedAttr>(builder.getZeroAttr(compute))
                          : builder.getFloatAttr(real, APFloat::getInf(real.getFloatSemantics(), /*Negative=*/true));
    spec.resultType = scoresType(builder.getIndexAttr(1));
    spec.resultSizes = scoresSizes(builder.getIndexAttr(1));
    spec.compute = [&](ImplicitLocOpBuilder &b, ValueRange x, Value accumulator) -> Value {
      if (!isSum)
        return arith::MaximumFOp::create(b, accumulator, x[0]);
      return arith::AddFOp::create(b, accumulator, exponential(b, x[0], x[1]));
    };
    if (!isSum)
      spec.epilogue = [&](ImplicitLocOpBuilder &b, ValueRange, Value maximum) -> Value {
        Value lowest = scalarConstant(b, loc, compute, -INFINITY), zero = scalarConstant(b, loc, compute, 0);
        Value isEmpty = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, maximum, lowest);
        return arith::SelectOp::create(b, isEmpty, zero, maximum);
      };
    return buildKernel(builder, loc, spec);
  }

  static Value exponential(ImplicitLocOpBuilder &b, Value score, Value maximum) {
    return math::ExpOp::create(b, arith::SubFOp::create(b, score, maximum));
  }

  Value softmax(Value scores) {
    Value maximum = reduceRow({scores}, false), sum = reduceRow({scores, maximum}, true);
    return buildElementwise(builder, loc, scoresType(keys), {scores, maximum, sum}, {compute, compute, compute},
                            [&](ScalarBody &body) -> Value {
                              ImplicitLocOpBuilder &b = body.b;
                              Value power = exponential(b, body.x[0], body.x[1]), zero = body.constant(0);
                              Value isEmpty = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, body.x[2], zero);
                              Value quotient = arith::DivFOp::create(b, power, body.x[2]);
                              return arith::SelectOp::create(b, isEmpty, zero, quotient);
                            });
  }

  /// The weighted values in the layout of Y.
  Value product(Value probabilities, Value value) {
    KernelSpec spec;
    // Dims: batch 0, group 1, head 2, i 3, d 4, j 5.
    bool readsFlat = !value && isFlat;
    if (readsFlat)
      value = split(builder, loc, adaptor.getV(), {{0}, {1}, {2, 3}}, {batch, ownKeys, groups, valueSize});
    else if (!value)
      value = adaptor.getV();
    spec.kind = "matmul";
    spec.inputs = {probabilities, value};
    spec.maps = {map(6, {0, 1, 2, 3, 5}), readsFlat ? map(6, {0, 5, 1, 4}) : map(6, {0, 1, 5, 4}),
                 isFlat ? map(6, {0, 3, 1, 2, 4}) : map(6, {0, 1, 2, 3, 4})};
    spec.isReduction = {false, false, false, false, false, true};
    spec.identity = cast<TypedAttr>(builder.getZeroAttr(compute));
    spec.resultSizes = isFlat ? Sizes{batch, queries, groups, headsPerGroup, valueSize}
                              : Sizes{batch, groups, headsPerGroup, queries, valueSize};
    spec.resultType = RankedTensorType::get(staticShape(spec.resultSizes), element);
    spec.compute = [&](ImplicitLocOpBuilder &b, ValueRange x, Value sum) -> Value {
      Value own = castScalar(b, loc, toCompute(b, loc, x[1], valueElement), valueElement, compute);
      return math::FmaOp::create(b, x[0], own, sum);
    };
    spec.epilogue = [&](ImplicitLocOpBuilder &b, ValueRange, Value sum) { return toStorage(b, loc, sum, element); };
    Value y = buildKernel(builder, loc, spec);
    return isFlat ? merge(builder, loc, y, {{0}, {1}, {2, 3, 4}}, storedType(op.getY()))
                  : merge(builder, loc, y, {{0}, {1, 2}, {3}, {4}}, storedType(op.getY()));
  }

  /// Scores as a result: [batch, heads, i, j] of the element type.
  Value store(Value scores) {
    if (compute != element) {
      auto type = RankedTensorType::get(scoresType(keys).getShape(), element);
      scores = buildElementwise(builder, loc, type, scores, compute, [&](ScalarBody &body) { return body.x[0]; });
    }
    return merge(builder, loc, scores, {{0}, {1, 2}, {3}, {4}}, storedType(op.getQkMatmulOutput()));
  }

  AttentionOp op;
  AttentionOp::Adaptor adaptor;
  const TypeConverter *converter;
  OpBuilder &builder;
  Location loc;
  MLIRContext *context;
  Type element, valueElement, compute;
  bool isFlat;
  OpFoldResult batch, heads, groups, headsPerGroup, queries, ownKeys, past, keys, size, valueSize;
  Shape scoreDims; // batch, heads, queries, keys
};

struct LowerAttention : OnnxLowering<AttentionOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(AttentionOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Type element = type(op.getQ()).getElementType();
    if (type(op.getK()).getElementType() != element)
      return op.emitError("unsupported: Attention whose Q and K have different element types");
    rewriter.replaceOp(op, AttentionBuilder(op, adaptor, getTypeConverter(), rewriter).build());
    return success();
  }
};

/// One element of Y from a pair of X: x * cos -/+ partner * sin.
struct LowerRotaryEmbedding : OnnxLowering<RotaryEmbeddingOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(RotaryEmbeddingOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Type element = type(op.getX()).getElementType();
    bool isFlat = type(op.getX()).getRank() == 3, isInterleaved = op.getInterleaved() != 0;
    RotatedExtents extents = readExtents(op, adaptor, rewriter);
    Value data = adaptor.getX();
    if (isFlat)
      data = split(rewriter, loc, data, {{0}, {1}, {2, 3}}, extents.shape);
    unsigned sequence = isFlat ? 1 : 2;
    Value ids = adaptor.getPositionIds();
    Value rotated = asIndex(rewriter, loc, extents.rotated), half = asIndex(rewriter, loc, extents.half);
    auto result = RankedTensorType::get(cast<RankedTensorType>(data.getType()).getShape(), element);
    Value rotatedData = buildElementwise(rewriter, loc, result, data, element, [&](ScalarBody &body) -> Value {
      ImplicitLocOpBuilder &b = body.b;
      auto constant = [&](int64_t value) -> Value { return arith::ConstantIndexOp::create(b, value); };
      SmallVector<Value> at;
      for (unsigned dim = 0; dim < 4; ++dim)
        at.push_back(linalg::IndexOp::create(b, dim));
      Value position = at[3];
      auto less = [&](Value left, Value right) -> Value {
        return arith::CmpIOp::create(b, arith::CmpIPredicate::ult, left, right);
      };
      // Beyond the rotated part the pair is read at 0 and dropped.
      Value isRotated = less(position, rotated);
      Value inside = arith::SelectOp::create(b, isRotated, position, constant(0));
      Value isFirst, pair, partner;
      if (isInterleaved) {
        Value bit = arith::AndIOp::create(b, inside, constant(1));
        isFirst = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, bit, constant(0));
        pair = arith::ShRUIOp::create(b, inside, constant(1));
        partner = arith::XOrIOp::create(b, inside, constant(1));
      } else {
        isFirst = less(inside, half);
        Value up = arith::AddIOp::create(b, inside, half);
        Value down = arith::SubIOp::create(b, inside, half);
        pair = arith::SelectOp::create(b, isFirst, inside, down);
        partner = arith::SelectOp::create(b, isFirst, up, down);
      }
      SmallVector<Value> row = {at[0], at[sequence], pair};
      if (ids) {
        Value id = tensor::ExtractOp::create(b, ids, ValueRange{at[0], at[sequence]});
        row = {arith::IndexCastOp::create(b, b.getIndexType(), id), pair};
      }
      auto read = [&](Value source, ValueRange indices, Value typed) {
        Type from = getElementTypeOrSelf(typed.getType());
        Value stored = tensor::ExtractOp::create(b, source, indices);
        return castScalar(b, loc, toCompute(b, loc, stored, from), from, computeType(element));
      };
      Value cosine = read(adaptor.getCosCache(), row, op.getCosCache());
      Value sine = read(adaptor.getSinCache(), row, op.getSinCache());
      at[3] = partner;
      Value other = read(data, at, op.getX());
      Value signedSine = arith::SelectOp::create(b, isFirst, arith::NegFOp::create(b, sine).getResult(), sine);
      Value turned = math::FmaOp::create(b, other, signedSine, arith::MulFOp::create(b, body.x[0], cosine));
      return arith::SelectOp::create(b, isRotated, turned, body.x[0]);
    });
    rewriter.replaceOp(op, isFlat ? merge(rewriter, loc, rotatedData, {{0}, {1}, {2, 3}}, stored(op.getY()))
                                  : castTensor(rewriter, loc, rotatedData, stored(op.getY())));
    return success();
  }

  struct RotatedExtents {
    Sizes shape; // of rank 4
    OpFoldResult rotated, half;
  };

  /// What the analysis does not know of the operands' agreement is checked by the run, positions are, too.
  RotatedExtents readExtents(RotaryEmbeddingOp op, OpAdaptor adaptor, OpBuilder &builder) const {
    Location loc = op.getLoc();
    Shape dims = shape(op.getX());
    Sizes sizes = sizesOf(builder, loc, adaptor.getX());
    auto equal = [&](Dim a, Dim b, OpFoldResult left, OpFoldResult right) {
      if (!a.equals(b))
        requireEqual(builder, loc, left, right, aot::Code::shape_mismatch);
    };
    if (dims.size() == 3) {
      Dim heads = int64_t(op.getNumHeads()), part = dims[2].floorDiv(heads);
      OpFoldResult count = builder.getIndexAttr(heads.get());
      OpFoldResult size = divideSizes(builder, loc, sizes[2], count);
      equal(part * heads, dims[2], multiplySizes(builder, loc, size, count), sizes[2]);
      dims = {dims[0], dims[1], heads, part};
      sizes = {sizes[0], sizes[1], count, size};
    }
    bool isFlat = type(op.getX()).getRank() == 3;
    unsigned sequence = isFlat ? 1 : 2;
    Dim rotatedDim = dims[3];
    OpFoldResult rotated = sizes[3], two = builder.getIndexAttr(2);
    if (int64_t given = op.getRotaryEmbeddingDim()) {
      rotatedDim = given;
      rotated = builder.getIndexAttr(given);
      if (!dims[3].isAtLeast(given))
        require(builder, loc,
                arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::uge, asIndex(builder, loc, sizes[3]),
                                      asIndex(builder, loc, rotated)),
                aot::Code::shape_mismatch);
    }
    Dim halfDim = rotatedDim.floorDiv(2);
    OpFoldResult half = divideSizes(builder, loc, rotated, two);
    equal(halfDim * 2, rotatedDim, multiplySizes(builder, loc, half, two), rotated);
    Shape table = {dims[0], dims[sequence], halfDim};
    Sizes tableSizes = {sizes[0], sizes[sequence], half};
    if (Value ids = adaptor.getPositionIds()) {
      requireExtents(builder, loc, ids, shape(op.getPositionIds()), table, tableSizes);
      OpFoldResult rows = sizeOf(builder, loc, adaptor.getCosCache(), 0);
      requireIndices(builder, loc, ids, type(op.getPositionIds()).getElementType(), rows, {}, /*fromEnd=*/false);
      table = {shape(op.getCosCache())[0], halfDim};
      tableSizes = {rows, half};
    }
    requireExtents(builder, loc, adaptor.getCosCache(), shape(op.getCosCache()), table, tableSizes);
    requireExtents(builder, loc, adaptor.getSinCache(), shape(op.getSinCache()), table, tableSizes);
    return {sizes, rotated, half};
  }
};
} // namespace

namespace onnx_aot::onnx {
void populateAttentionChecks(TypeConverter &converter, RewritePatternSet &patterns);

void populateAttentionToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  populateAttentionChecks(converter, patterns);
  patterns.add<LowerAttention, LowerRotaryEmbedding>(converter, patterns.getContext());
}
} // namespace onnx_aot::onnx
