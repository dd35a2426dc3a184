// Barriers of the block and of lanes, shuffles, votes, matches, reductions over lanes.

#include "Collectives.h"

#include "Decoder.h"
#include "Races.h"

#include <algorithm>

namespace onnx_aot::ptx {

const Instruction *waitForLanes(Thread &thread, const Instruction *at) {
  thread.mask = get<uint32_t>(thread, at->e);
  thread.state = Thread::WaitsForLanes;
  thread.at = at;
  return nullptr;
}

namespace {

const Instruction *waitForActive(Thread &thread, const Instruction *at) {
  thread.state = Thread::WaitsForActive;
  thread.at = at;
  return nullptr;
}

// --- Barriers of the block. a: its number, b: how many threads (imm: 1 where given), c: a predicate. In `mode`: flags.
enum BarrierModes : uint32_t { kAligned = 1, kReduceAnd = 2, kReduceOr = 4, kReduceCount = 8 };

const Instruction *waitAtBarrier(Thread &thread, const Instruction *at) {
  thread.barrier = get<uint32_t>(thread, at->a);
  thread.barrierThreads = at->imm ? get<uint32_t>(thread, at->b) : 0;
  if (thread.barrier >= 16)
    return thread.fault(at, "there are 16 barriers");
  if (thread.barrierThreads % 32)
    return thread.fault(at, "the number of threads is not a multiple of a warp's");
  thread.state = Thread::WaitsAtBarrier;
  thread.at = at;
  return nullptr;
}

const Instruction *arriveAtBarrier(Thread &thread, const Instruction *at) {
  uint32_t barrier = get<uint32_t>(thread, at->a);
  if (barrier >= 16)
    return thread.fault(at, "there are 16 barriers");
  ++thread.block->barriers[barrier].arrived;
  if (Races *races = thread.block->races)
    races->release(thread.warp->index, thread.block->barriers[barrier].clock);
  return at + 1;
}

} // namespace

bool passBarrier(Block &block, const std::vector<Thread *> &waiting) {
  std::vector<const Instruction *> ofWarp(block.warps.size(), nullptr);
  std::vector<uint32_t> warps;
  uint32_t count = 0;
  for (Thread *thread : waiting) {
    const Instruction *&first = ofWarp[thread->warp->index];
    if (!first) {
      first = thread->at;
      warps.push_back(thread->warp->index);
    } else if (first != thread->at && first->mode & kAligned) {
      thread->fault(thread->at, "lanes of a warp meet at different barrier instructions, which must be aligned");
      return false;
    }
    count += thread->slots[thread->at->c] & 1;
  }
  if (block.races) {
    NamedBarrier &barrier = block.barriers[waiting.front()->barrier];
    for (uint32_t warp : warps)
      block.races->acquire(warp, barrier.clock);
    barrier.clock.clear();
    block.races->meet(warps);
  }
  for (Thread *thread : waiting) {
    const Instruction *at = thread->at;
    if (at->mode & kReduceCount)
      set<uint32_t>(*thread, at->d, count);
    else if (at->mode & (kReduceAnd | kReduceOr))
      set<uint8_t>(*thread, at->d, at->mode & kReduceAnd ? count == waiting.size() : count > 0);
    thread->state = Thread::Ready;
    thread->at = at + 1;
  }
  return true;
}

namespace {

bool decodeBarrier(Decoder &decoder, Opcode &opcode) {
  bool isBar = opcode.name == "bar";
  opcode.take("cta");
  if (opcode.take("warp")) {
    opcode.take("sync");
    if (!decoder.wants(1))
      return true;
    uint32_t mask = decoder.source(0, Type::B32);
    Instruction &one = decoder.emit(waitForLanes);
    one.e = mask;
    one.group = [](Warp &warp, const Instruction *, uint32_t) {
      if (warp.block->races)
        warp.block->races->meet({warp.index});
      return true;
    };
    return true;
  }
  bool arrives = opcode.take("arrive"), reduces = opcode.take("red");
  opcode.take("sync");
  bool aligned = opcode.take("aligned") || isBar;
  std::string_view reduction = opcode.takeOneOf({"popc", "and", "or"});
  opcode.takeLastType();
  size_t first = reduces;
  if (!decoder.wants(first + 1, 4))
    return true;
  size_t last = decoder.statement->operands.size() - reduces; // Behind the number of threads.
  uint32_t d = reduces ? decoder.destination(size_t(0)) : 0,
           predicate = reduces ? decoder.source(last, Type::Pred) : decoder.value(0);
  uint32_t number = decoder.source(first, Type::U32),
           threads = last > first + 1 ? decoder.source(first + 1, Type::U32) : 0;
  Instruction &one = decoder.emit(arrives ? arriveAtBarrier : waitAtBarrier);
  one.d = d, one.a = number, one.b = threads, one.c = predicate;
  one.imm = last > first + 1;
  one.mode = (aligned ? kAligned : 0) | (reduction == "and"    ? kReduceAnd
                                         : reduction == "or"   ? kReduceOr
                                         : reduction == "popc" ? kReduceCount
                                                               : 0);
  return true;
}

/// A cluster is one block: its threads meet where they wait, at a barrier that has no number in programs.
constexpr uint32_t kClusterBarrier = 16;

bool decodeClusterBarrier(Decoder &decoder, Opcode &opcode) {
  bool waits = opcode.take("wait");
  for (std::string_view modifier : {"arrive", "aligned", "acquire", "release", "relaxed"})
    opcode.take(modifier);
  uint32_t none = decoder.value(0);
  if (!waits) {
    decoder.emit([](Thread &, const Instruction *at) { return at + 1; });
    return true;
  }
  Instruction &one = decoder.emit([](Thread &thread, const Instruction *at) -> const Instruction * {
    thread.barrier = kClusterBarrier;
    thread.barrierThreads = 0;
    thread.state = Thread::WaitsAtBarrier;
    thread.at = at;
    return nullptr;
  });
  one.c = none;
  return true;
}

// --- Shuffles. d|imm: value and predicate; a: value, b: lane or distance, c: clamp and segments.
enum ShuffleMode : uint32_t { kUp, kDown, kButterfly, kIndex };

bool shuffle(Warp &warp, const Instruction *at, uint32_t mask) {
  uint32_t values[32] = {};
  forLanes(warp, mask, [&](Thread &thread) { values[thread.lane] = get<uint32_t>(thread, at->a); });
  bool inMask = true;
  forLanes(warp, mask, [&](Thread &thread) {
    uint32_t b = get<uint32_t>(thread, at->b) & 31, c = get<uint32_t>(thread, at->c);
    uint32_t clamp = c & 31, segments = c >> 8 & 31, lane = thread.lane;
    uint32_t highest = (lane & segments) | (clamp & ~segments), lowest = lane & segments;
    int from = 0;
    bool valid = false;
    switch (ShuffleMode(at->mode)) {
    case kUp:
      from = int(lane) - int(b);
      valid = from >= int(highest);
      break;
    case kDown:
      from = int(lane + b);
      valid = from <= int(highest);
      break;
    case kButterfly:
      from = int(lane ^ b);
      valid = from <= int(highest);
      break;
    case kIndex:
      from = int(lowest | (b & ~segments & 31));
      valid = from <= int(highest);
      break;
    }
    if (!valid)
      from = int(lane);
    if (!(mask >> from & 1)) {
      thread.fault(at, "the shuffle reads lane " + std::to_string(from) + ", which does not take part");
      inMask = false;
    }
    set<uint32_t>(thread, at->d, values[from]);
    if (at->imm)
      set<uint8_t>(thread, uint32_t(at->imm), valid);
  });
  return inMask;
}

bool decodeShuffle(Decoder &decoder, Opcode &opcode) {
  if (!opcode.take("sync"))
    return decoder.fail("shfl without .sync is not supported");
  std::string_view mode = opcode.takeOneOf({"up", "down", "bfly", "idx"});
  opcode.take("b32");
  if (!decoder.wants(5))
    return true;
  uint32_t d = decoder.destination(size_t(0)), second = decoder.secondDestination(decoder.operand(0));
  uint32_t a = decoder.source(1, Type::B32), b = decoder.source(2, Type::B32), c = decoder.source(3, Type::B32);
  uint32_t mask = decoder.source(4, Type::B32);
  Instruction &one = decoder.emit(waitForLanes);
  one.group = shuffle;
  one.d = d, one.a = a, one.b = b, one.c = c, one.e = mask;
  one.imm = second;
  one.mode = mode == "up" ? kUp : mode == "down" ? kDown : mode == "bfly" ? kButterfly : kIndex;
  return true;
}

// --- Votes.
enum VoteMode : uint32_t { kAll, kAny, kUniform, kBallot };

bool vote(Warp &warp, const Instruction *at, uint32_t mask) {
  uint32_t ballot = 0;
  forLanes(warp, mask, [&](Thread &thread) { ballot |= uint32_t(thread.slots[at->a] & 1) << thread.lane; });
  uint32_t result = at->mode == kAll       ? ballot == mask
                    : at->mode == kAny     ? ballot != 0
                    : at->mode == kUniform ? ballot == 0 || ballot == mask
                                           : ballot;
  forLanes(warp, mask, [&](Thread &thread) { set<uint32_t>(thread, at->d, result); });
  return true;
}

/// match.any: the lanes with the same value; match.all (mode 1): all lanes, where all values are the same.
template <class T> bool match(Warp &warp, const Instruction *at, uint32_t mask) {
  T values[32] = {};
  forLanes(warp, mask, [&](Thread &thread) { values[thread.lane] = get<T>(thread, at->a); });
  forLanes(warp, mask, [&](Thread &thread) {
    uint32_t same = 0;
    for (uint32_t lane = 0; lane < 32; ++lane)
      if (mask >> lane & 1 && values[lane] == values[thread.lane])
        same |= uint32_t(1) << lane;
    set<uint32_t>(thread, at->d, at->mode && same != mask ? 0 : same);
    if (at->imm)
      set<uint8_t>(thread, uint32_t(at->imm), same == mask);
  });
  return true;
}

// --- Reductions over lanes.
template <class T> using Fold = T (*)(T, T);
template <class T, Fold<T> fold> bool reduce(Warp &warp, const Instruction *at, uint32_t mask) {
  T result{};
  bool isFirst = true;
  forLanes(warp, mask, [&](Thread &thread) {
    T value = get<T>(thread, at->a);
    result = isFirst ? value : fold(result, value);
    isFirst = false;
  });
  forLanes(warp, mask, [&](Thread &thread) { set<T>(thread, at->d, result); });
  return true;
}
template <class T> T addOf(T a, T b) { return T(uint32_t(a) + uint32_t(b)); }
template <class T> T minOf(T a, T b) { return std::min(a, b); }
template <class T> T maxOf(T a, T b) { return std::max(a, b); }
template <class T> T andOf(T a, T b) { return a & b; }
template <class T> T orOf(T a, T b) { return a | b; }
template <class T> T xorOf(T a, T b) { return a ^ b; }

template <class T> GroupHandler reductionNamed(std::string_view name) {
  if (name == "add")
    return reduce<T, addOf<T>>;
  if (name == "min")
    return reduce<T, minOf<T>>;
  if (name == "max")
    return reduce<T, maxOf<T>>;
  if (name == "and")
    return reduce<T, andOf<T>>;
  return name == "or" ? reduce<T, orOf<T>> : name == "xor" ? reduce<T, xorOf<T>> : nullptr;
}

bool elect(Warp &warp, const Instruction *at, uint32_t mask) {
  uint32_t leader = std::countr_zero(mask);
  forLanes(warp, mask, [&](Thread &thread) {
    set<uint32_t>(thread, at->d, leader);
    if (at->imm)
      set<uint8_t>(thread, uint32_t(at->imm), thread.lane == leader);
  });
  return true;
}

bool activeMask(Warp &warp, const Instruction *at, uint32_t mask) {
  forLanes(warp, mask, [&](Thread &thread) { set<uint32_t>(thread, at->d, mask); });
  return true;
}

/// `op d|p, a, mask`.
bool emitOverLanes(Decoder &decoder, GroupHandler group, Type type, uint32_t mode) {
  if (!decoder.wants(3))
    return true;
  if (!group)
    return decoder.fail("the operation is not known");
  uint32_t d = decoder.destination(size_t(0)), second = decoder.secondDestination(decoder.operand(0));
  uint32_t a = decoder.source(1, type), mask = decoder.source(2, Type::B32);
  Instruction &one = decoder.emit(waitForLanes);
  one.group = group;
  one.d = d, one.a = a, one.e = mask;
  one.imm = second;
  one.mode = mode;
  return true;
}

} // namespace

bool decodeCollective(Decoder &decoder, Opcode &opcode) {
  std::string_view name = opcode.name;
  if (name == "bar" || name == "barrier") {
    if (opcode.take("cluster"))
      return decodeClusterBarrier(decoder, opcode);
    return decodeBarrier(decoder, opcode);
  }
  if (name == "shfl")
    return decodeShuffle(decoder, opcode);
  if (name == "activemask") {
    opcode.take("b32");
    if (!decoder.wants(1))
      return true;
    uint32_t d = decoder.destination(size_t(0));
    Instruction &one = decoder.emit(waitForActive);
    one.group = activeMask;
    one.d = d;
    return true;
  }
  if (name != "vote" && name != "match" && name != "redux" && name != "elect")
    return false;
  if (!opcode.take("sync"))
    return decoder.fail("without .sync it is not supported");
  if (name == "elect") {
    if (!decoder.wants(2))
      return true;
    uint32_t d = decoder.destination(size_t(0)), second = decoder.secondDestination(decoder.operand(0));
    uint32_t mask = decoder.source(1, Type::B32);
    Instruction &one = decoder.emit(waitForLanes);
    one.group = elect;
    one.d = d, one.e = mask, one.imm = second;
    return true;
  }
  std::string_view mode = opcode.takeOneOf({"all", "any", "uni", "ballot", "add", "min", "max", "and", "or", "xor"});
  Type type = opcode.takeLastType();
  if (name == "vote")
    return emitOverLanes(decoder, vote, Type::Pred,
                         mode == "all"   ? kAll
                         : mode == "any" ? kAny
                         : mode == "uni" ? kUniform
                                         : kBallot);
  if (name == "match")
    return emitOverLanes(decoder, bitsOf(type) == 64 ? match<uint64_t> : match<uint32_t>, type, mode == "all");
  return emitOverLanes(decoder, isSigned(type) ? reductionNamed<int32_t>(mode) : reductionNamed<uint32_t>(mode), type,
                       0);
}

} // namespace onnx_aot::ptx
