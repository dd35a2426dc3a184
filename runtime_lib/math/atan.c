/*
 * atan.c: atan, atan2, asin and acos.
 *
 * Method: all four are the angle of a point (x, y) in the first octant, 0 <= y <= x. With c = i/16 nearest to y/x,
 * atan(y/x) = atan(c) + atan(t), t = (y - c x) / (x + c y), |t| <= 1/32: atan(c) is tabulated as a pair, t is computed
 * as a pair, and atan(t) is its Taylor series, whose first omitted term is below 2^-68 relative to t. The other
 * octants follow by reflection; asin(x) is the angle of (sqrt(1 - x^2), x), with the root as a pair.
 */
#include "internal.h"

/* atan(i/16) = hi + lo */
static const Pair kAngles[17] = {
    {0x0.0p+0, 0x0.0p+0},
    {0x1.ff55bb72cfdeap-5, -0x1.c934d86d23f1dp-60},
    {0x1.fd5ba9aac2f6ep-4, -0x1.cd37686760c17p-59},
    {0x1.7b97b4bce5b02p-3, 0x1.347b0b4f881cap-58},
    {0x1.f5b75f92c80ddp-3, 0x1.8ab6e3cf7afbdp-57},
    {0x1.362773707ebccp-2, -0x1.963a544b672d8p-57},
    {0x1.6f61941e4def1p-2, -0x1.c63aae6f6e918p-56},
    {0x1.a64eec3cc23fdp-2, -0x1.24dec1b50b7ffp-56},
    {0x1.dac670561bb4fp-2, 0x1.a2b7f222f65e2p-56},
    {0x1.0657e94db30d0p-1, -0x1.d5b495f6349e6p-56},
    {0x1.1e00babdefeb4p-1, -0x1.928df287a668fp-58},
    {0x1.345f01cce37bbp-1, 0x1.1021137c71102p-55},
    {0x1.4978fa3269ee1p-1, 0x1.2419a87f2a458p-56},
    {0x1.5d58987169b18p-1, 0x1.0028e4bc5e7cap-57},
    {0x1.700a7c5784634p-1, -0x1.8c34d25aadef6p-56},
    {0x1.819d0b7158a4dp-1, -0x1.bf76229d3b917p-56},
    {0x1.921fb54442d18p-1, 0x1.1a62633145c07p-55},
};

static const Pair kPi = {0x1.921fb54442d18p+1, 0x1.1a62633145c07p-53};
static const Pair kQuarterTurn = {0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54};

/* (atan(t) - t) / t^3 in t^2 */
static const double kAngleTail[6] = {-1.0 / 3, 1.0 / 5, -1.0 / 7, 1.0 / 9, -1.0 / 11, 1.0 / 13};

/* atan(y / x) for 0 <= y <= x, x > 0, both within 2^+-300 or y == 0. */
static Pair angleInOctant(Pair y, Pair x) {
  int i = (int)(y.hi / x.hi * 16.0 + 0.5);
  double c = i * 0.0625;
  Pair t, sum, numerator, denominator;
  double square;
  if (i == 0) {
    t = dividePairs(y, x);
  } else {
    numerator = twoProduct(-c, x.hi);
    numerator.lo -= c * x.lo;
    numerator = addPairs(y, numerator);
    denominator = twoProduct(c, y.hi);
    denominator.lo += c * y.lo;
    denominator = addPairs(x, denominator);
    t = dividePairs(numerator, denominator);
  }
  square = t.hi * t.hi;
  sum = twoSum(kAngles[i].hi, t.hi);
  return quickTwoSum(sum.hi,
                     sum.lo + (kAngles[i].lo + t.lo) + t.hi * square * polynomial(square, kAngleTail, COUNT_OF(kAngleTail)));
}

/* The angle of (x, y) in the first quadrant. */
static Pair angleInQuadrant(Pair y, Pair x) {
  if (y.hi <= x.hi)
    return angleInOctant(y, x);
  return addPairs(kQuarterTurn, negatePair(angleInOctant(x, y)));
}

static Pair pairOf(double x) {
  Pair r = {x, 0.0};
  return r;
}

double onnx_aot_math_atan(double x) {
  double magnitude = absolute(x);
  Pair angle;
  if (isNan(x) || magnitude < 0x1p-27)
    return x;
  if (magnitude > 0x1p60)
    return withSignOf(kQuarterTurn.hi, x);
  angle = angleInQuadrant(pairOf(magnitude), pairOf(1.0));
  return withSignOf(angle.hi + angle.lo, x);
}

double onnx_aot_math_atan2(double y, double x) {
  double absY = absolute(y), absX = absolute(x);
  int exponentY, exponentX;
  Pair angle;
  if (isNan(x) || isNan(y))
    return x + y;
  if (absY == infinite() && absX == infinite())
    absX = absY = 1.0; /* Annex F: the diagonals */
  if (absY == 0.0 || absX == infinite())
    return withSignOf(toBits(x) & SIGN_BIT ? kPi.hi : 0.0, y);
  if (absX == 0.0 || absY == infinite())
    return withSignOf(kQuarterTurn.hi, y);

  /* Bring both near 1, so that products neither overflow nor lose bits. */
  if (absY < 0x1p-1000 || absX < 0x1p-1000) {
    if (absY > 0x1p900 || absX > 0x1p900) { /* the ratio decides alone */
      absY *= 0x1p-100;
      absX *= 0x1p-100;
    } else {
      absY *= 0x1p100;
      absX *= 0x1p100;
    }
  }
  exponentY = (int)(toBits(absY) >> 52);
  exponentX = (int)(toBits(absX) >> 52);
  if (exponentY > exponentX + 64)
    return withSignOf(kQuarterTurn.hi, y);
  if (exponentY + 64 < exponentX)
    return withSignOf(toBits(x) & SIGN_BIT ? kPi.hi : absY / absX, y);
  angle = angleInQuadrant(pairOf(scale(absY, 1023 - exponentX)), pairOf(scale(absX, 1023 - exponentX)));
  if (toBits(x) & SIGN_BIT)
    angle = addPairs(kPi, negatePair(angle));
  return withSignOf(angle.hi + angle.lo, y);
}

/* sqrt(1 - x^2) for 0 <= x < 1; (1 - x)(1 + x) avoids the cancellation. */
static Pair cosineFromSine(double x) { return sqrtPair(multiplyPairs(twoSum(1.0, -x), twoSum(1.0, x))); }

double onnx_aot_math_asin(double x) {
  double magnitude = absolute(x);
  Pair angle;
  if (isNan(x) || magnitude < 0x1p-27)
    return x;
  if (magnitude >= 1.0)
    return magnitude == 1.0 ? withSignOf(kQuarterTurn.hi, x) : notANumber();
  angle = angleInQuadrant(pairOf(magnitude), cosineFromSine(magnitude));
  return withSignOf(angle.hi + angle.lo, x);
}

double onnx_aot_math_acos(double x) {
  double magnitude = absolute(x);
  Pair angle;
  if (isNan(x))
    return x;
  if (magnitude >= 1.0) {
    if (magnitude > 1.0)
      return notANumber();
    return x > 0.0 ? 0.0 : kPi.hi;
  }
  if (magnitude < 0x1p-60)
    return kQuarterTurn.hi;
  angle = angleInQuadrant(cosineFromSine(magnitude), pairOf(magnitude));
  if (x < 0.0)
    angle = addPairs(kPi, negatePair(angle));
  return angle.hi + angle.lo;
}
