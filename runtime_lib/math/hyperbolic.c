/*
 * hyperbolic.c: sinh, cosh, tanh and their inverses.
 *
 * Method: away from 0, the forward functions are sums and quotients of exp(|x|) and its reciprocal, both pairs; near
 * 0, where these cancel, Taylor series. The inverses are log1p of an argument computed as a pair:
 * asinh(x) = log1p(x + x^2/(1 + sqrt(1 + x^2))), acosh(1 + t) = log1p(t + sqrt(t (t + 2))),
 * atanh(x) = log1p(2x/(1 - x))/2 (Kahan, "Branch cuts for complex elementary functions", 1987).
 */
#include "internal.h"

static const double kLn2 = 0x1.62e42fefa39efp-1;

/* (sinh(x)/x - 1) / x^2 and (cosh(x) - 1) / x^2 in x^2, for |x| < 0.35 */
static const double kSinh[7] = {1.0 / 6,        1.0 / 120,          1.0 / 5040,         1.0 / 362880,
                                1.0 / 39916800, 1.0 / 6227020800.0, 1.0 / 1307674368000.0};
static const double kCosh[7] = {1.0 / 2,       1.0 / 24,          1.0 / 720,          1.0 / 40320,
                                1.0 / 3628800, 1.0 / 479001600.0, 1.0 / 87178291200.0};

/* Half of exp(x) and half of exp(-x), for 0 <= x <= 40. */
static void halfExponentials(double x, Pair *growing, Pair *shrinking) {
  Scaled e = onnx_aot_math_internal_exp(x, 0.0);
  Pair quarter = {0.25, 0.0};
  double half = powerOfTwo(e.exponent - 1);
  growing->hi = e.value.hi * half;
  growing->lo = e.value.lo * half;
  *shrinking = dividePairs(quarter, *growing);
}

/* exp(x) / 2 without overflowing early, for 40 <= x. */
static double halfExponential(double x) {
  Scaled e;
  if (x > 711.0)
    return infinite();
  e = onnx_aot_math_internal_exp(x, 0.0);
  return scale(e.value.hi + e.value.lo, e.exponent - 1);
}

double onnx_aot_math_sinh(double x) {
  double magnitude = absolute(x);
  Pair growing, shrinking, sum;
  if (isNan(x) || magnitude < 0x1p-28)
    return x;
  if (magnitude < 0.35)
    return x + x * (x * x * polynomial(x * x, kSinh, COUNT_OF(kSinh)));
  if (magnitude > 40.0)
    return withSignOf(halfExponential(magnitude), x);
  halfExponentials(magnitude, &growing, &shrinking);
  sum = addPairs(growing, negatePair(shrinking));
  return withSignOf(sum.hi + sum.lo, x);
}

double onnx_aot_math_cosh(double x) {
  double magnitude = absolute(x);
  Pair growing, shrinking, sum;
  if (isNan(x))
    return x;
  if (magnitude > 40.0)
    return halfExponential(magnitude);
  halfExponentials(magnitude, &growing, &shrinking);
  sum = addPairs(growing, shrinking);
  return sum.hi + sum.lo;
}

double onnx_aot_math_tanh(double x) {
  double magnitude = absolute(x);
  Pair growing, shrinking, quotient;
  if (isNan(x) || magnitude < 0x1p-28)
    return x;
  if (magnitude > 22.0)
    return withSignOf(1.0, x);
  if (magnitude < 0.35) {
    /* tanh(x) = x + x (sinh(x)/x - cosh(x)) / cosh(x) */
    double square = x * x;
    double sinhPart = square * polynomial(square, kSinh, COUNT_OF(kSinh));
    double coshPart = square * polynomial(square, kCosh, COUNT_OF(kCosh));
    return x + x * ((sinhPart - coshPart) / (1.0 + coshPart));
  }
  halfExponentials(magnitude, &growing, &shrinking);
  quotient = dividePairs(addPairs(growing, negatePair(shrinking)), addPairs(growing, shrinking));
  return withSignOf(quotient.hi + quotient.lo, x);
}

/* log(1 + x) of a pair with x.hi > -1, as a pair. */
static Pair log1pOfPair(Pair x) {
  Pair sum = twoSum(1.0, x.hi);
  Pair l = onnx_aot_math_internal_log(sum.hi);
  return quickTwoSum(l.hi, l.lo + (sum.lo + x.lo) / sum.hi);
}

double onnx_aot_math_asinh(double x) {
  double magnitude = absolute(x);
  Pair square, root, argument, l, one = {1.0, 0.0};
  if (isNan(x) || magnitude == infinite() || magnitude < 0x1p-28)
    return x;
  if (magnitude > 0x1p60) {
    l = onnx_aot_math_internal_log(magnitude);
    return withSignOf(l.hi + (l.lo + kLn2), x);
  }
  square = twoProduct(magnitude, magnitude);
  root = addPairs(one, sqrtPair(addPairs(one, square)));
  argument = dividePairs(square, root);
  root.hi = magnitude;
  root.lo = 0.0;
  l = log1pOfPair(addPairs(root, argument));
  return withSignOf(l.hi + l.lo, x);
}

double onnx_aot_math_acosh(double x) {
  Pair t, t2, two = {2.0, 0.0}, l;
  if (isNan(x) || x == infinite())
    return x;
  if (x <= 1.0)
    return x == 1.0 ? 0.0 : notANumber();
  if (x > 0x1p60) {
    l = onnx_aot_math_internal_log(x);
    return l.hi + (l.lo + kLn2);
  }
  t = twoSum(x, -1.0);
  t2 = addPairs(t, two);
  l = log1pOfPair(addPairs(t, sqrtPair(multiplyPairs(t, t2))));
  return l.hi + l.lo;
}

double onnx_aot_math_atanh(double x) {
  double magnitude = absolute(x);
  Pair numerator, l;
  if (isNan(x) || magnitude < 0x1p-28)
    return x;
  if (magnitude >= 1.0)
    return magnitude == 1.0 ? withSignOf(infinite(), x) : notANumber();
  numerator.hi = 2.0 * magnitude;
  numerator.lo = 0.0;
  l = log1pOfPair(dividePairs(numerator, twoSum(1.0, -magnitude)));
  return withSignOf(0.5 * (l.hi + l.lo), x);
}
