// cp.async: copies of 4, 8 or 16 bytes into shared memory. The source is read when the copy is issued; the destination
// is all ones until the thread waits for the copy's group.

#include "Async.h"
#include "Decoder.h"
#include "Memory.h"

#include <algorithm>

namespace onnx_aot::ptx {
namespace {

/// a: destination, b: source, c: bytes of the source (d: 1 where none are wanted), mode: bytes. `list`: offset of the
/// source.
const Instruction *issue(Thread &thread, const Instruction *at) {
  uint64_t destination = thread.slots[at->a] + at->imm, source = thread.slots[at->b] + int32_t(at->list[0]);
  if (destination >> kWindowShift == uint64_t(Space::Shared))
    destination = uint32_t(destination);
  CopyInFlight copy{destination, {}, at->mode};
  uint32_t wanted = std::min(get<uint32_t>(thread, at->c), at->mode);
  if (at->e && thread.slots[at->e] & 1)
    wanted = 0;
  if (wanted) {
    std::byte *from = locate(thread, at, Space::Global, source, wanted, Use::Read, nullptr, at->mode);
    if (!from)
      return nullptr;
    std::memcpy(copy.bytes.data(), from, wanted);
  }
  std::byte *to = locate(thread, at, Space::Shared, destination, at->mode, Use::Write);
  if (!to)
    return nullptr;
  std::memset(to, 0xff, at->mode);
  thread.copies.push_back(copy);
  return at + 1;
}

bool land(Thread &thread, const Instruction *at, const std::vector<CopyInFlight> &copies) {
  for (const CopyInFlight &copy : copies) {
    std::byte *to = locate(thread, at, Space::Shared, copy.destination, copy.size, Use::Write);
    if (!to)
      return false;
    std::memcpy(to, copy.bytes.data(), copy.size);
  }
  return true;
}

const Instruction *commit(Thread &thread, const Instruction *at) {
  thread.copyGroups.push_back(std::move(thread.copies));
  thread.copies.clear();
  return at + 1;
}

/// imm: how many groups may go on. mode 1: wait for all, also for what is not committed.
const Instruction *wait(Thread &thread, const Instruction *at) {
  while (!thread.copyGroups.empty() && (at->mode || thread.copyGroups.size() > size_t(at->imm))) {
    if (!land(thread, at, thread.copyGroups.front()))
      return nullptr;
    thread.copyGroups.pop_front();
  }
  if (at->mode) {
    if (!land(thread, at, thread.copies))
      return nullptr;
    thread.copies.clear();
  }
  return at + 1;
}

} // namespace

bool decodeCopies(Decoder &decoder, Opcode &opcode) {
  if (opcode.take("commit_group")) {
    decoder.emit(commit);
    return true;
  }
  bool waitsForAll = opcode.take("wait_all");
  if (waitsForAll || opcode.take("wait_group")) {
    int64_t left = 0;
    if (!waitsForAll) {
      if (!decoder.wants(1) || decoder.operand(0).kind != Operand::Integer)
        return decoder.fail("a number of groups is wanted");
      left = decoder.operand(0).bits;
    }
    Instruction &one = decoder.emit(wait);
    one.imm = left;
    one.mode = waitsForAll;
    return true;
  }
  bool cached = opcode.take("ca");
  if (!cached && !opcode.take("cg"))
    return decoder.fail("this copy is not supported");
  opcode.take("global"), opcode.take("shared"), opcode.take("L2::cache_hint");
  opcode.takeOneOf({"L2::64B", "L2::128B", "L2::256B"});
  if (!decoder.wants(3, 5))
    return true;
  Decoder::Address to = decoder.address(decoder.operand(0)), from = decoder.address(decoder.operand(1));
  if (decoder.operand(2).kind != Operand::Integer)
    return decoder.fail("the size must be a number");
  uint32_t size = decoder.operand(2).bits, wanted = decoder.value(size), ignored = 0;
  if (size != 16 && !(cached && (size == 4 || size == 8)))
    return decoder.fail("copies have 4, 8 or 16 bytes, those of .cg 16");
  if (decoder.statement->operands.size() > 3)
    wanted = decoder.source(3, Type::U32);
  if (opcode.take("ignore-src"))
    ignored = decoder.source(3, Type::Pred);
  const uint32_t *offset = decoder.list({uint32_t(from.offset)});
  Instruction &one = decoder.emit(issue);
  one.a = to.base, one.imm = to.offset, one.b = from.base, one.list = offset;
  one.c = wanted, one.e = ignored, one.mode = size;
  return true;
}

} // namespace onnx_aot::ptx
