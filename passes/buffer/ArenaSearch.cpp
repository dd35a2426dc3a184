//===- ArenaSearch.cpp - branch and bound for plans of an arena ---------------------------------------------------===//
//
// The search of Moffitt, "MiniMalloc: A Lightweight Memory Allocator for Hardware-Accelerated Machine Learning" (ASPLOS
// 2023): any plan can be pushed down until every buffer lies on the floor or on one that it meets, so that it is enough
// to place buffers in the order of their offsets, each on the highest one below it. Time is cut into sections, in which
// the same buffers are live; of a section only the height counts up to which it is taken.
//
// A branch ends where the height of a section and all that is still to be placed there exceed the limit. Buffers that
// lie at one height are placed in the order of their numbers, and none where another would fit entirely below it.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "passes/buffer/ArenaPlanner.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;
using namespace onnx_aot;

namespace {
class Search {
public:
  Search(ArrayRef<PlannedBuffer> buffers, int64_t limit, int64_t &work) : buffers(buffers), limit(limit), work(work) {
    SmallVector<int64_t> starts = to_vector(map_range(buffers, [](const PlannedBuffer &b) { return b.first; }));
    sort(starts);
    starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
    height.assign(starts.size(), 0);
    remaining.assign(starts.size(), 0);
    for (const PlannedBuffer &buffer : buffers) {
      size_t begin = lower_bound(starts, buffer.first) - starts.begin();
      size_t end = upper_bound(starts, buffer.last) - starts.begin();
      sections.push_back({begin, end});
      for (size_t section = begin; section < end; ++section)
        remaining[section] += buffer.bytes;
    }
    offsets.assign(buffers.size(), -1);
  }

  bool run() {
    return all_of(remaining, [&](int64_t bytes) { return bytes <= limit; }) && place(buffers.size(), 0, 0);
  }

  SmallVector<int64_t> offsets; // -1: not placed

private:
  struct Candidate {
    int64_t offset;
    size_t index;
  };

  /// Places the `left` buffers that have no place, at `lowest` or above; there, only numbers from `next` on.
  bool place(size_t left, int64_t lowest, size_t next) {
    if (left == 0)
      return true;
    SmallVector<Candidate, 32> candidates;
    int64_t lowestTop = INT64_MAX;
    for (auto [index, buffer] : enumerate(buffers)) {
      if (offsets[index] >= 0)
        continue;
      auto [begin, end] = sections[index];
      int64_t below = *std::max_element(&height[begin], &height[begin] + (end - begin));
      int64_t offset = alignTo(below, buffer.alignment);
      work -= 1 + int64_t(end - begin);
      if (offset + buffer.bytes > limit)
        return false;
      lowestTop = std::min(lowestTop, offset + buffer.bytes);
      if (offset > lowest || (offset == lowest && index >= next))
        candidates.push_back({offset, index});
    }
    erase_if(candidates, [&](const Candidate &candidate) { return candidate.offset >= lowestTop; });
    sort(candidates, [&](const Candidate &a, const Candidate &b) {
      return std::tuple(a.offset, -buffers[a.index].bytes, a.index) <
             std::tuple(b.offset, -buffers[b.index].bytes, b.index);
    });
    for (const Candidate &candidate : candidates) {
      if (work < 0)
        return false;
      if (tryAt(candidate, left))
        return true;
    }
    return false;
  }

  bool tryAt(const Candidate &candidate, size_t left) {
    auto [begin, end] = sections[candidate.index];
    int64_t bytes = buffers[candidate.index].bytes;
    SmallVector<int64_t, 16> before(&height[begin], &height[begin] + (end - begin));
    bool fits = true;
    for (size_t section = begin; section < end; ++section) {
      height[section] = candidate.offset + bytes;
      remaining[section] -= bytes;
      fits &= height[section] + remaining[section] <= limit;
    }
    offsets[candidate.index] = candidate.offset;
    if (fits && place(left - 1, candidate.offset, candidate.index + 1))
      return true;
    offsets[candidate.index] = -1;
    for (size_t section = begin; section < end; ++section) {
      height[section] = before[section - begin];
      remaining[section] += bytes;
    }
    return false;
  }

  ArrayRef<PlannedBuffer> buffers;
  int64_t limit;
  int64_t &work;
  SmallVector<std::pair<size_t, size_t>> sections; // of each buffer
  SmallVector<int64_t> height, remaining;          // of each section
};
} // namespace

bool onnx_aot::searchArena(ArrayRef<PlannedBuffer> buffers, int64_t limit, int64_t &work,
                           SmallVectorImpl<int64_t> &offsets) {
  Search search(buffers, limit, work);
  if (!search.run())
    return false;
  offsets.assign(search.offsets.begin(), search.offsets.end());
  return true;
}
