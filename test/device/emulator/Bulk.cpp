// cp.async.bulk: copies of many bytes, or of boxes of a tensor (TMA), between global and shared memory. A copy to
// shared memory tells an mbarrier of its bytes and is made when that is looked at (see Mbarrier.cpp); one to global
// memory belongs to a group of its thread and is made when the group is waited for.

#include "Async.h"
#include "Decoder.h"
#include "Memory.h"
#include "TensorMap.h"

namespace onnx_aot::ptx {
namespace {

/// One box, by its coordinates in the tensor.
struct BoxCopy {
  Thread &thread;
  const Instruction *at;
  TensorMap map;
  uint32_t shared;
  int32_t corner[5] = {};
  bool toShared;

  uint32_t bytes() const {
    uint32_t result = map.elementBytes;
    for (uint32_t dimension = 0; dimension < map.rank; ++dimension)
      result *= map.box[dimension];
    return result;
  }

  bool perform() const {
    uint32_t count = bytes() / map.elementBytes;
    for (uint32_t index = 0; index < count; ++index) {
      uint64_t address = map.address;
      bool inside = true;
      uint32_t rest = index;
      for (uint32_t dimension = 0; dimension < map.rank; ++dimension) {
        int64_t position = int64_t(corner[dimension]) + rest % map.box[dimension];
        rest /= map.box[dimension];
        inside &= position >= 0 && position < map.extents[dimension];
        address += position * (dimension ? map.strides[dimension - 1] : map.elementBytes);
      }
      if (!inside && !toShared)
        continue;
      std::byte *near = locate(thread, at, Space::Shared, swizzled(shared + index * map.elementBytes, map.swizzle),
                               map.elementBytes, Use::Async);
      if (!near)
        return false;
      if (!inside) {
        std::memset(near, map.fill ? 0xff : 0, map.elementBytes);
        continue;
      }
      std::byte *far = locate(thread, at, Space::Global, address, map.elementBytes, toShared ? Use::Read : Use::Write);
      if (!far)
        return false;
      toShared ? std::memcpy(near, far, map.elementBytes) : std::memcpy(far, near, map.elementBytes);
    }
    return true;
  }
};

uint32_t sharedAddress(Thread &thread, uint32_t slot, int64_t offset) { return uint32_t(thread.slots[slot] + offset); }

/// All ones until the copy is made.
bool blank(Thread &thread, const Instruction *at, uint32_t shared, uint32_t bytes) {
  std::byte *place = locate(thread, at, Space::Shared, shared, bytes, Use::Async, nullptr, 16);
  if (place)
    std::memset(place, 0xff, bytes);
  return place != nullptr;
}

// `list`: offsets of the addresses as 32-bit numbers, then the slots of coordinates. a: shared, b: global or the map,
// c: the mbarrier, e: bytes, mode: number of coordinates.
enum Lists { kSharedOffset, kGlobalOffset, kBarrierOffset, kCoordinates };

void dispatch(Thread &thread, const Instruction *at, bool toShared, BulkCopy copy) {
  AsyncState &async = *thread.block->async;
  if (toShared)
    async.byBarrier[sharedAddress(thread, at->c, int32_t(at->list[kBarrierOffset]))].push_back(std::move(copy));
  else
    async.stores[thread.index].push_back(std::move(copy));
}

template <bool toShared> const Instruction *copyBox(Thread &thread, const Instruction *at) {
  BoxCopy box{thread, at, {}, sharedAddress(thread, at->a, int32_t(at->list[kSharedOffset])), {}, toShared};
  uint64_t map = thread.slots[at->b] + int32_t(at->list[kGlobalOffset]);
  // A parameter of the kernel (__grid_constant__), or in global memory.
  std::byte *place = locate(thread, at, Space::Generic, map, sizeof(TensorMap), Use::Read, nullptr, 64);
  if (!place)
    return nullptr;
  std::memcpy(&box.map, place, sizeof(TensorMap));
  if (box.map.magic != TensorMap::kMagic)
    return thread.fault(at, "there is no tensor map at its address");
  if (box.map.rank != at->mode)
    return thread.fault(at, "the tensor map has another rank");
  uint32_t row = box.map.box[0] * box.map.elementBytes;
  if (box.map.swizzle && row > 16u << box.map.swizzle)
    return thread.fault(at, "rows of the box are longer than those that the swizzle is for");
  if (row % 16)
    return thread.fault(at, "rows of the box are not a multiple of 16 bytes");
  if (box.shared % 128)
    return thread.fault(at, "the address in shared memory is not a multiple of 128 bytes");
  for (uint32_t dimension = 0; dimension < at->mode; ++dimension)
    box.corner[dimension] = get<int32_t>(thread, at->list[kCoordinates + dimension]);
  if (toShared && !blank(thread, at, box.shared, box.bytes()))
    return nullptr;
  dispatch(thread, at, toShared, {[box] { return box.perform(); }, box.bytes()});
  return at + 1;
}

template <bool toShared> const Instruction *copyBytes(Thread &thread, const Instruction *at) {
  uint32_t shared = sharedAddress(thread, at->a, int32_t(at->list[kSharedOffset])),
           bytes = get<uint32_t>(thread, at->e);
  uint64_t global = thread.slots[at->b] + int32_t(at->list[kGlobalOffset]);
  if (bytes % 16)
    return thread.fault(at, "the size is not a multiple of 16 bytes");
  if (toShared && !blank(thread, at, shared, bytes))
    return nullptr;
  auto perform = [=, &thread] {
    std::byte *near = locate(thread, at, Space::Shared, shared, bytes, Use::Async, nullptr, 16);
    std::byte *far =
        near ? locate(thread, at, Space::Global, global, bytes, toShared ? Use::Read : Use::Write, nullptr, 16)
             : nullptr;
    if (far)
      toShared ? std::memcpy(near, far, bytes) : std::memcpy(far, near, bytes);
    return far != nullptr;
  };
  dispatch(thread, at, toShared, {perform, bytes});
  return at + 1;
}

const Instruction *commit(Thread &thread, const Instruction *at) {
  AsyncState &async = *thread.block->async;
  async.storeGroups[thread.index].push_back(std::move(async.stores[thread.index]));
  async.stores[thread.index].clear();
  return at + 1;
}

const Instruction *wait(Thread &thread, const Instruction *at) {
  auto &groups = thread.block->async->storeGroups[thread.index];
  while (groups.size() > size_t(at->imm)) {
    for (const BulkCopy &copy : groups.front())
      if (!copy.perform())
        return nullptr;
    groups.pop_front();
  }
  return at + 1;
}

const Instruction *nothing(Thread &, const Instruction *at) { return at + 1; }

} // namespace

bool decodeBulkCopies(Decoder &decoder, Opcode &opcode) {
  if (opcode.take("commit_group")) {
    decoder.emit(commit);
    return true;
  }
  if (opcode.take("wait_group")) {
    opcode.take("read");
    if (!decoder.wants(1) || decoder.operand(0).kind != Operand::Integer)
      return decoder.fail("a number of groups is wanted");
    decoder.emit(wait).imm = decoder.operand(0).bits;
    return true;
  }
  if (opcode.take("prefetch")) {
    opcode.modifiers.clear();
    decoder.emit(nothing);
    return true;
  }
  bool isTensor = opcode.take("tensor");
  std::string_view rank = opcode.takeOneOf({"1d", "2d", "3d", "4d", "5d"});
  opcode.take("tile"), opcode.take("L2::cache_hint");
  // The destination is named first.
  bool toShared = !opcode.modifiers.empty() && opcode.modifiers.front().starts_with("shared");
  bool known = opcode.take("global") && (opcode.take("shared::cluster") || opcode.take("shared"));
  known &= toShared ? opcode.take("mbarrier::complete_tx::bytes") : opcode.take("bulk_group");
  if (!known)
    return decoder.fail("this copy is not supported");
  size_t least = isTensor ? (toShared ? 3 : 2) : (toShared ? 4 : 3);
  if (!decoder.wants(least, least + 1))
    return true;
  const Operand &globalOperand = decoder.operand(toShared ? 1 : 0);
  Decoder::Address shared = decoder.address(decoder.operand(toShared ? 0 : 1)), global = decoder.address(globalOperand),
                   barrier;
  if (toShared)
    barrier = decoder.address(decoder.operand(isTensor ? 2 : 3));
  uint32_t bytes = isTensor ? 0 : decoder.source(2, Type::U32), count = 0;
  std::vector<uint32_t> list = {uint32_t(shared.offset), uint32_t(global.offset), uint32_t(barrier.offset)};
  if (isTensor) {
    if (globalOperand.elements.size() != 1)
      return decoder.fail("coordinates are wanted");
    for (uint32_t slot : decoder.sources(globalOperand.elements.front(), Type::S32))
      list.push_back(slot);
    count = list.size() - kCoordinates;
    if (rank.empty() || count != uint32_t(rank[0] - '0'))
      return decoder.fail("the number of coordinates is not the rank");
    if (global.space == Space::Param)
      return decoder.fail("the generic address of the tensor map is wanted");
  }
  const uint32_t *stored = decoder.list(std::move(list));
  Instruction &one = decoder.emit(isTensor   ? (toShared ? copyBox<true> : copyBox<false>)
                                  : toShared ? copyBytes<true>
                                             : copyBytes<false>);
  one.a = shared.base, one.b = global.base, one.c = barrier.base, one.e = bytes;
  one.list = stored;
  one.mode = count;
  return true;
}

} // namespace onnx_aot::ptx
