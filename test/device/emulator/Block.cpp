// Who runs when. A thread runs until it waits or ends. When no lane of a warp can go on, the collective operations that
// its lanes have reached are done; when no warp can, the barriers of the block.

#include "Collectives.h"
#include "Machine.h"
#include "Races.h"

#include <algorithm>

namespace onnx_aot::ptx {
namespace {

/// So often may threads be interrupted in loops before the block counts as one that does not end: some 10^10 branches.
constexpr uint64_t kMostInterruptions = 10000;

void execute(Thread &thread) {
  for (const Instruction *at = thread.at; at;)
    at = at->run(thread, at);
}

} // namespace

uint32_t Warp::live() const {
  uint32_t mask = 0;
  for (uint32_t lane = 0; lane < 32; ++lane)
    if (lanes[lane] && lanes[lane]->state != Thread::Ended)
      mask |= uint32_t(1) << lane;
  return mask;
}

bool Block::run() {
  for (uint32_t idleRounds = 0;;) {
    bool progress = false, polls = false, alive = false;
    for (Warp &warp : warps) {
      progress |= runWarp(warp);
      if (fault)
        return false;
    }
    progress |= releaseBarriers();
    if (fault)
      return false;
    for (Thread &thread : threads) {
      alive |= thread.state != Thread::Ended;
      if (thread.state == Thread::Polls) {
        polls = true;
        thread.state = Thread::Ready;
      }
    }
    if (!alive)
      return true;
    // Threads that look at an mbarrier again and again may still change something between two looks.
    idleRounds = progress ? 0 : idleRounds + 1;
    if (!progress && (!polls || idleRounds > 64)) {
      reportDeadlock();
      return false;
    }
  }
}

bool Block::runWarp(Warp &warp) {
  bool progress = false;
  do {
    for (Thread *thread : warp.lanes) {
      while (thread && thread->state == Thread::Ready) {
        execute(*thread);
        if (fault)
          return false;
        if (thread->state != Thread::Polls)
          progress = true;
        if (thread->state == Thread::Ready && ++interruptions > kMostInterruptions) {
          thread->fault(thread->at, "the kernel does not come to an end");
          return false;
        }
        if (thread->state == Thread::Ready)
          break; // Interrupted in a loop: another's turn.
      }
    }
    if (fault)
      return false;
  } while (resolveCollectives(warp) || (!fault && resolveActive(warp)));
  return progress;
}

bool Block::resolveCollectives(Warp &warp) {
  bool resolved = false;
  uint32_t live = warp.live();
  for (uint32_t lane = 0; lane < 32; ++lane) {
    Thread *thread = warp.lanes[lane];
    if (!thread || thread->state != Thread::WaitsForLanes)
      continue;
    const Instruction *at = thread->at;
    uint32_t mask = thread->mask & live;
    if (!(mask >> lane & 1)) {
      thread->fault(at, "the lane is not in the mask that it gives");
      return false;
    }
    bool complete = true;
    for (uint32_t other = 0; other < 32 && complete; ++other)
      if (mask >> other & 1) {
        const Thread &peer = *warp.lanes[other];
        complete = peer.state == Thread::WaitsForLanes && peer.at == at && peer.mask == thread->mask;
      }
    if (!complete)
      continue;
    if (!at->group(warp, at, mask))
      return false;
    for (uint32_t other = 0; other < 32; ++other)
      if (mask >> other & 1) {
        warp.lanes[other]->state = Thread::Ready;
        warp.lanes[other]->at = at + 1;
      }
    resolved = true;
  }
  return resolved;
}

bool Block::resolveActive(Warp &warp) {
  const Instruction *at = nullptr;
  uint32_t mask = 0;
  for (uint32_t lane = 0; lane < 32; ++lane) {
    Thread *thread = warp.lanes[lane];
    if (!thread)
      continue;
    if (thread->state == Thread::Ready)
      return true; // They may come here too.
    if (thread->state == Thread::WaitsForActive && (!at || at == thread->at)) {
      at = thread->at;
      mask |= uint32_t(1) << lane;
    }
  }
  if (!at || !at->group(warp, at, mask))
    return false;
  for (uint32_t lane = 0; lane < 32; ++lane)
    if (mask >> lane & 1) {
      warp.lanes[lane]->state = Thread::Ready;
      warp.lanes[lane]->at = at + 1;
    }
  return true;
}

bool Block::releaseBarriers() {
  uint32_t live = 0;
  for (const Thread &thread : threads)
    live += thread.state != Thread::Ended;
  bool released = false;
  for (uint32_t number = 0; number < barriers.size(); ++number) {
    std::vector<Thread *> waiting;
    uint32_t expected = 0;
    for (Thread &thread : threads)
      if (thread.state == Thread::WaitsAtBarrier && thread.barrier == number) {
        if (!waiting.empty() && thread.barrierThreads != waiting.front()->barrierThreads) {
          thread.fault(thread.at,
                       "threads wait at barrier " + std::to_string(number) + " for different numbers of threads");
          return false;
        }
        expected = thread.barrierThreads ? thread.barrierThreads : live;
        waiting.push_back(&thread);
      }
    if (waiting.empty() || waiting.size() + barriers[number].arrived < expected)
      continue;
    if (!passBarrier(*this, waiting))
      return false;
    barriers[number].arrived = 0;
    released = true;
  }
  return released;
}

void Block::reportDeadlock() {
  for (Thread &thread : threads)
    if (thread.state != Thread::Ended) {
      uint32_t waiting = 0;
      for (const Thread &other : threads)
        waiting += other.state != Thread::Ended;
      thread.fault(thread.at,
                   "deadlock: " + std::to_string(waiting) + " threads wait and none can go on; this one waits here");
      return;
    }
}

} // namespace onnx_aot::ptx
