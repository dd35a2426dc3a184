// Floating-point formats of any width, exactly: bits to sign, mantissa and exponent, and back with each rounding.
#ifndef ONNX_AOT_TEST_DEVICE_EMULATOR_NUMBERS_H
#define ONNX_AOT_TEST_DEVICE_EMULATOR_NUMBERS_H

#include <bit>
#include <cmath>
#include <cstdint>

namespace onnx_aot::ptx {

struct Format {
  int exponentBits, mantissaBits;
  bool hasInfinity = true; ///< Else the largest pattern alone is NaN.
};
inline constexpr Format kF16{5, 10}, kBF16{8, 7}, kTF32{8, 10}, kF32{8, 23}, kF64{11, 52}, kE4M3{4, 3, false},
    kE5M2{5, 2};

enum class Rounding : uint8_t { NearestEven, Zero, Down, Up, NearestAway };

/// mantissa * 2^exponent.
struct Exact {
  enum Kind : uint8_t { Finite, Infinite, NotANumber } kind = Finite;
  bool negative = false;
  uint64_t mantissa = 0;
  int exponent = 0;
};

inline Exact decodeNumber(uint64_t bits, const Format &format) {
  uint64_t fraction = bits & ((uint64_t(1) << format.mantissaBits) - 1);
  int top = (1 << format.exponentBits) - 1, bias = top / 2;
  int exponent = int(bits >> format.mantissaBits) & top;
  Exact number;
  number.negative = bits >> (format.exponentBits + format.mantissaBits) & 1;
  if (exponent == top && format.hasInfinity) {
    number.kind = fraction ? Exact::NotANumber : Exact::Infinite;
  } else if (exponent == top && fraction + 1 == uint64_t(1) << format.mantissaBits) {
    number.kind = Exact::NotANumber;
  } else {
    number.mantissa = exponent ? fraction | uint64_t(1) << format.mantissaBits : fraction;
    number.exponent = (exponent ? exponent : 1) - bias - format.mantissaBits;
  }
  return number;
}

/// `saturate`: the largest finite number instead of infinity. NaN becomes the one NaN that NVIDIA's machines make.
inline uint64_t encodeNumber(const Exact &number, const Format &format, Rounding rounding, bool saturate = false) {
  int top = (1 << format.exponentBits) - 1, bias = top / 2;
  uint64_t one = uint64_t(1) << format.mantissaBits;
  uint64_t infinity = uint64_t(top) << format.mantissaBits;
  uint64_t largest = format.hasInfinity ? infinity - 1 : infinity + one - 2;
  uint64_t sign = uint64_t(number.negative) << (format.exponentBits + format.mantissaBits);
  if (number.kind == Exact::NotANumber)
    return format.mantissaBits == 52 ? infinity | one >> 1 : infinity | (one - 1);
  uint64_t beyond = format.hasInfinity && !saturate ? infinity : largest;
  if (number.kind == Exact::Infinite)
    return sign | beyond;
  if (number.mantissa == 0)
    return sign;
  int shift = std::countl_zero(number.mantissa);
  uint64_t mantissa = number.mantissa << shift;
  int exponent = number.exponent - shift + 63; // Of the leading bit.
  int kept = format.mantissaBits + 1 - std::max(0, 1 - bias - exponent);
  uint64_t result = kept > 0 ? mantissa >> (64 - kept) : 0;
  uint64_t rest = kept >= 64 ? 0 : kept > 0 ? mantissa << kept : kept == 0 ? mantissa : 1;
  constexpr uint64_t kHalf = uint64_t(1) << 63;
  bool up = rounding == Rounding::NearestEven   ? rest > kHalf || (rest == kHalf && result & 1)
            : rounding == Rounding::NearestAway ? rest >= kHalf
            : rounding == Rounding::Up          ? rest && !number.negative
            : rounding == Rounding::Down        ? rest && number.negative
                                                : false;
  result += up;
  if (exponent >= 1 - bias) // Adds into the exponent where it carries.
    result = exponent + bias > top ? infinity + one : (uint64_t(exponent + bias) << format.mantissaBits) + result - one;
  if (result <= largest)
    return sign | result;
  bool towardsZero = rounding == Rounding::Zero || (rounding == Rounding::Down && !number.negative) ||
                     (rounding == Rounding::Up && number.negative);
  return sign | (towardsZero ? largest : beyond);
}

inline Exact exactly(double value) { return decodeNumber(std::bit_cast<uint64_t>(value), kF64); }

inline double toDouble(uint64_t bits, const Format &format) {
  return std::bit_cast<double>(encodeNumber(decodeNumber(bits, format), kF64, Rounding::NearestEven));
}

inline float halfToFloat(uint16_t bits) {
  uint32_t sign = uint32_t(bits & 0x8000) << 16, rest = bits & 0x7fff;
  if (rest >= 0x7c00)
    return std::bit_cast<float>(sign | 0x7f800000 | (rest & 0x3ff) << 13);
  if (rest >= 0x400)
    return std::bit_cast<float>(sign | ((rest << 13) + (112u << 23)));
  return (sign ? -1.0f : 1.0f) * float(rest) * 0x1p-24f;
}
inline float bfloatToFloat(uint16_t bits) { return std::bit_cast<float>(uint32_t(bits) << 16); }
inline uint16_t toHalf(double value) { return encodeNumber(exactly(value), kF16, Rounding::NearestEven); }
inline uint16_t toBfloat(double value) { return encodeNumber(exactly(value), kBF16, Rounding::NearestEven); }

/// a + b as a double such that rounding it to half the precision or less gives what the exact sum gives: the last bit
/// is set where something was lost (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", 2008).
inline double addToOdd(double a, double b) {
  double sum = a + b;
  if (!std::isfinite(sum))
    return sum;
  double part = sum - a;
  double error = (a - (sum - part)) + (b - part);
  if (error == 0 || std::bit_cast<uint64_t>(sum) & 1)
    return sum;
  return std::nextafter(sum, error > 0 ? INFINITY : -INFINITY);
}

} // namespace onnx_aot::ptx

#endif // ONNX_AOT_TEST_DEVICE_EMULATOR_NUMBERS_H
