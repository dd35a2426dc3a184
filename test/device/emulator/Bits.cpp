// Operations on bits: logic, shifts, fields, counts, permutation of bytes.

#include "Decoder.h"
#include "Machine.h"

namespace onnx_aot::ptx {
namespace {

struct And {
  template <class T> static T of(T a, T b) { return a & b; }
};
struct Or {
  template <class T> static T of(T a, T b) { return a | b; }
};
struct Xor {
  template <class T> static T of(T a, T b) { return a ^ b; }
};

template <class T, class Operation> const Instruction *logic(Thread &thread, const Instruction *at) {
  set<T>(thread, at->d, Operation::of(get<T>(thread, at->a), get<T>(thread, at->b)));
  return at + 1;
}

template <class Operation> Handler logicFor(Type type) {
  switch (bitsOf(type)) {
  case 1:
    return logic<uint8_t, Operation>;
  case 16:
    return logic<uint16_t, Operation>;
  case 32:
    return logic<uint32_t, Operation>;
  default:
    return logic<uint64_t, Operation>;
  }
}

template <class T, bool isPredicate> const Instruction *complement(Thread &thread, const Instruction *at) {
  T a = get<T>(thread, at->a);
  set<T>(thread, at->d, isPredicate ? T(~a & 1) : T(~a));
  return at + 1;
}

template <class T> const Instruction *isZero(Thread &thread, const Instruction *at) {
  set<T>(thread, at->d, get<T>(thread, at->a) == 0);
  return at + 1;
}

/// Shifts by more than the width clamp: zeros, or copies of the sign.
template <class T> const Instruction *shiftLeft(Thread &thread, const Instruction *at) {
  uint32_t count = get<uint32_t>(thread, at->b);
  set<T>(thread, at->d, count >= 8 * sizeof(T) ? T(0) : T(uint64_t(get<T>(thread, at->a)) << count));
  return at + 1;
}

template <class T> const Instruction *shiftRight(Thread &thread, const Instruction *at) {
  uint32_t count = get<uint32_t>(thread, at->b);
  T a = get<T>(thread, at->a);
  set<T>(thread, at->d, count >= 8 * sizeof(T) ? T(a < 0 ? -1 : 0) : T(a >> count));
  return at + 1;
}

/// Any function of three bits, by its table of results.
const Instruction *lookUpLogic(Thread &thread, const Instruction *at) {
  uint32_t a = get<uint32_t>(thread, at->a), b = get<uint32_t>(thread, at->b), c = get<uint32_t>(thread, at->c),
           result = 0;
  for (int row = 0; row < 8; ++row)
    if (at->imm >> row & 1)
      result |= (row & 4 ? a : ~a) & (row & 2 ? b : ~b) & (row & 1 ? c : ~c);
  set(thread, at->d, result);
  return at + 1;
}

/// shf: 32 of the 64 bits b:a. mode 1: to the right, 2: counts wrap at 32 instead of clamping.
const Instruction *funnelShift(Thread &thread, const Instruction *at) {
  uint64_t both = uint64_t(get<uint32_t>(thread, at->b)) << 32 | get<uint32_t>(thread, at->a);
  uint32_t count = get<uint32_t>(thread, at->c);
  count = at->mode & 2 ? count & 31 : std::min(count, 32u);
  set<uint32_t>(thread, at->d, at->mode & 1 ? uint32_t(both >> count) : uint32_t((both << count) >> 32));
  return at + 1;
}

template <class T> const Instruction *extractField(Thread &thread, const Instruction *at) {
  constexpr uint32_t kBits = 8 * sizeof(T);
  using U = std::make_unsigned_t<T>;
  U a = get<U>(thread, at->a), result = 0;
  uint32_t begin = get<uint32_t>(thread, at->b) & 0xff, length = get<uint32_t>(thread, at->c) & 0xff;
  bool sign = false;
  if constexpr (std::is_signed_v<T>)
    sign = length && a >> std::min(begin + length - 1, kBits - 1) & 1;
  for (uint32_t bit = 0; bit < kBits; ++bit) {
    bool one = bit < length && begin + bit < kBits ? a >> (begin + bit) & 1 : sign;
    result |= U(one) << bit;
  }
  set<U>(thread, at->d, result);
  return at + 1;
}

template <class T> const Instruction *insertField(Thread &thread, const Instruction *at) {
  constexpr uint32_t kBits = 8 * sizeof(T);
  T field = get<T>(thread, at->a), result = get<T>(thread, at->b);
  uint32_t begin = get<uint32_t>(thread, at->c) & 0xff, length = get<uint32_t>(thread, at->e) & 0xff;
  for (uint32_t bit = 0; bit < length && begin + bit < kBits; ++bit)
    result = (result & ~(T(1) << (begin + bit))) | T(field >> bit & 1) << (begin + bit);
  set<T>(thread, at->d, result);
  return at + 1;
}

template <class T> const Instruction *reverse(Thread &thread, const Instruction *at) {
  T a = get<T>(thread, at->a), result = 0;
  for (uint32_t bit = 0; bit < 8 * sizeof(T); ++bit)
    result = T(result << 1 | (a >> bit & 1));
  set<T>(thread, at->d, result);
  return at + 1;
}

template <class T> const Instruction *leadingZeros(Thread &thread, const Instruction *at) {
  set<uint32_t>(thread, at->d, std::countl_zero(get<T>(thread, at->a)));
  return at + 1;
}
template <class T> const Instruction *countOnes(Thread &thread, const Instruction *at) {
  set<uint32_t>(thread, at->d, std::popcount(get<T>(thread, at->a)));
  return at + 1;
}

/// The highest bit that differs from the sign; mode 1: how far it would have to be shifted.
template <class T> const Instruction *findHighest(Thread &thread, const Instruction *at) {
  using U = std::make_unsigned_t<T>;
  T value = get<T>(thread, at->a);
  U a = value < 0 ? U(~value) : U(value);
  uint32_t result = a ? std::bit_width(a) - 1 : ~0u;
  if (at->mode && a)
    result = 8 * sizeof(T) - 1 - result;
  set<uint32_t>(thread, at->d, result);
  return at + 1;
}

const Instruction *permute(Thread &thread, const Instruction *at) {
  uint64_t bytes = uint64_t(get<uint32_t>(thread, at->b)) << 32 | get<uint32_t>(thread, at->a);
  uint32_t selector = get<uint32_t>(thread, at->c), result = 0;
  for (int index = 0; index < 4; ++index) {
    uint32_t choice = selector >> (4 * index) & 0xf;
    auto byte = uint8_t(bytes >> (8 * (choice & 7)));
    if (choice & 8)
      byte = byte & 0x80 ? 0xff : 0;
    result |= uint32_t(byte) << (8 * index);
  }
  set(thread, at->d, result);
  return at + 1;
}

/// prmt with a mode other than the general one, by the selector that it stands for.
const Instruction *permuteByMode(Thread &thread, const Instruction *at) {
  static constexpr uint16_t kSelectors[6][4] = {{0x3210, 0x4321, 0x5432, 0x6543}, {0x5670, 0x6701, 0x7012, 0x0123},
                                                {0x0000, 0x1111, 0x2222, 0x3333}, {0x3210, 0x3211, 0x3222, 0x3333},
                                                {0x0000, 0x1110, 0x2210, 0x3210}, {0x1010, 0x3232, 0x1010, 0x3232}};
  uint64_t bytes = uint64_t(get<uint32_t>(thread, at->b)) << 32 | get<uint32_t>(thread, at->a);
  uint32_t selector = kSelectors[at->mode][get<uint32_t>(thread, at->c) & 3], result = 0;
  for (int index = 0; index < 4; ++index)
    result |= uint32_t(uint8_t(bytes >> (8 * (selector >> (4 * index) & 7)))) << (8 * index);
  set(thread, at->d, result);
  return at + 1;
}

bool decodeShiftsAndFields(Decoder &decoder, Opcode &opcode, Type type) {
  std::string_view name = opcode.name;
  bool wide = bitsOf(type) == 64;
  if (name == "shl" || name == "shr") {
    if (name == "shl")
      type = bitsOf(type) == 16 ? Type::U16 : wide ? Type::U64 : Type::U32;
    Handler handler = forInteger(type, [&](auto tag) -> Handler {
      using T = typename decltype(tag)::type;
      return name == "shl" ? shiftLeft<T> : shiftRight<T>;
    });
    decoder.emitSimple(handler, {type, Type::U32});
  } else if (name == "bfe") {
    Handler narrow = isSigned(type) ? extractField<int32_t> : extractField<uint32_t>;
    Handler wider = isSigned(type) ? extractField<int64_t> : extractField<uint64_t>;
    decoder.emitSimple(wide ? wider : narrow, {type, Type::U32, Type::U32});
  } else if (name == "bfi") {
    decoder.emitSimple(wide ? insertField<uint64_t> : insertField<uint32_t>, {type, type, Type::U32, Type::U32});
  } else if (name == "brev") {
    decoder.emitSimple(wide ? reverse<uint64_t> : reverse<uint32_t>, {type});
  } else if (name == "clz") {
    decoder.emitSimple(wide ? leadingZeros<uint64_t> : leadingZeros<uint32_t>, {type});
  } else if (name == "popc") {
    decoder.emitSimple(wide ? countOnes<uint64_t> : countOnes<uint32_t>, {type});
  } else {
    bool amount = opcode.take("shiftamt");
    Handler narrow = isSigned(type) ? findHighest<int32_t> : findHighest<uint32_t>;
    Handler wider = isSigned(type) ? findHighest<int64_t> : findHighest<uint64_t>;
    if (Instruction *one = decoder.emitSimple(wide ? wider : narrow, {type}))
      one->mode = amount;
  }
  return true;
}

} // namespace

bool decodeBits(Decoder &decoder, Opcode &opcode) {
  std::string_view name = opcode.name;
  static const std::set<std::string_view> logicNames = {"and", "or", "xor", "not", "cnot"};
  static const std::set<std::string_view> fieldNames = {"shl", "shr", "bfe", "bfi", "brev", "clz", "popc", "bfind"};
  if (logicNames.contains(name)) {
    Type type = opcode.takeLastType();
    if (name == "not" || name == "cnot") {
      Handler inverted = bitsOf(type) == 1    ? complement<uint8_t, true>
                         : bitsOf(type) == 16 ? complement<uint16_t, false>
                         : bitsOf(type) == 32 ? complement<uint32_t, false>
                                              : complement<uint64_t, false>;
      Handler zero = bitsOf(type) == 16 ? isZero<uint16_t> : bitsOf(type) == 32 ? isZero<uint32_t> : isZero<uint64_t>;
      decoder.emitSimple(name == "not" ? inverted : zero, {type});
    } else {
      decoder.emitSimple(name == "and"  ? logicFor<And>(type)
                         : name == "or" ? logicFor<Or>(type)
                                        : logicFor<Xor>(type),
                         {type, type});
    }
    return true;
  }
  if (fieldNames.contains(name)) {
    Type type = opcode.takeLastType();
    return decodeShiftsAndFields(decoder, opcode, type);
  }
  if (name == "lop3") {
    opcode.take("b32");
    if (!decoder.wants(5))
      return true;
    if (decoder.operand(4).kind != Operand::Integer)
      return decoder.fail("the table of lop3 must be a number");
    int64_t table = decoder.operand(4).bits;
    uint32_t a = decoder.source(1, Type::B32), b = decoder.source(2, Type::B32), c = decoder.source(3, Type::B32);
    uint32_t d = decoder.destination(size_t(0));
    Instruction &one = decoder.emit(lookUpLogic);
    one.d = d, one.a = a, one.b = b, one.c = c, one.imm = table;
    return true;
  }
  if (name == "shf") {
    bool right = opcode.take("r"), wraps = opcode.take("wrap");
    opcode.take("l"), opcode.take("clamp"), opcode.take("b32");
    if (Instruction *one = decoder.emitSimple(funnelShift, {Type::B32, Type::B32, Type::U32}))
      one->mode = right + 2 * wraps;
    return true;
  }
  if (name == "prmt") {
    opcode.take("b32");
    static constexpr std::string_view kModes[] = {"f4e", "b4e", "rc8", "ecl", "ecr", "rc16"};
    Handler handler = permute;
    uint32_t mode = 0;
    for (uint32_t index = 0; index < 6; ++index)
      if (opcode.take(kModes[index])) {
        handler = permuteByMode;
        mode = index;
      }
    if (Instruction *one = decoder.emitSimple(handler, {Type::B32, Type::B32, Type::B32}))
      one->mode = mode;
    return true;
  }
  return false;
}

} // namespace onnx_aot::ptx
