#include "Races.h"

#include <algorithm>

namespace onnx_aot::ptx {

void Races::start() {
  cells.assign(bytes, {});
  clocks.assign(warps, Clock(warps, 0));
  for (size_t warp = 0; warp < warps; ++warp)
    clocks[warp][warp] = 1;
}

bool Races::ordered(const Event &event, const Thread &thread) const {
  if (event.thread == ~uint32_t(0) || event.thread == thread.index)
    return true;
  uint32_t warp = event.thread / 32;
  // Within the warp a later time is enough; other warps must have heard of it since.
  return warp == thread.warp->index ? clocks[warp][warp] > event.time : clocks[thread.warp->index][warp] >= event.time;
}

std::string Races::note(const Thread &thread, uint64_t offset, uint64_t size, Access access, bool same) {
  uint32_t warp = thread.warp->index;
  Event event{thread.index, clocks[warp][warp], access == Atomic};
  auto race = [&](const Event &earlier, const char *what, uint64_t at) {
    return "race in shared memory: thread " + std::to_string(earlier.thread) + " of the block " + what + " byte " +
           std::to_string(at) + " and no barrier lies between";
  };
  for (uint64_t at = offset; at < offset + size; ++at) {
    Cell &cell = cells[at];
    bool bothAtomic = access == Atomic && cell.write.isAtomic;
    if (!ordered(cell.write, thread) && !bothAtomic && !(access == Write && same))
      return race(cell.write, "wrote", at);
    if (access == Read) {
      bool isFirst = cell.reads[0].thread == thread.index || ordered(cell.reads[0], thread);
      cell.reads[isFirst ? 0 : 1] = event;
      continue;
    }
    if (!same)
      for (const Event &read : cell.reads)
        if (!ordered(read, thread))
          return race(read, "read", at);
    cell.write = event;
  }
  return {};
}

void Races::meet(const std::vector<uint32_t> &members) {
  Clock joined(warps, 0);
  for (uint32_t member : members)
    for (size_t warp = 0; warp < warps; ++warp)
      joined[warp] = std::max(joined[warp], clocks[member][warp]);
  for (uint32_t member : members) {
    clocks[member] = joined;
    ++clocks[member][member];
  }
}

void Races::release(uint32_t warp, Clock &into) {
  into.resize(warps);
  for (size_t other = 0; other < warps; ++other)
    into[other] = std::max(into[other], clocks[warp][other]);
  ++clocks[warp][warp];
}

void Races::acquire(uint32_t warp, const Clock &from) {
  for (size_t other = 0; other < from.size(); ++other)
    if (other != warp)
      clocks[warp][other] = std::max(clocks[warp][other], from[other]);
  ++clocks[warp][warp];
}

} // namespace onnx_aot::ptx
