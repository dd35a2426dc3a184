// What goes on beside the threads of a block: mbarriers, copies in bulk, groups of matrix products. All of it happens
// as late as it may: when its completion is waited for.
#ifndef ONNX_AOT_TEST_DEVICE_EMULATOR_ASYNC_H
#define ONNX_AOT_TEST_DEVICE_EMULATOR_ASYNC_H

#include "Machine.h"

#include <map>

namespace onnx_aot::ptx {

/// A copy in bulk on its way; it completes `bytes` of an mbarrier, or belongs to a group of its thread.
struct BulkCopy {
  std::function<bool()> perform; ///< False after a fault.
  uint32_t bytes = 0;
};

struct AsyncState {
  std::map<uint64_t, std::vector<BulkCopy>> byBarrier; ///< By the address of the mbarrier in the shared space.
  std::map<uint64_t, std::vector<uint32_t>> clocks;    ///< Of the warps that arrived (see Races).
  std::map<uint32_t, std::vector<BulkCopy>> stores;    ///< By thread: not yet committed.
  std::map<uint32_t, std::deque<std::vector<BulkCopy>>> storeGroups;
  std::map<uint32_t, std::vector<std::function<bool()>>> products; ///< By warp: wgmma not yet committed.
  std::map<uint32_t, std::deque<std::vector<std::function<bool()>>>> productGroups;
};

/// The mbarrier at `address` has been told of `bytes` more; false after a fault.
bool completeBytes(Thread &thread, const Instruction *at, uint64_t address, uint32_t bytes);

class Decoder;
class Opcode;
bool decodeCopies(Decoder &, Opcode &);
bool decodeBulkCopies(Decoder &, Opcode &);
bool decodeMbarrier(Decoder &, Opcode &);
bool decodeWgmma(Decoder &, Opcode &);

} // namespace onnx_aot::ptx

#endif // ONNX_AOT_TEST_DEVICE_EMULATOR_ASYNC_H
