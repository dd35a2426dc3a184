/*
 * erf.c: erf and erfc.
 *
 * Method: for |x| < 0.88, erf(x) = x + x P(x^2). Elsewhere erfc(x) = exp(-x^2) Q(q) / (1 + 2x) with q = (x-4)/(x+4),
 * the mapping of Shepherd & Laframboise, "Chebyshev approximation of (1 + 2x) exp(x^2) erfc x in 0 <= x < inf", 1981,
 * one polynomial for the whole axis; x^2 is a pair, because exp turns its absolute error into a relative one. P and Q
 * interpolate their functions in Chebyshev points with relative errors below 2^-62.
 */
#include "internal.h"

/* erf(x) / x - 1 in x^2, for x^2 <= 0.8 */
static const double kErf[13] = {
    0x1.06eba8214db69p-3, -0x1.812746b0379e7p-2, 0x1.ce2f21a042bd1p-4,
    -0x1.b82ce31288427p-6, 0x1.565bcd0e50b05p-8, -0x1.c02db3f96b9a9p-11,
    0x1.f9a325ce3d3efp-14, -0x1.f4d239d5d03dfp-17, 0x1.b9e413bee2c21p-20,
    -0x1.5f4e7f76f793ap-23, 0x1.f9fdae14c99aep-27, -0x1.40adb48761942p-30,
    0x1.1ef595fca85cep-34,
};

/* (1 + 2x) exp(x^2) erfc(x) in q, for 0.45 <= x <= 28 */
static const double kErfc[24] = {
    0x1.3ba5916e9fd7fp+0, -0x1.1df1ad154a28ep-3, 0x1.f7f5df66fd7b0p-7,
    0x1.16ecefcfa53a5p-4, -0x1.9ddb23c3e907cp-4, 0x1.7fee004e122a1p-4,
    -0x1.0fb06dfe49ca6p-4, 0x1.3079edf6893f8p-5, -0x1.09623884fd0cfp-6,
    0x1.49c67283e5070p-8, -0x1.8d4a99f232aaap-11, -0x1.a1df237986517p-13,
    0x1.3be03cd848c9cp-13, -0x1.99598b900a029p-16, -0x1.78843c50cec9bp-17,
    0x1.7f2c313ff17d1p-18, 0x1.3955752006cd5p-22, -0x1.bb4e43e36d7cfp-21,
    0x1.4b873a6c7eaa9p-24, 0x1.dbd513a0bc43dp-24, -0x1.53a837b3cefcfp-26,
    -0x1.feb7c995e5dcbp-27, 0x1.4cb3f4007bc29p-29, 0x1.af9186e163617p-30,
};

/* erfc(x) for 0.45 <= x <= 28. */
static double erfcTail(double x) {
  Pair square = twoProduct(x, x);
  Scaled e = onnx_aot_math_internal_exp(-square.hi, -square.lo);
  Pair numerator = twoSum(x, -4.0), denominator = twoSum(x, 4.0);
  Pair q = dividePairs(numerator, denominator);
  double value = polynomial(q.hi, kErfc, COUNT_OF(kErfc));
  Pair factor = dividePairs(e.value, twoSum(1.0, 2.0 * x));
  return scale(factor.hi * value + factor.lo * value, e.exponent);
}

double onnx_aot_math_erf(double x) {
  double magnitude = absolute(x);
  if (isNan(x))
    return x;
  if (magnitude < 0.88) {
    if (magnitude < 0x1p-1000) /* scaled, so that the subnormal product is rounded once */
      return (x * 0x1p100 + x * 0x1p100 * kErf[0]) * 0x1p-100;
    return x + x * polynomial(x * x, kErf, COUNT_OF(kErf));
  }
  if (magnitude > 6.0)
    return withSignOf(1.0, x);
  return withSignOf(1.0 - erfcTail(magnitude), x);
}

double onnx_aot_math_erfc(double x) {
  if (isNan(x))
    return x;
  if (x > 27.3)
    return 0.0;
  if (x < -6.0)
    return 2.0;
  if (x < -0.47)
    return 2.0 - erfcTail(-x);
  if (x < 0.47) {
    Pair head = twoSum(1.0, -x);
    return head.hi + (head.lo - x * polynomial(x * x, kErf, COUNT_OF(kErf)));
  }
  return erfcTail(x);
}
