/*
 * trig.c: sin, cos and tan.
 *
 * Method: x = n pi/2 + r with |r| <= pi/4 and r kept as a pair. Up to 10^6, n times pi/2 is subtracted in parts of
 * 33 bits (Cody & Waite, "Software manual for the elementary functions", 1980), whose products with a 20-bit n are
 * exact. Above, the fraction of x * 2/pi is found in integer arithmetic from the bits of 2/pi that matter (Payne &
 * Hanek, "Radian reduction for trigonometric functions", 1983): bits that contribute whole turns are skipped, and
 * 224 of those that follow leave at least 60 correct bits in the worst case of a double. On [-pi/4, pi/4] sine and
 * cosine are their Taylor series, whose first omitted terms are below 2^-62, with the leading terms kept as pairs.
 */
#include "internal.h"

/* 2/pi = sum of word[i] 2^(-32 (i + 1)) */
static const uint32_t kTwoOverPi[40] = {
    0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u, 0x3c439041u, 0xfe5163abu, 0xdebbc561u,
    0xb7246e3au, 0x424dd2e0u, 0x06492eeau, 0x09d1921cu, 0xfe1deb1cu, 0xb129a73eu, 0xe88235f5u, 0x2ebb4484u,
    0xe99c7026u, 0xb45f7e41u, 0x3991d639u, 0x835339f4u, 0x9c845f8bu, 0xbdf9283bu, 0x1ff897ffu, 0xde05980fu,
    0xef2f118bu, 0x5a0a6d1fu, 0x6d367ecfu, 0x27cb09b7u, 0x4f463f66u, 0x9e5fea2du, 0x7527bac7u, 0xebe5f17bu,
    0x3d0739f7u, 0x8a5292eau, 0x6bfb5fb1u, 0x1f8d5d08u, 0x56033046u, 0xfc7b6babu, 0xf0cfbc20u, 0x9af4361du,
};

static const Pair kHalfPi = {0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54};
static const double kHalfPiParts[4] = {0x1.921fb54400000p+0, 0x1.0b4611a600000p-34, 0x1.3198a2e000000p-69,
                                       0x1.b839a252049c1p-104};

/* (sin(r) - r) / r^3 in r^2 */
static const double kSine[8] = {-1.0 / 6,          1.0 / 120,          -1.0 / 5040,          1.0 / 362880,
                                -1.0 / 39916800.0, 1.0 / 6227020800.0, -1.0 / 1307674368000, 1.0 / 355687428096000};
/* (cos(r) - 1 + r^2 / 2) / r^4 in r^2 */
static const double kCosine[8] = {1.0 / 24,           -1.0 / 720,           1.0 / 40320,           -1.0 / 3628800,
                                  1.0 / 479001600.0,  -1.0 / 87178291200.0, 1.0 / 20922789888000.0,
                                  -1.0 / 6402373705728000.0};

enum { kWindow = 7, kProduct = kWindow + 2 };

/* Bits position-1 .. position-32 of a little-endian number; bits below 0 are 0. */
static uint32_t bitsBelow(const uint32_t *words, int position) {
  uint32_t result = 0;
  for (int i = 0; i < 32; ++i) {
    int bit = position - 1 - i;
    if (bit >= 0)
      result |= ((words[bit >> 5] >> (bit & 31)) & 1u) << (31 - i);
  }
  return result;
}

/* Payne & Hanek's reduction of a positive finite x >= 10^6. */
static Pair reduceHuge(double x, unsigned *quadrant) {
  uint64_t bits = toBits(x);
  uint64_t mantissa = (bits & 0xfffffffffffffu) | 0x10000000000000u;
  int exponent = (int)(bits >> 52) - 1075; /* x = mantissa 2^exponent */
  int first = exponent >= 2 ? (exponent - 2) / 32 : 0;
  int fractionBits = 32 * (kWindow + first) - exponent;
  uint32_t product[kProduct] = {0};
  uint32_t factor[2] = {(uint32_t)mantissa, (uint32_t)(mantissa >> 32)};
  Pair fraction = {0.0, 0.0};
  double weight = 0x1p-32;
  int negative;

  for (int f = 0; f < 2; ++f) {
    uint64_t carry = 0;
    for (int i = 0; i < kWindow; ++i) {
      carry += (uint64_t)factor[f] * kTwoOverPi[first + kWindow - 1 - i] + product[i + f];
      product[i + f] = (uint32_t)carry;
      carry >>= 32;
    }
    product[kWindow + f] = (uint32_t)carry;
  }

  *quadrant = bitsBelow(product, fractionBits + 2) >> 30;
  negative = (int)(bitsBelow(product, fractionBits) >> 31);
  *quadrant += (unsigned)negative; /* round to nearest: a fraction above 1/2 counts down from the next quadrant */
  for (int i = 1; i <= 6; ++i) {
    uint32_t word = bitsBelow(product, fractionBits - 32 * (i - 1));
    Pair sum = twoSum(fraction.hi, (double)(negative ? ~word : word) * weight);
    fraction.hi = sum.hi;
    fraction.lo += sum.lo;
    weight *= 0x1p-32;
  }
  fraction = quickTwoSum(fraction.hi, fraction.lo);
  fraction = multiplyPairs(fraction, kHalfPi);
  return negative ? negatePair(fraction) : fraction;
}

/* x = quadrant pi/2 + r for finite x; the quadrant counts modulo 4. */
static Pair reduce(double x, unsigned *quadrant) {
  double magnitude = absolute(x);
  Pair r;
  if (magnitude <= 0x1.921fb54442d18p-1) {
    *quadrant = 0;
    r.hi = x;
    r.lo = 0.0;
    return r;
  }
  if (magnitude < 1e6) {
    double rounded = x * 0x1.45f306dc9c883p-1 + 0x1.8p52;
    double n = rounded - 0x1.8p52;
    Pair second, third;
    *quadrant = (unsigned)toBits(rounded);
    second = twoSum(x - n * kHalfPiParts[0], -n * kHalfPiParts[1]);
    third = twoSum(second.hi, -n * kHalfPiParts[2]);
    return quickTwoSum(third.hi, third.lo + (second.lo - n * kHalfPiParts[3]));
  }
  r = reduceHuge(magnitude, quadrant);
  if (x < 0.0) {
    *quadrant = 0u - *quadrant;
    return negatePair(r);
  }
  return r;
}

static Pair sineOf(Pair r) {
  double square = r.hi * r.hi;
  double tail = r.hi * square * polynomial(square, kSine, COUNT_OF(kSine));
  return quickTwoSum(r.hi, tail + r.lo * (1.0 - 0.5 * square));
}

static Pair cosineOf(Pair r) {
  Pair square = twoProduct(r.hi, r.hi);
  Pair head = quickTwoSum(1.0, -0.5 * square.hi);
  double tail = square.hi * square.hi * polynomial(square.hi, kCosine, COUNT_OF(kCosine));
  return quickTwoSum(head.hi, head.lo + (tail - 0.5 * square.lo - r.hi * r.lo));
}

static int isFinite(double x) { return (toBits(x) & INF_BITS) != INF_BITS; }

double onnx_aot_math_sin(double x) {
  unsigned quadrant;
  Pair r, value;
  if (!isFinite(x))
    return x - x;
  if (absolute(x) < 0x1p-27)
    return x;
  r = reduce(x, &quadrant);
  value = quadrant & 1u ? cosineOf(r) : sineOf(r);
  return quadrant & 2u ? -(value.hi + value.lo) : value.hi + value.lo;
}

double onnx_aot_math_cos(double x) {
  unsigned quadrant;
  Pair r, value;
  if (!isFinite(x))
    return x - x;
  if (absolute(x) < 0x1p-27)
    return 1.0;
  r = reduce(x, &quadrant);
  value = quadrant & 1u ? sineOf(r) : cosineOf(r);
  return (quadrant + 1u) & 2u ? -(value.hi + value.lo) : value.hi + value.lo;
}

double onnx_aot_math_tan(double x) {
  unsigned quadrant;
  Pair r, value;
  if (!isFinite(x))
    return x - x;
  if (absolute(x) < 0x1p-27)
    return x;
  r = reduce(x, &quadrant);
  value = quadrant & 1u ? dividePairs(negatePair(cosineOf(r)), sineOf(r)) : dividePairs(sineOf(r), cosineOf(r));
  return value.hi + value.lo;
}
