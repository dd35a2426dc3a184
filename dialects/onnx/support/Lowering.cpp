//===- Lowering.cpp - what the families' lowerings to linalg share ------------------------------------------------===//
#include "dialects/onnx/support/Lowering.h"
#include "dialects/aot/AotDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <cmath>

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::onnx;

TensorTypeConverter::TensorTypeConverter() {
  addConversion([](Type type) -> std::optional<Type> {
    if (auto tensor = dyn_cast<RankedTensorType>(type))
      return RankedTensorType::get(tensor.getShape(), storageType(tensor.getElementType()), tensor.getEncoding());
    return isa<UnrankedTensorType>(type) ? std::optional<Type>(nullptr) : std::optional<Type>(type);
  });
  auto cast = [](OpBuilder &builder, Type type, ValueRange inputs, Location loc) -> Value {
    return UnrealizedConversionCastOp::create(builder, loc, type, inputs).getResult(0);
  };
  addSourceMaterialization(cast);
  addTargetMaterialization(cast);
}

Type onnx_aot::onnx::storageType(Type type) {
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer)
    return type;
  unsigned width = integer.getWidth() == 1 ? 8 : integer.getWidth();
  return IntegerType::get(type.getContext(), width);
}

Type onnx_aot::onnx::computeType(Type type) {
  if (auto integer = dyn_cast<IntegerType>(type))
    return IntegerType::get(type.getContext(), integer.getWidth());
  if (auto real = dyn_cast<FloatType>(type); real && real.getWidth() < 32)
    return Float32Type::get(type.getContext());
  return type;
}

Value onnx_aot::onnx::toCompute(OpBuilder &builder, Location loc, Value stored, Type type) {
  if (type.isInteger(1))
    return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, stored,
                                 arith::ConstantIntOp::create(builder, loc, 0, 8));
  if (isa<FloatType>(type) && computeType(type) != type)
    return arith::ExtFOp::create(builder, loc, computeType(type), stored);
  return stored;
}

Value onnx_aot::onnx::toStorage(OpBuilder &builder, Location loc, Value computed, Type type) {
  if (type.isInteger(1))
    return arith::ExtUIOp::create(builder, loc, builder.getI8Type(), computed);
  if (isa<FloatType>(type) && computeType(type) != type)
    return arith::TruncFOp::create(builder, loc, type, computed);
  return computed;
}

bool onnx_aot::onnx::isUnsigned(Type type) {
  auto integer = dyn_cast<IntegerType>(type);
  return integer && (integer.isUnsigned() || integer.getWidth() == 1);
}

/// Toward zero, to a signed integer type; outside of its range its nearest bound, and the lowest value for NaN
/// (arith.fptosi alone is undefined there).
static Value saturateToSigned(OpBuilder &builder, Location loc, Value value, IntegerType type) {
  unsigned width = type.getWidth();
  double limit = std::ldexp(1.0, width - 1);
  Value low = scalarConstant(builder, loc, value.getType(), -limit);
  Value high = scalarConstant(builder, loc, value.getType(), limit);
  Value isInside = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OGT, value, low);
  Value raised = arith::SelectOp::create(builder, loc, isInside, value, low);
  Value isBelow = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OLT, raised, high);
  Value inside = arith::SelectOp::create(builder, loc, isBelow, raised, low);
  Value integer = arith::FPToSIOp::create(builder, loc, type, inside);
  Value largest =
      arith::ConstantOp::create(builder, loc, builder.getIntegerAttr(type, APInt::getSignedMaxValue(width)));
  return arith::SelectOp::create(builder, loc, isBelow, integer, largest);
}

/// Narrow types and unsigned ones take the low bits of the signed 32- or 64-bit value, as C conversions on the usual
/// machines do; signed types of 32 and 64 bits saturate.
static Value floatToInteger(OpBuilder &builder, Location loc, Value value, Type target, bool isUnsigned) {
  unsigned width = target.getIntOrFloatBitWidth();
  IntegerType wide = width < 32 || (width == 32 && !isUnsigned) ? builder.getI32Type() : builder.getI64Type();
  if (width == 64 && isUnsigned) {
    // The upper half of the range is converted 2^63 lower.
    Value half = scalarConstant(builder, loc, value.getType(), std::ldexp(1.0, 63));
    Value isUpper = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OGE, value, half);
    Value lowered = arith::SubFOp::create(builder, loc, value, half);
    Value shifted = arith::SelectOp::create(builder, loc, isUpper, lowered, value);
    Value integer = saturateToSigned(builder, loc, shifted, wide);
    Value topBit = arith::ConstantOp::create(builder, loc, builder.getIntegerAttr(wide, APInt::getSignedMinValue(64)));
    Value raised = arith::XOrIOp::create(builder, loc, integer, topBit);
    return arith::SelectOp::create(builder, loc, isUpper, raised, integer);
  }
  Value integer = saturateToSigned(builder, loc, value, wide);
  return target == wide ? integer : Value(arith::TruncIOp::create(builder, loc, target, integer));
}

Value onnx_aot::onnx::castScalar(OpBuilder &builder, Location loc, Value value, Type from, Type to) {
  Type source = computeType(from), target = computeType(to);
  if (to.isInteger(1)) {
    if (from.isInteger(1))
      return value;
    Value zero = scalarConstant(builder, loc, from, 0);
    // NaN is not zero, so it is true.
    return isa<FloatType>(source)
               ? Value(arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::UNE, value, zero))
               : Value(arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, value, zero));
  }
  if (isa<FloatType>(source) && isa<FloatType>(target)) {
    if (source.getIntOrFloatBitWidth() < target.getIntOrFloatBitWidth())
      return arith::ExtFOp::create(builder, loc, target, value);
    if (source.getIntOrFloatBitWidth() > target.getIntOrFloatBitWidth())
      return arith::TruncFOp::create(builder, loc, target, value);
    return value;
  }
  if (isa<FloatType>(source)) {
    return floatToInteger(builder, loc, value, target, isUnsigned(to));
  }
  if (isa<FloatType>(target))
    return isUnsigned(from) ? Value(arith::UIToFPOp::create(builder, loc, target, value))
                            : Value(arith::SIToFPOp::create(builder, loc, target, value));
  unsigned sourceWidth = source.getIntOrFloatBitWidth(), targetWidth = target.getIntOrFloatBitWidth();
  if (sourceWidth > targetWidth)
    return arith::TruncIOp::create(builder, loc, target, value);
  if (sourceWidth < targetWidth)
    return isUnsigned(from) ? Value(arith::ExtUIOp::create(builder, loc, target, value))
                            : Value(arith::ExtSIOp::create(builder, loc, target, value));
  return value;
}

Value onnx_aot::onnx::scalarConstant(OpBuilder &builder, Location loc, Type type, double value) {
  Type compute = computeType(type);
  if (auto real = dyn_cast<FloatType>(compute)) {
    APFloat number(value);
    bool lost;
    number.convert(real.getFloatSemantics(), APFloat::rmNearestTiesToEven, &lost);
    return arith::ConstantOp::create(builder, loc, builder.getFloatAttr(real, number));
  }
  unsigned width = compute.getIntOrFloatBitWidth();
  return arith::ConstantOp::create(
      builder, loc, builder.getIntegerAttr(compute, APInt(64, uint64_t(int64_t(value))).zextOrTrunc(width)));
}

Value ScalarBody::constant(double value) const { return scalarConstant(b, b.getLoc(), type[0], value); }

AffineMap onnx_aot::onnx::broadcastMap(MLIRContext *context, ArrayRef<int64_t> operandShape,
                                       ArrayRef<int64_t> resultShape) {
  SmallVector<AffineExpr> exprs;
  size_t offset = resultShape.size() - operandShape.size();
  for (auto [index, extent] : llvm::enumerate(operandShape)) {
    bool repeated = extent == 1 && resultShape[offset + index] != 1;
    exprs.push_back(repeated ? getAffineConstantExpr(0, context) : getAffineDimExpr(offset + index, context));
  }
  return AffineMap::get(resultShape.size(), 0, exprs, context);
}

Value onnx_aot::onnx::emptyTensor(OpBuilder &builder, Location loc, RankedTensorType storedType) {
  return tensor::EmptyOp::create(builder, loc, storedType.getShape(), storedType.getElementType());
}

Value onnx_aot::onnx::buildElementwise(OpBuilder &builder, Location loc, RankedTensorType resultType,
                                       ValueRange inputs, ArrayRef<Type> inputTypes,
                                       llvm::function_ref<Value(ScalarBody &)> body) {
  auto stored = RankedTensorType::get(resultType.getShape(), storageType(resultType.getElementType()));
  SmallVector<AffineMap> maps;
  for (Value input : inputs)
    maps.push_back(broadcastMap(builder.getContext(), cast<RankedTensorType>(input.getType()).getShape(),
                                stored.getShape()));
  maps.push_back(builder.getMultiDimIdentityMap(stored.getRank()));
  SmallVector<utils::IteratorType> iterators(stored.getRank(), utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             builder, loc, stored, inputs, emptyTensor(builder, loc, stored), maps, iterators,
             [&](OpBuilder &nested, Location bodyLoc, ValueRange elements) {
               ImplicitLocOpBuilder b(bodyLoc, nested);
               SmallVector<Value> scalars;
               for (auto [element, type] : llvm::zip(elements, inputTypes))
                 scalars.push_back(toCompute(b, bodyLoc, element, type));
               ScalarBody scalarBody{b, scalars, inputTypes, resultType.getElementType()};
               Value result = toStorage(b, bodyLoc, body(scalarBody), resultType.getElementType());
               linalg::YieldOp::create(b, result);
             })
      .getResult(0);
}

Value onnx_aot::onnx::buildKernel(OpBuilder &builder, Location loc, const KernelSpec &spec) {
  SmallVector<Attribute> iterators;
  for (bool reduction : spec.isReduction)
    iterators.push_back(builder.getStringAttr(reduction ? "reduction" : "parallel"));
  auto kernel = aot::KernelOp::create(builder, loc, TypeRange(spec.resultType), builder.getStringAttr(spec.kind),
                                      spec.inputs, emptyTensor(builder, loc, spec.resultType),
                                      builder.getAffineMapArrayAttr(spec.maps), builder.getArrayAttr(iterators),
                                      spec.identity, aot::StrategyAttr());
  SmallVector<Type> types;
  for (Value input : spec.inputs)
    types.push_back(getElementTypeOrSelf(input.getType()));
  types.push_back(spec.identity.getType());
  SmallVector<Location> locations(types.size(), loc);
  auto fill = [&](Region &region, const auto &body) {
    OpBuilder::InsertionGuard guard(builder);
    Block *block = builder.createBlock(&region, {}, types, locations);
    ImplicitLocOpBuilder b(loc, builder);
    Value accumulator = block->getArguments().back();
    Value result = body ? body(b, block->getArguments().drop_back(), accumulator) : accumulator;
    aot::YieldOp::create(b, result);
  };
  fill(kernel.getCompute(), spec.compute);
  fill(kernel.getEpilogue(), spec.epilogue);
  return kernel.getResult(0);
}

Value onnx_aot::onnx::buildPad(OpBuilder &builder, Location loc, Value source, ArrayRef<int64_t> low,
                               ArrayRef<int64_t> high, Value value) {
  auto type = cast<RankedTensorType>(source.getType());
  SmallVector<OpFoldResult> zeros(type.getRank(), builder.getIndexAttr(0)), ones(type.getRank(), builder.getIndexAttr(1));
  SmallVector<OpFoldResult> cropOffsets, cropSizes, offsets, sizes;
  SmallVector<int64_t> shape;
  bool crops = false, pads = false;
  for (int64_t dim = 0; dim < type.getRank(); ++dim) {
    int64_t cropLow = std::max<int64_t>(-low[dim], 0), cropHigh = std::max<int64_t>(-high[dim], 0);
    int64_t padLow = std::max<int64_t>(low[dim], 0), padHigh = std::max<int64_t>(high[dim], 0);
    int64_t kept = std::max<int64_t>(type.getDimSize(dim) - cropLow - cropHigh, 0);
    cropOffsets.push_back(builder.getIndexAttr(cropLow));
    cropSizes.push_back(builder.getIndexAttr(kept));
    offsets.push_back(builder.getIndexAttr(padLow));
    shape.push_back(padLow + kept + padHigh);
    crops |= cropLow || cropHigh;
    pads |= padLow || padHigh;
  }
  if (crops)
    source = tensor::ExtractSliceOp::create(builder, loc, source, cropOffsets, cropSizes, ones);
  if (!pads)
    return source;
  Value empty = tensor::EmptyOp::create(builder, loc, shape, type.getElementType());
  Value filled = linalg::FillOp::create(builder, loc, value, empty).getResult(0);
  return tensor::InsertSliceOp::create(builder, loc, source, filled, offsets, cropSizes, ones);
}

Value onnx_aot::onnx::buildReshape(OpBuilder &builder, Location loc, Value source, ArrayRef<int64_t> shape) {
  auto type = cast<RankedTensorType>(source.getType());
  auto target = RankedTensorType::get(shape, type.getElementType());
  if (type == target)
    return source;
  if (auto reassociation = getReassociationIndicesForReshape(type, target)) {
    if (target.getRank() < type.getRank())
      return tensor::CollapseShapeOp::create(builder, loc, target, source, *reassociation);
    return tensor::ExpandShapeOp::create(builder, loc, target, source, *reassociation);
  }
  // Neither a collapse nor an expansion alone: through one dim.
  SmallVector<ReassociationIndices> all(1), allTarget(1);
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    all[0].push_back(dim);
  for (int64_t dim = 0; dim < target.getRank(); ++dim)
    allTarget[0].push_back(dim);
  auto flat = RankedTensorType::get({type.getNumElements()}, type.getElementType());
  if (type.getRank() == 0)
    all.clear();
  if (type.getRank() != 1)
    source = type.getRank() == 0 ? tensor::ExpandShapeOp::create(builder, loc, flat, source, all).getResult()
                                 : tensor::CollapseShapeOp::create(builder, loc, flat, source, all).getResult();
  if (target.getRank() == 0)
    return tensor::CollapseShapeOp::create(builder, loc, target, source, ArrayRef<ReassociationIndices>{});
  if (target.getRank() == 1)
    return source;
  return tensor::ExpandShapeOp::create(builder, loc, target, source, allTarget);
}
