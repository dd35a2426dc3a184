// mov: registers, constants, addresses, and between a register and the elements of a vector.

#include "Decoder.h"
#include "Memory.h"

#include <chrono>

namespace onnx_aot::ptx {
namespace {

template <class T> const Instruction *move(Thread &thread, const Instruction *at) {
  set<T>(thread, at->d, get<T>(thread, at->a));
  return at + 1;
}

/// The elements in `list`, each 64 / mode bits wide (of 32: mode elements of 32 / mode), the lowest first; `imm`: bits
/// each.
const Instruction *pack(Thread &thread, const Instruction *at) {
  uint64_t result = 0, mask = ~uint64_t(0) >> (64 - at->imm);
  for (uint32_t index = 0; index < at->mode; ++index)
    result |= (thread.slots[at->list[index]] & mask) << (index * at->imm);
  thread.slots[at->d] = result;
  return at + 1;
}

const Instruction *unpack(Thread &thread, const Instruction *at) {
  uint64_t value = thread.slots[at->a], mask = ~uint64_t(0) >> (64 - at->imm);
  for (uint32_t index = 0; index < at->mode; ++index)
    thread.slots[at->list[index]] = value >> (index * at->imm) & mask;
  return at + 1;
}

const Instruction *readClock(Thread &thread, const Instruction *at) {
  auto now = std::chrono::steady_clock::now().time_since_epoch();
  thread.slots[at->d] = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
  return at + 1;
}

} // namespace

bool decodeMove(Decoder &decoder, Opcode &opcode) {
  if (opcode.name == "mapa") { // A cluster is one block: the address is the same.
    takeSpace(opcode);
    Type type = opcode.takeLastType();
    decoder.emitSimple(bitsOf(type) == 64 ? move<uint64_t> : move<uint32_t>, {type, Type::U32});
    return true;
  }
  if (opcode.name != "mov")
    return false;
  Type type = opcode.takeLastType();
  if (!decoder.wants(2))
    return true;
  const Operand &to = decoder.operand(0), &from = decoder.operand(1);
  if (from.kind == Operand::Name && (from.name.starts_with("%clock") || from.name.starts_with("%globaltimer"))) {
    uint32_t d = decoder.destination(to);
    decoder.emit(readClock).d = d;
    return true;
  }
  bool packs = from.kind == Operand::Vector, unpacks = to.kind == Operand::Vector;
  if (packs && unpacks)
    return decoder.fail("a vector on both sides is not supported");
  if (!packs && !unpacks) {
    Handler handler = bitsOf(type) == 1    ? move<uint8_t>
                      : bitsOf(type) == 16 ? move<uint16_t>
                      : bitsOf(type) == 64 ? move<uint64_t>
                                           : move<uint32_t>;
    decoder.emitSimple(handler, {type});
    return true;
  }
  const Operand &vector = packs ? from : to;
  uint32_t count = vector.elements.size(), bits = bitsOf(type) / count;
  if (count == 0 || bits * count != bitsOf(type) || bitsOf(type) > 64)
    return decoder.fail("the elements do not make up the type");
  Type element = bits == 32 ? Type::B32 : bits == 16 ? Type::B16 : Type::B8;
  const uint32_t *list = decoder.list(packs ? decoder.sources(vector, element) : decoder.destinations(vector));
  uint32_t other = packs ? decoder.destination(to) : decoder.source(from, type);
  Instruction &one = decoder.emit(packs ? pack : unpack);
  (packs ? one.d : one.a) = other;
  one.list = list;
  one.mode = count;
  one.imm = bits;
  return true;
}

} // namespace onnx_aot::ptx
