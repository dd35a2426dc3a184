// atom, red: blocks run one after the other and threads of a block by turns, so that reading and writing is enough.

#include "Decoder.h"
#include "Memory.h"
#include "Numbers.h"

#include <algorithm>

namespace onnx_aot::ptx {
namespace {

template <class T> T exchange(T, T b, T) { return b; }
template <class T> T compareAndSwap(T old, T b, T c) { return old == b ? c : old; }
template <class T> T addTo(T old, T b, T) { return T(old + b); }
template <class T> T minimum(T old, T b, T) { return std::min(old, b); }
template <class T> T maximum(T old, T b, T) { return std::max(old, b); }
template <class T> T conjunction(T old, T b, T) { return T(old & b); }
template <class T> T disjunction(T old, T b, T) { return T(old | b); }
template <class T> T difference(T old, T b, T) { return T(old ^ b); }
/// inc: wraps to 0 above b; dec: wraps to b.
template <class T> T increment(T old, T b, T) { return old >= b ? 0 : T(old + 1); }
template <class T> T decrement(T old, T b, T) { return old == 0 || old > b ? b : T(old - 1); }

uint16_t addHalf(uint16_t a, uint16_t b) { return toHalf(addToOdd(halfToFloat(a), halfToFloat(b))); }
uint16_t addBfloat(uint16_t a, uint16_t b) { return toBfloat(addToOdd(bfloatToFloat(a), bfloatToFloat(b))); }
template <uint16_t (*add)(uint16_t, uint16_t)> uint16_t addOne(uint16_t old, uint16_t b, uint16_t) {
  return add(old, b);
}
template <uint16_t (*add)(uint16_t, uint16_t)> uint32_t addPair(uint32_t old, uint32_t b, uint32_t) {
  return add(uint16_t(old), uint16_t(b)) | uint32_t(add(uint16_t(old >> 16), uint16_t(b >> 16))) << 16;
}

/// The space is in `mode`.
template <class T, T (*operation)(T, T, T)> const Instruction *atomic(Thread &thread, const Instruction *at) {
  std::byte *bytes = locate(thread, at, Space(at->mode), thread.slots[at->a] + at->imm, sizeof(T), Use::Atomic);
  if (!bytes)
    return nullptr;
  T old;
  std::memcpy(&old, bytes, sizeof old);
  T updated = operation(old, get<T>(thread, at->b), get<T>(thread, at->c));
  std::memcpy(bytes, &updated, sizeof updated);
  set<T>(thread, at->d, old);
  return at + 1;
}

Handler integerAtomic(std::string_view name, Type type) {
  return forInteger(type, [&](auto tag) -> Handler {
    using T = typename decltype(tag)::type;
    if (name == "add")
      return atomic<T, addTo<T>>;
    if (name == "min")
      return atomic<T, minimum<T>>;
    if (name == "max")
      return atomic<T, maximum<T>>;
    if (name == "and")
      return atomic<T, conjunction<T>>;
    if (name == "or")
      return atomic<T, disjunction<T>>;
    if (name == "xor")
      return atomic<T, difference<T>>;
    if (name == "exch")
      return atomic<T, exchange<T>>;
    if (name == "cas")
      return atomic<T, compareAndSwap<T>>;
    if (name == "inc")
      return atomic<T, increment<T>>;
    return name == "dec" ? atomic<T, decrement<T>> : nullptr;
  });
}

Handler floatAdd(Type type) {
  switch (type) {
  case Type::F32:
    return atomic<float, addTo<float>>;
  case Type::F64:
    return atomic<double, addTo<double>>;
  case Type::F16:
    return atomic<uint16_t, addOne<addHalf>>;
  case Type::BF16:
    return atomic<uint16_t, addOne<addBfloat>>;
  case Type::F16x2:
    return atomic<uint32_t, addPair<addHalf>>;
  case Type::BF16x2:
    return atomic<uint32_t, addPair<addBfloat>>;
  default:
    return nullptr;
  }
}

} // namespace

bool decodeAtomic(Decoder &decoder, Opcode &opcode) {
  bool isReduction = opcode.name == "red";
  if (!isReduction && opcode.name != "atom")
    return false;
  Space space = takeSpace(opcode);
  for (std::string_view modifier :
       {"relaxed", "acquire", "release", "acq_rel", "cta", "cluster", "gpu", "sys", "noftz"})
    opcode.take(modifier);
  std::string_view name = opcode.takeOneOf({"add", "min", "max", "and", "or", "xor", "exch", "cas", "inc", "dec"});
  Type type = opcode.takeLastType();
  Handler handler = isInteger(type) ? integerAtomic(name, type) : name == "add" ? floatAdd(type) : nullptr;
  if (!handler)
    return decoder.fail("the atomic operation is not supported");
  size_t first = isReduction ? 0 : 1;
  if (!decoder.wants(first + (name == "cas" ? 3 : 2)))
    return true;
  Decoder::Address address = decoder.address(decoder.operand(first));
  uint32_t b = decoder.source(first + 1, type), c = name == "cas" ? decoder.source(first + 2, type) : 0;
  uint32_t d = isReduction ? 0 : decoder.destination(size_t(0));
  Instruction &one = decoder.emit(handler);
  one.d = d, one.a = address.base, one.b = b, one.c = c, one.imm = address.offset;
  one.mode = uint32_t(space == Space::Generic ? address.space : space);
  return true;
}

} // namespace onnx_aot::ptx
