// cvt: between any two types, by way of the exact number.

#include "Decoder.h"
#include "Machine.h"
#include "Numbers.h"

#include <limits>

namespace onnx_aot::ptx {
namespace {

const Format *formatOf(Type type) {
  switch (type) {
  case Type::F16:
  case Type::F16x2:
    return &kF16;
  case Type::BF16:
  case Type::BF16x2:
    return &kBF16;
  case Type::TF32:
    return &kTF32;
  case Type::F32:
    return &kF32;
  case Type::F64:
    return &kF64;
  case Type::E4M3:
  case Type::E4M3x2:
    return &kE4M3;
  case Type::E5M2:
  case Type::E5M2x2:
    return &kE5M2;
  default:
    return nullptr;
  }
}

struct Conversion {
  Type to, from;
  Rounding rounding = Rounding::NearestEven;
  bool toInteger = false; ///< Of a float to a whole float (cvt.rni.f32.f32).
  bool flush = false, saturate = false, finite = false, relu = false;
};

uint64_t truncated(uint64_t bits, Type type) {
  return bitsOf(type) == 64 ? bits : bits & ((uint64_t(1) << bitsOf(type)) - 1);
}

int64_t signExtended(uint64_t bits, Type type) {
  int shift = 64 - int(bitsOf(type));
  return int64_t(bits << shift) >> shift;
}

/// An integer, exactly.
__int128 integerValue(uint64_t bits, Type type) {
  return isSigned(type) ? __int128(signExtended(bits, type)) : __int128(truncated(bits, type));
}

struct Range {
  __int128 least, most;
};
Range rangeOf(Type type) {
  unsigned bits = bitsOf(type);
  if (isSigned(type))
    return {-(__int128(1) << (bits - 1)), (__int128(1) << (bits - 1)) - 1};
  return {0, (__int128(1) << bits) - 1};
}

double rounded(double value, Rounding rounding) {
  switch (rounding) {
  case Rounding::Zero:
    return std::trunc(value);
  case Rounding::Down:
    return std::floor(value);
  case Rounding::Up:
    return std::ceil(value);
  case Rounding::NearestAway:
    return std::round(value);
  default:
    return std::nearbyint(value);
  }
}

uint64_t flushed(uint64_t bits, const Format &format) {
  uint64_t magnitude = (uint64_t(1) << (format.exponentBits + format.mantissaBits)) - 1;
  return (bits & magnitude) >> format.mantissaBits ? bits : bits & ~magnitude;
}

uint64_t floatToInteger(uint64_t bits, const Conversion &how) {
  const Format &format = *formatOf(how.from);
  double value = toDouble(
      how.flush && how.from == Type::F32 ? flushed(uint32_t(bits), format) : truncated(bits, how.from), format);
  if (value != value) {
    bool wide = how.from == Type::F64 || bitsOf(how.to) == 64;
    return wide ? uint64_t(1) << (bitsOf(how.to) - 1) : 0;
  }
  Range range = rangeOf(how.to);
  value = rounded(value, how.rounding);
  if (value <= double(range.least))
    return uint64_t(range.least);
  if (value >= double(range.most))
    return uint64_t(range.most);
  return uint64_t(__int128(value));
}

uint64_t integerToFloat(uint64_t bits, const Conversion &how) {
  __int128 value = integerValue(bits, how.from);
  Exact number;
  number.negative = value < 0;
  number.mantissa = uint64_t(value < 0 ? -value : value);
  return encodeNumber(number, *formatOf(how.to), how.rounding);
}

uint64_t floatToFloat(uint64_t bits, const Conversion &how) {
  const Format &from = *formatOf(how.from), &to = *formatOf(how.to);
  bits = truncated(bits, how.from);
  if (how.flush && how.from == Type::F32)
    bits = flushed(bits, from);
  Exact number = decodeNumber(bits, from);
  if (how.toInteger && number.kind == Exact::Finite) {
    bool negative = number.negative;
    number = exactly(rounded(toDouble(bits, from), how.rounding));
    number.negative = negative;
  }
  if (how.saturate) {
    double value = toDouble(bits, from);
    if (!(value > 0))
      number = {};
    else if (value > 1)
      number = exactly(1);
  }
  if (how.relu && number.kind != Exact::NotANumber && number.negative)
    number = {};
  uint64_t result = encodeNumber(number, to, how.rounding, how.finite);
  if (how.flush && how.to == Type::F32)
    result = flushed(result, to);
  return how.to == Type::TF32 ? result << 13 : result;
}

uint64_t integerToInteger(uint64_t bits, const Conversion &how) {
  __int128 value = integerValue(bits, how.from);
  if (how.saturate) {
    Range range = rangeOf(how.to);
    value = std::clamp(value, range.least, range.most);
  }
  // A signed result fills a wider register.
  return isSigned(how.to) ? uint64_t(signExtended(uint64_t(value), how.to)) : truncated(uint64_t(value), how.to);
}

uint64_t convert(uint64_t bits, const Conversion &how) {
  if (formatOf(how.from))
    return formatOf(how.to) ? floatToFloat(bits, how) : floatToInteger(bits, how);
  return formatOf(how.to) ? integerToFloat(bits, how) : integerToInteger(bits, how);
}

uint64_t coded(const Conversion &how) {
  return uint64_t(how.to) | uint64_t(how.from) << 8 | uint64_t(how.rounding) << 16 | uint64_t(how.toInteger) << 24 |
         uint64_t(how.flush) << 25 | uint64_t(how.saturate) << 26 | uint64_t(how.finite) << 27 |
         uint64_t(how.relu) << 28;
}
Conversion decoded(uint64_t code) {
  return {Type(code & 0xff),    Type(code >> 8 & 0xff), Rounding(code >> 16 & 0xff), bool(code >> 24 & 1),
          bool(code >> 25 & 1), bool(code >> 26 & 1),   bool(code >> 27 & 1),        bool(code >> 28 & 1)};
}

const Instruction *convertAny(Thread &thread, const Instruction *at) {
  thread.slots[at->d] = convert(thread.slots[at->a], decoded(at->imm));
  return at + 1;
}

/// Two f32 to a pair: a to the upper half, b to the lower. `mode`: bits of an element.
const Instruction *convertToPair(Thread &thread, const Instruction *at) {
  Conversion how = decoded(at->imm);
  thread.slots[at->d] = convert(thread.slots[at->a], how) << at->mode | convert(thread.slots[at->b], how);
  return at + 1;
}

/// A pair of 8-bit or 16-bit floats to another pair. `mode`: bits of an element of the source, and << 8 of the result.
const Instruction *convertPair(Thread &thread, const Instruction *at) {
  Conversion how = decoded(at->imm);
  uint64_t pair = thread.slots[at->a], from = at->mode & 0xff, mask = (uint64_t(1) << from) - 1;
  thread.slots[at->d] = convert(pair >> from & mask, how) << (at->mode >> 8) | convert(pair & mask, how);
  return at + 1;
}

template <class To, class From> const Instruction *convertInteger(Thread &thread, const Instruction *at) {
  using Filled = std::conditional_t<std::is_signed_v<To>, int64_t, uint64_t>;
  set<Filled>(thread, at->d, Filled(To(get<From>(thread, at->a))));
  return at + 1;
}

template <class From> const Instruction *convertToFloat(Thread &thread, const Instruction *at) {
  set<float>(thread, at->d, float(get<From>(thread, at->a)));
  return at + 1;
}

const Instruction *convertHalfToFloat(Thread &thread, const Instruction *at) {
  float value = halfToFloat(get<uint16_t>(thread, at->a));
  value == value ? set<float>(thread, at->d, value) : set<uint32_t>(thread, at->d, 0x7fffffff);
  return at + 1;
}

/// The frequent conversions; null for the others.
Handler quickConversion(const Conversion &how) {
  bool usual = how.rounding == Rounding::NearestEven && !how.toInteger && !how.saturate && !how.relu;
  if (isInteger(how.to) && isInteger(how.from) && !how.saturate)
    return forInteger(how.to, [&](auto to) -> Handler {
      return forInteger(how.from, [&](auto from) -> Handler {
        return convertInteger<typename decltype(to)::type, typename decltype(from)::type>;
      });
    });
  if (usual && how.to == Type::F32 && isInteger(how.from))
    return forInteger(how.from, [](auto from) -> Handler { return convertToFloat<typename decltype(from)::type>; });
  if (usual && how.to == Type::F32 && how.from == Type::F16)
    return convertHalfToFloat;
  return nullptr;
}

bool isPair(Type type) {
  return type == Type::F16x2 || type == Type::BF16x2 || type == Type::E4M3x2 || type == Type::E5M2x2;
}

} // namespace

bool decodeConversion(Decoder &decoder, Opcode &opcode) {
  if (opcode.name != "cvt")
    return false;
  Conversion how;
  how.to = opcode.takeType();
  how.from = opcode.takeType();
  if (how.from == Type::None)
    return decoder.fail("cvt needs two types");
  static constexpr std::pair<std::string_view, Rounding> kRoundings[] = {
      {"rn", Rounding::NearestEven}, {"rz", Rounding::Zero},         {"rm", Rounding::Down},
      {"rp", Rounding::Up},          {"rna", Rounding::NearestAway}, {"rni", Rounding::NearestEven},
      {"rzi", Rounding::Zero},       {"rmi", Rounding::Down},        {"rpi", Rounding::Up}};
  for (auto [name, rounding] : kRoundings)
    if (opcode.take(name)) {
      how.rounding = rounding;
      how.toInteger = name.size() == 3 && name != "rna";
    }
  how.flush = opcode.take("ftz");
  how.saturate = opcode.take("sat");
  how.finite = opcode.take("satfinite");
  how.relu = opcode.take("relu");
  if (isPair(how.to) && !isPair(how.from)) {
    if (Instruction *one = decoder.emitSimple(convertToPair, {how.from, how.from})) {
      one->imm = coded(how);
      one->mode = bitsOf(how.to) / 2;
    }
    return true;
  }
  if (isPair(how.to)) {
    if (Instruction *one = decoder.emitSimple(convertPair, {how.from})) {
      one->imm = coded(how);
      one->mode = bitsOf(how.from) / 2 | bitsOf(how.to) / 2 << 8;
    }
    return true;
  }
  Handler quick = quickConversion(how);
  if (Instruction *one = decoder.emitSimple(quick ? quick : convertAny, {how.from}))
    one->imm = coded(how);
  return true;
}

} // namespace onnx_aot::ptx
