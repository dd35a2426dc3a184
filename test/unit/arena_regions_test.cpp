// Buffers in spare regions: every one lies where it may, the arena is never larger for it and never below its bound,
// and chains need one place of the arena.

#include "passes/buffer/ArenaPlanner.h"

#include "gtest/gtest.h"

#include <random>

using namespace onnx_aot;

namespace {

/// What must hold for every plan.
void expectValid(llvm::ArrayRef<PlannedBuffer> buffers, llvm::ArrayRef<SpareRegion> regions, const RegionPlan &plan) {
  ASSERT_EQ(plan.regions.size(), buffers.size());
  ASSERT_EQ(plan.arena.offsets.size(), buffers.size());
  EXPECT_GE(plan.arena.size, plan.arena.lowerBound);
  for (size_t i = 0; i < buffers.size(); ++i) {
    int64_t begin = plan.arena.offsets[i], end = begin + buffers[i].bytes;
    EXPECT_GE(begin, 0);
    if (plan.regions[i] < 0) {
      EXPECT_EQ(begin % buffers[i].alignment, 0);
      EXPECT_LE(end, plan.arena.size);
    } else {
      const SpareRegion &region = regions[plan.regions[i]];
      EXPECT_EQ(begin % buffers[i].elementAlignment, 0);
      EXPECT_LE(buffers[i].elementAlignment, region.alignment);
      EXPECT_LE(end, region.bytes);
      EXPECT_LT(buffers[i].last, region.until);
    }
    for (size_t j = 0; j < i; ++j) {
      bool meet = buffers[i].first <= buffers[j].last && buffers[j].first <= buffers[i].last;
      if (meet && plan.regions[i] == plan.regions[j])
        EXPECT_TRUE(end <= plan.arena.offsets[j] || plan.arena.offsets[j] + buffers[j].bytes <= begin)
            << "buffers " << j << " and " << i << " overlap";
    }
  }
}

TEST(ArenaRegions, PlansOfRandomLifetimesAreValidAndNoLarger) {
  std::mt19937_64 random(1);
  auto below = [&](uint64_t limit) { return int64_t(random() % limit); };
  int smaller = 0;
  for (int instance = 0; instance < 150; ++instance) {
    llvm::SmallVector<PlannedBuffer> buffers;
    int64_t steps = 1 + below(30), longest = 1 + below(steps), largest = 1 + below(3000);
    for (int64_t count = below(30); count > 0; --count) {
      int64_t first = below(steps), element = int64_t(1) << below(4);
      buffers.push_back({1 + below(largest), first, std::min(steps - 1, first + below(longest)),
                         std::max<int64_t>(element, int64_t(1) << below(7)), element});
    }
    llvm::SmallVector<SpareRegion> regions;
    for (int64_t count = below(4); count > 0; --count)
      regions.push_back({1 + below(6000), below(steps + 2), int64_t(1) << below(4)});
    RegionPlan plan = planRegions(buffers, regions);
    expectValid(buffers, regions, plan);
    int64_t alone = planArena(buffers).size;
    EXPECT_LE(plan.arena.size, alone);
    smaller += plan.arena.size < alone;
    if (HasFailure())
      FAIL() << "instance " << instance;
  }
  EXPECT_GT(smaller, 30);
}

/// The least that can be in the arena at its heaviest step: all choices of who lies there are tried, each on its own.
int64_t leastInArena(llvm::ArrayRef<PlannedBuffer> buffers, const SpareRegion &region) {
  int64_t least = INT64_MAX;
  for (unsigned chosen = 0; chosen < 1u << buffers.size(); ++chosen) {
    int64_t most = 0;
    bool fits = true;
    for (const PlannedBuffer &start : buffers) {
      int64_t arena = 0, spare = 0;
      for (size_t i = 0; i < buffers.size(); ++i)
        if (buffers[i].first <= start.first && start.first <= buffers[i].last)
          ((chosen >> i & 1) != 0 ? spare : arena) += buffers[i].bytes;
      most = std::max(most, arena);
      fits &= spare <= region.bytes;
    }
    for (size_t i = 0; i < buffers.size(); ++i)
      fits &= (chosen >> i & 1) == 0 || buffers[i].last < region.until;
    if (fits)
      least = std::min(least, most);
  }
  return least;
}

TEST(ArenaRegions, TheBoundIsOneAndIsMostlyReached) {
  std::mt19937_64 random(2);
  auto below = [&](uint64_t limit) { return int64_t(random() % limit); };
  int reached = 0, instances = 200;
  for (int instance = 0; instance < instances; ++instance) {
    llvm::SmallVector<PlannedBuffer> buffers;
    int64_t steps = 3 + below(8);
    for (int64_t count = 3 + below(8); count > 0; --count) {
      int64_t first = below(steps);
      buffers.push_back({1 + below(9), first, std::min(steps - 1, first + below(4))});
    }
    SpareRegion region{1 + below(15), below(steps + 1), 1};
    RegionPlan plan = planRegions(buffers, region);
    expectValid(buffers, region, plan);
    int64_t least = leastInArena(buffers, region);
    EXPECT_LE(plan.arena.lowerBound, least) << "instance " << instance;
    reached += plan.arena.size <= least;
  }
  EXPECT_GE(reached, instances * 9 / 10);
}

// Each layer's result lies in the output but the last one, which the operation that writes the output reads.
TEST(ArenaRegions, AChainNeedsThePlaceOfItsLastBuffer) {
  llvm::SmallVector<PlannedBuffer> buffers;
  for (int64_t step = 0; step < 8; ++step)
    buffers.push_back({512, step, step + 1, 8, 4});
  SpareRegion output{2560, 8, 4};
  RegionPlan plan = planRegions(buffers, output);
  expectValid(buffers, output, plan);
  EXPECT_EQ(plan.arena.size, 512);
  EXPECT_EQ(plan.arena.lowerBound, 512);
}

TEST(ArenaRegions, ElementsKeepTheirAlignment) {
  PlannedBuffer numbers{64, 0, 1, 8, 8};
  EXPECT_EQ(planRegions(numbers, SpareRegion{64, 2, 4}).arena.size, 64);
  EXPECT_EQ(planRegions(numbers, SpareRegion{64, 2, 8}).arena.size, 0);
}

} // namespace
