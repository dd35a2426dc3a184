// What several threads do together.
#ifndef ONNX_AOT_TEST_DEVICE_EMULATOR_COLLECTIVES_H
#define ONNX_AOT_TEST_DEVICE_EMULATOR_COLLECTIVES_H

#include "Machine.h"

namespace onnx_aot::ptx {

/// The thread waits here for the lanes that slot `e` names.
const Instruction *waitForLanes(Thread &, const Instruction *);

/// Lets `waiting`, all at one barrier of the block, go on; false after a fault.
bool passBarrier(Block &, const std::vector<Thread *> &waiting);

/// Calls `visit(Thread &)` for the lanes of `mask`.
template <class Visit> void forLanes(Warp &warp, uint32_t mask, Visit visit) {
  for (uint32_t lane = 0; lane < 32; ++lane)
    if (mask >> lane & 1)
      visit(warp.lane(lane));
}

} // namespace onnx_aot::ptx

#endif // ONNX_AOT_TEST_DEVICE_EMULATOR_COLLECTIVES_H
