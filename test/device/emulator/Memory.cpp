// ld, st, cvta, isspacep.

#include "Memory.h"

#include "Decoder.h"
#include "Races.h"

#include <cstdio>

namespace onnx_aot::ptx {
namespace {

const Instruction *outside(Thread &thread, const Instruction *at, const char *what, uint64_t address, uint64_t size,
                           Use use) {
  char text[160];
  std::snprintf(text, sizeof text, "%llu bytes at 0x%llx of %s memory may not be %s",
                static_cast<unsigned long long>(size), static_cast<unsigned long long>(address), what,
                use == Use::Read ? "read" : "written");
  return thread.fault(at, text);
}

} // namespace

std::byte *locate(Thread &thread, const Instruction *at, Space space, uint64_t address, uint64_t size, Use use,
                  const void *written, uint64_t alignment) {
  if (space == Space::Generic) {
    space = Space(address >> kWindowShift);
    address &= (uint64_t(1) << kWindowShift) - 1;
    if (space != Space::Shared && space != Space::Local && space != Space::Param) {
      address |= uint64_t(space) << kWindowShift;
      space = Space::Global;
    }
  }
  if (!alignment)
    alignment = size;
  if (address % alignment) {
    thread.fault(at, "the address is not a multiple of " + std::to_string(alignment) + " bytes");
    return nullptr;
  }
  Block &block = *thread.block;
  switch (space) {
  case Space::Shared: {
    uint64_t offset = uint32_t(address) - kSharedBase;
    if (uint32_t(address) < kSharedBase || offset + size > block.shared.size()) {
      outside(thread, at, "shared", address, size, use);
      return nullptr;
    }
    std::byte *bytes = block.shared.data() + offset;
    if (block.races && use != Use::Async) {
      bool same = written && std::memcmp(bytes, written, size) == 0;
      auto access = use == Use::Read ? Races::Read : use == Use::Write ? Races::Write : Races::Atomic;
      std::string race = block.races->note(thread, offset, size, access, same);
      if (!race.empty()) {
        thread.fault(at, std::move(race));
        return nullptr;
      }
    }
    return bytes;
  }
  case Space::Local:
    if (address + size <= thread.local.size() && address + size > address)
      return thread.local.data() + address;
    outside(thread, at, "local", address, size, use);
    return nullptr;
  case Space::Param:
    if (address >= kKernelParameters) {
      address -= kKernelParameters;
      if (use == Use::Read && address + size <= block.kernelParameters.size())
        return block.kernelParameters.data() + address;
    } else if (address + size <= thread.local.size()) {
      return thread.local.data() + address;
    }
    outside(thread, at, "param", address, size, use);
    return nullptr;
  default:
    if (block.guard->allows(address, size, use != Use::Read))
      return reinterpret_cast<std::byte *>(address);
    outside(thread, at, "global", address, size, use);
    return nullptr;
  }
}

namespace {

template <class T> struct Extended {
  using type = T;
};
/// A signed value is extended to the whole register, however wide.
template <> struct Extended<int8_t> {
  using type = int64_t;
};
template <> struct Extended<int16_t> {
  using type = int64_t;
};
template <> struct Extended<int32_t> {
  using type = int64_t;
};

/// locate() of one element, without a call where it is usual: allowed before (global), or within and no race is looked
/// for (shared).
template <Space space, class T>
std::byte *locateElement(Thread &thread, const Instruction *at, uint64_t address, Use use,
                         const void *written = nullptr) {
  Block &block = *thread.block;
  if (address % sizeof(T) == 0) {
    if constexpr (space == Space::Global)
      if (block.guard->remembers(address, use != Use::Read))
        return reinterpret_cast<std::byte *>(address);
    if constexpr (space == Space::Shared)
      if (uint64_t offset = uint64_t(uint32_t(address)) - kSharedBase;
          !block.races && offset < block.shared.size() && offset + sizeof(T) <= block.shared.size())
        return block.shared.data() + offset;
  }
  return locate(thread, at, space, address, sizeof(T), use, written);
}

template <Space space, class T> const Instruction *load(Thread &thread, const Instruction *at) {
  std::byte *bytes = locateElement<space, T>(thread, at, thread.slots[at->a] + at->imm, Use::Read);
  if (!bytes)
    return nullptr;
  T value;
  std::memcpy(&value, bytes, sizeof value);
  set<typename Extended<T>::type>(thread, at->d, value);
  return at + 1;
}

template <Space space, class T> const Instruction *store(Thread &thread, const Instruction *at) {
  T value = get<T>(thread, at->b);
  std::byte *bytes = locateElement<space, T>(thread, at, thread.slots[at->a] + at->imm, Use::Write, &value);
  if (!bytes)
    return nullptr;
  std::memcpy(bytes, &value, sizeof value);
  return at + 1;
}

/// The elements are the slots of `list`, `mode` many.
template <Space space, class T> const Instruction *loadVector(Thread &thread, const Instruction *at) {
  std::byte *bytes = locate(thread, at, space, thread.slots[at->a] + at->imm, sizeof(T) * at->mode, Use::Read);
  if (!bytes)
    return nullptr;
  T values[8];
  std::memcpy(values, bytes, sizeof(T) * at->mode);
  for (uint32_t index = 0; index < at->mode; ++index)
    set<typename Extended<T>::type>(thread, at->list[index], values[index]);
  return at + 1;
}

template <Space space, class T> const Instruction *storeVector(Thread &thread, const Instruction *at) {
  T values[8];
  for (uint32_t index = 0; index < at->mode; ++index)
    values[index] = get<T>(thread, at->list[index]);
  std::byte *bytes = locate(thread, at, space, thread.slots[at->a] + at->imm, sizeof(T) * at->mode, Use::Write, values);
  if (!bytes)
    return nullptr;
  std::memcpy(bytes, values, sizeof(T) * at->mode);
  return at + 1;
}

template <Space space> Handler accessHandler(Type type, bool isLoad, bool isVector) {
  if (type == Type::F32)
    type = Type::B32;
  if (type == Type::F64)
    type = Type::B64;
  if (type == Type::F16 || type == Type::BF16)
    type = Type::B16;
  if (type == Type::F16x2 || type == Type::BF16x2)
    type = Type::B32;
  return forInteger(type, [&](auto tag) -> Handler {
    using T = typename decltype(tag)::type;
    if (isLoad)
      return isVector ? loadVector<space, T> : load<space, T>;
    return isVector ? storeVector<space, T> : store<space, T>;
  });
}

bool decodeAccess(Decoder &decoder, Opcode &opcode) {
  bool isLoad = opcode.name != "st";
  Space space = takeSpace(opcode);
  for (std::string_view ordering : {"weak", "volatile", "relaxed", "acquire", "release", "mmio", "nc", "cta", "cluster",
                                    "gpu", "sys", "ca", "cg", "cs", "lu", "cv", "wb", "wt", "unified"})
    opcode.take(ordering);
  bool hasHint = opcode.take("L2::cache_hint");
  for (size_t index = opcode.modifiers.size(); index-- > 0;)
    if (opcode.modifiers[index].starts_with("L1::") || opcode.modifiers[index].starts_with("L2::"))
      opcode.modifiers.erase(opcode.modifiers.begin() + index);
  opcode.takeOneOf({"v2", "v4", "v8"});
  Type type = opcode.takeType();
  if (!decoder.wants(2, hasHint ? 3 : 2))
    return true;
  Decoder::Address address = decoder.address(decoder.operand(isLoad ? 1 : 0));
  if (space == Space::Generic)
    space = address.space;
  if (decoder.failed())
    return true;
  const Operand &data = decoder.operand(isLoad ? 0 : 1);
  bool isVector = data.kind == Operand::Vector;
  Handler handler = nullptr;
  switch (space) {
  case Space::Generic:
    handler = accessHandler<Space::Generic>(type, isLoad, isVector);
    break;
  case Space::Global:
  case Space::Const:
    handler = accessHandler<Space::Global>(type, isLoad, isVector);
    break;
  case Space::Shared:
    handler = accessHandler<Space::Shared>(type, isLoad, isVector);
    break;
  case Space::Local:
    handler = accessHandler<Space::Local>(type, isLoad, isVector);
    break;
  case Space::Param:
    handler = accessHandler<Space::Param>(type, isLoad, isVector);
    break;
  }
  if (!handler)
    return decoder.fail("the type of the access is not supported");
  uint32_t slot = 0, count = 0;
  const uint32_t *list = nullptr;
  if (isVector) {
    count = data.elements.size();
    if (count != 2 && count != 4 && count != 8)
      return decoder.fail("a vector has 2, 4 or 8 elements");
    list = decoder.list(isLoad ? decoder.destinations(data) : decoder.sources(data, type));
  } else {
    slot = isLoad ? decoder.destination(data) : decoder.source(data, type);
  }
  Instruction &instruction = decoder.emit(handler);
  instruction.a = address.base;
  instruction.imm = address.offset;
  instruction.list = list;
  instruction.mode = count;
  (isLoad ? instruction.d : instruction.b) = slot;
  return true;
}

const Instruction *toGeneric(Thread &thread, const Instruction *at) {
  thread.slots[at->d] = thread.slots[at->a] | at->imm;
  return at + 1;
}

const Instruction *fromGeneric(Thread &thread, const Instruction *at) {
  uint64_t address = thread.slots[at->a];
  if (address && address >> kWindowShift != uint64_t(at->imm))
    return thread.fault(at, "the generic address is not one of that space");
  thread.slots[at->d] = address & ((uint64_t(1) << kWindowShift) - 1);
  return at + 1;
}

const Instruction *isInSpace(Thread &thread, const Instruction *at) {
  thread.slots[at->d] = thread.slots[at->a] >> kWindowShift == uint64_t(at->imm);
  return at + 1;
}

/// `cvta.shared.u64 a, p`, `cvta.to.shared.u64 p, a`.
bool decodeCvta(Decoder &decoder, Opcode &opcode) {
  bool to = opcode.take("to");
  Space space = takeSpace(opcode);
  opcode.takeType();
  if (!decoder.wants(2))
    return true;
  uint32_t source = decoder.source(1, Type::U64), destination = decoder.destination(size_t(0));
  Instruction &instruction = decoder.emit(to ? fromGeneric : toGeneric);
  instruction.a = source;
  instruction.d = destination;
  instruction.imm = to ? windowOf(space) >> kWindowShift : windowOf(space);
  return true;
}

} // namespace

Space takeSpace(Opcode &opcode) {
  static constexpr std::pair<std::string_view, Space> kSpaces[] = {
      {"global", Space::Global}, {"shared", Space::Shared}, {"shared::cluster", Space::Shared},
      {"local", Space::Local},   {"param", Space::Param},   {"const", Space::Const}};
  for (auto [name, space] : kSpaces)
    if (opcode.take(name))
      return space;
  return Space::Generic;
}

bool decodeMemory(Decoder &decoder, Opcode &opcode) {
  if (opcode.name == "ld" || opcode.name == "st" || opcode.name == "ldu")
    return decodeAccess(decoder, opcode);
  if (opcode.name == "cvta")
    return decodeCvta(decoder, opcode);
  if (opcode.name == "isspacep") {
    Space space = takeSpace(opcode);
    if (!decoder.wants(2))
      return true;
    uint32_t source = decoder.source(1, Type::U64), destination = decoder.destination(size_t(0));
    Instruction &instruction = decoder.emit(isInSpace);
    instruction.a = source;
    instruction.d = destination;
    instruction.imm = windowOf(space) >> kWindowShift;
    return true;
  }
  return false;
}

} // namespace onnx_aot::ptx
