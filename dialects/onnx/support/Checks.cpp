//===- Checks.cpp - what a lowering asks of values that only a run brings -----------------------------------------===//
#include "dialects/onnx/support/Checks.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace onnx_aot::onnx {

void require(OpBuilder &builder, Location loc, Value condition, aot::Code code) {
  if (!matchPattern(condition, m_One()))
    aot::RequireOp::create(builder, loc, condition, code);
}

void requireEqual(OpBuilder &builder, Location loc, OpFoldResult a, OpFoldResult b, aot::Code code) {
  if (a == b)
    return;
  Value left = asIndex(builder, loc, a), right = asIndex(builder, loc, b);
  require(builder, loc, builder.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::eq, left, right), code);
}

Value fitTensor(OpBuilder &builder, Location loc, Value tensor, Type type) {
  for (auto [dim, extent] : llvm::enumerate(cast<RankedTensorType>(type).getShape()))
    if (!ShapedType::isDynamic(extent))
      requireEqual(builder, loc, sizeOf(builder, loc, tensor, dim), builder.getIndexAttr(extent),
                   aot::Code::shape_mismatch);
  return castTensor(builder, loc, tensor, type);
}

/// Whether `stored` is a constant all of whose elements pass; nothing when it is no constant that can be read here.
static std::optional<bool> testConstant(Value stored, ConstantTest holdsFor) {
  DenseIntElementsAttr constant;
  if (!holdsFor || !matchPattern(stored, m_Constant(&constant)))
    return std::nullopt;
  return llvm::all_of(constant.getValues<APInt>(), holdsFor);
}

/// A kernel whose one element is 1 when `holds` for all elements that `map` reads.
static Value combineTests(OpBuilder &builder, Location loc, Value stored, ElementTest holds, AffineMap map) {
  Type element = getElementTypeOrSelf(stored.getType());
  // Accumulators as wide as the elements need no change of lanes.
  Type bits = isa<IntegerType>(element) ? element : builder.getIntegerType(element.getIntOrFloatBitWidth());
  KernelSpec spec;
  spec.kind = "reduce";
  spec.inputs = {stored};
  spec.maps = {map, AffineMap::get(map.getNumDims(), 0, builder.getContext())};
  spec.isReduction.assign(map.getNumDims(), true);
  spec.identity = builder.getIntegerAttr(bits, 1);
  spec.resultType = RankedTensorType::get({}, bits);
  spec.compute = [&](ImplicitLocOpBuilder &b, ValueRange x, Value accumulator) -> Value {
    Value bit = holds(b, x[0]);
    if (!bits.isInteger(1))
      bit = arith::ExtUIOp::create(b, bits, bit);
    return arith::AndIOp::create(b, accumulator, bit);
  };
  Value all = tensor::ExtractOp::create(builder, loc, buildKernel(builder, loc, spec), ValueRange());
  Value zero = arith::ConstantOp::create(builder, loc, builder.getIntegerAttr(bits, 0));
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, all, zero);
}

void requireAll(OpBuilder &builder, Location loc, Value stored, ElementTest holds, aot::Code code,
                ConstantTest holdsFor, AffineMap map) {
  auto type = cast<RankedTensorType>(stored.getType());
  // A map picks some elements of a constant, which only matters when one of the others would fail.
  std::optional<bool> known = testConstant(stored, holdsFor);
  if (known.value_or(false) || (type.hasStaticShape() && type.getNumElements() == 0))
    return;
  if (!map)
    map = builder.getMultiDimIdentityMap(type.getRank());
  if (map.getNumDims() != 0)
    return require(builder, loc, combineTests(builder, loc, stored, holds, map), code);
  ImplicitLocOpBuilder b(loc, builder);
  SmallVector<Value> place;
  for (AffineExpr expr : map.getResults())
    place.push_back(arith::ConstantIndexOp::create(b, cast<AffineConstantExpr>(expr).getValue()));
  require(builder, loc, holds(b, tensor::ExtractOp::create(b, stored, place)), code);
}

/// `extent` as an integer of type `type`.
static Value extentAs(ImplicitLocOpBuilder &b, OpFoldResult extent, Type type) {
  if (std::optional<int64_t> known = getConstantIntValue(extent))
    return arith::ConstantOp::create(b, b.getIntegerAttr(type, *known));
  return arith::IndexCastOp::create(b, type, getValueOrCreateConstantIndexOp(b, b.getLoc(), extent));
}

void requireIndices(OpBuilder &builder, Location loc, Value stored, Type type, OpFoldResult extent, AffineMap map,
                    bool fromEnd, aot::Code code) {
  auto element = cast<IntegerType>(getElementTypeOrSelf(stored.getType()));
  bool isUnsignedIndex = isUnsigned(type);
  std::optional<int64_t> known = getConstantIntValue(extent);
  // In a narrow type, twice the extent may not fit.
  constexpr int64_t kNarrow = int64_t(1) << 30;
  bool isWide = element.getWidth() == 64 || (element.getWidth() == 32 && known && *known < kNarrow);
  Type wide = isWide ? Type(element) : builder.getI64Type();
  ImplicitLocOpBuilder outer(loc, builder);
  Value bound, limit; // 0 <= x + bound < limit
  auto holds = [&](ImplicitLocOpBuilder &b, Value x) -> Value {
    if (!isWide)
      x = isUnsignedIndex ? Value(arith::ExtUIOp::create(b, wide, x)) : Value(arith::ExtSIOp::create(b, wide, x));
    if (!isUnsignedIndex && fromEnd)
      x = arith::AddIOp::create(b, x, bound);
    return arith::CmpIOp::create(b, arith::CmpIPredicate::ult, x, limit);
  };
  auto holdsFor = [&](const APInt &x) {
    int64_t low = fromEnd && !isUnsignedIndex ? -known.value_or(0) : 0;
    int64_t value = isUnsignedIndex ? int64_t(x.getZExtValue()) : x.getSExtValue();
    return known && value >= low && value < *known;
  };
  if (testConstant(stored, holdsFor).value_or(false))
    return;
  bound = extentAs(outer, extent, wide);
  limit = bound;
  if (!isUnsignedIndex && fromEnd)
    limit = known ? Value(arith::ConstantOp::create(outer, outer.getIntegerAttr(wide, 2 * *known)))
                  : Value(arith::AddIOp::create(outer, bound, bound));
  requireAll(builder, loc, stored, holds, code, holdsFor, map);
}

void requireNonzero(OpBuilder &builder, Location loc, Value stored, aot::Code code) {
  Type element = getElementTypeOrSelf(stored.getType());
  requireAll(
      builder, loc, stored,
      [&](ImplicitLocOpBuilder &b, Value x) -> Value {
        Value zero = arith::ConstantOp::create(b, b.getIntegerAttr(element, 0));
        return arith::CmpIOp::create(b, arith::CmpIPredicate::ne, x, zero);
      },
      code, [](const APInt &x) { return !x.isZero(); });
}

void requireWithin(ImplicitLocOpBuilder &b, Value value, OpFoldResult low, OpFoldResult high, aot::Code code) {
  Value least = extentAs(b, low, value.getType()), most = extentAs(b, high, value.getType());
  Value isAbove = arith::CmpIOp::create(b, arith::CmpIPredicate::sge, value, least);
  Value isBelow = arith::CmpIOp::create(b, arith::CmpIPredicate::sle, value, most);
  require(b, b.getLoc(), arith::AndIOp::create(b, isAbove, isBelow), code);
}

OpFoldResult plusOne(ImplicitLocOpBuilder &b, OpFoldResult size) {
  if (std::optional<int64_t> known = getConstantIntValue(size))
    return b.getIndexAttr(*known + 1);
  return arith::AddIOp::create(b, cast<Value>(size), arith::ConstantIndexOp::create(b, 1)).getResult();
}

Value toIndex(ImplicitLocOpBuilder &b, Value stored, Type type) {
  if (isUnsigned(type))
    return arith::IndexCastUIOp::create(b, b.getIndexType(), stored);
  return arith::IndexCastOp::create(b, b.getIndexType(), stored);
}

Value wrapIndex(ImplicitLocOpBuilder &b, Value stored, Type type, OpFoldResult extent) {
  Value index = toIndex(b, stored, type);
  if (isUnsigned(type))
    return index;
  Value length = getValueOrCreateConstantIndexOp(b, b.getLoc(), extent);
  Value fromEnd = arith::AddIOp::create(b, index, length);
  Value isNegative = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, index, arith::ConstantIndexOp::create(b, 0));
  return arith::SelectOp::create(b, isNegative, fromEnd, index);
}

} // namespace onnx_aot::onnx
