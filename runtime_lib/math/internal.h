/*
 * internal.h: what the files of runtime_lib/math share: bits of a double, error-free sums and products, and the
 * extended-precision cores of exp and log that several functions are built from.
 *
 * A `Pair` is an unevaluated sum hi + lo with |lo| at most about one unit in the last place of hi. The error-free
 * transformations are Knuth's two-sum and Dekker's product by splitting (1971); no fused multiply-add is assumed.
 */
#ifndef ONNX_AOT_RUNTIME_MATH_INTERNAL_H
#define ONNX_AOT_RUNTIME_MATH_INTERNAL_H

#include "functions.h"

/* The error-free transformations below depend on every single rounding. */
#pragma STDC FP_CONTRACT OFF

#define COUNT_OF(ARRAY) ((int)(sizeof(ARRAY) / sizeof((ARRAY)[0])))

#define SIGN_BIT 0x8000000000000000u
#define INF_BITS 0x7ff0000000000000u

typedef struct Pair {
  double hi, lo;
} Pair;

static inline uint64_t toBits(double x) {
  union {
    double value;
    uint64_t bits;
  } u;
  u.value = x;
  return u.bits;
}

static inline double fromBits(uint64_t bits) {
  union {
    uint64_t bits;
    double value;
  } u;
  u.bits = bits;
  return u.value;
}

static inline double infinite(void) { return fromBits(INF_BITS); }
static inline double notANumber(void) { return fromBits(0x7ff8000000000000u); }
static inline int isNan(double x) { return x != x; }
static inline double absolute(double x) { return fromBits(toBits(x) & ~SIGN_BIT); }

static inline double withSignOf(double magnitude, double sign) {
  return fromBits((toBits(magnitude) & ~SIGN_BIT) | (toBits(sign) & SIGN_BIT));
}

/* 2^exponent for a normal result. */
static inline double powerOfTwo(int exponent) { return fromBits((uint64_t)(exponent + 1023) << 52); }

/* value * 2^exponent for |exponent| <= 2000. Two factors, because 2^exponent itself may not be a double; the first
   product is exact for value near 1, so that a subnormal result is rounded only once. */
static inline double scale(double value, int exponent) {
  int half = exponent / 2;
  return value * powerOfTwo(half) * powerOfTwo(exponent - half);
}

/* a + b exactly, for |a| >= |b| or a == 0. */
static inline Pair quickTwoSum(double a, double b) {
  Pair r;
  r.hi = a + b;
  r.lo = b - (r.hi - a);
  return r;
}

/* a + b exactly. */
static inline Pair twoSum(double a, double b) {
  Pair r;
  double bb;
  r.hi = a + b;
  bb = r.hi - a;
  r.lo = (a - (r.hi - bb)) + (b - bb);
  return r;
}

/* a * b exactly, while neither the splitting overflows (|a|, |b| < 2^996) nor the product underflows. */
static inline Pair twoProduct(double a, double b) {
  const double splitter = 134217729.0; /* 2^27 + 1 */
  Pair r;
  double ta = splitter * a, tb = splitter * b;
  double aHi = ta - (ta - a), bHi = tb - (tb - b);
  double aLo = a - aHi, bLo = b - bHi;
  r.hi = a * b;
  r.lo = ((aHi * bHi - r.hi) + aHi * bLo + aLo * bHi) + aLo * bLo;
  return r;
}

static inline Pair addPairs(Pair a, Pair b) {
  Pair s = twoSum(a.hi, b.hi);
  return quickTwoSum(s.hi, s.lo + (a.lo + b.lo));
}

static inline Pair multiplyPairs(Pair a, Pair b) {
  Pair p = twoProduct(a.hi, b.hi);
  return quickTwoSum(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}

static inline Pair dividePairs(Pair a, Pair b) {
  double q = a.hi / b.hi;
  Pair p = twoProduct(q, b.hi);
  double rest = (a.hi - p.hi) - p.lo + a.lo - q * b.lo;
  return quickTwoSum(q, rest / b.hi);
}

static inline Pair negatePair(Pair a) {
  Pair r = {-a.hi, -a.lo};
  return r;
}

/* coefficients[0] + coefficients[1] x + ..., by Horner's rule. */
static inline double polynomial(double x, const double *coefficients, int count) {
  double sum = coefficients[count - 1];
  for (int i = count - 2; i >= 0; --i)
    sum = sum * x + coefficients[i];
  return sum;
}

/* Square root of a positive pair. */
static inline Pair sqrtPair(Pair a) {
  double root = onnx_aot_math_sqrt(a.hi);
  Pair square = twoProduct(root, root);
  return quickTwoSum(root, ((a.hi - square.hi) - square.lo + a.lo) / (2.0 * root));
}

/* A value times a power of two, for results whose range exceeds that of a double on the way. */
typedef struct Scaled {
  Pair value;
  int exponent;
} Scaled;

/* exp(hi + lo) with a relative error of about 2^-60, for |hi| <= 1e4; value is within [0.98, 2.01]. */
Scaled onnx_aot_math_internal_exp(double hi, double lo);

/* log of a positive finite x with a relative error of about 2^-65. */
Pair onnx_aot_math_internal_log(double x);

/* log(m) as above together with the exponent k, where x = m 2^k and m is in [sqrt(1/2), sqrt(2)). */
Pair onnx_aot_math_internal_log_split(double x, int *k);

#endif /* ONNX_AOT_RUNTIME_MATH_INTERNAL_H */
