// Finds races in the shared memory of a block: two threads use a byte, one of them writes, and nothing orders the two.
//
// Order is kept by vector clocks, one per warp (Flanagan and Freund, "FastTrack", 2009, with warps for threads): each
// access is remembered with its thread and the clock of its warp; a barrier joins the clocks of those that meet and
// starts a new time for each. Lanes of one warp are ordered by what joins their warp with itself. An mbarrier takes
// over the clock of a warp one of whose lanes arrives. Writes of what is there already are no race, nor are atomics
// among themselves.
#ifndef ONNX_AOT_TEST_DEVICE_EMULATOR_RACES_H
#define ONNX_AOT_TEST_DEVICE_EMULATOR_RACES_H

#include "Machine.h"

namespace onnx_aot::ptx {

class Races {
public:
  using Clock = std::vector<uint32_t>; ///< By warp.
  Races(size_t bytes, size_t warps) : bytes(bytes), warps(warps) {}
  void start();

  enum Access { Read, Write, Atomic };
  /// What another thread did to [offset, offset + size) without order, or an empty string. `same`: the write changes
  /// nothing.
  std::string note(const Thread &thread, uint64_t offset, uint64_t size, Access access, bool same = false);

  /// Those of `warps` meet at a barrier.
  void meet(const std::vector<uint32_t> &warps);
  void release(uint32_t warp, Clock &into);
  void acquire(uint32_t warp, const Clock &from);

private:
  struct Event {
    uint32_t thread = ~uint32_t(0), time = 0;
    bool isAtomic = false;
  };
  struct Cell {
    Event write, reads[2]; ///< Reads of two threads: enough to see that another one read it.
  };
  bool ordered(const Event &event, const Thread &thread) const;
  size_t bytes, warps;
  std::vector<Cell> cells;
  std::vector<Clock> clocks;
};

} // namespace onnx_aot::ptx

#endif // ONNX_AOT_TEST_DEVICE_EMULATOR_RACES_H
