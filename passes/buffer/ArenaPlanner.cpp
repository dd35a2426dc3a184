//===- ArenaPlanner.cpp - offsets for buffers with known lifetimes ------------------------------------------------===//
//
// Buffers are placed one by one, each into the smallest gap between those already placed that are live at the same
// time (or behind them all). The order decides: by size, by lifetime's length, by start, and by the heaviest step
// first are tried. Chains, in which each buffer meets the next alone, are packed perfectly from both ends of an arena of
// the least possible size: that is tried first.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "passes/buffer/ArenaPlanner.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <map>

using namespace llvm;
using namespace onnx_aot;

static bool meet(const PlannedBuffer &a, const PlannedBuffer &b) { return a.first <= b.last && b.first <= a.last; }

/// Places buffers in `order`; returns the size of the arena.
static int64_t place(ArrayRef<PlannedBuffer> buffers, ArrayRef<size_t> order, int64_t alignment,
                     SmallVectorImpl<int64_t> &offsets) {
  offsets.assign(buffers.size(), 0);
  SmallVector<size_t> placed; // by offset
  int64_t size = 0;
  for (size_t index : order) {
    const PlannedBuffer &buffer = buffers[index];
    int64_t best = -1, bestGap = INT64_MAX, end = 0;
    for (size_t other : placed) {
      if (!meet(buffer, buffers[other]))
        continue;
      int64_t gap = offsets[other] - end;
      if (gap >= buffer.bytes && gap < bestGap) {
        best = end;
        bestGap = gap;
      }
      end = std::max<int64_t>(end, alignTo(offsets[other] + buffers[other].bytes, alignment));
    }
    offsets[index] = best < 0 ? end : best;
    placed.insert(upper_bound(placed, index, [&](size_t a, size_t b) { return offsets[a] < offsets[b]; }), index);
    size = std::max(size, offsets[index] + buffer.bytes);
  }
  return size;
}

/// Places buffers by their start, each at the end of an arena of `limit` bytes that the one before did not take if it
/// fits there. False where one fits nowhere.
static bool placeFromBothEnds(ArrayRef<PlannedBuffer> buffers, ArrayRef<size_t> order, int64_t alignment, int64_t limit,
                              SmallVectorImpl<int64_t> &offsets) {
  offsets.assign(buffers.size(), 0);
  SmallVector<size_t> placed; // by offset
  bool fromTop = true;
  for (size_t index : order) {
    const PlannedBuffer &buffer = buffers[index];
    int64_t low = 0, high = limit - buffer.bytes;
    for (size_t other : placed)
      if (meet(buffer, buffers[other]) && offsets[other] < low + buffer.bytes)
        low = std::max<int64_t>(low, alignTo(offsets[other] + buffers[other].bytes, alignment));
    for (size_t other : reverse(placed))
      if (meet(buffer, buffers[other]) && offsets[other] + buffers[other].bytes > high / alignment * alignment)
        high = std::min(high, offsets[other] - buffer.bytes);
    bool lowFits = low + buffer.bytes <= limit;
    if (!lowFits && high < 0)
      return false;
    fromTop = high >= 0 && (!fromTop || !lowFits);
    offsets[index] = fromTop ? high / alignment * alignment : low;
    placed.insert(upper_bound(placed, index, [&](size_t a, size_t b) { return offsets[a] < offsets[b]; }), index);
  }
  return true;
}

ArenaPlan onnx_aot::planArena(ArrayRef<PlannedBuffer> buffers, int64_t alignment) {
  ArenaPlan plan;
  plan.offsets.assign(buffers.size(), 0);
  if (buffers.empty())
    return plan;
  // Live bytes at each buffer's first step; the maximum is reached at one of them. The buffer that lies last needs no
  // padding behind it.
  SmallVector<int64_t> live(buffers.size(), 0);
  for (auto [index, buffer] : enumerate(buffers)) {
    int64_t padding = 0;
    for (const PlannedBuffer &other : buffers)
      if (other.first <= buffer.first && buffer.first <= other.last) {
        live[index] += alignTo(other.bytes, alignment);
        padding = std::max<int64_t>(padding, alignTo(other.bytes, alignment) - other.bytes);
      }
    plan.lowerBound = std::max(plan.lowerBound, live[index] - padding);
  }
  // The heaviest step at which each buffer is live.
  SmallVector<int64_t> pressure(buffers.size(), 0);
  for (auto [index, buffer] : enumerate(buffers))
    for (auto [at, other] : enumerate(buffers))
      if (buffer.first <= other.first && other.first <= buffer.last)
        pressure[index] = std::max(pressure[index], live[at]);

  using Key = std::pair<int64_t, int64_t>;
  const std::function<Key(size_t)> keys[] = {
      [&](size_t i) { return Key(-buffers[i].bytes, buffers[i].first); },
      [&](size_t i) { return Key(buffers[i].first - buffers[i].last, -buffers[i].bytes); },
      [&](size_t i) { return Key(buffers[i].first, -buffers[i].bytes); },
      [&](size_t i) { return Key(-pressure[i], -buffers[i].bytes); },
  };
  auto ordered = [&](const auto &key) {
    SmallVector<size_t> order = to_vector(seq<size_t>(0, buffers.size()));
    stable_sort(order, [&](size_t a, size_t b) { return key(a) < key(b); });
    return order;
  };
  plan.size = INT64_MAX;
  int64_t limit = alignTo(plan.lowerBound, alignment);
  if (placeFromBothEnds(buffers, ordered(keys[2]), alignment, limit, plan.offsets)) {
    plan.size = 0;
    for (auto [buffer, offset] : zip(buffers, plan.offsets))
      plan.size = std::max(plan.size, offset + buffer.bytes);
  }
  for (const auto &key : keys) {
    SmallVector<size_t> order = ordered(key);
    SmallVector<int64_t> offsets;
    int64_t size = place(buffers, order, alignment, offsets);
    if (size < plan.size) {
      plan.size = size;
      plan.offsets = offsets;
    }
  }
  return plan;
}
