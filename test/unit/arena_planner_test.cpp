// The arena planner: its plans are valid for any lifetimes, never below the bound, and tight where that is easy.

#include "passes/buffer/ArenaPlanner.h"

#include "gtest/gtest.h"

#include <random>

using namespace onnx_aot;

namespace {

constexpr int64_t kAlignment = 64;

bool liveTogether(const PlannedBuffer &a, const PlannedBuffer &b) { return a.first <= b.last && b.first <= a.last; }

/// What must hold for every plan.
void expectValid(llvm::ArrayRef<PlannedBuffer> buffers, const ArenaPlan &plan) {
  ASSERT_EQ(plan.offsets.size(), buffers.size());
  EXPECT_GE(plan.size, plan.lowerBound);
  for (size_t i = 0; i < buffers.size(); ++i) {
    int64_t end = plan.offsets[i] + buffers[i].bytes;
    EXPECT_EQ(plan.offsets[i] % kAlignment, 0);
    EXPECT_GE(plan.offsets[i], 0);
    EXPECT_LE(end, plan.size);
    for (size_t j = 0; j < i; ++j)
      if (liveTogether(buffers[i], buffers[j]))
        EXPECT_TRUE(end <= plan.offsets[j] || plan.offsets[j] + buffers[j].bytes <= plan.offsets[i])
            << "buffers " << j << " and " << i << " overlap";
  }
}

TEST(ArenaPlanner, PlansOfRandomLifetimesAreValid) {
  std::mt19937_64 random(1);
  auto below = [&](uint64_t limit) { return int64_t(random() % limit); };
  for (int instance = 0; instance < 4000; ++instance) {
    llvm::SmallVector<PlannedBuffer> buffers;
    int64_t steps = 1 + below(30), longest = 1 + below(steps), largest = 1 + below(3000);
    for (int64_t count = below(40); count > 0; --count) {
      int64_t first = below(steps);
      buffers.push_back({1 + below(largest), first, std::min(steps - 1, first + below(longest))});
    }
    expectValid(buffers, planArena(buffers, kAlignment));
    if (HasFailure())
      FAIL() << "instance " << instance;
  }
}

TEST(ArenaPlanner, NothingNeedsNothing) {
  ArenaPlan plan = planArena({}, kAlignment);
  EXPECT_EQ(plan.size, 0);
  EXPECT_TRUE(plan.offsets.empty());
}

// The buffer that lies last is not padded.
TEST(ArenaPlanner, OneBufferIsItsOwnArena) {
  ArenaPlan plan = planArena({{10, 0, 3}}, kAlignment);
  EXPECT_EQ(plan.size, 10);
  EXPECT_EQ(plan.lowerBound, 10);
}

// Layer after layer, each buffer read by the next alone: two places are enough, at the two ends of the arena.
TEST(ArenaPlanner, ChainsMeetTheBound) {
  std::mt19937_64 random(2);
  for (int instance = 0; instance < 200; ++instance) {
    llvm::SmallVector<PlannedBuffer> buffers;
    for (int64_t step = 0; step < 20; ++step)
      buffers.push_back({kAlignment * int64_t(1 + random() % 50), step, step + 1});
    ArenaPlan plan = planArena(buffers, kAlignment);
    expectValid(buffers, plan);
    EXPECT_EQ(plan.size, plan.lowerBound) << "instance " << instance;
  }
}

// A long-lived buffer beside a chain, as a residual connection makes it.
TEST(ArenaPlanner, ResidualMeetsTheBound) {
  llvm::SmallVector<PlannedBuffer> buffers = {{1024, 0, 3}, {2048, 1, 2}, {1024, 2, 3}, {1024, 3, 4}};
  ArenaPlan plan = planArena(buffers, kAlignment);
  expectValid(buffers, plan);
  EXPECT_EQ(plan.size, 4096);
  EXPECT_EQ(plan.lowerBound, 4096);
}

TEST(ArenaPlanner, BuffersThatNeverMeetShareOnePlace) {
  ArenaPlan plan = planArena({{100, 0, 0}, {300, 1, 1}, {200, 2, 5}}, kAlignment);
  EXPECT_EQ(plan.size, 300);
  EXPECT_EQ(plan.offsets, (llvm::SmallVector<int64_t>{0, 0, 0}));
}

} // namespace
