// The runtime's math functions against the C library's long double versions, in units in the last place.
//
// Every function is sampled over all bit patterns of its argument, over an interval that is typical for it, and at the
// special values. The long double reference is accurate to 2^-63, so that the measured error is that of the function.
#include "runtime_lib/math/functions.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

template <typename T> double ulpError(T got, long double want) {
  T rounded = static_cast<T>(want);
  if (std::isnan(want))
    return std::isnan(got) ? 0 : kInf;
  if (std::isnan(got))
    return kInf;
  if (got == rounded)
    // A zero must have the right sign, but an underflow to zero may come from either side.
    return want == 0 && std::signbit(got) != std::signbit(want) ? kInf : 0;
  if (std::isinf(got)) // an overflow one rounding too early counts as the distance from the largest number
    got = std::copysign(std::numeric_limits<T>::max(), got);
  int exponent;
  std::frexp(want, &exponent);
  exponent = std::max(exponent - std::numeric_limits<T>::digits, std::numeric_limits<T>::min_exponent -
                                                                      std::numeric_limits<T>::digits);
  return static_cast<double>(std::fabs(std::ldexp(static_cast<long double>(got) - want, -exponent)));
}

template <typename T> T anyBits(std::mt19937_64 &random) {
  using Bits = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;
  Bits bits = static_cast<Bits>(random());
  T value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

template <typename T> std::vector<T> specials() {
  using L = std::numeric_limits<T>;
  std::vector<T> values = {0, 1, 2, 3, 10, 100, 1000, T(0.5), T(0.25), T(1.5), T(2.5), T(3.5), T(0.1), L::min(),
                           L::denorm_min(), L::max(), L::infinity(), L::epsilon(), 1 + L::epsilon(),
                           1 - L::epsilon() / 2, T(M_PI), T(M_PI_2), T(M_PI_4), T(1e5), T(1e6), T(1e22),
                           T(0.49999999999999994), T(4503599627370497.5), T(8388609), T(88.722839), T(-103.97),
                           T(709.782712893384), T(-745.1332191019411), T(1e-8), T(1e-20), T(6), T(26.5), T(27)};
  size_t count = values.size();
  for (size_t i = 0; i < count; ++i)
    values.push_back(-values[i]);
  values.push_back(L::quiet_NaN());
  return values;
}

template <typename T> struct Unary {
  const char *name;
  T (*function)(T);
  long double (*reference)(long double);
  double lo, hi;    // the typical interval
  double limit;     // in ulp
};

template <typename T> double worstOf(const Unary<T> &f, int samples, T &where) {
  std::mt19937_64 random(12345);
  std::uniform_real_distribution<double> interval(f.lo, f.hi);
  double worst = 0;
  auto check = [&](T x) {
    double error = ulpError<T>(f.function(x), f.reference(x));
    if (!(error <= worst)) {
      worst = error;
      where = x;
    }
  };
  for (T x : specials<T>())
    check(x);
  for (int i = 0; i < samples; ++i) {
    check(anyBits<T>(random));
    check(static_cast<T>(interval(random)));
  }
  return worst;
}

int sampleCount() {
  const char *text = std::getenv("ONNX_AOT_MATH_SAMPLES");
  return text ? std::atoi(text) : 12000;
}

template <typename T> void runUnary(const std::vector<Unary<T>> &functions) {
  for (const Unary<T> &f : functions) {
    T where = 0;
    double worst = worstOf(f, sampleCount(), where);
    EXPECT_LE(worst, f.limit) << f.name << " at " << std::hexfloat << where;
    ::testing::Test::RecordProperty(std::string("max_ulp_") + f.name, std::to_string(worst));
    if (std::getenv("ONNX_AOT_MATH_SAMPLES"))
      std::printf("%-10s %.3f ulp at %a\n", f.name, worst, static_cast<double>(where));
  }
}

#define ROW(NAME, REFERENCE, LO, HI, LIMIT) {#NAME, onnx_aot_math_##NAME, REFERENCE, LO, HI, LIMIT}

TEST(MathRuntime, DoubleFunctionsAreWithinTwoUlp) {
  runUnary<double>({
      ROW(exp, expl, -745, 710, 1.0),      ROW(exp2, exp2l, -1075, 1024, 1.0),  ROW(expm1, expm1l, -2, 2, 1.5),
      ROW(log, logl, 0, 2, 1.0),           ROW(log2, log2l, 0, 2, 1.0),         ROW(log10, log10l, 0, 2, 1.0),
      ROW(log1p, log1pl, -1, 2, 1.0),      ROW(sin, sinl, -100, 100, 1.0),      ROW(cos, cosl, -100, 100, 1.0),
      ROW(tan, tanl, -100, 100, 1.0),      ROW(asin, asinl, -1, 1, 1.0),        ROW(acos, acosl, -1, 1, 1.0),
      ROW(atan, atanl, -4, 4, 1.0),        ROW(sinh, sinhl, -5, 5, 1.5),        ROW(cosh, coshl, -5, 5, 1.5),
      ROW(tanh, tanhl, -5, 5, 1.5),        ROW(asinh, asinhl, -5, 5, 1.0),      ROW(acosh, acoshl, 1, 5, 1.0),
      ROW(atanh, atanhl, -1, 1, 1.0),      ROW(erf, erfl, -6, 6, 1.5),          ROW(erfc, erfcl, -6, 27, 3.0),
      ROW(cbrt, cbrtl, -10, 10, 1.0),      ROW(sqrt, sqrtl, 0, 10, 0.5),        ROW(floor, floorl, -9, 9, 0),
      ROW(ceil, ceill, -9, 9, 0),          ROW(trunc, truncl, -9, 9, 0),        ROW(round, roundl, -9, 9, 0),
      ROW(roundeven, rintl, -9, 9, 0),
  });
}

TEST(MathRuntime, FloatFunctionsAreCorrectlyRounded) {
  const double limit = 0.5001;
  runUnary<float>({
      ROW(expf, expl, -104, 89, limit),    ROW(exp2f, exp2l, -150, 128, limit), ROW(expm1f, expm1l, -2, 2, limit),
      ROW(logf, logl, 0, 2, limit),        ROW(log2f, log2l, 0, 2, limit),      ROW(log10f, log10l, 0, 2, limit),
      ROW(log1pf, log1pl, -1, 2, limit),   ROW(sinf, sinl, -100, 100, limit),   ROW(cosf, cosl, -100, 100, limit),
      ROW(tanf, tanl, -100, 100, limit),   ROW(asinf, asinl, -1, 1, limit),     ROW(acosf, acosl, -1, 1, limit),
      ROW(atanf, atanl, -4, 4, limit),     ROW(sinhf, sinhl, -5, 5, limit),     ROW(coshf, coshl, -5, 5, limit),
      ROW(tanhf, tanhl, -5, 5, limit),     ROW(asinhf, asinhl, -5, 5, limit),   ROW(acoshf, acoshl, 1, 5, limit),
      ROW(atanhf, atanhl, -1, 1, limit),   ROW(erff, erfl, -6, 6, limit),       ROW(erfcf, erfcl, -6, 10, limit),
      ROW(cbrtf, cbrtl, -10, 10, limit),   ROW(sqrtf, sqrtl, 0, 10, 0.5),       ROW(floorf, floorl, -9, 9, 0),
      ROW(ceilf, ceill, -9, 9, 0),         ROW(truncf, truncl, -9, 9, 0),       ROW(roundf, roundl, -9, 9, 0),
      ROW(roundevenf, rintl, -9, 9, 0),
  });
}

template <typename T> struct Binary {
  const char *name;
  T (*function)(T, T);
  long double (*reference)(long double, long double);
  double lo, hi;
  double limit;
};

template <typename T> void runBinary(const Binary<T> &f) {
  std::mt19937_64 random(54321);
  std::uniform_real_distribution<double> interval(f.lo, f.hi);
  double worst = 0;
  T whereX = 0, whereY = 0;
  auto check = [&](T x, T y) {
    double error = ulpError<T>(f.function(x, y), f.reference(x, y));
    if (!(error <= worst)) {
      worst = error;
      whereX = x;
      whereY = y;
    }
  };
  for (T x : specials<T>())
    for (T y : specials<T>())
      check(x, y);
  for (int i = 0; i < sampleCount(); ++i) {
    T x = anyBits<T>(random), y = anyBits<T>(random);
    check(x, y);
    check(x, static_cast<T>(interval(random)));
    check(static_cast<T>(interval(random)), static_cast<T>(interval(random)));
    check(x, x * static_cast<T>(interval(random)));
  }
  EXPECT_LE(worst, f.limit) << f.name << " at " << std::hexfloat << whereX << ", " << whereY;
  if (std::getenv("ONNX_AOT_MATH_SAMPLES"))
    std::printf("%-10s %.3f ulp at %a %a\n", f.name, worst, static_cast<double>(whereX), static_cast<double>(whereY));
}

TEST(MathRuntime, BinaryFunctions) {
  runBinary<double>({"pow", onnx_aot_math_pow, powl, 0, 50, 1.0});
  runBinary<double>({"atan2", onnx_aot_math_atan2, atan2l, -10, 10, 1.0});
  runBinary<double>({"fmod", onnx_aot_math_fmod, fmodl, -10, 10, 0});
  runBinary<float>({"powf", onnx_aot_math_powf, powl, 0, 20, 0.5001});
  runBinary<float>({"atan2f", onnx_aot_math_atan2f, atan2l, -10, 10, 0.5001});
  runBinary<float>({"fmodf", onnx_aot_math_fmodf, fmodl, -10, 10, 0});
}

TEST(MathRuntime, ReductionOfHugeAngles) {
  // The double nearest to a multiple of pi/2 (Muller, "Elementary Functions"), and its neighbours in difficulty.
  for (double x : {6381956970095103.0 * 0x1p797, 5.319372648326541e255, 1e300, 1.7976931348623157e308, 1e22, 999999.5,
                   1000000.5, 2.0e6, 0x1p62, 0x1p120}) {
    EXPECT_LE(ulpError<double>(onnx_aot_math_sin(x), sinl(x)), 1.0) << x;
    EXPECT_LE(ulpError<double>(onnx_aot_math_cos(-x), cosl(-x)), 1.0) << x;
    EXPECT_LE(ulpError<double>(onnx_aot_math_tan(-x), tanl(-x)), 1.0) << x;
  }
}

TEST(MathRuntime, IntegerPower) {
  EXPECT_EQ(onnx_aot_math_ipow(3, 4), 81);
  EXPECT_EQ(onnx_aot_math_ipow(-2, 63), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(onnx_aot_math_ipow(7, 0), 1);
  EXPECT_EQ(onnx_aot_math_ipow(0, 0), 1);
  EXPECT_EQ(onnx_aot_math_ipow(2, -1), 0);
  EXPECT_EQ(onnx_aot_math_ipow(-1, -3), -1);
  EXPECT_EQ(onnx_aot_math_ipow(1, -3), 1);
}

TEST(MathRuntime, HalfConversionsRoundTrip) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    uint16_t half = static_cast<uint16_t>(bits);
    float wide = onnx_aot_f16_to_f32(half), brain = onnx_aot_bf16_to_f32(half);
    if (std::isnan(wide))
      EXPECT_TRUE(std::isnan(onnx_aot_f16_to_f32(onnx_aot_f32_to_f16(wide))));
    else
      ASSERT_EQ(onnx_aot_f32_to_f16(wide), half);
    if (std::isnan(brain))
      EXPECT_TRUE(std::isnan(onnx_aot_bf16_to_f32(onnx_aot_f32_to_bf16(brain))));
    else
      ASSERT_EQ(onnx_aot_f32_to_bf16(brain), half);
  }
}

TEST(MathRuntime, HalfConversionsRoundToNearestEven) {
  // Between neighbours a and b: the middle goes to the even one, anything nearer to a to a, nearer to b to b.
  for (uint16_t half = 0; half < 0x7bff; ++half) {
    float a = onnx_aot_f16_to_f32(half), b = onnx_aot_f16_to_f32(half + 1), middle = (a + b) / 2;
    uint16_t even = half & 1 ? half + 1 : half;
    ASSERT_EQ(onnx_aot_f32_to_f16(middle), even);
    ASSERT_EQ(onnx_aot_f32_to_f16(-middle), even | 0x8000);
    ASSERT_EQ(onnx_aot_f32_to_f16(std::nextafterf(middle, a)), half);
    ASSERT_EQ(onnx_aot_f32_to_f16(std::nextafterf(middle, b)), half + 1);
  }
  EXPECT_EQ(onnx_aot_f32_to_f16(65519.996f), 0x7bff);
  EXPECT_EQ(onnx_aot_f32_to_f16(65520.0f), 0x7c00);
  EXPECT_EQ(onnx_aot_f32_to_f16(1e-10f), 0);
  for (uint16_t half = 0; half < 0x7f7f; ++half) {
    float a = onnx_aot_bf16_to_f32(half), b = onnx_aot_bf16_to_f32(half + 1), middle = a + (b - a) / 2;
    ASSERT_EQ(onnx_aot_f32_to_bf16(middle), half & 1 ? half + 1 : half);
    ASSERT_EQ(onnx_aot_f32_to_bf16(std::nextafterf(middle, a)), half);
    ASSERT_EQ(onnx_aot_f32_to_bf16(std::nextafterf(middle, b)), half + 1);
  }
  EXPECT_EQ(onnx_aot_f32_to_bf16(std::numeric_limits<float>::max()), 0x7f80);
}

} // namespace
