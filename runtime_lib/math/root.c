/*
 * root.c: sqrt (correctly rounded) and cbrt.
 *
 * Method: sqrt finds the 54 leading bits of the root one by one from the integer mantissa, as on paper; the last is
 * the rounding bit, and a tie cannot occur. cbrt runs Newton's iteration on a mantissa in [1, 8) and ends with one
 * correction whose residual is computed from exact products.
 */
#include "internal.h"

double onnx_aot_math_sqrt(double x) {
  uint64_t bits = toBits(x), mantissa, rest = 0, root = 0;
  int exponent;
  if (isNan(x) || x == 0.0 || x == infinite())
    return x;
  if (x < 0.0)
    return notANumber();
  exponent = (int)(bits >> 52);
  mantissa = bits & 0xfffffffffffffu;
  if (exponent == 0) {
    exponent = 1;
    while (!(mantissa & 0x10000000000000u)) {
      mantissa <<= 1;
      --exponent;
    }
  }
  mantissa |= 0x10000000000000u;
  exponent -= 1023; /* x = mantissa 2^(exponent - 52) */
  if (exponent & 1) {
    mantissa <<= 1;
    --exponent;
  }
  for (int i = 0; i < 54; ++i) {
    uint64_t trial = (root << 2) | 1u;
    uint64_t next = i < 27 ? (mantissa >> (52 - 2 * i)) & 3u : 0u;
    rest = (rest << 2) | next;
    root <<= 1;
    if (rest >= trial) {
      rest -= trial;
      root |= 1u;
    }
  }
  root = (root >> 1) + (root & 1u);
  return fromBits(((uint64_t)(exponent / 2 + 1022) << 52) + root);
}

double onnx_aot_math_cbrt(double x) {
  uint64_t bits = toBits(x) & ~SIGN_BIT;
  int exponent = 0, third;
  double m, y;
  Pair square, cube;
  if (bits >= INF_BITS || bits == 0)
    return x;
  if (bits < 0x10000000000000u) {
    bits = toBits(fromBits(bits) * 0x1p54);
    exponent = -54;
  }
  exponent += (int)(bits >> 52) - 1023;
  third = (exponent + 1200) / 3 - 400; /* floor of exponent / 3 */
  m = fromBits((bits & 0xfffffffffffffu) | ((uint64_t)(exponent - 3 * third + 1023) << 52));
  y = 0.93 + 0.1429 * m;
  for (int i = 0; i < 5; ++i)
    y -= (y - m / (y * y)) * (1.0 / 3);
  square = twoProduct(y, y);
  cube = twoProduct(square.hi, y);
  y += ((m - cube.hi) - (cube.lo + square.lo * y)) / (3.0 * square.hi);
  return withSignOf(y * powerOfTwo(third), x);
}
