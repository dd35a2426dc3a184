//===- NarrowFloats.cpp - floats of 8 and 4 bits ------------------------------------------------------------------===//
#include "dialects/onnx/support/NarrowFloats.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include <optional>

using namespace mlir;
using namespace onnx_aot::onnx;
using arith::CmpIPredicate;

namespace {
/// A format with sign, exponent and mantissa. Codes are without the sign bit.
struct Format {
  unsigned mantissa; // bits
  int bias;
  uint32_t signBit;
  uint32_t largest; // code of the largest number
  std::optional<uint32_t> infinity;
  std::optional<uint32_t> nan; // a code above it is NaN too
  bool unsignedZero = false;   // FNUZ: the bits of -0 are the only NaN
};

/// i32 arithmetic in one line each.
struct Bits {
  ImplicitLocOpBuilder b;
  Bits(OpBuilder &builder, Location loc) : b(loc, builder) {}

  Value constant(uint32_t value) { return arith::ConstantOp::create(b, b.getI32IntegerAttr(int32_t(value))); }
  Value add(Value x, uint32_t y) { return arith::AddIOp::create(b, x, constant(y)); }
  Value sub(Value x, uint32_t y) { return arith::SubIOp::create(b, x, constant(y)); }
  Value mask(Value x, uint32_t y) { return arith::AndIOp::create(b, x, constant(y)); }
  Value join(Value x, Value y) { return arith::OrIOp::create(b, x, y); }
  Value left(Value x, unsigned n) { return arith::ShLIOp::create(b, x, constant(n)); }
  Value right(Value x, unsigned n) { return arith::ShRUIOp::create(b, x, constant(n)); }
  Value compare(CmpIPredicate predicate, Value x, uint32_t y) {
    return arith::CmpIOp::create(b, predicate, x, constant(y));
  }
  Value isBelow(Value x, uint32_t y) { return compare(CmpIPredicate::ult, x, y); }
  Value isAbove(Value x, uint32_t y) { return compare(CmpIPredicate::ugt, x, y); }
  Value isEqual(Value x, uint32_t y) { return compare(CmpIPredicate::eq, x, y); }
  Value select(Value condition, Value yes, Value no) { return arith::SelectOp::create(b, condition, yes, no); }
  Value select(Value condition, uint32_t yes, Value no) { return select(condition, constant(yes), no); }
  Value asFloat(Value x) { return arith::BitcastOp::create(b, b.getF32Type(), x); }
  Value asBits(Value x) { return arith::BitcastOp::create(b, b.getI32Type(), x); }
};
} // namespace

static constexpr uint32_t kInfinity = 0x7f800000, kNaN = 0x7fc00000;

/// The bits of 2^exponent as an f32.
static constexpr uint32_t powerOfTwo(int exponent) { return uint32_t(127 + exponent) << 23; }

static Format formatOf(Type type) {
  if (isa<Float8E4M3FNType>(type))
    return {3, 7, 0x80, 0x7e, std::nullopt, 0x7f};
  if (isa<Float8E4M3FNUZType>(type))
    return {3, 8, 0x80, 0x7f, std::nullopt, 0x80, true};
  if (isa<Float8E5M2Type>(type))
    return {2, 15, 0x80, 0x7b, 0x7c, 0x7e};
  if (isa<Float8E5M2FNUZType>(type))
    return {2, 16, 0x80, 0x7f, std::nullopt, 0x80, true};
  assert(isa<Float4E2M1FNType>(type) && "not a narrow float of ONNX");
  return {1, 1, 0x8, 0x7, std::nullopt, std::nullopt};
}

bool onnx_aot::onnx::isNarrowFloat(Type type) {
  auto real = dyn_cast<FloatType>(type);
  return real && real.getWidth() <= 8;
}

//===-- To f32 ----------------------------------------------------------------------------------------------------===//

/// 2^(bits - 127); the smallest is a subnormal f32.
static Value decodePowerOfTwo(Bits &x, Value bits) {
  Value result = x.select(x.isEqual(bits, 0), 0x00400000, x.left(bits, 23));
  return x.asFloat(x.select(x.isEqual(bits, 0xff), kNaN, result));
}

Value onnx_aot::onnx::decodeNarrowFloat(OpBuilder &builder, Location loc, Value stored, Type type) {
  Bits x(builder, loc);
  Value bits = arith::ExtUIOp::create(x.b, x.b.getI32Type(), stored);
  if (isa<Float8E8M0FNUType>(type))
    return decodePowerOfTwo(x, bits);

  Format format = formatOf(type);
  unsigned shift = 23 - format.mantissa;
  Value magnitude = x.left(x.mask(bits, format.signBit - 1), shift);
  // With the bits of the smallest normal number added, a subnormal becomes that number plus itself.
  uint32_t smallest = powerOfTwo(1 - format.bias);
  Value sum = x.asFloat(x.add(magnitude, smallest));
  Value subnormal = x.asBits(arith::SubFOp::create(x.b, sum, x.asFloat(x.constant(smallest))));
  Value result = x.select(x.isBelow(magnitude, 1u << 23), subnormal, x.add(magnitude, powerOfTwo(-format.bias)));
  if (format.infinity) {
    Value special = x.select(x.isAbove(magnitude, *format.infinity << shift), kNaN, x.constant(kInfinity));
    result = x.select(x.isBelow(magnitude, *format.infinity << shift), result, special);
  } else if (format.nan && !format.unsignedZero) {
    result = x.select(x.isEqual(magnitude, *format.nan << shift), kNaN, result);
  }
  Value sign = x.left(x.mask(bits, format.signBit), 31 - llvm::Log2_32(format.signBit));
  result = x.join(result, sign);
  if (format.unsignedZero)
    result = x.select(x.isEqual(bits, *format.nan), kNaN, result);
  return x.asFloat(result);
}

//===-- From f32 --------------------------------------------------------------------------------------------------===//

/// The sign is dropped: the standard leaves open what a negative number becomes.
static Value encodePowerOfTwo(Bits &x, Value magnitude, NarrowRounding rounding) {
  uint32_t carry = rounding.mode == NarrowRounding::Up     ? 0x7fffff
                   : rounding.mode == NarrowRounding::Down ? 0
                                                           : 0x400000;
  Value normal = x.right(x.add(magnitude, carry), 23);
  // A subnormal f32 is doubled, which makes those from 2^-127 on normal; what is less counts as 2^-127.
  Value doubled = x.right(x.add(x.left(magnitude, 1), carry), 23);
  Value subnormal = x.select(x.isEqual(doubled, 0), 0, x.sub(doubled, 1));
  Value result = x.select(x.isBelow(magnitude, 1u << 23), subnormal, normal);
  result = x.select(x.isAbove(result, 0xfe), rounding.saturate ? 0xfe : 0xff, result);
  if (!rounding.saturate)
    result = x.select(x.isBelow(magnitude, 0x00400000), 0xff, result);
  return x.select(x.isAbove(magnitude, kInfinity), 0xff, result);
}

/// To nearest, ties to even; the sign apart.
static Value encodeMagnitude(Bits &x, Value magnitude, const Format &format, bool saturate) {
  unsigned shift = 23 - format.mantissa;
  // The sum's last place is the subnormals' unit, so that it rounds as they do.
  uint32_t unit = powerOfTwo(1 - format.bias - int(format.mantissa) + 23);
  Value sum = arith::AddFOp::create(x.b, x.asFloat(magnitude), x.asFloat(x.constant(unit)));
  Value subnormal = x.sub(x.asBits(sum), unit);
  Value rebiased = x.sub(magnitude, powerOfTwo(-format.bias));
  Value isOdd = x.mask(x.right(rebiased, shift), 1);
  Value rounded = arith::AddIOp::create(x.b, x.add(rebiased, (1u << (shift - 1)) - 1), isOdd);
  Value code = x.select(x.isBelow(magnitude, powerOfTwo(1 - format.bias)), subnormal, x.right(rounded, shift));
  uint32_t beyond = saturate || !format.nan ? format.largest : format.infinity.value_or(*format.nan);
  return x.select(x.isAbove(code, format.largest), beyond, code);
}

Value onnx_aot::onnx::encodeNarrowFloat(OpBuilder &builder, Location loc, Value value, Type type,
                                        NarrowRounding rounding) {
  Bits x(builder, loc);
  Value bits = x.asBits(value), magnitude = x.mask(bits, 0x7fffffff), result;
  if (isa<Float8E8M0FNUType>(type)) {
    result = encodePowerOfTwo(x, magnitude, rounding);
  } else {
    Format format = formatOf(type);
    Value code = encodeMagnitude(x, magnitude, format, rounding.saturate);
    // float4 has no NaN: it becomes -0.
    code = x.select(x.isAbove(magnitude, kInfinity), format.nan.value_or(format.signBit), code);
    Value sign = x.mask(x.right(bits, 31 - llvm::Log2_32(format.signBit)), format.signBit);
    result = x.join(code, sign);
    if (format.unsignedZero)
      result = x.select(x.isEqual(code, 0), 0, result);
  }
  return arith::TruncIOp::create(x.b, x.b.getI8Type(), result);
}

Value onnx_aot::onnx::truncateToOdd(OpBuilder &builder, Location loc, Value value) {
  Bits x(builder, loc);
  Type f64 = value.getType();
  auto isLarger = [&](Value a, Value b) -> Value {
    auto absolute = [&](Value v) -> Value {
      Type i64 = x.b.getI64Type();
      Value mask = arith::ConstantOp::create(x.b, x.b.getI64IntegerAttr(INT64_MAX));
      return arith::AndIOp::create(x.b, arith::BitcastOp::create(x.b, i64, v), mask);
    };
    return arith::CmpIOp::create(x.b, CmpIPredicate::ugt, absolute(a), absolute(b));
  };
  Value nearest = arith::TruncFOp::create(x.b, x.b.getF32Type(), value);
  Value back = arith::ExtFOp::create(x.b, f64, nearest), bits = x.asBits(nearest);
  Value inexact = x.join(x.select(isLarger(back, value), x.sub(bits, 1), bits), x.constant(1));
  // NaN is unequal: an odd last bit does it no harm.
  Value isExact = arith::CmpFOp::create(x.b, arith::CmpFPredicate::OEQ, back, value);
  return x.asFloat(x.select(isExact, bits, inexact));
}
