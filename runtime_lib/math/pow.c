/*
 * pow.c: pow and its integer form.
 *
 * Method: exp(y log|x|) with log|x| as a pair of relative error 2^-65 and its product with y as a pair, so that the
 * absolute error of the exponent stays below 2^-55 over the whole range of results (after Tang's table-driven
 * exponential and logarithm, see exp.c and log.c). The special cases are those of C Annex F.
 */
#include "internal.h"

/* 0: not an integer, 1: odd, 2: even. */
static int parity(double y) {
  uint64_t bits = toBits(y) & ~SIGN_BIT;
  int exponent = (int)(bits >> 52) - 1023;
  uint64_t mantissa = (bits & 0xfffffffffffffu) | 0x10000000000000u;
  if (exponent < 0)
    return bits == 0 ? 2 : 0;
  if (exponent > 52)
    return 2;
  if (mantissa & ((UINT64_C(1) << (52 - exponent)) - 1))
    return 0;
  return (mantissa >> (52 - exponent)) & 1 ? 1 : 2;
}

double onnx_aot_math_pow(double x, double y) {
  double magnitude = absolute(x), absY = absolute(y), sign = 1.0;
  int odd;
  Pair logX, product;
  Scaled e;
  if (y == 0.0 || x == 1.0)
    return 1.0;
  if (isNan(x) || isNan(y))
    return x + y;
  if (absY == infinite()) {
    if (magnitude == 1.0)
      return 1.0;
    return (magnitude > 1.0) == (y > 0.0) ? infinite() : 0.0;
  }
  odd = parity(y) == 1;
  if (magnitude == 0.0 || magnitude == infinite()) {
    double result = (magnitude == 0.0) == (y > 0.0) ? 0.0 : infinite();
    return odd ? withSignOf(result, x) : result;
  }
  if (x < 0.0) {
    if (parity(y) == 0)
      return notANumber();
    if (odd)
      sign = -1.0;
    if (magnitude == 1.0)
      return sign;
  }
  if (absY > 0x1p65) /* |log|x|| is at least 2^-53 */
    return sign * ((magnitude > 1.0) == (y > 0.0) ? infinite() : 0.0);
  if (absY < 0x1p-65)
    return sign;

  logX = onnx_aot_math_internal_log(magnitude);
  product = twoProduct(y, logX.hi);
  product = quickTwoSum(product.hi, product.lo + y * logX.lo);
  if (product.hi > 709.79)
    return sign * infinite();
  if (product.hi < -745.2)
    return sign * 0.0;
  e = onnx_aot_math_internal_exp(product.hi, product.lo);
  return sign * scale(e.value.hi + e.value.lo, e.exponent);
}

int64_t onnx_aot_math_ipow(int64_t base, int64_t exponent) {
  uint64_t result = 1, factor = (uint64_t)base;
  if (exponent < 0) {
    if (base == 1)
      return 1;
    if (base == -1)
      return exponent & 1 ? -1 : 1;
    return 0;
  }
  for (; exponent != 0; exponent >>= 1) {
    if (exponent & 1)
      result *= factor;
    factor *= factor;
  }
  return (int64_t)result;
}
