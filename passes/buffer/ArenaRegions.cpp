//===- ArenaRegions.cpp - buffers beside the arena ----------------------------------------------------------------===//
//
// Which buffers lie in spare regions rather than in the arena. At the step at which most of the arena is in use, one of
// the buffers that are live there moves to a region, until none can at the heaviest step. In which order buffers are
// asked decides: the largest, the smallest, the longest and the shortest lived ones first are tried, and orders drawn
// at random. Of those with the least sum of live buffers left, the one whose arena is the smallest is taken.
//
// A buffer that does not fit beside those already in its region, which keep their places, is planned anew with them.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "passes/buffer/ArenaPlanner.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <numeric>
#include <random>
#include <vector>

using namespace llvm;
using namespace onnx_aot;

/// Orders that are drawn at random, and the most plans of an arena that are compared.
static constexpr int kRandomOrders = 12, kComparedPlans = 4;
/// Sums of bytes that the bound looks at, at one step.
static constexpr size_t kMostSums = 4096;
/// Regions with more buffers are not planned anew for another one.
static constexpr size_t kMostReplanned = 24;

static bool mayLieIn(const PlannedBuffer &buffer, const SpareRegion &region) {
  return buffer.last < region.until && buffer.bytes <= region.bytes && buffer.elementAlignment <= region.alignment;
}

static bool isLiveAt(const PlannedBuffer &buffer, int64_t step) { return buffer.first <= step && step <= buffer.last; }

/// The largest sum of some of `sizes` that is at most `capacity`, or more than that where there are too many sums.
static int64_t largestSum(ArrayRef<int64_t> sizes, int64_t capacity) {
  SmallVector<int64_t> sums = {0}; // ascending
  for (int64_t size : sizes) {
    SmallVector<int64_t> with, all;
    for (int64_t sum : sums)
      if (sum + size <= capacity)
        with.push_back(sum + size);
    std::set_union(sums.begin(), sums.end(), with.begin(), with.end(), std::back_inserter(all));
    if (all.size() > kMostSums)
      return std::min(capacity, std::accumulate(sizes.begin(), sizes.end(), int64_t(0)));
    sums = std::move(all);
  }
  return sums.back();
}

/// What must lie in the arena at the step where that is most, whatever regions take.
static int64_t lowerBound(ArrayRef<PlannedBuffer> buffers, ArrayRef<SpareRegion> regions) {
  int64_t bound = 0;
  for (const PlannedBuffer &start : buffers) {
    int64_t live = 0, movable = 0, taken = 0;
    for (const PlannedBuffer &buffer : buffers)
      if (isLiveAt(buffer, start.first)) {
        live += buffer.bytes;
        if (any_of(regions, [&](const SpareRegion &region) { return mayLieIn(buffer, region); }))
          movable += buffer.bytes;
      }
    for (const SpareRegion &region : regions) {
      SmallVector<int64_t> sizes;
      for (const PlannedBuffer &buffer : buffers)
        if (isLiveAt(buffer, start.first) && mayLieIn(buffer, region))
          sizes.push_back(buffer.bytes);
      taken += largestSum(sizes, region.bytes);
    }
    bound = std::max(bound, live - std::min(movable, taken));
  }
  return bound;
}

namespace {
/// Moves buffers to regions, those first that come first in an order.
class Mover {
public:
  Mover(ArrayRef<PlannedBuffer> buffers, ArrayRef<SpareRegion> regions)
      : buffers(buffers), regions(regions), placed(buffers.size(), -1), offsets(buffers.size(), 0),
        members(regions.size()) {
    for (const PlannedBuffer &start : buffers) {
      live.push_back(0);
      for (const PlannedBuffer &buffer : buffers)
        live.back() += isLiveAt(buffer, start.first) ? buffer.bytes : 0;
    }
  }

  void run(ArrayRef<size_t> order) {
    while (moveOne(order))
      continue;
  }

  /// Of live buffers that are left to the arena, at the heaviest step.
  int64_t heaviest() const { return *max_element(live); }

  RegionPlan plan() const {
    RegionPlan result;
    SmallVector<PlannedBuffer> rest;
    for (auto [buffer, region] : zip(buffers, placed))
      if (region < 0)
        rest.push_back(buffer);
    result.arena = planArena(rest);
    SmallVector<int64_t> all = offsets;
    size_t next = 0;
    for (auto [offset, region] : zip(all, placed))
      if (region < 0)
        offset = result.arena.offsets[next++];
    result.arena.offsets = std::move(all);
    result.regions = placed;
    return result;
  }

private:
  bool moveOne(ArrayRef<size_t> order) {
    int64_t step = buffers[max_element(live) - live.begin()].first;
    for (size_t index : order) {
      if (placed[index] >= 0 || !isLiveAt(buffers[index], step))
        continue;
      for (auto [number, region] : enumerate(regions)) {
        if (!mayLieIn(buffers[index], region) || !insert(index, number))
          continue;
        placed[index] = number;
        members[number].push_back(index);
        for (auto [sum, start] : zip(live, buffers))
          sum -= isLiveAt(buffers[index], start.first) ? buffers[index].bytes : 0;
        return true;
      }
    }
    return false;
  }

  PlannedBuffer inRegion(size_t index, size_t number) const {
    PlannedBuffer buffer = buffers[index];
    buffer.alignment = std::min(buffer.alignment, regions[number].alignment);
    return buffer;
  }

  /// Finds a place for buffer `index` in region `number`.
  bool insert(size_t index, size_t number) {
    PlannedBuffer buffer = inRegion(index, number);
    SmallVector<size_t> near;
    for (size_t other : members[number])
      if (buffer.first <= buffers[other].last && buffers[other].first <= buffer.last)
        near.push_back(other);
    sort(near, [&](size_t a, size_t b) { return std::pair(offsets[a], a) < std::pair(offsets[b], b); });
    int64_t end = 0;
    for (size_t other : near) {
      if (int64_t(alignTo(end, buffer.alignment)) + buffer.bytes <= offsets[other])
        break;
      end = std::max(end, offsets[other] + buffers[other].bytes);
    }
    end = alignTo(end, buffer.alignment);
    if (end + buffer.bytes <= regions[number].bytes) {
      offsets[index] = end;
      return true;
    }
    return members[number].size() < kMostReplanned && planAnew(index, number);
  }

  bool planAnew(size_t index, size_t number) {
    SmallVector<size_t> all = members[number];
    all.push_back(index);
    ArenaPlan plan = planArena(map_to_vector(all, [&](size_t i) { return inRegion(i, number); }), Effort::Greedy);
    if (plan.size > regions[number].bytes)
      return false;
    for (auto [member, offset] : zip(all, plan.offsets))
      offsets[member] = offset;
    return true;
  }

  ArrayRef<PlannedBuffer> buffers;
  ArrayRef<SpareRegion> regions;
  SmallVector<int> placed;      // the region of each buffer; -1: the arena
  SmallVector<int64_t> offsets; // in its region
  SmallVector<int64_t> live;    // in the arena, at each buffer's first step
  SmallVector<SmallVector<size_t>> members;
};
} // namespace

static std::vector<SmallVector<size_t>> ordersOf(ArrayRef<PlannedBuffer> buffers) {
  std::vector<SmallVector<size_t>> orders;
  auto add = [&](function_ref<int64_t(const PlannedBuffer &)> key) {
    SmallVector<std::pair<int64_t, size_t>> keyed;
    for (auto [index, buffer] : enumerate(buffers))
      keyed.push_back({key(buffer), index});
    sort(keyed);
    orders.push_back(to_vector(make_second_range(keyed)));
  };
  add([](const PlannedBuffer &buffer) { return -buffer.bytes; });
  add([](const PlannedBuffer &buffer) { return buffer.bytes; });
  add([](const PlannedBuffer &buffer) { return buffer.first - buffer.last; });
  add([](const PlannedBuffer &buffer) { return buffer.last - buffer.first; });
  std::minstd_rand random; // the same numbers in every run
  for (int i = 0; i < kRandomOrders; ++i)
    add([&](const PlannedBuffer &) { return int64_t(random()); });
  return orders;
}

RegionPlan onnx_aot::planRegions(ArrayRef<PlannedBuffer> buffers, ArrayRef<SpareRegion> regions) {
  RegionPlan best{planArena(buffers), SmallVector<int>(buffers.size(), -1)};
  bool isOfUse = any_of(buffers, [&](const PlannedBuffer &buffer) {
    return any_of(regions, [&](const SpareRegion &region) { return mayLieIn(buffer, region); });
  });
  if (!isOfUse)
    return best;
  std::vector<Mover> movers;
  SmallVector<std::pair<int64_t, size_t>> candidates;
  for (ArrayRef<size_t> order : ordersOf(buffers)) {
    movers.emplace_back(buffers, regions).run(order);
    candidates.push_back({movers.back().heaviest(), candidates.size()});
  }
  sort(candidates);
  int64_t bound = lowerBound(buffers, regions);
  for (auto [heaviest, index] : ArrayRef(candidates).take_front(kComparedPlans)) {
    if (best.arena.size <= heaviest)
      break;
    RegionPlan plan = movers[index].plan();
    if (plan.arena.size < best.arena.size)
      best = std::move(plan);
  }
  best.arena.lowerBound = bound;
  return best;
}
