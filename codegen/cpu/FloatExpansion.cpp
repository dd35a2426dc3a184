//===- FloatExpansion.cpp - Float operations for targets that lack them ----===//
//
// See FloatExpansion.h.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/FloatExpansion.h"

using namespace mlir;

namespace onnx_aot {

/// From here on every number of the type is an integer.
static double firstAllInteger(Expr x) { return x.element().isF32() ? 0x1p23 : 0x1p52; }

/// |x| rounded to an integer, to nearest even, for |x| below firstAllInteger.
static Expr roundedMagnitude(Expr magnitude) {
  double big = firstAllInteger(magnitude);
  return magnitude + big - big;
}

/// `result` with the sign of x, or x where it is an integer already, infinite or NaN.
static Expr unlessInteger(Expr x, Expr result) {
  return select(absolute(x) < firstAllInteger(x), copySign(result, x), x);
}

Expr expandRoundEven(Expr x) { return unlessInteger(x, roundedMagnitude(absolute(x))); }

Expr expandTrunc(Expr x) {
  Expr magnitude = absolute(x), rounded = roundedMagnitude(magnitude);
  return unlessInteger(x, select(rounded > magnitude, rounded - 1, rounded));
}

Expr expandFloor(Expr x) {
  // The sign of x is that of its floor, except that the floor of 0.5 is +0: copySign does not harm.
  Expr rounded = copySign(roundedMagnitude(absolute(x)), x);
  return unlessInteger(x, select(rounded > x, rounded - 1, rounded));
}

Expr expandCeil(Expr x) {
  Expr rounded = copySign(roundedMagnitude(absolute(x)), x);
  return unlessInteger(x, select(rounded < x, rounded + 1, rounded));
}

Expr expandRound(Expr x, Expr truncated) {
  Expr up = absolute(x) - truncated >= 0.5; // the difference is exact
  return unlessInteger(x, select(up, truncated + 1, truncated));
}

static Expr quietSum(Expr a, Expr b, Expr unlessNan) { return select(isNan(a) | isNan(b), a + b, unlessNan); }

Expr expandMaximum(Expr a, Expr b) {
  // Equal numbers have equal bits, except for zeros, where "and" gives +0 if there is one.
  Expr same = (a.bits() & b.bits()).bitcastTo(a.element());
  return quietSum(a, b, select(a == b, same, select(a > b, a, b)));
}

Expr expandMinimum(Expr a, Expr b) {
  Expr same = (a.bits() | b.bits()).bitcastTo(a.element());
  return quietSum(a, b, select(a == b, same, select(a < b, a, b)));
}

Expr expandMaxNum(Expr a, Expr b) { return select(isNan(b), a, select(a > b, a, b)); }

Expr expandMinNum(Expr a, Expr b) { return select(isNan(b), a, select(a < b, a, b)); }

Expr expandBF16ToF32(Expr x) {
  auto &builder = x.getBuilder();
  return (x.bits().zeroExtendTo(builder.getI32Type()) << 16).bitcastTo(builder.getF32Type());
}

Expr expandF32ToBF16(Expr x) {
  auto &builder = x.getBuilder();
  Expr bits = x.bits();
  Expr rounded = bits + 0x7fff + (logicalShiftRight(bits, 16) & 1);
  Expr result = logicalShiftRight(select(isNan(x), bits | 0x400000, rounded), 16);
  return result.truncateTo(builder.getI16Type()).bitcastTo(builder.getBF16Type());
}

Expr expandF16ToF32(Expr x) {
  auto &builder = x.getBuilder();
  Expr bits = x.bits().zeroExtendTo(builder.getI32Type());
  Expr sign = (bits & 0x8000) << 16;
  Expr magnitude = (bits & 0x7fff) << 13;
  // 2^-14 times a number in [1, 2) is subtracted from one whose leading bit is set by hand: exact for subnormals.
  Expr subnormal = ((magnitude + 0x38800000).bitcastTo(builder.getF32Type()) - 0x1p-14).bits();
  Expr infinite = magnitude + 0x70000000; // exponent 31 becomes 255
  Expr normal = magnitude + 0x38000000;
  Expr quiet = select(magnitude > 0x0f800000, infinite | 0x400000, infinite);
  Expr result = select(magnitude < 0x00800000, subnormal, select(magnitude < 0x0f800000, normal, quiet));
  return (result | sign).bitcastTo(builder.getF32Type());
}

Expr expandF32ToF16(Expr x) {
  auto &builder = x.getBuilder();
  Expr bits = x.bits();
  Expr sign = logicalShiftRight(bits, 16) & 0x8000;
  Expr magnitude = bits & 0x7fffffff;
  // A subnormal result counts 2^-24, the last place of a number near 0.5: the sum rounds as it should.
  Expr subnormal = (magnitude.bitcastTo(builder.getF32Type()) + 0.5).bits() - 0x3f000000;
  Expr rebiased = magnitude - 0x38000000;
  Expr normal = logicalShiftRight(rebiased + 0xfff + (logicalShiftRight(rebiased, 13) & 1), 13);
  Expr finite = select(magnitude < 0x38800000, subnormal, normal);
  Expr nan = (logicalShiftRight(magnitude, 13) & 0x3ff) | 0x7e00;
  Expr infinity = bits.constant(0x7c00);
  Expr result = select(magnitude >= 0x477ff000, select(magnitude > 0x7f800000, nan, infinity), finite);
  return (result | sign).truncateTo(builder.getI16Type()).bitcastTo(builder.getF16Type());
}

Expr truncateToOddF32(Expr x) {
  auto &builder = x.getBuilder();
  Expr nearest = x.truncateTo(builder.getF32Type());
  Expr back = nearest.extendTo(builder.getF64Type());
  Expr bits = nearest.bits();
  bits = select(absolute(back) > absolute(x), bits - 1, bits);
  return select(back == x, nearest, (bits | 1).bitcastTo(builder.getF32Type()));
}

} // namespace onnx_aot
