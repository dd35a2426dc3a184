// mbarrier: phases that end when so many threads have arrived and so many bytes have come. The object in shared memory
// holds all of its state:
//   bits 0-19 arrivals still to come, 20-39 arrivals of each phase, 40-61 bytes still to come (signed), 63 the phase.

#include "Async.h"
#include "Decoder.h"
#include "Memory.h"
#include "Races.h"

namespace onnx_aot::ptx {
namespace {

struct Mbarrier {
  uint32_t pending = 0, expected = 0;
  int32_t bytes = 0;
  bool phase = false;

  static constexpr uint32_t kMost = (1 << 20) - 1;
  static Mbarrier of(uint64_t bits) {
    return {uint32_t(bits) & kMost, uint32_t(bits >> 20) & kMost, int32_t(int64_t(bits << 2) >> 42), bool(bits >> 63)};
  }
  uint64_t bits() const {
    return pending | uint64_t(expected) << 20 | (uint64_t(uint32_t(bytes) & 0x3fffff) << 40) | uint64_t(phase) << 63;
  }
  void endPhaseIfComplete() {
    if (pending == 0 && bytes == 0) {
      phase = !phase;
      pending = expected;
    }
  }
};

std::byte *objectAt(Thread &thread, const Instruction *at, uint64_t address, Use use) {
  return locate(thread, at, address >> kWindowShift ? Space::Generic : Space::Shared, address, 8, use);
}

/// Changes the mbarrier at the address in slot a.
template <class Change> const Instruction *changeObject(Thread &thread, const Instruction *at, Change change) {
  std::byte *object = objectAt(thread, at, thread.slots[at->a] + at->imm, Use::Atomic);
  if (!object)
    return nullptr;
  uint64_t bits;
  std::memcpy(&bits, object, 8);
  if (bits == ~uint64_t(0))
    return thread.fault(at, "the mbarrier is not initialised");
  Mbarrier barrier = Mbarrier::of(bits);
  if (!change(barrier))
    return nullptr;
  bits = barrier.bits();
  std::memcpy(object, &bits, 8);
  return at + 1;
}

const Instruction *initialise(Thread &thread, const Instruction *at) {
  std::byte *object = objectAt(thread, at, thread.slots[at->a] + at->imm, Use::Write);
  if (!object)
    return nullptr;
  uint32_t count = get<uint32_t>(thread, at->b);
  if (count == 0 || count > Mbarrier::kMost)
    return thread.fault(at, "an mbarrier is for 1 to 2^20 - 1 arrivals");
  uint64_t bits = Mbarrier{count, count, 0, false}.bits();
  std::memcpy(object, &bits, 8);
  return at + 1;
}

const Instruction *invalidate(Thread &thread, const Instruction *at) {
  if (std::byte *object = objectAt(thread, at, thread.slots[at->a] + at->imm, Use::Write)) {
    std::memset(object, 0xff, 8);
    return at + 1;
  }
  return nullptr;
}

enum Modes : uint32_t { kExpects = 1, kArrives = 2, kDrops = 4, kCompletes = 8, kParity = 16 };

/// arrive, expect_tx, complete_tx: b arrivals, c bytes. d: the state before.
const Instruction *arrive(Thread &thread, const Instruction *at) {
  uint64_t address = uint32_t(thread.slots[at->a] + at->imm);
  return changeObject(thread, at, [&](Mbarrier &barrier) {
    set<uint64_t>(thread, at->d, barrier.bits());
    if (at->mode & kExpects)
      barrier.bytes += get<int32_t>(thread, at->c);
    if (at->mode & kCompletes)
      barrier.bytes -= get<int32_t>(thread, at->c);
    if (at->mode & (kArrives | kDrops)) {
      uint32_t count = get<uint32_t>(thread, at->b);
      if (count > barrier.pending) {
        thread.fault(at, "more threads arrive at the mbarrier than it was initialised for");
        return false;
      }
      barrier.pending -= count;
      if (at->mode & kDrops)
        barrier.expected -= count;
      if (thread.block->races)
        thread.block->races->release(thread.warp->index, thread.block->async->clocks[address]);
    }
    barrier.endPhaseIfComplete();
    return true;
  });
}

/// test_wait, try_wait: whether the phase of the state in b has ended, or the phase of the parity b.
const Instruction *testWait(Thread &thread, const Instruction *at) {
  uint64_t address = uint32_t(thread.slots[at->a] + at->imm);
  // Bytes that are on their way arrive now, and not before.
  auto &copies = thread.block->async->byBarrier;
  if (auto found = copies.find(address); found != copies.end()) {
    std::vector<BulkCopy> landing = std::move(found->second);
    copies.erase(found);
    for (const BulkCopy &copy : landing)
      if (!copy.perform() || !completeBytes(thread, at, address, copy.bytes))
        return nullptr;
  }
  bool ended = false;
  if (!changeObject(thread, at, [&](Mbarrier &barrier) {
        bool phase = at->mode & kParity ? get<uint32_t>(thread, at->b) & 1 : get<uint64_t>(thread, at->b) >> 63;
        ended = barrier.phase != phase;
        return true;
      }))
    return nullptr;
  set<uint8_t>(thread, at->d, ended);
  if (ended) {
    if (thread.block->races)
      thread.block->races->acquire(thread.warp->index, thread.block->async->clocks[address]);
    return at + 1;
  }
  thread.state = Thread::Polls;
  thread.at = at + 1;
  return nullptr;
}

const Instruction *pendingCount(Thread &thread, const Instruction *at) {
  set<uint32_t>(thread, at->d, Mbarrier::of(get<uint64_t>(thread, at->a)).pending);
  return at + 1;
}

} // namespace

bool completeBytes(Thread &thread, const Instruction *at, uint64_t address, uint32_t bytes) {
  std::byte *object = objectAt(thread, at, address, Use::Atomic);
  if (!object)
    return false;
  uint64_t bits;
  std::memcpy(&bits, object, 8);
  Mbarrier barrier = Mbarrier::of(bits);
  barrier.bytes -= int32_t(bytes);
  barrier.endPhaseIfComplete();
  bits = barrier.bits();
  std::memcpy(object, &bits, 8);
  return true;
}

bool decodeMbarrier(Decoder &decoder, Opcode &opcode) {
  opcode.take("b64");
  if (opcode.take("pending_count")) {
    decoder.emitSimple(pendingCount, {Type::B64});
    return true;
  }
  for (std::string_view modifier : {"shared", "shared::cluster", "release", "acquire", "relaxed", "cta", "cluster"})
    opcode.take(modifier);
  bool initialises = opcode.take("init"), invalidates = opcode.take("inval");
  bool tests = opcode.take("test_wait") || opcode.take("try_wait"), parity = opcode.take("parity");
  bool arrives = opcode.take("arrive"), drops = opcode.take("arrive_drop"), expects = opcode.take("expect_tx");
  bool completes = opcode.take("complete_tx");
  opcode.take("noComplete");
  size_t first = tests || arrives || drops ? 1 : 0, count = decoder.statement->operands.size();
  if (first == 1 && !tests && count && decoder.operand(0).kind == Operand::Address)
    first = 0; // The state is left out.
  if (!decoder.wants(first + 1, 4))
    return true;
  Decoder::Address address = decoder.address(decoder.operand(first));
  uint32_t d = first ? decoder.destination(size_t(0)) : 0;
  uint32_t next =
      count > first + 1 ? decoder.source(first + 1, tests && !parity ? Type::B64 : Type::U32) : decoder.value(1);
  Handler handler = initialises ? initialise : invalidates ? invalidate : tests ? testWait : arrive;
  if (handler == arrive && !arrives && !drops && !expects && !completes)
    return decoder.fail("the operation is not known");
  uint32_t one = decoder.value(1);
  Instruction &emitted = decoder.emit(handler);
  emitted.d = d, emitted.a = address.base, emitted.imm = address.offset;
  emitted.b = expects || completes ? one : next;
  emitted.c = next;
  emitted.mode = (expects ? kExpects : 0) | (arrives ? kArrives : 0) | (drops ? kDrops : 0) |
                 (completes ? kCompletes : 0) | (parity ? kParity : 0);
  return true;
}

} // namespace onnx_aot::ptx
