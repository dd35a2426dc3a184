/*
 * round.c: floor, ceil, trunc, round, roundeven and fmod, exactly, in integer arithmetic on the bits.
 *
 * These serve targets without rounding instructions, where LLVM's own lowering would call libm. fmod is long division
 * of the mantissas, one bit of the exponent difference at a time.
 */
#include "internal.h"

enum Direction { kTowardZero, kDown, kUp, kAwayOnTie, kEvenOnTie };

static double roundTo(double x, enum Direction direction) {
  uint64_t bits = toBits(x), magnitude = bits & ~SIGN_BIT, sign = bits & SIGN_BIT, unit, fraction;
  int exponent = (int)(magnitude >> 52) - 1023, up = 0;
  if (exponent >= 52)
    return x; /* an integer, an infinity or a NaN */
  if (exponent < 0) {
    if (magnitude == 0)
      return x;
    if (direction == kDown)
      up = sign != 0;
    else if (direction == kUp)
      up = sign == 0;
    else if (direction == kAwayOnTie)
      up = exponent == -1;
    else if (direction == kEvenOnTie)
      up = magnitude > 0x3fe0000000000000u;
    return fromBits(sign | (up ? 0x3ff0000000000000u : 0u));
  }
  unit = UINT64_C(1) << (52 - exponent);
  fraction = magnitude & (unit - 1);
  magnitude -= fraction;
  if (fraction == 0)
    return x;
  if (direction == kDown)
    up = sign != 0;
  else if (direction == kUp)
    up = sign == 0;
  else if (direction == kAwayOnTie)
    up = fraction >= unit / 2;
  else if (direction == kEvenOnTie)
    /* For exponent 0 the unit is the implicit leading bit, which is odd, and the test sees the exponent's low bit,
       which is 1 for 1023. */
    up = fraction > unit / 2 || (fraction == unit / 2 && (magnitude & unit));
  return fromBits(sign | (magnitude + (up ? unit : 0u))); /* a carry moves into the exponent, as it should */
}

double onnx_aot_math_floor(double x) { return roundTo(x, kDown); }
double onnx_aot_math_ceil(double x) { return roundTo(x, kUp); }
double onnx_aot_math_trunc(double x) { return roundTo(x, kTowardZero); }
double onnx_aot_math_round(double x) { return roundTo(x, kAwayOnTie); }
double onnx_aot_math_roundeven(double x) { return roundTo(x, kEvenOnTie); }

/* The mantissa with its leading bit, and the exponent that goes with it, of a positive finite number's bits. */
static uint64_t unpack(uint64_t bits, int *exponent) {
  uint64_t mantissa = bits & 0xfffffffffffffu;
  *exponent = (int)(bits >> 52);
  if (*exponent != 0)
    return mantissa | 0x10000000000000u;
  *exponent = 1;
  while (!(mantissa & 0x10000000000000u)) {
    mantissa <<= 1;
    --*exponent;
  }
  return mantissa;
}

double onnx_aot_math_fmod(double x, double y) {
  uint64_t bitsX = toBits(x) & ~SIGN_BIT, bitsY = toBits(y) & ~SIGN_BIT, rest, divisor;
  int exponent, exponentY;
  if (isNan(x) || isNan(y) || bitsX == INF_BITS || bitsY == 0)
    return (x * y) / (x * y) + notANumber();
  if (bitsX < bitsY)
    return x;
  rest = unpack(bitsX, &exponent);
  divisor = unpack(bitsY, &exponentY);
  for (; exponent > exponentY; --exponent) {
    if (rest >= divisor)
      rest -= divisor;
    rest <<= 1;
  }
  if (rest >= divisor)
    rest -= divisor;
  if (rest == 0)
    return withSignOf(0.0, x);
  while (!(rest & 0x10000000000000u)) {
    rest <<= 1;
    --exponent;
  }
  rest = exponent > 0 ? (rest - 0x10000000000000u) | ((uint64_t)exponent << 52) : rest >> (1 - exponent);
  return withSignOf(fromBits(rest), x);
}
