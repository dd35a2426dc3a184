// The state of a launch: the block that runs, its warps and threads; and how handlers read and write a thread.
#ifndef ONNX_AOT_TEST_DEVICE_EMULATOR_MACHINE_H
#define ONNX_AOT_TEST_DEVICE_EMULATOR_MACHINE_H

#include "Program.h"

#include <bit>
#include <cstring>

namespace onnx_aot::ptx {

struct Block;
class Races;
struct AsyncState;

struct Frame {
  std::vector<uint64_t> slots;
  const Function *function = nullptr;
  const CallSite *call = nullptr; ///< That made it.
  const Instruction *returnTo = nullptr;
  uint64_t localBase = 0, paramBase = 0; ///< In the local memory of the thread; the first is the lower.
};

struct CopyInFlight {
  uint64_t destination; ///< In shared memory.
  std::array<std::byte, 16> bytes;
  uint32_t size;
};

struct Thread {
  uint64_t *slots = nullptr; ///< Of the innermost frame.
  const Instruction *at = nullptr;
  Block *block = nullptr;
  Warp *warp = nullptr;
  uint32_t lane = 0, index = 0; ///< In the warp; in the block.
  std::array<uint32_t, 3> position{};
  enum State : uint8_t { Ready, Polls, WaitsForLanes, WaitsForActive, WaitsAtBarrier, Ended } state = Ready;
  uint32_t mask = 0;                        ///< Of the lanes that it waits for.
  uint32_t barrier = 0, barrierThreads = 0; ///< 0 threads: all.
  uint32_t branches = 0;                    ///< Taken backwards since it was last interrupted.
  uint32_t depth = 0;                       ///< Number of frames.
  bool carry = false;                       ///< Of add.cc and its like.
  std::vector<Frame> frames;
  std::vector<std::byte> local;     ///< Variables and parameters of functions: both have local addresses.
  std::vector<CopyInFlight> copies; ///< Of cp.async, not yet committed.
  std::deque<std::vector<CopyInFlight>> copyGroups;

  /// Records a fault at `at`; null, so that handlers can return it.
  const Instruction *fault(const Instruction *at, std::string reason);
  Frame &frame() { return frames[depth - 1]; }
};

struct Warp {
  Block *block = nullptr;
  uint32_t index = 0;
  std::vector<Thread *> lanes; ///< 32, null where the block has no thread.
  uint32_t live() const;
  Thread &lane(uint32_t number) { return *lanes[number]; }
};

/// Answers of the launch's MemoryCheck, remembered by blocks of 256 bytes.
class MemoryGuard {
public:
  MemoryGuard(const MemoryCheck &check, const Program &program) : check(check), program(program) {}
  /// Whether the whole block of 256 bytes was allowed before.
  bool remembers(uint64_t address, bool isWrite) const {
    uint64_t line = address >> 8;
    return (isWrite ? writable : readable)[line % kLines] == line;
  }
  bool allows(uint64_t address, uint64_t size, bool isWrite) {
    if (address >> 8 == (address + size - 1) >> 8 && remembers(address, isWrite))
      return true;
    return ask(address, size, isWrite);
  }

private:
  static constexpr size_t kLines = 4096;
  bool ask(uint64_t address, uint64_t size, bool isWrite);
  bool permits(uint64_t address, uint64_t size, bool isWrite) const;
  const MemoryCheck &check;
  const Program &program;
  std::vector<uint64_t> readable = std::vector<uint64_t>(kLines, ~uint64_t(0)), writable = readable;
};

struct NamedBarrier {
  uint32_t arrived = 0;        ///< By bar.arrive, without waiting.
  std::vector<uint32_t> clock; ///< Of the warps that arrived (see Races).
};

struct Block {
  const Program *program = nullptr;
  const Kernel *kernel = nullptr;
  const Launch *launch = nullptr;
  MemoryGuard *guard = nullptr;
  Races *races = nullptr; ///< Null: not looked for.
  Dim3 position;
  const std::vector<std::vector<uint64_t>> *images = nullptr; ///< Of frames, by function.
  std::vector<std::byte> shared;                              ///< From kSharedBase on.
  std::vector<std::byte> kernelParameters;
  std::vector<Thread> threads;
  std::vector<Warp> warps;
  std::array<NamedBarrier, 17> barriers; ///< The last one is that of the cluster.
  std::shared_ptr<AsyncState> async;
  std::optional<Fault> fault;
  uint64_t interruptions = 0;

  /// Runs all threads to their end; false after a fault.
  bool run();

private:
  bool runWarp(Warp &warp);
  bool resolveCollectives(Warp &warp);
  bool resolveActive(Warp &warp);
  bool releaseBarriers();
  void reportDeadlock();
};

/// Puts a frame for `function` on top.
void enterFunction(Thread &thread, const Function &function, const CallSite *call, const Instruction *returnTo);

template <class T> inline T get(const Thread &thread, uint32_t slot) {
  static_assert(std::endian::native == std::endian::little && sizeof(T) <= 8);
  T value;
  std::memcpy(&value, thread.slots + slot, sizeof(T));
  return value;
}
template <class T> inline void set(Thread &thread, uint32_t slot, T value) {
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  thread.slots[slot] = bits;
}

} // namespace onnx_aot::ptx

#endif // ONNX_AOT_TEST_DEVICE_EMULATOR_MACHINE_H
