//===- Lowering.cpp - what the families' lowerings to linalg share ------------------------------------------------===//
#include "dialects/onnx/support/Lowering.h"
#include "dialects/aot/AotDialect.h"
#include "dialects/onnx/support/NarrowFloats.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <cmath>

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::onnx;

TensorTypeConverter::TensorTypeConverter(ShapeAnalysis *shapes) : shapes(shapes) {
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
  // Complex numbers are only moved: as the bits of both parts.
  if (auto complex = dyn_cast<ComplexType>(type))
    return IntegerType::get(type.getContext(), 2 * complex.getElementType().getIntOrFloatBitWidth());
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer && !isNarrowFloat(type))
    return type;
  return IntegerType::get(type.getContext(), std::max(8u, type.getIntOrFloatBitWidth()));
}

Type onnx_aot::onnx::computeType(Type type) {
  if (isa<ComplexType>(type))
    return storageType(type);
  if (auto integer = dyn_cast<IntegerType>(type))
    return IntegerType::get(type.getContext(), integer.getWidth() == 1 ? 1 : std::max(8u, integer.getWidth()));
  if (auto real = dyn_cast<FloatType>(type); real && real.getWidth() < 32)
    return Float32Type::get(type.getContext());
  return type;
}

Value onnx_aot::onnx::toCompute(OpBuilder &builder, Location loc, Value stored, Type type) {
  if (type.isInteger(1))
    return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, stored,
                                 arith::ConstantIntOp::create(builder, loc, 0, 8));
  if (isNarrowFloat(type))
    return decodeNarrowFloat(builder, loc, stored, type);
  if (isa<FloatType>(type) && computeType(type) != type)
    return arith::ExtFOp::create(builder, loc, computeType(type), stored);
  return stored;
}

Value onnx_aot::onnx::toStorage(OpBuilder &builder, Location loc, Value computed, Type type) {
  if (type.isInteger(1))
    return arith::ExtUIOp::create(builder, loc, builder.getI8Type(), computed);
  if (isNarrowFloat(type)) // some bodies encode it themselves
    return computed.getType().isF32() ? encodeNarrowFloat(builder, loc, computed, type) : computed;
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

/// The low bits of an i8 as an integer of 2 or 4 bits, extended by its sign again.
static Value wrapNarrowInteger(OpBuilder &builder, Location loc, Value value, IntegerType type) {
  unsigned width = type.getWidth();
  if (type.isUnsigned())
    return arith::AndIOp::create(builder, loc, value, arith::ConstantIntOp::create(builder, loc, (1 << width) - 1, 8));
  Value amount = arith::ConstantIntOp::create(builder, loc, 8 - width, 8);
  return arith::ShRSIOp::create(builder, loc, arith::ShLIOp::create(builder, loc, value, amount), amount);
}

Value onnx_aot::onnx::castScalar(OpBuilder &builder, Location loc, Value value, Type from, Type to) {
  if (auto narrow = dyn_cast<IntegerType>(to); narrow && narrow.getWidth() < 8 && narrow.getWidth() > 1 && from != to)
    return wrapNarrowInteger(builder, loc, castScalar(builder, loc, value, from, builder.getI8Type()), narrow);
  Type source = computeType(from), target = computeType(to);
  if (to.isInteger(1)) {
    if (from.isInteger(1))
      return value;
    Value zero = scalarConstant(builder, loc, from, 0);
    // NaN is not zero, so it is true.
    return isa<FloatType>(source) ? Value(arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::UNE, value, zero))
                                  : Value(arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, value, zero));
  }
  if (isa<FloatType>(source) && isa<FloatType>(target)) {
    if (source.getIntOrFloatBitWidth() < target.getIntOrFloatBitWidth())
      return arith::ExtFOp::create(builder, loc, target, value);
    if (source.getIntOrFloatBitWidth() > target.getIntOrFloatBitWidth())
      // What becomes even narrower in memory is rounded there, and not twice.
      return to == target ? Value(arith::TruncFOp::create(builder, loc, target, value))
                          : truncateToOdd(builder, loc, value);
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

/// The bits of a complex number: the real part comes first in memory, in the lower half.
static Value complexConstant(OpBuilder &builder, Location loc, ComplexType type, double value) {
  auto part = cast<FloatType>(type.getElementType());
  APFloat number(value);
  bool lost;
  number.convert(part.getFloatSemantics(), APFloat::rmNearestTiesToEven, &lost);
  Type bits = storageType(type);
  return arith::ConstantOp::create(
      builder, loc, builder.getIntegerAttr(bits, number.bitcastToAPInt().zext(bits.getIntOrFloatBitWidth())));
}

Value onnx_aot::onnx::scalarConstant(OpBuilder &builder, Location loc, Type type, double value) {
  if (auto complex = dyn_cast<ComplexType>(type))
    return complexConstant(builder, loc, complex, value);
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

//===-- Sizes -----------------------------------------------------------------------------------------------------===//

FailureOr<OpFoldResult> onnx_aot::onnx::lowerSize(const TypeConverter *converter, ConversionPatternRewriter &rewriter,
                                                  Operation *op, Dim dim) {
  ShapeAnalysis *shapes = static_cast<const TensorTypeConverter *>(converter)->getShapes();
  if (!dim.isKnown() && (!shapes || !shapes->isKnownBefore(op, dim))) {
    op->emitError("unsupported: the shape of the result depends on data");
    return failure();
  }
  return buildSize(rewriter, op->getLoc(), dim, [&](Value value) { return rewriter.getRemappedValue(value); });
}

FailureOr<SmallVector<OpFoldResult>> onnx_aot::onnx::lowerSizes(const TypeConverter *converter,
                                                                ConversionPatternRewriter &rewriter, Operation *op,
                                                                Value value) {
  ShapeAnalysis *shapes = static_cast<const TensorTypeConverter *>(converter)->getShapes();
  SmallVector<OpFoldResult> sizes;
  for (Dim dim : shapes ? shapes->shapeOf(value) : *ShapeContext().shape(value)) {
    FailureOr<OpFoldResult> size = lowerSize(converter, rewriter, op, dim);
    if (failed(size))
      return failure();
    sizes.push_back(*size);
  }
  return sizes;
}

Value onnx_aot::onnx::alignOperand(const TypeConverter *converter, ConversionPatternRewriter &rewriter, Operation *op,
                                   Value operand, Value lowered, Value result, ArrayRef<OpFoldResult> resultSizes) {
  ShapeAnalysis *shapes = static_cast<const TensorTypeConverter *>(converter)->getShapes();
  auto type = cast<RankedTensorType>(lowered.getType());
  if (type.hasStaticShape() || !shapes)
    return lowered;
  Shape from = shapes->shapeOf(operand), to = shapes->shapeOf(result);
  size_t added = to.size() - from.size();
  bool agrees = true;
  ImplicitLocOpBuilder b(op->getLoc(), rewriter);
  for (auto [index, dim] : llvm::enumerate(from)) {
    if (dim.isKnown() || dim.equals(to[added + index]))
      continue;
    agrees = false;
    Value extent = asIndex(b, b.getLoc(), sizeOf(b, b.getLoc(), lowered, index));
    Value wanted = asIndex(b, b.getLoc(), resultSizes[added + index]);
    Value one = arith::ConstantIndexOp::create(b, 1);
    Value repeats = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, extent, one);
    Value same = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, extent, wanted);
    aot::RequireOp::create(b, arith::OrIOp::create(b, repeats, same), aot::Code::shape_mismatch);
  }
  if (agrees)
    return lowered;
  return aot::BroadcastOp::create(b, lowered, resultSizes);
}

//===-- Tensors ---------------------------------------------------------------------------------------------------===//

Value onnx_aot::onnx::emptyTensor(OpBuilder &builder, Location loc, RankedTensorType storedType) {
  return tensor::EmptyOp::create(builder, loc, storedType.getShape(), storedType.getElementType());
}

Value onnx_aot::onnx::emptyTensor(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> sizes, Type storedElement) {
  return tensor::EmptyOp::create(builder, loc, sizes, storedElement);
}

Value onnx_aot::onnx::filledTensor(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> sizes, Value value) {
  Value empty = emptyTensor(builder, loc, sizes, value.getType());
  return linalg::FillOp::create(builder, loc, value, empty).getResult(0);
}

Value onnx_aot::onnx::listEntry(OpBuilder &builder, Location loc, Value list, int64_t position) {
  SmallVector<Value> at;
  if (cast<RankedTensorType>(list.getType()).getRank() == 1)
    at.push_back(arith::ConstantIndexOp::create(builder, loc, position));
  Value entry = builder.createOrFold<tensor::ExtractOp>(loc, list, at);
  return builder.createOrFold<arith::IndexCastOp>(loc, builder.getIndexType(), entry);
}

Value onnx_aot::onnx::castTensor(OpBuilder &builder, Location loc, Value tensor, Type type) {
  return tensor.getType() == type ? tensor : Value(tensor::CastOp::create(builder, loc, type, tensor));
}

/// The extents of a result of `type` that is computed at its dims from operands read by `maps`.
static SmallVector<OpFoldResult> sizesByOperands(OpBuilder &builder, Location loc, RankedTensorType type,
                                                 AffineMap resultMap, ValueRange inputs, ArrayRef<AffineMap> maps) {
  SmallVector<OpFoldResult> sizes;
  for (auto [extent, dim] : llvm::zip(type.getShape(), resultMap.getResults())) {
    if (!ShapedType::isDynamic(extent)) {
      sizes.push_back(builder.getIndexAttr(extent));
      continue;
    }
    OpFoldResult size;
    for (auto [input, map] : llvm::zip(inputs, maps))
      if (std::optional<unsigned> position = map.getResultPosition(dim); position && !size)
        size = sizeOf(builder, loc, input, *position);
    assert(size && "no operand has the extent of a dim of the result");
    sizes.push_back(size);
  }
  return sizes;
}

Value onnx_aot::onnx::buildElementwise(OpBuilder &builder, Location loc, RankedTensorType resultType, ValueRange inputs,
                                       ArrayRef<Type> inputTypes, llvm::function_ref<Value(ScalarBody &)> body) {
  auto stored = RankedTensorType::get(resultType.getShape(), storageType(resultType.getElementType()));
  SmallVector<AffineMap> maps;
  for (Value input : inputs)
    maps.push_back(
        broadcastMap(builder.getContext(), cast<RankedTensorType>(input.getType()).getShape(), stored.getShape()));
  AffineMap identity = builder.getMultiDimIdentityMap(stored.getRank());
  Value empty =
      emptyTensor(builder, loc, sizesByOperands(builder, loc, stored, identity, inputs, maps), stored.getElementType());
  maps.push_back(identity);
  SmallVector<utils::IteratorType> iterators(stored.getRank(), utils::IteratorType::parallel);
  return linalg::GenericOp::create(builder, loc, empty.getType(), inputs, empty, maps, iterators,
                                   [&](OpBuilder &nested, Location bodyLoc, ValueRange elements) {
                                     ImplicitLocOpBuilder b(bodyLoc, nested);
                                     SmallVector<Value> scalars;
                                     for (auto [element, type] : llvm::zip(elements, inputTypes))
                                       scalars.push_back(toCompute(b, bodyLoc, element, type));
                                     ScalarBody scalarBody{b, scalars, inputTypes, resultType.getElementType()};
                                     Value result =
                                         toStorage(b, bodyLoc, body(scalarBody), resultType.getElementType());
                                     linalg::YieldOp::create(b, result);
                                   })
      .getResult(0);
}

Value onnx_aot::onnx::buildKernel(OpBuilder &builder, Location loc, const KernelSpec &spec) {
  SmallVector<Attribute> iterators;
  for (bool reduction : spec.isReduction)
    iterators.push_back(builder.getStringAttr(reduction ? "reduction" : "parallel"));
  SmallVector<OpFoldResult> sizes = spec.resultSizes;
  if (sizes.empty())
    sizes =
        sizesByOperands(builder, loc, spec.resultType, spec.maps.back(), spec.inputs, ArrayRef(spec.maps).drop_back());
  Value empty = emptyTensor(builder, loc, sizes, spec.resultType.getElementType());
  auto kernel = aot::KernelOp::create(builder, loc, TypeRange(empty.getType()), builder.getStringAttr(spec.kind),
                                      spec.inputs, empty, builder.getAffineMapArrayAttr(spec.maps),
                                      builder.getArrayAttr(iterators), spec.identity, aot::StrategyAttr());
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

Value onnx_aot::onnx::insertPart(OpBuilder &builder, Location loc, Value part, Value whole,
                                 ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes) {
  part = castTensor(builder, loc, part,
                    RankedTensorType::get(staticShape(sizes), getElementTypeOrSelf(part.getType())));
  SmallVector<OpFoldResult> ones(sizes.size(), builder.getIndexAttr(1));
  return tensor::InsertSliceOp::create(builder, loc, part, whole, offsets, sizes, ones);
}

Value onnx_aot::onnx::buildPad(OpBuilder &builder, Location loc, Value source, ArrayRef<int64_t> low,
                               ArrayRef<int64_t> high, Value value) {
  return buildPad(builder, loc, source, getAsIndexOpFoldResult(builder.getContext(), low),
                  getAsIndexOpFoldResult(builder.getContext(), high), value);
}

Value onnx_aot::onnx::buildPad(OpBuilder &builder, Location loc, Value source, ArrayRef<OpFoldResult> low,
                               ArrayRef<OpFoldResult> high, Value value) {
  SmallVector<OpFoldResult> ones(low.size(), builder.getIndexAttr(1));
  SmallVector<OpFoldResult> cropOffsets, keptSizes, offsets, sizes;
  bool crops = false, pads = false;
  OpFoldResult zero = builder.getIndexAttr(0);
  auto negated = [&](OpFoldResult amount) { return subtractSizes(builder, loc, zero, amount); };
  for (auto [dim, before, after] : llvm::enumerate(low, high)) {
    OpFoldResult cropLow = maxSize(builder, loc, negated(before), zero);
    OpFoldResult cropHigh = maxSize(builder, loc, negated(after), zero);
    OpFoldResult padLow = maxSize(builder, loc, before, zero), padHigh = maxSize(builder, loc, after, zero);
    OpFoldResult kept = sizeOf(builder, loc, source, dim);
    if (constantSize(cropLow) != 0 || constantSize(cropHigh) != 0) {
      kept = subtractSizes(builder, loc, subtractSizes(builder, loc, kept, cropLow), cropHigh);
      kept = maxSize(builder, loc, kept, zero);
      crops = true;
    }
    pads |= constantSize(padLow) != 0 || constantSize(padHigh) != 0;
    cropOffsets.push_back(cropLow);
    keptSizes.push_back(kept);
    offsets.push_back(padLow);
    sizes.push_back(addSizes(builder, loc, addSizes(builder, loc, padLow, kept), padHigh));
  }
  // Nothing lies nowhere: its place may be behind the end.
  if (llvm::any_of(keptSizes, [](OpFoldResult size) { return constantSize(size) == 0; }))
    return filledTensor(builder, loc, sizes, value);
  if (crops)
    source = tensor::ExtractSliceOp::create(builder, loc, source, cropOffsets, keptSizes, ones);
  if (!pads)
    return source;
  return insertPart(builder, loc, source, filledTensor(builder, loc, sizes, value), offsets, keptSizes);
}

Value onnx_aot::onnx::buildReshape(OpBuilder &builder, Location loc, Value source, ArrayRef<int64_t> shape) {
  return buildReshape(builder, loc, source, getAsIndexOpFoldResult(builder.getContext(), shape));
}

/// All dims of `source` as one.
static Value buildFlat(OpBuilder &builder, Location loc, Value source) {
  auto type = cast<RankedTensorType>(source.getType());
  if (type.getRank() == 1)
    return source;
  if (type.getRank() == 0)
    return tensor::ExpandShapeOp::create(builder, loc, RankedTensorType::get({1}, type.getElementType()), source,
                                         ArrayRef<ReassociationIndices>{});
  SmallVector<ReassociationIndices> all(1, llvm::to_vector(llvm::seq<int64_t>(0, type.getRank())));
  return tensor::CollapseShapeOp::create(builder, loc, source, all);
}

Value onnx_aot::onnx::buildReshape(OpBuilder &builder, Location loc, Value source, ArrayRef<OpFoldResult> sizes) {
  auto type = cast<RankedTensorType>(source.getType());
  auto target = RankedTensorType::get(staticShape(sizes), type.getElementType());
  if (type == target && type.getNumDynamicDims() <= 1)
    return source;
  // With two open dims a reassociation is not told by the types, and an open dim is not seen to be the one element of a
  // scalar.
  if (type.getNumDynamicDims() <= 1 && target.getNumDynamicDims() <= 1 &&
      (target.getRank() > 0 || type.hasStaticShape()))
    if (auto reassociation = getReassociationIndicesForReshape(type, target)) {
      if (target.getRank() < type.getRank())
        return tensor::CollapseShapeOp::create(builder, loc, target, source, *reassociation);
      if (target.getRank() > type.getRank())
        return tensor::ExpandShapeOp::create(builder, loc, target, source, *reassociation, sizes);
    }
  // Neither a collapse nor an expansion alone: through one dim.
  Value flat = buildFlat(builder, loc, source);
  auto flatType = cast<RankedTensorType>(flat.getType());
  if (target.getRank() == 0)
    return tensor::CollapseShapeOp::create(
        builder, loc, target, castTensor(builder, loc, flat, RankedTensorType::get({1}, type.getElementType())),
        ArrayRef<ReassociationIndices>{});
  // The types of both sides say the same of the number of elements.
  int64_t count = target.hasStaticShape() ? target.getNumElements() : ShapedType::kDynamic;
  if (flatType.getDimSize(0) != count)
    flat = castTensor(builder, loc, flat, RankedTensorType::get({count}, type.getElementType()));
  if (target.getRank() == 1)
    return flat;
  SmallVector<ReassociationIndices> all(1, llvm::to_vector(llvm::seq<int64_t>(0, target.getRank())));
  return tensor::ExpandShapeOp::create(builder, loc, target, flat, all, sizes);
}
