//===- Random.cpp - random numbers --------------------------------------------------------------------------------===//
//
// The generator has no state: element i of a result is a mix of i and of the stream's key, so that elements may be
// computed in any order and every run gives the same. The key is made of the seed and of the node's name.
//
//   bits(i) = mix(key + i * odd)      mix: two rounds of xor-shift and multiplication, which change every bit
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/generator/Random.h"
#include "dialects/onnx/generator/Generator.h"
#include "dialects/onnx/support/DataTypes.h"
#include "dialects/onnx/support/Generate.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include <cmath>

using namespace mlir;
using namespace onnx_aot::onnx;

//===-- Shapes ----------------------------------------------------------------------------------------------------===//

/// The float type that `dtype` names.
static FailureOr<Type> floatType(Operation *op, int64_t dtype) {
  Type element = elementTypeOfDataType(op->getContext(), dtype);
  if (!isa_and_nonnull<FloatType>(element)) // (C1)
    return op->emitOpError("dtype is not a floating-point type's");
  return element;
}

template <typename OpTy> static LogicalResult inferShaped(OpTy op, SmallVectorImpl<ResultShape> &results) {
  FailureOr<Type> element = floatType(op, op.getDtype());
  if (failed(element))
    return failure();
  if (llvm::any_of(op.getShape(), [](int64_t extent) { return extent < 0; })) // (C2)
    return op.emitOpError("the shape has a negative extent");
  results.emplace_back(*element, Shape(op.getShape().begin(), op.getShape().end()));
  return success();
}

template <typename OpTy>
static LogicalResult inferLike(OpTy op, ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  FailureOr<Type> element = ctx.elementType(op.getInput());
  if (op.getDtype())
    element = floatType(op, *op.getDtype());
  else if (!isa<FloatType>(*element)) // (C1)
    return op.emitOpError("without dtype the input must be of a floating-point type");
  if (failed(element))
    return failure();
  results.emplace_back(*element, ctx.shape(op.getInput()));
  return success();
}

LogicalResult RandomUniformOp::inferResults(ShapeContext &, SmallVectorImpl<ResultShape> &results) {
  return inferShaped(*this, results);
}
LogicalResult RandomNormalOp::inferResults(ShapeContext &, SmallVectorImpl<ResultShape> &results) {
  return inferShaped(*this, results);
}
LogicalResult RandomUniformLikeOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  return inferLike(*this, ctx, results);
}
LogicalResult RandomNormalLikeOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  return inferLike(*this, ctx, results);
}

LogicalResult BernoulliOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  Type element = ctx.elementType(getInput());
  if (getDtype())
    element = elementTypeOfDataType(getContext(), *getDtype());
  if (!element || !element.isIntOrFloat()) // (C3)
    return emitOpError("dtype is not a number's or bool's");
  results.emplace_back(element, ctx.shape(getInput()));
  return success();
}

//===-- The generator ---------------------------------------------------------------------------------------------===//

namespace {
/// Emits the random numbers of the element that is computed.
class Generator {
public:
  Generator(ImplicitLocOpBuilder &b, uint64_t key, ArrayRef<OpFoldResult> sizes) : b(b), key(key) {
    position = integer(0);
    for (auto [dim, size] : llvm::enumerate(sizes)) {
      Value index = arith::IndexCastOp::create(b, b.getI64Type(), linalg::IndexOp::create(b, dim));
      std::optional<int64_t> known = constantSize(size);
      Value extent =
          known ? integer(*known) : arith::IndexCastOp::create(b, b.getI64Type(), cast<Value>(size)).getResult();
      position = arith::AddIOp::create(b, arith::MulIOp::create(b, position, extent), index);
    }
  }

  /// One of 2^24 (for f64 2^53) evenly spaced numbers in 0..1, without 1; the `draw`-th of this element.
  Value uniform(Type real, unsigned draw) {
    unsigned bits = real.isF64() ? 53 : 24;
    Value counter = arith::AddIOp::create(b, arith::MulIOp::create(b, position, integer(2)), integer(draw));
    Value mixed = mix(counter);
    Value top = arith::ShRUIOp::create(b, mixed, integer(64 - bits));
    Value number = castScalar(b, b.getLoc(), top, b.getI64Type(), real);
    return arith::MulFOp::create(b, number, scalarConstant(b, b.getLoc(), real, std::ldexp(1.0, -int(bits))));
  }

  /// Box and Muller's transform of two numbers.
  Value normal(Type real) {
    auto constant = [&](double value) { return scalarConstant(b, b.getLoc(), real, value); };
    // In 0..1 without 0.
    Value radius = arith::SubFOp::create(b, constant(1), uniform(real, 0));
    radius = math::SqrtOp::create(b, arith::MulFOp::create(b, constant(-2), math::LogOp::create(b, radius)));
    Value angle = arith::MulFOp::create(b, constant(2 * M_PI), uniform(real, 1));
    return arith::MulFOp::create(b, radius, math::CosOp::create(b, angle));
  }

private:
  Value integer(uint64_t value) { return arith::ConstantIntOp::create(b, int64_t(value), 64); }

  Value mix(Value counter) {
    Value bits =
        arith::AddIOp::create(b, arith::MulIOp::create(b, counter, integer(0xD1342543DE82EF95u)), integer(key));
    for (auto [shift, factor] : {std::pair(31u, 0xAEF17502108EF2D9u), std::pair(29u, 0x9FB21C651E98DF25u)}) {
      bits = arith::XOrIOp::create(b, bits, arith::ShRUIOp::create(b, bits, integer(shift)));
      bits = arith::MulIOp::create(b, bits, integer(factor));
    }
    return arith::XOrIOp::create(b, bits, arith::ShRUIOp::create(b, bits, integer(32)));
  }

  ImplicitLocOpBuilder &b;
  uint64_t key;
  Value position;
};

/// The same on every machine.
uint64_t streamOf(Operation *op, std::optional<APFloat> seed) {
  uint64_t key = 0xCBF29CE484222325u;
  auto add = [&](uint64_t value) { key = (key ^ value) * 0x100000001B3u; };
  if (auto named = dyn_cast<NameLoc>(op->getLoc()))
    for (char letter : named.getName())
      add(uint8_t(letter));
  if (seed)
    add(seed->bitcastToAPInt().getZExtValue());
  return key;
}

/// A result with the extents of the input, or those that an attribute gives.
template <typename OpTy>
Value buildRandom(OpTy op, typename OpTy::Adaptor adaptor, OpBuilder &builder,
                  llvm::function_ref<Value(Generator &, Arithmetic &)> draw) {
  auto result = cast<RankedTensorType>(op.getOutput().getType());
  SmallVector<OpFoldResult> sizes = getAsIndexOpFoldResult(builder.getContext(), result.getShape());
  if (!adaptor.getOperands().empty())
    sizes = sizesOf(builder, op.getLoc(), adaptor.getOperands()[0]);
  Type element = result.getElementType();
  auto body = [&](ImplicitLocOpBuilder &b, ValueRange) {
    Generator generator(b, streamOf(op, op.getSeed()), sizes);
    Arithmetic arithmetic{b, computeType(element)};
    return draw(generator, arithmetic);
  };
  Value random = buildGenerated(builder, op.getLoc(), sizes, element, body);
  return castTensor(builder, op.getLoc(), random, RankedTensorType::get(result.getShape(), storageType(element)));
}

template <typename OpTy> struct LowerUniform : OnnxLowering<OpTy> {
  using OnnxLowering<OpTy>::OnnxLowering;
  LogicalResult matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    double low = op.getLow().convertToDouble(), high = op.getHigh().convertToDouble();
    rewriter.replaceOp(op, buildRandom(op, adaptor, rewriter, [&](Generator &generator, Arithmetic &a) {
                         return a.add(a.mul(generator.uniform(a.real, 0), a.number(high - low)), a.number(low));
                       }));
    return success();
  }
};

template <typename OpTy> struct LowerNormal : OnnxLowering<OpTy> {
  using OnnxLowering<OpTy>::OnnxLowering;
  LogicalResult matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    double mean = op.getMean().convertToDouble(), scale = op.getScale().convertToDouble();
    rewriter.replaceOp(op, buildRandom(op, adaptor, rewriter, [&](Generator &generator, Arithmetic &a) {
                         return a.add(a.mul(generator.normal(a.real), a.number(scale)), a.number(mean));
                       }));
    return success();
  }
};

struct LowerBernoulli : OnnxLowering<BernoulliOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(BernoulliOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    RankedTensorType result = type(op.getOutput());
    Type element = type(op.getInput()).getElementType(), real = computeType(element);
    SmallVector<OpFoldResult> sizes = sizesOf(rewriter, op.getLoc(), adaptor.getInput());
    Value value = buildElementwise(rewriter, op.getLoc(), result, adaptor.getInput(), element, [&](ScalarBody &s) {
      Generator generator(s.b, streamOf(op, op.getSeed()), sizes);
      Value isOne = arith::CmpFOp::create(s.b, arith::CmpFPredicate::OLT, generator.uniform(real, 0), s.x[0]);
      return castScalar(s.b, s.b.getLoc(), isOne, s.b.getI1Type(), result.getElementType());
    });
    rewriter.replaceOp(op, value);
    return success();
  }
};
} // namespace

void onnx_aot::onnx::populateRandomToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerUniform<RandomUniformOp>, LowerUniform<RandomUniformLikeOp>, LowerNormal<RandomNormalOp>,
               LowerNormal<RandomNormalLikeOp>, LowerBernoulli>(converter, patterns.getContext());
}
