//===- QuantizationToLinalg.cpp - lowering of the quantizing operators --------------------------------------------===//
//
// Each is one linalg.generic; scale and zero point are broadcast by their indexing maps. For blocks, the blocked dim is
// split in two first, so that the maps stay those of plain dims:
//
//   x : 2x6, scale : 2x3, axis 1, block_size 2   ->   x : 2x3x2 at (a, b, c), scale at (a, b)
//
// Where the last block is not full, scale is read at (a, b floordiv 2).
//
// Rounding happens on x / scale, as the standard has it; the sum with the zero point is exact in floats, so it is
// clamped there and converted last.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/quantization/Quantization.h"
#include "dialects/onnx/support/DataTypes.h"
#include "dialects/onnx/support/Extents.h"
#include "dialects/onnx/support/NarrowFloats.h"
#include "dialects/onnx/support/Quantize.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include <cmath>

using namespace mlir;
using namespace onnx_aot::onnx;

namespace {
/// The iteration space of x, scale and zero point.
struct Blocks {
  SmallVector<int64_t> shape; // x's, with the blocked dim split; x's own where that is not possible
  SmallVector<AffineMap> parameterMaps;
};
} // namespace

/// `parameters` are scale and zero point; where only the run tells whether they repeat, they are repeated views after.
static Blocks getBlocks(OpBuilder &builder, Location loc, Value x, const Shape &shape, const Shape &scaleShape,
                        ArrayRef<Shape> parameterShapes, MutableArrayRef<Value> parameters, int64_t axis,
                        int64_t blockSize) {
  MLIRContext *context = builder.getContext();
  SmallVector<OpFoldResult> sizes = sizesOf(builder, loc, x);
  Blocks blocks{staticShape(sizes), {}};
  bool single = llvm::all_of(scaleShape, [](Dim extent) { return extent.is(1); });
  SmallVector<AffineExpr> exprs;
  axis += axis < 0 ? shape.size() : 0;
  // The extents of scale and zero point.
  Shape full(scaleShape.size(), Dim(1));
  SmallVector<OpFoldResult> fullSizes(scaleShape.size(), builder.getIndexAttr(1));
  // Of another rank than it would have along the axis, the scale is one element.
  if (single || shape.empty() || scaleShape.size() != (blockSize == 0 ? 1 : shape.size())) {
    exprs.assign(scaleShape.size(), getAffineConstantExpr(0, context));
  } else if (blockSize == 0) {
    exprs.push_back(getAffineDimExpr(axis, context));
    full[0] = shape[axis];
    fullSizes[0] = sizes[axis];
  } else {
    bool splits = llvm::none_of(blocks.shape, ShapedType::isDynamic) && blocks.shape[axis] % blockSize == 0;
    if (splits) {
      blocks.shape[axis] = blocks.shape[axis] / blockSize;
      blocks.shape.insert(blocks.shape.begin() + axis + 1, blockSize);
    }
    for (int64_t dim = 0; dim < int64_t(shape.size()); ++dim) {
      AffineExpr expr = getAffineDimExpr(splits && dim > axis ? dim + 1 : dim, context);
      exprs.push_back(dim == axis && !splits ? expr.floorDiv(blockSize) : expr);
    }
    full = shape;
    fullSizes = sizes;
    full[axis] = shape[axis].ceilDiv(blockSize);
    OpFoldResult raised = addSizes(builder, loc, sizes[axis], builder.getIndexAttr(blockSize - 1));
    fullSizes[axis] = divideSizes(builder, loc, raised, builder.getIndexAttr(blockSize));
  }
  for (auto [parameter, own] : llvm::zip(parameters, parameterShapes)) {
    // Of one element each, scale and zero point may differ in rank.
    bool sameRank = own.size() == full.size();
    SmallVector<OpFoldResult> ones(own.size(), builder.getIndexAttr(1));
    parameter =
        alignTo(builder, loc, parameter, own, sameRank ? full : Shape(own.size(), Dim(1)), sameRank ? fullSizes : ones);
    SmallVector<AffineExpr> read(own.size(), getAffineConstantExpr(0, context));
    for (size_t dim = 0; sameRank && dim < own.size(); ++dim)
      if (!own[dim].is(1) || full[dim].is(1))
        read[dim] = exprs[dim];
    blocks.parameterMaps.push_back(AffineMap::get(blocks.shape.size(), 0, read, context));
  }
  return blocks;
}

using BodyFn = llvm::function_ref<Value(ImplicitLocOpBuilder &, ValueRange)>;

/// Computes `body` over stored elements (x, scale, zero point if given) for the result of type `type`.
static Value buildBlocked(OpBuilder &builder, Location loc, const Blocks &blocks, RankedTensorType type, Value x,
                          ValueRange parameters, BodyFn body) {
  bool splits = ArrayRef(blocks.shape) != type.getShape();
  SmallVector<Value> inputs = {splits ? buildReshape(builder, loc, x, blocks.shape) : x};
  llvm::append_range(inputs, parameters);
  SmallVector<AffineMap> maps = {builder.getMultiDimIdentityMap(blocks.shape.size())};
  llvm::append_range(maps, blocks.parameterMaps);
  maps.push_back(maps.front());
  SmallVector<utils::IteratorType> iterators(blocks.shape.size(), utils::IteratorType::parallel);
  Value empty = emptyTensor(builder, loc, sizesOf(builder, loc, inputs[0]), type.getElementType());
  Value result = linalg::GenericOp::create(builder, loc, empty.getType(), inputs, empty, maps, iterators,
                                           [&](OpBuilder &nested, Location bodyLoc, ValueRange elements) {
                                             ImplicitLocOpBuilder b(bodyLoc, nested);
                                             linalg::YieldOp::create(b, body(b, elements.drop_back()));
                                           })
                     .getResult(0);
  return castTensor(builder, loc, splits ? buildReshape(builder, loc, result, type.getShape()) : result, type);
}

/// The f32 `value` rounded to the precision of `type`.
static Value roundTo(ImplicitLocOpBuilder &b, Value value, Type type) {
  return toCompute(b, b.getLoc(), toStorage(b, b.getLoc(), value, type), type);
}

/// round(x / scale) + zeroPoint within the range of the integer type `to`; all f32 (or f64). The quotient has the
/// precision of `precision`, or all that there is.
static Value quantize(ImplicitLocOpBuilder &b, Value x, Value scale, Value zeroPoint, Type to, Type precision = {}) {
  Location loc = b.getLoc();
  unsigned width = to.getIntOrFloatBitWidth();
  if (x.getType().isF32() && width <= 16) {
    Value quotient = arith::DivFOp::create(b, x, scale);
    return roundAndSaturate(b, precision ? roundTo(b, quotient, precision) : quotient, zeroPoint, to);
  }
  bool toUnsigned = isUnsigned(to);
  Value low = scalarConstant(b, loc, x.getType(), toUnsigned ? 0.0 : -std::ldexp(1.0, width - 1));
  Value high = scalarConstant(b, loc, x.getType(), std::ldexp(1.0, toUnsigned ? width : width - 1) - 1);
  Value quotient = arith::DivFOp::create(b, x, scale);
  Value value = math::RoundEvenOp::create(b, precision ? roundTo(b, quotient, precision) : quotient);
  if (zeroPoint)
    value = arith::AddFOp::create(b, value, zeroPoint);
  // NaN becomes the lower bound.
  Value isAbove = arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, value, low);
  value = arith::SelectOp::create(b, isAbove, value, low);
  Value isBelow = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, value, high);
  value = arith::SelectOp::create(b, isBelow, value, high);
  Value integer = arith::FPToSIOp::create(b, b.getI32Type(), value);
  return arith::TruncIOp::create(b, storageType(to), integer);
}

/// x / scale + zeroPoint as a float of up to 8 bits, in stored form; all f32.
static Value quantizeToFloat(ImplicitLocOpBuilder &b, Value x, Value scale, Value zeroPoint, Type precision, Type to,
                             bool saturate) {
  Value value = roundTo(b, arith::DivFOp::create(b, x, scale), precision);
  if (zeroPoint) {
    // The zero point of float8 is 0 by the standard's text, and -0 is to stay.
    Value sum = arith::AddFOp::create(b, value, zeroPoint);
    Value zero = scalarConstant(b, b.getLoc(), value.getType(), 0);
    Value isZero = arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, zeroPoint, zero);
    value = isa<Float4E2M1FNType>(to) ? sum : Value(arith::SelectOp::create(b, isZero, value, sum));
  }
  return encodeNarrowFloat(b, b.getLoc(), value, to, {saturate});
}

namespace {
struct LowerQuantizeLinear : OnnxLowering<QuantizeLinearOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(QuantizeLinearOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Type from = type(op.getX()).getElementType(), to = type(op.getY()).getElementType();
    Type scaleElement = type(op.getYScale()).getElementType();
    if (failed(requireRealTypes(op)))
      return failure();
    SmallVector<Value> parameters = {adaptor.getYScale()};
    SmallVector<Shape> parameterShapes = {shape(op.getYScale())};
    if (op.getYZeroPoint()) {
      parameters.push_back(adaptor.getYZeroPoint());
      parameterShapes.push_back(shape(op.getYZeroPoint()));
    }
    Blocks blocks = getBlocks(rewriter, op.getLoc(), adaptor.getX(), shape(op.getX()), parameterShapes[0],
                              parameterShapes, parameters, op.getAxis(), op.getBlockSize());
    Type precision = precisionOf(op, scaleElement), compute = computeType(precision);
    Value result = buildBlocked(rewriter, op.getLoc(), blocks, stored(op.getY()), adaptor.getX(), parameters,
                                [&](ImplicitLocOpBuilder &b, ValueRange v) {
                                  Location loc = b.getLoc();
                                  auto operand = [&](Value value, Type type) {
                                    Value number = castScalar(b, loc, toCompute(b, loc, value, type), type, compute);
                                    return type == precision ? number : roundTo(b, number, precision);
                                  };
                                  Value x = operand(v[0], from), scale = operand(v[1], scaleElement), zeroPoint;
                                  if (v.size() > 2)
                                    zeroPoint = castScalar(b, loc, toCompute(b, loc, v[2], to), to, compute);
                                  return isNarrowFloat(to)
                                             ? quantizeToFloat(b, x, scale, zeroPoint, precision, to, op.getSaturate())
                                             : quantize(b, x, scale, zeroPoint, to, precision);
                                });
    rewriter.replaceOp(op, result);
    return success();
  }

  /// The type whose rounding the division has.
  static Type precisionOf(QuantizeLinearOp op, Type scale) {
    Type precision = op.getPrecision() ? elementTypeOfDataType(op.getContext(), op.getPrecision()) : scale;
    return isa<Float16Type, BFloat16Type, Float64Type>(precision) ? precision : Float32Type::get(op.getContext());
  }
};

struct LowerDequantizeLinear : OnnxLowering<DequantizeLinearOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(DequantizeLinearOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Type from = type(op.getX()).getElementType(), to = type(op.getY()).getElementType();
    Type scaleElement = type(op.getXScale()).getElementType();
    if (failed(requireRealTypes(op)))
      return failure();
    SmallVector<Value> parameters = {adaptor.getXScale()};
    SmallVector<Shape> parameterShapes = {shape(op.getXScale())};
    if (op.getXZeroPoint()) {
      parameters.push_back(adaptor.getXZeroPoint());
      parameterShapes.push_back(shape(op.getXZeroPoint()));
    }
    Blocks blocks = getBlocks(rewriter, op.getLoc(), adaptor.getX(), shape(op.getX()), parameterShapes[0],
                              parameterShapes, parameters, op.getAxis(), op.getBlockSize());
    // Integers are subtracted as such: all of their bits count.
    Type compute = computeType(scaleElement), wide = isa<IntegerType>(from) ? Type(rewriter.getI32Type()) : compute;
    Value result = buildBlocked(rewriter, op.getLoc(), blocks, stored(op.getY()), adaptor.getX(), parameters,
                                [&](ImplicitLocOpBuilder &b, ValueRange v) {
                                  Location loc = b.getLoc();
                                  auto number = [&](Value value) {
                                    return castScalar(b, loc, toCompute(b, loc, value, from), from, wide);
                                  };
                                  Value x = number(v[0]);
                                  if (v.size() > 2)
                                    x = subtract(b, x, number(v[2]));
                                  Value scale = toCompute(b, loc, v[1], scaleElement);
                                  Value y = arith::MulFOp::create(b, castScalar(b, loc, x, wide, compute), scale);
                                  return toStorage(b, loc, castScalar(b, loc, y, compute, to), to);
                                });
    rewriter.replaceOp(op, result);
    return success();
  }

  static Value subtract(ImplicitLocOpBuilder &b, Value x, Value zeroPoint) {
    return isa<FloatType>(x.getType()) ? Value(arith::SubFOp::create(b, x, zeroPoint))
                                       : Value(arith::SubIOp::create(b, x, zeroPoint));
  }
};

/// y_scale = (max(x, 0) - min(x, 0)) / 255;  y_zero_point = saturate(round(0 - min(x, 0) / y_scale)).
struct LowerDynamicQuantizeLinear : OnnxLowering<DynamicQuantizeLinearOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(DynamicQuantizeLinearOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Type real = rewriter.getF32Type(), quantized = type(op.getY()).getElementType();
    Value x = adaptor.getX();
    auto scalarType = RankedTensorType::get({}, real);
    auto quantizedScalar = RankedTensorType::get({}, quantized);
    Value low = extremum(rewriter, loc, x, scalarType, /*isMax=*/false);
    Value high = extremum(rewriter, loc, x, scalarType, /*isMax=*/true);
    Value scale = buildElementwise(rewriter, loc, scalarType, {low, high}, {real, real}, [&](ScalarBody &s) -> Value {
      Value range = arith::SubFOp::create(s.b, s.x[1], s.x[0]);
      Value scale = arith::DivFOp::create(s.b, range, s.constant(255));
      // A tensor of zeros would have the scale 0, and its zero point 0 / 0.
      Value isZero = arith::CmpFOp::create(s.b, arith::CmpFPredicate::OEQ, scale, s.constant(0));
      return arith::SelectOp::create(s.b, isZero, s.constant(1), scale);
    });
    Value zeroPoint = buildElementwise(rewriter, loc, quantizedScalar, {low, scale}, {real, real}, [&](ScalarBody &s) {
      return quantize(s.b, arith::SubFOp::create(s.b, s.constant(0), s.x[0]), s.x[1], {}, quantized);
    });
    Value y = buildElementwise(rewriter, loc, type(op.getY()), {x, scale, zeroPoint}, {real, real, quantized},
                               [&](ScalarBody &s) {
                                 Value zero = castScalar(s.b, s.b.getLoc(), s.x[2], quantized, real);
                                 return quantize(s.b, s.x[0], s.x[1], zero, quantized);
                               });
    SmallVector<Value> results = {y};
    if (op.getYScale())
      results.push_back(scale);
    if (op.getYZeroPoint())
      results.push_back(zeroPoint);
    rewriter.replaceOp(op, results);
    return success();
  }

  /// The least (greatest) of 0 and all elements.
  static Value extremum(OpBuilder &builder, Location loc, Value x, RankedTensorType resultType, bool isMax) {
    int64_t rank = cast<RankedTensorType>(x.getType()).getRank();
    if (rank == 0)
      return buildElementwise(builder, loc, resultType, x, resultType.getElementType(),
                              [&](ScalarBody &s) { return fold(s.b, s.constant(0), s.x[0], isMax); });
    KernelSpec spec;
    spec.kind = "reduce";
    spec.inputs = {x};
    spec.maps = {builder.getMultiDimIdentityMap(rank), AffineMap::get(rank, 0, builder.getContext())};
    spec.isReduction.assign(rank, true);
    spec.identity = builder.getFloatAttr(resultType.getElementType(), 0.0);
    spec.resultType = resultType;
    spec.compute = [=](ImplicitLocOpBuilder &b, ValueRange v, Value accumulator) {
      return fold(b, accumulator, v[0], isMax);
    };
    return buildKernel(builder, loc, spec);
  }

  static Value fold(ImplicitLocOpBuilder &b, Value accumulator, Value x, bool isMax) {
    return isMax ? Value(arith::MaxNumFOp::create(b, accumulator, x))
                 : Value(arith::MinNumFOp::create(b, accumulator, x));
  }
};

/// quantize(a op b), both dequantized. Absent zero points are 0.
template <typename OpTy, typename Combine> struct LowerQLinearBinary : OnnxLowering<OpTy> {
  using OnnxLowering<OpTy>::OnnxLowering;
  LogicalResult matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Type element = this->type(op.getC()).getElementType(), real = rewriter.getF32Type();
    if (element.getIntOrFloatBitWidth() > 16 || !this->type(op.getCScale()).getElementType().isF32())
      return op.emitError("unsupported: more than 16 bits, or scales other than in single precision");
    auto sizes = this->sizes(rewriter, op, op.getC());
    if (failed(sizes))
      return failure();
    SmallVector<Value> inputs;
    for (auto [operand, lowered] : {std::pair(op.getA(), adaptor.getA()), std::pair(op.getB(), adaptor.getB())})
      inputs.push_back(alignTo(rewriter, loc, lowered, this->shape(operand), this->shape(op.getC()), *sizes));
    SmallVector<Type> types = {element, element};
    auto add = [&](Value parameter, Type type) -> int {
      if (!parameter)
        return -1;
      inputs.push_back(buildScalar(rewriter, loc, parameter));
      types.push_back(type);
      return inputs.size() - 1;
    };
    int aScale = add(adaptor.getAScale(), real), bScale = add(adaptor.getBScale(), real);
    int cScale = add(adaptor.getCScale(), real), aZero = add(adaptor.getAZeroPoint(), element);
    int bZero = add(adaptor.getBZeroPoint(), element), cZero = add(adaptor.getCZeroPoint(), element);
    auto made = RankedTensorType::get(staticShape(*sizes), element);
    Value c = buildElementwise(rewriter, loc, made, inputs, types, [&](ScalarBody &s) -> Value {
      auto number = [&](int at) { return castScalar(s.b, loc, s.x[at], element, real); };
      auto dequantize = [&](int at, int scale, int zero) -> Value {
        Value value = number(at);
        if (zero >= 0)
          value = arith::SubFOp::create(s.b, value, number(zero));
        return arith::MulFOp::create(s.b, value, s.x[scale]);
      };
      Value value = Combine::create(s.b, dequantize(0, aScale, aZero), dequantize(1, bScale, bZero));
      return quantize(s.b, value, s.x[cScale], cZero < 0 ? Value() : number(cZero), element);
    });
    rewriter.replaceOp(op, castTensor(rewriter, loc, c, this->stored(op.getC())));
    return success();
  }
};
} // namespace

namespace onnx_aot::onnx {
void populateQuantizationToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerQuantizeLinear, LowerDequantizeLinear, LowerDynamicQuantizeLinear,
               LowerQLinearBinary<QLinearAddOp, arith::AddFOp>, LowerQLinearBinary<QLinearMulOp, arith::MulFOp>>(
      converter, patterns.getContext());
}
} // namespace onnx_aot::onnx
