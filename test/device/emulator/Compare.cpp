// setp, set, selp, slct.

#include "Decoder.h"
#include "Machine.h"
#include "Numbers.h"

namespace onnx_aot::ptx {
namespace {

/// Comparisons as sets of outcomes: less, equal, greater, unordered.
enum Outcome : uint32_t { kLess = 1, kEqual = 2, kGreater = 4, kUnordered = 8 };

uint32_t takeComparisonName(Opcode &opcode) {
  static constexpr std::pair<std::string_view, uint32_t> kComparisons[] = {{"equ", kEqual | kUnordered},
                                                                           {"neu", kLess | kGreater | kUnordered},
                                                                           {"ltu", kLess | kUnordered},
                                                                           {"leu", kLess | kEqual | kUnordered},
                                                                           {"gtu", kGreater | kUnordered},
                                                                           {"geu", kGreater | kEqual | kUnordered},
                                                                           {"num", kLess | kEqual | kGreater},
                                                                           {"nan", kUnordered},
                                                                           {"eq", kEqual},
                                                                           {"ne", kLess | kGreater},
                                                                           {"lt", kLess},
                                                                           {"le", kLess | kEqual},
                                                                           {"gt", kGreater},
                                                                           {"ge", kGreater | kEqual},
                                                                           {"lo", kLess},
                                                                           {"ls", kLess | kEqual},
                                                                           {"hi", kGreater},
                                                                           {"hs", kGreater | kEqual}};
  for (auto [name, outcomes] : kComparisons)
    if (opcode.take(name))
      return outcomes;
  return 0;
}

template <class T> uint32_t outcome(T a, T b) {
  return a < b ? kLess : a == b ? kEqual : a > b ? kGreater : kUnordered;
}

// In `mode`: the outcomes in bits 0-3; how the third predicate joins in bits 4-5; flags.
enum Join : uint32_t { kAlone, kAnd, kOr, kXor };
enum Modes : uint32_t { kJoinShift = 4, kFlush = 1 << 6, kHasSecond = 1 << 7, kFloatResult = 1 << 8, kBfloat = 1 << 9 };

bool joined(bool result, bool other, uint32_t mode) {
  switch (Join(mode >> kJoinShift & 3)) {
  case kAnd:
    return result && other;
  case kOr:
    return result || other;
  case kXor:
    return result != other;
  default:
    return result;
  }
}

/// The usual case: one predicate, nothing joined.
template <class T> const Instruction *setPredicate(Thread &thread, const Instruction *at) {
  thread.slots[at->d] = (outcome(get<T>(thread, at->a), get<T>(thread, at->b)) & at->mode) != 0;
  return at + 1;
}

template <class T> T operandOf(const Thread &thread, uint32_t slot, uint32_t mode) {
  T value = get<T>(thread, slot);
  if constexpr (std::is_same_v<T, float>)
    if (mode & kFlush && std::abs(value) < 0x1p-126f)
      value = std::copysign(0.0f, value);
  return value;
}

template <class T> const Instruction *setPredicates(Thread &thread, const Instruction *at) {
  bool result = outcome(operandOf<T>(thread, at->a, at->mode), operandOf<T>(thread, at->b, at->mode)) & at->mode;
  bool other = thread.slots[at->c] & 1;
  thread.slots[at->d] = joined(result, other, at->mode);
  if (at->mode & kHasSecond)
    thread.slots[at->e] = joined(!result, other, at->mode);
  return at + 1;
}

double halfValue(uint16_t bits, uint32_t mode) {
  uint16_t smallest = mode & kBfloat ? 0x0080 : 0x0400;
  if (mode & kFlush && (bits & 0x7fff) < smallest)
    bits &= 0x8000;
  return mode & kBfloat ? bfloatToFloat(bits) : halfToFloat(bits);
}

/// f16 or bf16; of a pair (imm) the second predicate is that of the upper half.
const Instruction *setHalfPredicates(Thread &thread, const Instruction *at) {
  uint32_t a = get<uint32_t>(thread, at->a), b = get<uint32_t>(thread, at->b);
  bool low = outcome(halfValue(uint16_t(a), at->mode), halfValue(uint16_t(b), at->mode)) & at->mode;
  bool high = outcome(halfValue(uint16_t(a >> 16), at->mode), halfValue(uint16_t(b >> 16), at->mode)) & at->mode;
  bool other = thread.slots[at->c] & 1;
  thread.slots[at->d] = joined(low, other, at->mode);
  if (at->mode & kHasSecond)
    thread.slots[at->e] = joined(at->imm ? high : !low, other, at->mode);
  return at + 1;
}

/// set: all ones or 1.0 in the destination, by way of a predicate.
const Instruction *predicateToValue(Thread &thread, const Instruction *at) {
  bool predicate = thread.slots[at->a] & 1;
  set<uint32_t>(thread, at->d, !predicate ? 0 : at->mode & kFloatResult ? 0x3f800000 : ~0u);
  return at + 1;
}

/// The same for f16, bf16 and pairs of them: `imm` is the value, slots a and b the predicates.
const Instruction *predicatesToHalves(Thread &thread, const Instruction *at) {
  uint32_t low = thread.slots[at->a] & 1 ? uint32_t(at->imm) : 0,
           high = thread.slots[at->b] & 1 ? uint32_t(at->imm) : 0;
  set<uint32_t>(thread, at->d, low | high << 16);
  return at + 1;
}

template <class T> const Instruction *select(Thread &thread, const Instruction *at) {
  set<T>(thread, at->d, thread.slots[at->c] & 1 ? get<T>(thread, at->a) : get<T>(thread, at->b));
  return at + 1;
}

template <class T, class Sign> const Instruction *selectBySign(Thread &thread, const Instruction *at) {
  set<T>(thread, at->d, get<Sign>(thread, at->c) >= 0 ? get<T>(thread, at->a) : get<T>(thread, at->b));
  return at + 1;
}

struct Comparison {
  Type type = Type::None;
  uint32_t mode = 0;
};

Comparison takeComparison(Opcode &opcode) {
  Comparison result;
  result.type = opcode.takeLastType();
  result.mode = takeComparisonName(opcode);
  std::string_view join = opcode.takeOneOf({"and", "or", "xor"});
  result.mode |= uint32_t(join.empty() ? kAlone : join == "and" ? kAnd : join == "or" ? kOr : kXor) << kJoinShift;
  result.mode |= opcode.take("ftz") ? kFlush : 0;
  if (result.type == Type::BF16 || result.type == Type::BF16x2)
    result.mode |= kBfloat;
  return result;
}

bool isHalf(Type type) {
  return type == Type::F16 || type == Type::F16x2 || type == Type::BF16 || type == Type::BF16x2;
}
bool isPair(Type type) { return type == Type::F16x2 || type == Type::BF16x2; }

/// Emits the comparison of operands 1 and 2 (joined with 3) into predicates d and e.
bool emitComparison(Decoder &decoder, const Comparison &comparison, uint32_t d, uint32_t e) {
  bool joins = comparison.mode >> kJoinShift & 3;
  if (!(comparison.mode & 15))
    return decoder.fail("the comparison is not known");
  if (!decoder.wants(joins ? 4 : 3))
    return true;
  uint32_t a = decoder.source(1, comparison.type), b = decoder.source(2, comparison.type);
  uint32_t c = joins ? decoder.source(3, Type::Pred) : 0;
  bool usual = !joins && e == 0 && !(comparison.mode & kFlush);
  Handler handler = forInteger(comparison.type, [&](auto tag) -> Handler {
    using T = typename decltype(tag)::type;
    return usual ? setPredicate<T> : setPredicates<T>;
  });
  if (comparison.type == Type::F32)
    handler = usual ? setPredicate<float> : setPredicates<float>;
  else if (comparison.type == Type::F64)
    handler = usual ? setPredicate<double> : setPredicates<double>;
  else if (isHalf(comparison.type))
    handler = setHalfPredicates;
  if (!handler)
    return decoder.fail("the type of the comparison is not supported");
  Instruction &one = decoder.emit(handler);
  one.d = d, one.e = e, one.a = a, one.b = b, one.c = c;
  one.mode = comparison.mode | (e ? kHasSecond : 0);
  one.imm = isPair(comparison.type);
  return true;
}

bool decodeSet(Decoder &decoder, Opcode &opcode) {
  Comparison comparison = takeComparison(opcode);
  Type result = opcode.takeType();
  if (!decoder.wants(3, 4))
    return true;
  uint32_t low = decoder.newSlot(), high = isPair(comparison.type) ? decoder.newSlot() : 0;
  emitComparison(decoder, comparison, low, high);
  uint32_t d = decoder.destination(size_t(0));
  bool half = isHalf(result) || (isHalf(comparison.type) && result != Type::F32 && (bitsOf(result) == 16 || high));
  Instruction &one = decoder.emit(half ? predicatesToHalves : predicateToValue);
  one.d = d, one.a = low, one.b = high ? high : decoder.value(0);
  one.mode = result == Type::F32 ? kFloatResult : 0;
  if (half)
    one.imm = result == Type::F16 || result == Type::F16x2     ? 0x3c00
              : result == Type::BF16 || result == Type::BF16x2 ? 0x3f80
                                                               : 0xffff;
  return true;
}

} // namespace

bool decodeCompare(Decoder &decoder, Opcode &opcode) {
  std::string_view name = opcode.name;
  if (name == "setp") {
    Comparison comparison = takeComparison(opcode);
    if (!decoder.wants(3, 4))
      return true;
    uint32_t d = decoder.destination(size_t(0)), e = decoder.secondDestination(decoder.operand(0));
    return emitComparison(decoder, comparison, d, e);
  }
  if (name == "set")
    return decodeSet(decoder, opcode);
  if (name == "selp") {
    Type type = opcode.takeLastType();
    Handler handler = bitsOf(type) == 16 ? select<uint16_t> : bitsOf(type) == 64 ? select<uint64_t> : select<uint32_t>;
    decoder.emitSimple(handler, {type, type, Type::Pred});
    return true;
  }
  if (name == "slct") {
    bool byFloat = opcode.takeLastType() == Type::F32;
    Type type = opcode.takeType();
    opcode.take("ftz");
    Handler integers = bitsOf(type) == 16   ? selectBySign<uint16_t, int32_t>
                       : bitsOf(type) == 64 ? selectBySign<uint64_t, int32_t>
                                            : selectBySign<uint32_t, int32_t>;
    Handler floats = bitsOf(type) == 16   ? selectBySign<uint16_t, float>
                     : bitsOf(type) == 64 ? selectBySign<uint64_t, float>
                                          : selectBySign<uint32_t, float>;
    decoder.emitSimple(byFloat ? floats : integers, {type, type, byFloat ? Type::F32 : Type::S32});
    return true;
  }
  return false;
}

} // namespace onnx_aot::ptx
