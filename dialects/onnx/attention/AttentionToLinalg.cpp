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
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <cmath>

using namespace mlir;
using namespace onnx_aot::onnx;

namespace {
class AttentionBuilder {
public:
  AttentionBuilder(AttentionOp op, AttentionOp::Adaptor adaptor, OpBuilder &builder)
      : op(op), adaptor(adaptor), builder(builder), loc(op.getLoc()), context(op.getContext()) {
    auto q = cast<RankedTensorType>(op.getQ().getType()), k = cast<RankedTensorType>(op.getK().getType());
    auto v = cast<RankedTensorType>(op.getV().getType());
    element = q.getElementType();
    valueElement = v.getElementType();
    compute = computeType(element);
    isFlat = q.getRank() == 3;
    batch = q.getDimSize(0);
    int64_t heads = isFlat ? int64_t(*op.getQNumHeads()) : q.getDimSize(1);
    groups = isFlat ? int64_t(*op.getKvNumHeads()) : k.getDimSize(1);
    headsPerGroup = groups == 0 ? 0 : heads / groups;
    queries = q.getDimSize(isFlat ? 1 : 2);
    ownKeys = k.getDimSize(isFlat ? 1 : 2);
    size = isFlat ? q.getDimSize(2) / heads : q.getDimSize(3);
    valueSize = isFlat ? v.getDimSize(2) / groups : v.getDimSize(3);
    past = op.getPastKey() ? cast<RankedTensorType>(op.getPastKey().getType()).getDimSize(2) : 0;
    keys = past + ownKeys;
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
      results.push_back(key);
    if (op.getPresentValue())
      results.push_back(value);
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
  RankedTensorType scoresType(int64_t last) {
    return RankedTensorType::get({batch, groups, headsPerGroup, queries, last}, compute);
  }

  /// Keys or values as [batch, groups, past + own, size].
  Value present(Value own, Value before, int64_t extent, Type element) {
    if (isFlat) {
      Value split = buildReshape(builder, loc, own, {batch, ownKeys, groups, extent});
      auto type = RankedTensorType::get({batch, groups, ownKeys, extent}, element);
      SmallVector<AffineMap> maps = {map(4, {0, 2, 1, 3}), map(4, {0, 1, 2, 3})};
      SmallVector<utils::IteratorType> iterators(4, utils::IteratorType::parallel);
      own = linalg::GenericOp::create(builder, loc, type, split, emptyTensor(builder, loc, type), maps, iterators,
                                      [](OpBuilder &nested, Location bodyLoc, ValueRange elements) {
                                        linalg::YieldOp::create(nested, bodyLoc, elements[0]);
                                      })
                .getResult(0);
    }
    if (!before)
      return own;
    Value joined = emptyTensor(builder, loc, RankedTensorType::get({batch, groups, keys, extent}, element));
    auto insert = [&](Value part, int64_t at, int64_t count) {
      SmallVector<OpFoldResult> offsets(4, builder.getIndexAttr(0)), sizes, ones(4, builder.getIndexAttr(1));
      offsets[2] = builder.getIndexAttr(at);
      for (int64_t entry : {batch, groups, count, extent})
        sizes.push_back(builder.getIndexAttr(entry));
      joined = tensor::InsertSliceOp::create(builder, loc, part, joined, offsets, sizes, ones);
    };
    insert(before, 0, past);
    insert(own, past, ownKeys);
    return joined;
  }

  /// Q K' * scale in the compute type; `key` is null where K is read as it comes.
  Value scores(Value key) {
    Value query;
    KernelSpec spec;
    // Dims: batch 0, group 1, head 2, i 3, j 4, d 5.
    if (isFlat)
      query = buildReshape(builder, loc, adaptor.getQ(), {batch, queries, groups, headsPerGroup, size});
    else
      query = buildReshape(builder, loc, adaptor.getQ(), {batch, groups, headsPerGroup, queries, size});
    spec.maps = {isFlat ? map(6, {0, 3, 1, 2, 5}) : map(6, {0, 1, 2, 3, 5})};
    bool readsFlat = !key && isFlat;
    if (readsFlat)
      key = buildReshape(builder, loc, adaptor.getK(), {batch, ownKeys, groups, size});
    else if (!key)
      key = adaptor.getK();
    spec.maps.push_back(readsFlat ? map(6, {0, 4, 1, 5}) : map(6, {0, 1, 4, 5}));
    spec.maps.push_back(map(6, {0, 1, 2, 3, 4}));
    spec.kind = "matmul";
    spec.inputs = {query, key};
    spec.isReduction = {false, false, false, false, false, true};
    spec.identity = cast<TypedAttr>(builder.getZeroAttr(compute));
    spec.resultType = scoresType(keys);
    spec.compute = [&](ImplicitLocOpBuilder &b, ValueRange x, Value sum) -> Value {
      return math::FmaOp::create(b, toCompute(b, loc, x[0], element), toCompute(b, loc, x[1], element), sum);
    };
    double scale = op.getScale() ? op.getScale()->convertToDouble() : 1.0 / std::sqrt(double(size));
    spec.epilogue = [&](ImplicitLocOpBuilder &b, ValueRange, Value sum) -> Value {
      return arith::MulFOp::create(b, sum, scalarConstant(b, loc, compute, scale));
    };
    return buildKernel(builder, loc, spec);
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
      value = buildElementwise(
          builder, loc, RankedTensorType::get(type.getShape(), compute), value, maskElement,
          [&](ScalarBody &body) { return castScalar(body.b, loc, body.x[0], body.type[0], compute); });
      maskElement = compute;
    }
    SmallVector<int64_t> shape(type.getShape());
    if (shape.back() != keys && shape.back() != 1) {
      SmallVector<int64_t> low(shape.size(), 0), high(shape.size(), 0);
      high.back() = keys - shape.back();
      Value filler =
          toStorage(builder, loc, scalarConstant(builder, loc, maskElement, maskElement.isInteger(1) ? 0.0 : -INFINITY),
                    maskElement);
      value = buildPad(builder, loc, value, low, high, filler);
      shape.back() = keys;
    }
    shape.insert(shape.begin(), 4 - shape.size(), 1);
    bool perHead = shape[1] != 1;
    return buildReshape(builder, loc, value,
                        {shape[0], perHead ? groups : 1, perHead ? headsPerGroup : 1, shape[2], shape[3]});
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
      inputs.push_back(buildReshape(builder, loc, lengths, {batch, 1, 1, 1, 1}));
    }
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
      auto constant = [&](int64_t value) -> Value { return arith::ConstantIntOp::create(b, loc, value, 64); };
      if (isCausal) {
        // Queries stand at the end of the valid keys.
        Value offset = constant(past);
        if (lengths && !op.getPastKey())
          offset = arith::SubIOp::create(b, body.x.back(), constant(queries));
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
    spec.resultType = scoresType(1);
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
      value = buildReshape(builder, loc, adaptor.getV(), {batch, ownKeys, groups, valueSize});
    else if (!value)
      value = adaptor.getV();
    spec.kind = "matmul";
    spec.inputs = {probabilities, value};
    spec.maps = {map(6, {0, 1, 2, 3, 5}), readsFlat ? map(6, {0, 5, 1, 4}) : map(6, {0, 1, 5, 4}),
                 isFlat ? map(6, {0, 3, 1, 2, 4}) : map(6, {0, 1, 2, 3, 4})};
    spec.isReduction = {false, false, false, false, false, true};
    spec.identity = cast<TypedAttr>(builder.getZeroAttr(compute));
    spec.resultType =
        RankedTensorType::get(isFlat ? SmallVector<int64_t>{batch, queries, groups, headsPerGroup, valueSize}
                                     : SmallVector<int64_t>{batch, groups, headsPerGroup, queries, valueSize},
                              element);
    spec.compute = [&](ImplicitLocOpBuilder &b, ValueRange x, Value sum) -> Value {
      Value own = castScalar(b, loc, toCompute(b, loc, x[1], valueElement), valueElement, compute);
      return math::FmaOp::create(b, x[0], own, sum);
    };
    spec.epilogue = [&](ImplicitLocOpBuilder &b, ValueRange, Value sum) { return toStorage(b, loc, sum, element); };
    return buildReshape(builder, loc, buildKernel(builder, loc, spec),
                        cast<RankedTensorType>(op.getY().getType()).getShape());
  }

  /// Scores as a result: [batch, heads, i, j] of the element type.
  Value store(Value scores) {
    if (compute != element) {
      auto type = RankedTensorType::get(scoresType(keys).getShape(), element);
      scores = buildElementwise(builder, loc, type, scores, compute, [&](ScalarBody &body) { return body.x[0]; });
    }
    return buildReshape(builder, loc, scores, {batch, groups * headsPerGroup, queries, keys});
  }

  AttentionOp op;
  AttentionOp::Adaptor adaptor;
  OpBuilder &builder;
  Location loc;
  MLIRContext *context;
  Type element, valueElement, compute;
  bool isFlat;
  int64_t batch, groups, headsPerGroup, queries, ownKeys, past, keys, size, valueSize;
};

struct LowerAttention : OnnxLowering<AttentionOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(AttentionOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Type element = type(op.getQ()).getElementType();
    if (type(op.getK()).getElementType() != element)
      return op.emitError("unsupported: Attention whose Q and K have different element types");
    rewriter.replaceOp(op, AttentionBuilder(op, adaptor, rewriter).build());
    return success();
  }
};

/// One element of Y from a pair of X: x * cos -/+ partner * sin.
struct LowerRotaryEmbedding : OnnxLowering<RotaryEmbeddingOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(RotaryEmbeddingOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    RankedTensorType x = type(op.getX());
    Type element = x.getElementType();
    bool isFlat = x.getRank() == 3;
    int64_t heads = isFlat ? int64_t(op.getNumHeads()) : x.getDimSize(1);
    int64_t size = isFlat ? x.getDimSize(2) / heads : x.getDimSize(3);
    int64_t rotated = op.getRotaryEmbeddingDim() ? int64_t(op.getRotaryEmbeddingDim()) : size, half = rotated / 2;
    SmallVector<int64_t> shape(x.getShape());
    if (isFlat)
      shape = {shape[0], shape[1], heads, size};
    Value data = buildReshape(rewriter, loc, adaptor.getX(), shape);
    unsigned sequence = isFlat ? 1 : 2;
    bool isInterleaved = op.getInterleaved() != 0;
    Value ids = adaptor.getPositionIds();
    int64_t rows = type(op.getCosCache()).getDimSize(0);
    auto result = RankedTensorType::get(shape, element);
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
      Value isRotated = less(position, constant(rotated));
      Value inside = arith::SelectOp::create(b, isRotated, position, constant(0));
      Value isFirst, pair, partner;
      if (isInterleaved) {
        Value bit = arith::AndIOp::create(b, inside, constant(1));
        isFirst = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, bit, constant(0));
        pair = arith::ShRUIOp::create(b, inside, constant(1));
        partner = arith::XOrIOp::create(b, inside, constant(1));
      } else {
        isFirst = less(inside, constant(half));
        Value up = arith::AddIOp::create(b, inside, constant(half));
        Value down = arith::SubIOp::create(b, inside, constant(half));
        pair = arith::SelectOp::create(b, isFirst, inside, down);
        partner = arith::SelectOp::create(b, isFirst, up, down);
      }
      SmallVector<Value> row = {at[0], at[sequence], pair};
      if (ids) {
        Value id = tensor::ExtractOp::create(b, ids, ValueRange{at[0], at[sequence]});
        Value index = arith::IndexCastOp::create(b, b.getIndexType(), id);
        // A position from outside cannot be trusted: it is brought into the table.
        row = {arith::MinUIOp::create(b, index, constant(std::max<int64_t>(rows - 1, 0))), pair};
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
    rewriter.replaceOp(op, buildReshape(rewriter, loc, rotatedData, x.getShape()));
    return success();
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
