/*
 * exp.c: exp, exp2, expm1 and the extended-precision exponential behind pow and the hyperbolic functions.
 *
 * Method: table-driven reduction (Tang, "Table-driven implementation of the exponential function in IEEE
 * floating-point arithmetic", 1989). x = (32 m + j) ln2/32 + r with |r| <= ln2/64, so that
 * exp(x) = 2^m 2^(j/32) exp(r); 2^(j/32) is tabulated as a pair and exp(r) - 1 is its Taylor series, whose first
 * omitted term is below 2^-64. The multiple of ln2/32 is subtracted in two parts (Cody & Waite, "Software manual for
 * the elementary functions", 1980); the first has 36 bits, so that its product with a 16-bit integer is exact.
 */
#include "internal.h"

/* 2^(j/32) = hi + lo */
static const Pair kPowers[32] = {
    {0x1.0000000000000p+0, 0x0.0p+0},
    {0x1.059b0d3158574p+0, 0x1.d73e2a475b465p-55},
    {0x1.0b5586cf9890fp+0, 0x1.8a62e4adc610bp-54},
    {0x1.11301d0125b51p+0, -0x1.6c51039449b3ap-54},
    {0x1.172b83c7d517bp+0, -0x1.19041b9d78a76p-55},
    {0x1.1d4873168b9aap+0, 0x1.e016e00a2643cp-54},
    {0x1.2387a6e756238p+0, 0x1.9b07eb6c70573p-54},
    {0x1.29e9df51fdee1p+0, 0x1.612e8afad1255p-55},
    {0x1.306fe0a31b715p+0, 0x1.6f46ad23182e4p-55},
    {0x1.371a7373aa9cbp+0, -0x1.63aeabf42eae2p-54},
    {0x1.3dea64c123422p+0, 0x1.ada0911f09ebcp-55},
    {0x1.44e086061892dp+0, 0x1.89b7a04ef80d0p-59},
    {0x1.4bfdad5362a27p+0, 0x1.d4397afec42e2p-56},
    {0x1.5342b569d4f82p+0, -0x1.07abe1db13cadp-55},
    {0x1.5ab07dd485429p+0, 0x1.6324c054647adp-54},
    {0x1.6247eb03a5585p+0, -0x1.383c17e40b497p-54},
    {0x1.6a09e667f3bcdp+0, -0x1.bdd3413b26456p-54},
    {0x1.71f75e8ec5f74p+0, -0x1.16e4786887a99p-55},
    {0x1.7a11473eb0187p+0, -0x1.41577ee04992fp-55},
    {0x1.82589994cce13p+0, -0x1.d4c1dd41532d8p-54},
    {0x1.8ace5422aa0dbp+0, 0x1.6e9f156864b27p-54},
    {0x1.93737b0cdc5e5p+0, -0x1.75fc781b57ebcp-57},
    {0x1.9c49182a3f090p+0, 0x1.c7c46b071f2bep-56},
    {0x1.a5503b23e255dp+0, -0x1.d2f6edb8d41e1p-54},
    {0x1.ae89f995ad3adp+0, 0x1.7a1cd345dcc81p-54},
    {0x1.b7f76f2fb5e47p+0, -0x1.5584f7e54ac3bp-56},
    {0x1.c199bdd85529cp+0, 0x1.11065895048ddp-55},
    {0x1.cb720dcef9069p+0, 0x1.503cbd1e949dbp-56},
    {0x1.d5818dcfba487p+0, 0x1.2ed02d75b3707p-55},
    {0x1.dfc97337b9b5fp+0, -0x1.1a5cd4f184b5cp-54},
    {0x1.ea4afa2a490dap+0, -0x1.e9c23179c2893p-54},
    {0x1.f50765b6e4540p+0, 0x1.9d3e12dd8a18bp-54},
};

static const double kStepsPerUnit = 0x1.71547652b82fep+5; /* 32 / ln2 */
static const double kStepHi = 0x1.62e42fefa0000p-6;       /* ln2 / 32, the first 36 bits */
static const double kStepLo = 0x1.cf79abc9e3b3ap-45;
static const double kRound = 0x1.8p52; /* adding and subtracting it rounds to an integer */

/* (exp(r) - 1 - r) / r^2 */
static const double kExpTail[6] = {1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040};

/* 2^(steps/32) exp(rHi + rLo) for |rHi| <= ln2/64. */
static Scaled fromReduced(int32_t steps, double rHi, double rLo) {
  Scaled result;
  Pair power = kPowers[steps & 31];
  double growth = rHi + (rLo + rHi * rLo + rHi * rHi * polynomial(rHi, kExpTail, COUNT_OF(kExpTail)));
  result.exponent = (steps - (steps & 31)) / 32;
  result.value = quickTwoSum(power.hi, power.lo + power.hi * growth);
  return result;
}

Scaled onnx_aot_math_internal_exp(double hi, double lo) {
  double rounded = hi * kStepsPerUnit + kRound;
  int32_t steps = (int32_t)(uint32_t)toBits(rounded);
  double count = rounded - kRound;
  Pair r = twoSum(hi - count * kStepHi, -count * kStepLo);
  return fromReduced(steps, r.hi, r.lo + lo);
}

double onnx_aot_math_exp(double x) {
  Scaled e;
  if (isNan(x))
    return x;
  if (x > 709.79)
    return infinite();
  if (x < -745.2)
    return 0.0;
  e = onnx_aot_math_internal_exp(x, 0.0);
  return scale(e.value.hi + e.value.lo, e.exponent);
}

double onnx_aot_math_exp2(double x) {
  Scaled e;
  double rounded, r;
  if (isNan(x))
    return x;
  if (x >= 1024.0)
    return infinite();
  if (x < -1075.5)
    return 0.0;
  rounded = x * 32.0 + kRound;
  r = x - (rounded - kRound) * 0.03125; /* exact */
  e = fromReduced((int32_t)(uint32_t)toBits(rounded), r * 0x1.62e42fefa39efp-1, r * 0x1.abc9e3b39803fp-56);
  return scale(e.value.hi + e.value.lo, e.exponent);
}

double onnx_aot_math_expm1(double x) {
  Scaled e;
  Pair difference;
  double unit;
  if (isNan(x))
    return x;
  if (x > 709.79)
    return infinite();
  if (x < -40.0)
    return -1.0;
  if (absolute(x) < 0.0108) { /* within the first step: no table, no cancellation */
    if (absolute(x) < 0x1p-54)
      return x;
    return x + x * x * polynomial(x, kExpTail, COUNT_OF(kExpTail));
  }
  e = onnx_aot_math_internal_exp(x, 0.0);
  if (e.exponent > 60)
    return scale(e.value.hi + e.value.lo, e.exponent);
  unit = powerOfTwo(-e.exponent); /* exp(x) - 1 = 2^exponent (value - unit) */
  difference = twoSum(e.value.hi, -unit);
  return (difference.hi + (difference.lo + e.value.lo)) * powerOfTwo(e.exponent);
}
