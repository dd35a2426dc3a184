// Integer arithmetic: add, sub, mul, mad, div, rem, min, max, abs, neg, sad, and those with carry.

#include "Decoder.h"
#include "Machine.h"

#include <limits>
#include <type_traits>

namespace onnx_aot::ptx {
namespace {

template <class T> using Unsigned = std::make_unsigned_t<T>;
/// The product of two T as a type that holds it.
template <class T>
using Wide =
    std::conditional_t<sizeof(T) == 8, std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>,
                       std::conditional_t<sizeof(T) == 4, std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>,
                                          std::conditional_t<std::is_signed_v<T>, int32_t, uint32_t>>>;

struct Add {
  template <class T> static T of(T a, T b) { return T(Unsigned<T>(a) + Unsigned<T>(b)); }
};
struct Subtract {
  template <class T> static T of(T a, T b) { return T(Unsigned<T>(a) - Unsigned<T>(b)); }
};
struct MultiplyLow {
  template <class T> static T of(T a, T b) { return T(uint64_t(a) * uint64_t(b)); }
};
struct MultiplyHigh {
  template <class T> static T of(T a, T b) { return T((Wide<T>(a) * Wide<T>(b)) >> (8 * sizeof(T))); }
};
/// Division by zero gives all ones, as the machines do.
struct Divide {
  template <class T> static T of(T a, T b) {
    if (b == 0)
      return T(-1);
    if constexpr (std::is_signed_v<T>)
      if (b == -1)
        return T(0 - Unsigned<T>(a));
    return T(a / b);
  }
};
struct Remainder {
  template <class T> static T of(T a, T b) {
    if (b == 0)
      return a;
    if constexpr (std::is_signed_v<T>)
      if (b == -1)
        return 0;
    return T(a % b);
  }
};
struct Minimum {
  template <class T> static T of(T a, T b) { return b < a ? b : a; }
};
struct Maximum {
  template <class T> static T of(T a, T b) { return a < b ? b : a; }
};

template <class T, class Operation> const Instruction *binary(Thread &thread, const Instruction *at) {
  set<T>(thread, at->d, Operation::of(get<T>(thread, at->a), get<T>(thread, at->b)));
  return at + 1;
}

template <class Operation> Handler binaryFor(Type type) {
  return forInteger(type, [](auto tag) -> Handler { return binary<typename decltype(tag)::type, Operation>; });
}

/// Both halves of a register by themselves.
template <class T, class Operation> const Instruction *packed(Thread &thread, const Instruction *at) {
  auto a = get<std::array<T, 2>>(thread, at->a), b = get<std::array<T, 2>>(thread, at->b);
  set(thread, at->d, std::array<T, 2>{Operation::of(a[0], b[0]), Operation::of(a[1], b[1])});
  return at + 1;
}

template <int sign> const Instruction *addSaturated(Thread &thread, const Instruction *at) {
  int64_t sum = int64_t(get<int32_t>(thread, at->a)) + sign * int64_t(get<int32_t>(thread, at->b));
  sum = std::clamp<int64_t>(sum, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max());
  set<int32_t>(thread, at->d, int32_t(sum));
  return at + 1;
}

/// add/sub with carry: mode 1 takes the carry in, mode 2 gives it out.
template <class T, bool subtract> const Instruction *withCarry(Thread &thread, const Instruction *at) {
  using Sum = unsigned __int128;
  T b = get<T>(thread, at->b);
  bool in = at->mode & 1 && thread.carry;
  Sum sum = subtract ? Sum(get<T>(thread, at->a)) - b - in : Sum(get<T>(thread, at->a)) + b + in;
  set<T>(thread, at->d, T(sum));
  if (at->mode & 2)
    thread.carry = sum >> (8 * sizeof(T)) & 1;
  return at + 1;
}

template <class T, class Product> const Instruction *multiplyAdd(Thread &thread, const Instruction *at) {
  T product = Product::of(get<T>(thread, at->a), get<T>(thread, at->b));
  set<T>(thread, at->d, Add::of(product, get<T>(thread, at->c)));
  return at + 1;
}

/// mad.cc, madc: modes as withCarry.
template <class T, class Product> const Instruction *multiplyAddCarry(Thread &thread, const Instruction *at) {
  unsigned __int128 sum = Unsigned<T>(Product::of(get<T>(thread, at->a), get<T>(thread, at->b)));
  sum += get<Unsigned<T>>(thread, at->c);
  sum += at->mode & 1 && thread.carry;
  set<T>(thread, at->d, T(sum));
  if (at->mode & 2)
    thread.carry = sum >> (8 * sizeof(T)) & 1;
  return at + 1;
}

template <class T> const Instruction *multiplyWide(Thread &thread, const Instruction *at) {
  if constexpr (sizeof(T) < 8)
    set<Wide<T>>(thread, at->d, Wide<T>(get<T>(thread, at->a)) * Wide<T>(get<T>(thread, at->b)));
  return at + 1;
}

template <class T> const Instruction *multiplyAddWide(Thread &thread, const Instruction *at) {
  if constexpr (sizeof(T) < 8) {
    using U = Unsigned<Wide<T>>;
    Wide<T> product = Wide<T>(get<T>(thread, at->a)) * Wide<T>(get<T>(thread, at->b));
    set<U>(thread, at->d, U(product) + get<U>(thread, at->c));
  }
  return at + 1;
}

/// The low 32 bits of the product of the low 24 bits, plus c where there is one (mode 1).
template <class T> const Instruction *multiply24(Thread &thread, const Instruction *at) {
  auto low = [](T value) { return int64_t(T(Unsigned<T>(value) << 8) >> 8); };
  int64_t product = low(get<T>(thread, at->a)) * low(get<T>(thread, at->b));
  set<uint32_t>(thread, at->d,
                uint32_t(at->imm ? product >> 16 : product) + (at->mode ? get<uint32_t>(thread, at->c) : 0));
  return at + 1;
}

template <class T> const Instruction *absolute(Thread &thread, const Instruction *at) {
  T a = get<T>(thread, at->a);
  set<T>(thread, at->d, a < 0 ? T(0 - Unsigned<T>(a)) : a);
  return at + 1;
}

template <class T> const Instruction *negate(Thread &thread, const Instruction *at) {
  set<T>(thread, at->d, T(0 - get<Unsigned<T>>(thread, at->a)));
  return at + 1;
}

template <class T> const Instruction *sumOfDifferences(Thread &thread, const Instruction *at) {
  T a = get<T>(thread, at->a), b = get<T>(thread, at->b);
  Unsigned<T> difference = a < b ? Unsigned<T>(b) - Unsigned<T>(a) : Unsigned<T>(a) - Unsigned<T>(b);
  set<Unsigned<T>>(thread, at->d, difference + get<Unsigned<T>>(thread, at->c));
  return at + 1;
}

/// Four products of bytes, or two of 16 bits and a byte (dp2a, imm: which half of b), added to c.
template <class A, class B> const Instruction *dot4(Thread &thread, const Instruction *at) {
  auto a = get<std::array<A, 4>>(thread, at->a);
  auto b = get<std::array<B, 4>>(thread, at->b);
  uint32_t sum = get<uint32_t>(thread, at->c);
  for (int index = 0; index < 4; ++index)
    sum += uint32_t(int32_t(a[index]) * int32_t(b[index]));
  set(thread, at->d, sum);
  return at + 1;
}
template <class A, class B> const Instruction *dot2(Thread &thread, const Instruction *at) {
  using A16 = std::conditional_t<std::is_signed_v<A>, int16_t, uint16_t>;
  auto a = get<std::array<A16, 2>>(thread, at->a);
  auto b = get<std::array<B, 4>>(thread, at->b);
  uint32_t sum = get<uint32_t>(thread, at->c);
  for (int index = 0; index < 2; ++index)
    sum += uint32_t(int32_t(a[index]) * int32_t(b[index + 2 * at->imm]));
  set(thread, at->d, sum);
  return at + 1;
}

bool decodeDot(Decoder &decoder, Opcode &opcode) {
  bool isDot4 = opcode.name == "dp4a", high = opcode.take("hi");
  opcode.take("lo");
  bool a = isSigned(opcode.takeType()), b = isSigned(opcode.takeType());
  Handler four[2][2] = {{dot4<uint8_t, uint8_t>, dot4<uint8_t, int8_t>}, {dot4<int8_t, uint8_t>, dot4<int8_t, int8_t>}};
  Handler two[2][2] = {{dot2<uint8_t, uint8_t>, dot2<uint8_t, int8_t>}, {dot2<int8_t, uint8_t>, dot2<int8_t, int8_t>}};
  if (Instruction *one = decoder.emitSimple((isDot4 ? four : two)[a][b], {Type::B32, Type::B32, Type::B32}))
    one->imm = high;
  return true;
}

bool decodeMultiply(Decoder &decoder, Opcode &opcode, Type type) {
  bool adds = opcode.name == "mad" || opcode.name == "madc", carryIn = opcode.name == "madc",
       carryOut = opcode.take("cc");
  bool wide = opcode.take("wide"), high = opcode.take("hi");
  opcode.take("lo");
  opcode.takeLastType();
  if (wide) {
    if (bitsOf(type) > 32)
      return decoder.fail("a wide product of 64 bits is not supported");
    Type twice = bitsOf(type) == 32 ? Type::B64 : Type::B32;
    Handler plain = forInteger(type, [](auto tag) -> Handler { return multiplyWide<typename decltype(tag)::type>; });
    Handler added = forInteger(type, [](auto tag) -> Handler { return multiplyAddWide<typename decltype(tag)::type>; });
    adds ? decoder.emitSimple(added, {type, type, twice}) : decoder.emitSimple(plain, {type, type});
    return true;
  }
  if (carryIn || carryOut) {
    Handler handler = forInteger(type, [&](auto tag) -> Handler {
      using T = typename decltype(tag)::type;
      return high ? multiplyAddCarry<T, MultiplyHigh> : multiplyAddCarry<T, MultiplyLow>;
    });
    if (Instruction *one = decoder.emitSimple(handler, {type, type, type}))
      one->mode = carryIn + 2 * carryOut;
    return true;
  }
  if (!adds) {
    decoder.emitSimple(high ? binaryFor<MultiplyHigh>(type) : binaryFor<MultiplyLow>(type), {type, type});
    return true;
  }
  Handler handler = forInteger(type, [&](auto tag) -> Handler {
    using T = typename decltype(tag)::type;
    return high ? multiplyAdd<T, MultiplyHigh> : multiplyAdd<T, MultiplyLow>;
  });
  decoder.emitSimple(handler, {type, type, type});
  return true;
}

bool decodeAddition(Decoder &decoder, Opcode &opcode, Type type) {
  bool subtract = opcode.name.starts_with("sub"), carryIn = opcode.name.ends_with("c"), carryOut = opcode.take("cc");
  opcode.takeLastType();
  if (opcode.take("sat")) {
    decoder.emitSimple(subtract ? addSaturated<-1> : addSaturated<1>, {type, type});
  } else if (carryIn || carryOut) {
    Handler narrow = subtract ? withCarry<uint32_t, true> : withCarry<uint32_t, false>;
    Handler wide = subtract ? withCarry<uint64_t, true> : withCarry<uint64_t, false>;
    if (Instruction *one = decoder.emitSimple(bitsOf(type) == 64 ? wide : narrow, {type, type}))
      one->mode = carryIn + 2 * carryOut;
  } else {
    decoder.emitSimple(subtract ? binaryFor<Subtract>(type) : binaryFor<Add>(type), {type, type});
  }
  return true;
}

bool decodePacked(Decoder &decoder, Opcode &opcode, Type type) {
  opcode.takeLastType();
  bool isSigned16 = type == Type::S16x2;
  Handler handler = nullptr;
  if (opcode.name == "add")
    handler = packed<uint16_t, Add>;
  else if (opcode.name == "min")
    handler = isSigned16 ? packed<int16_t, Minimum> : packed<uint16_t, Minimum>;
  else if (opcode.name == "max")
    handler = isSigned16 ? packed<int16_t, Maximum> : packed<uint16_t, Maximum>;
  else
    return decoder.fail("the packed operation is not known");
  decoder.emitSimple(handler, {Type::B32, Type::B32});
  return true;
}

} // namespace

bool decodeInteger(Decoder &decoder, Opcode &opcode) {
  std::string_view name = opcode.name;
  if (name == "dp4a" || name == "dp2a")
    return decodeDot(decoder, opcode);
  Type type = opcode.type();
  static const std::set<std::string_view> names = {"add",   "sub", "addc", "subc", "mul", "mad", "madc", "mul24",
                                                   "mad24", "div", "rem",  "min",  "max", "abs", "neg",  "sad"};
  if (!names.contains(name))
    return false;
  if (type == Type::U16x2 || type == Type::S16x2)
    return decodePacked(decoder, opcode, type);
  if (!isInteger(type))
    return false;
  if (name == "add" || name == "sub" || name == "addc" || name == "subc")
    return decodeAddition(decoder, opcode, type);
  if (name == "mul" || name == "mad" || name == "madc")
    return decodeMultiply(decoder, opcode, type);
  opcode.takeLastType();
  if (name == "mul24" || name == "mad24") {
    bool adds = name == "mad24", high = opcode.take("hi");
    opcode.take("lo");
    Handler handler = isSigned(type) ? multiply24<int32_t> : multiply24<uint32_t>;
    Instruction *one =
        adds ? decoder.emitSimple(handler, {type, type, type}) : decoder.emitSimple(handler, {type, type});
    if (one) {
      one->mode = adds;
      one->imm = high;
    }
  } else if (name == "div") {
    decoder.emitSimple(binaryFor<Divide>(type), {type, type});
  } else if (name == "rem") {
    decoder.emitSimple(binaryFor<Remainder>(type), {type, type});
  } else if (name == "min") {
    decoder.emitSimple(binaryFor<Minimum>(type), {type, type});
  } else if (name == "max") {
    decoder.emitSimple(binaryFor<Maximum>(type), {type, type});
  } else if (name == "abs") {
    decoder.emitSimple(forInteger(type, [](auto tag) -> Handler { return absolute<typename decltype(tag)::type>; }),
                       {type});
  } else if (name == "neg") {
    decoder.emitSimple(forInteger(type, [](auto tag) -> Handler { return negate<typename decltype(tag)::type>; }),
                       {type});
  } else {
    decoder.emitSimple(
        forInteger(type, [](auto tag) -> Handler { return sumOfDifferences<typename decltype(tag)::type>; }),
        {type, type, type});
  }
  return true;
}

} // namespace onnx_aot::ptx
