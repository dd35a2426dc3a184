//===- ArenaPlanner.cpp - offsets for buffers with known lifetimes ------------------------------------------------===//
//
// 1. Buffers are cut into spans of time that no buffer crosses; each span is planned alone.
// 2. Chains, in which each buffer meets the next alone, are packed perfectly from both ends of an arena of the least
//    possible size: that is tried first.
// 3. Greedy best fit (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020): buffers
// are
//    placed one by one, each into the smallest gap between those already placed that are live at the same time, or
//    behind them all. The order decides: by size, by lifetime's length, by start, and by the heaviest step first are
//    tried.
// 4. The best order is improved: the buffer that reaches highest is placed earlier.
// 5. What is still above the bound is searched for by branch and bound (ArenaSearch.cpp).
//
// Steps 4 and 5 are for the full effort. They are limited in work, not in time: the same buffers get the same plan on
// every machine.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "passes/buffer/ArenaPlanner.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <functional>
#include <random>

using namespace llvm;
using namespace onnx_aot;

/// Elementary steps, some of which take about a nanosecond.
static constexpr int64_t kWorkOnOrders = 2'000'000, kWorkOnSearch = 2'000'000;
/// The search goes as deep as there are buffers.
static constexpr size_t kMostSearched = 256;

static bool meet(const PlannedBuffer &a, const PlannedBuffer &b) { return a.first <= b.last && b.first <= a.last; }

static int64_t sizeOf(ArrayRef<PlannedBuffer> buffers, ArrayRef<int64_t> offsets) {
  int64_t size = 0;
  for (auto [buffer, offset] : zip(buffers, offsets))
    size = std::max(size, offset + buffer.bytes);
  return size;
}

/// Places buffers in `order`, each into the smallest gap; returns the size of the arena.
static int64_t place(ArrayRef<PlannedBuffer> buffers, ArrayRef<size_t> order, SmallVectorImpl<int64_t> &offsets) {
  offsets.assign(buffers.size(), 0);
  SmallVector<size_t> placed; // by offset
  for (size_t index : order) {
    const PlannedBuffer &buffer = buffers[index];
    int64_t best = -1, bestGap = INT64_MAX, end = 0;
    for (size_t other : placed) {
      if (!meet(buffer, buffers[other]))
        continue;
      int64_t begin = alignTo(end, buffer.alignment), gap = offsets[other] - begin;
      if (gap >= buffer.bytes && gap < bestGap) {
        best = begin;
        bestGap = gap;
      }
      end = std::max(end, offsets[other] + buffers[other].bytes);
    }
    offsets[index] = best < 0 ? int64_t(alignTo(end, buffer.alignment)) : best;
    placed.insert(upper_bound(placed, index, [&](size_t a, size_t b) { return offsets[a] < offsets[b]; }), index);
  }
  return sizeOf(buffers, offsets);
}

/// Places buffers by their start, each at the end of an arena of `limit` bytes that the one before did not take if it
/// fits there. False where one fits nowhere.
static bool placeFromBothEnds(ArrayRef<PlannedBuffer> buffers, ArrayRef<size_t> order, int64_t limit,
                              SmallVectorImpl<int64_t> &offsets) {
  offsets.assign(buffers.size(), 0);
  SmallVector<size_t> placed; // by offset
  bool fromTop = true;
  for (size_t index : order) {
    const PlannedBuffer &buffer = buffers[index];
    auto down = [&](int64_t offset) { return offset < 0 ? offset : int64_t(alignDown(offset, buffer.alignment)); };
    int64_t low = 0, high = down(limit - buffer.bytes);
    for (size_t other : placed)
      if (meet(buffer, buffers[other]) && offsets[other] < low + buffer.bytes)
        low = std::max<int64_t>(low, alignTo(offsets[other] + buffers[other].bytes, buffer.alignment));
    for (size_t other : reverse(placed))
      if (meet(buffer, buffers[other]) && offsets[other] + buffers[other].bytes > high)
        high = std::min(high, down(offsets[other] - buffer.bytes));
    bool lowFits = low + buffer.bytes <= limit;
    if (!lowFits && high < 0)
      return false;
    fromTop = high >= 0 && (!fromTop || !lowFits);
    offsets[index] = fromTop ? high : low;
    placed.insert(upper_bound(placed, index, [&](size_t a, size_t b) { return offsets[a] < offsets[b]; }), index);
  }
  return true;
}

/// Live bytes at each buffer's first step; the maximum is reached at one of them.
static SmallVector<int64_t> liveAtStarts(ArrayRef<PlannedBuffer> buffers) {
  SmallVector<int64_t> live(buffers.size(), 0);
  for (auto [sum, buffer] : zip(live, buffers))
    for (const PlannedBuffer &other : buffers)
      if (other.first <= buffer.first && buffer.first <= other.last)
        sum += other.bytes;
  return live;
}

namespace {
/// Plans buffers that one span of time connects.
class SpanPlanner {
public:
  /// A plan of `goal` bytes is good enough.
  SpanPlanner(ArrayRef<PlannedBuffer> buffers, ArrayRef<int64_t> live, int64_t goal, Effort effort)
      : buffers(buffers), live(live), goal(goal), effort(effort) {}

  SmallVector<int64_t> run() {
    SmallVector<size_t> byStart = ordered([&](size_t i) { return Key(buffers[i].first, -buffers[i].bytes); });
    SmallVector<int64_t> candidate;
    if (placeFromBothEnds(buffers, byStart, goal, candidate))
      take(sizeOf(buffers, candidate), candidate);
    greedy(byStart);
    if (effort == Effort::Greedy)
      return offsets;
    if (size > goal)
      improveOrder();
    if (size > goal && buffers.size() <= kMostSearched)
      search();
    return offsets;
  }

private:
  using Key = std::pair<int64_t, int64_t>;

  SmallVector<size_t> ordered(function_ref<Key(size_t)> key) const {
    SmallVector<size_t> order = to_vector(seq<size_t>(0, buffers.size()));
    sort(order, [&](size_t a, size_t b) { return std::pair(key(a), a) < std::pair(key(b), b); });
    return order;
  }

  bool take(int64_t candidateSize, const SmallVectorImpl<int64_t> &candidate) {
    if (candidateSize >= size)
      return false;
    size = candidateSize;
    offsets.assign(candidate.begin(), candidate.end());
    return true;
  }

  void greedy(ArrayRef<size_t> byStart) {
    // The heaviest step at which each buffer is live.
    SmallVector<int64_t> pressure(buffers.size(), 0);
    for (auto [index, buffer] : enumerate(buffers))
      for (auto [at, other] : enumerate(buffers))
        if (buffer.first <= other.first && other.first <= buffer.last)
          pressure[index] = std::max(pressure[index], live[at]);
    int64_t smallest = INT64_MAX;
    SmallVector<int64_t> candidate;
    auto tryOrder = [&](SmallVector<size_t> order) {
      int64_t candidateSize = place(buffers, order, candidate);
      take(candidateSize, candidate);
      if (candidateSize < smallest) {
        smallest = candidateSize;
        bestOrder = std::move(order);
      }
    };
    tryOrder(ordered([&](size_t i) { return Key(-buffers[i].bytes, buffers[i].first); }));
    tryOrder(ordered([&](size_t i) { return Key(buffers[i].first - buffers[i].last, -buffers[i].bytes); }));
    tryOrder(SmallVector<size_t>(byStart));
    tryOrder(ordered([&](size_t i) { return Key(-pressure[i], -buffers[i].bytes); }));
  }

  /// Moves the buffer that reaches highest to the front, or to a place drawn at random, as long as that does not harm.
  void improveOrder() {
    std::minstd_rand random; // the same numbers in every run
    SmallVector<int64_t> candidate;
    int64_t count = buffers.size(), current = place(buffers, bestOrder, candidate);
    SmallVector<int64_t> currentOffsets = candidate;
    for (int64_t work = kWorkOnOrders; work > 0 && size > goal; work -= count * count + 1) {
      SmallVector<size_t> order = bestOrder;
      size_t highest = 0;
      for (auto [position, index] : enumerate(order))
        if (currentOffsets[index] + buffers[index].bytes == current)
          highest = position;
      // Any other, now and then: what lies below it may be what keeps it up.
      size_t from = random() % 3 == 0 ? random() % order.size() : highest;
      size_t to = random() % (from + 1);
      std::rotate(order.begin() + to, order.begin() + from, order.begin() + from + 1);
      int64_t candidateSize = place(buffers, order, candidate);
      if (candidateSize > current)
        continue;
      current = candidateSize;
      currentOffsets = candidate;
      bestOrder = std::move(order);
      take(current, currentOffsets);
    }
  }

  /// Branch and bound for the goal, and for half of what is left above it as long as the work lasts.
  void search() {
    int64_t unreached = goal - 1, limit = goal; // nothing is known to fit into the first
    for (int64_t work = kWorkOnSearch; size > goal && unreached < size - 1;) {
      int64_t share = work / 2;
      SmallVector<int64_t> candidate;
      bool found = searchArena(buffers, limit, share, candidate);
      work = work / 2 + std::max<int64_t>(share, 0);
      if (found)
        take(sizeOf(buffers, candidate), candidate);
      else
        unreached = limit;
      if (work < 1000)
        return;
      limit = unreached + (size - unreached) / 2;
    }
  }

  ArrayRef<PlannedBuffer> buffers;
  ArrayRef<int64_t> live;
  int64_t goal, size = INT64_MAX;
  Effort effort;
  SmallVector<size_t> bestOrder;
  SmallVector<int64_t> offsets;
};
} // namespace

ArenaPlan onnx_aot::planArena(ArrayRef<PlannedBuffer> buffers, Effort effort) {
  ArenaPlan plan;
  plan.offsets.assign(buffers.size(), 0);
  if (buffers.empty())
    return plan;
  SmallVector<int64_t> live = liveAtStarts(buffers);
  plan.lowerBound = *max_element(live);
  // What the least alignment of all makes of the bound, less the padding behind the last buffer.
  int64_t alignment = INT64_MAX;
  for (const PlannedBuffer &buffer : buffers)
    alignment = std::min(alignment, buffer.alignment);
  SmallVector<PlannedBuffer> padded(buffers);
  int64_t padding = 0;
  for (PlannedBuffer &buffer : padded) {
    int64_t bytes = alignTo(buffer.bytes, alignment);
    padding = std::max(padding, bytes - buffer.bytes);
    buffer.bytes = bytes;
  }
  int64_t goal = std::max(plan.lowerBound, *max_element(liveAtStarts(padded)) - padding);

  SmallVector<size_t> byStart = to_vector(seq<size_t>(0, buffers.size()));
  sort(byStart, [&](size_t a, size_t b) { return std::pair(buffers[a].first, a) < std::pair(buffers[b].first, b); });
  for (size_t begin = 0; begin < byStart.size();) {
    SmallVector<PlannedBuffer> span;
    SmallVector<int64_t> spanLive;
    int64_t last = buffers[byStart[begin]].last;
    size_t end = begin;
    for (; end < byStart.size() && (end == begin || buffers[byStart[end]].first <= last); ++end) {
      const PlannedBuffer &buffer = buffers[byStart[end]];
      last = std::max(last, buffer.last);
      span.push_back(buffer);
      spanLive.push_back(live[byStart[end]]);
    }
    SmallVector<int64_t> offsets = SpanPlanner(span, spanLive, goal, effort).run();
    for (size_t i = begin; i < end; ++i)
      plan.offsets[byStart[i]] = offsets[i - begin];
    begin = end;
  }
  plan.size = sizeOf(buffers, plan.offsets);
  return plan;
}
