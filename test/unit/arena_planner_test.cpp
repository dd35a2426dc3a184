// The arena planner: its plans are valid for any lifetimes, never below the bound, tight where that is easy, and as
// small as can be where trying all places tells.

#include "passes/buffer/ArenaPlanner.h"

#include "gtest/gtest.h"

#include <random>

using namespace onnx_aot;

namespace {

constexpr int64_t kAlignment = 64;

/// Buffers of one alignment.
llvm::SmallVector<PlannedBuffer> aligned(llvm::SmallVector<PlannedBuffer> buffers) {
  for (PlannedBuffer &buffer : buffers)
    buffer.alignment = kAlignment;
  return buffers;
}

bool liveTogether(const PlannedBuffer &a, const PlannedBuffer &b) { return a.first <= b.last && b.first <= a.last; }

/// What must hold for every plan.
void expectValid(llvm::ArrayRef<PlannedBuffer> buffers, const ArenaPlan &plan) {
  ASSERT_EQ(plan.offsets.size(), buffers.size());
  EXPECT_GE(plan.size, plan.lowerBound);
  for (size_t i = 0; i < buffers.size(); ++i) {
    int64_t end = plan.offsets[i] + buffers[i].bytes;
    EXPECT_EQ(plan.offsets[i] % buffers[i].alignment, 0);
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
  for (int instance = 0; instance < 200; ++instance) {
    llvm::SmallVector<PlannedBuffer> buffers;
    int64_t steps = 1 + below(30), longest = 1 + below(steps), largest = 1 + below(3000);
    for (int64_t count = below(40); count > 0; --count) {
      int64_t first = below(steps);
      int64_t alignment = int64_t(1) << below(7);
      buffers.push_back({1 + below(largest), first, std::min(steps - 1, first + below(longest)), alignment});
    }
    expectValid(buffers, planArena(buffers));
    if (HasFailure())
      FAIL() << "instance " << instance;
  }
}

/// Whether the buffers from `next` on fit into `limit` bytes beside those before it: all places are tried.
bool fits(llvm::ArrayRef<PlannedBuffer> buffers, int64_t limit, llvm::SmallVectorImpl<int64_t> &offsets) {
  size_t next = offsets.size();
  if (next == buffers.size())
    return true;
  for (int64_t offset = 0; offset + buffers[next].bytes <= limit; offset += buffers[next].alignment) {
    bool isFree = true;
    for (size_t other = 0; other < next; ++other)
      isFree &= !liveTogether(buffers[next], buffers[other]) || offset + buffers[next].bytes <= offsets[other] ||
                offsets[other] + buffers[other].bytes <= offset;
    if (!isFree)
      continue;
    offsets.push_back(offset);
    if (fits(buffers, limit, offsets))
      return true;
    offsets.pop_back();
  }
  return false;
}

TEST(ArenaPlanner, SmallPlansAreTheSmallestThatThereAre) {
  std::mt19937_64 random(3);
  auto below = [&](uint64_t limit) { return int64_t(random() % limit); };
  int aboveBound = 0;
  for (int instance = 0; instance < 400; ++instance) {
    llvm::SmallVector<PlannedBuffer> buffers;
    int64_t steps = 3 + below(6), alignment = 1 + below(2);
    for (int64_t count = 3 + below(6); count > 0; --count) {
      int64_t first = below(steps);
      buffers.push_back({1 + below(5), first, std::min(steps - 1, first + below(4)), alignment});
    }
    ArenaPlan plan = planArena(buffers);
    expectValid(buffers, plan);
    llvm::SmallVector<int64_t> offsets;
    EXPECT_FALSE(fits(buffers, plan.size - 1, offsets)) << "instance " << instance;
    aboveBound += plan.size > plan.lowerBound;
    if (HasFailure())
      return;
  }
  EXPECT_GT(aboveBound, 0) << "no case is harder than the sum of what is live";
}

TEST(ArenaPlanner, TheBoundIsTheLargestSumOfAnyStep) {
  std::mt19937_64 random(4);
  for (int instance = 0; instance < 500; ++instance) {
    llvm::SmallVector<PlannedBuffer> buffers;
    for (int count = 0; count < 12; ++count) {
      int64_t first = random() % 20;
      buffers.push_back({int64_t(1 + random() % 100), first, first + int64_t(random() % 6)});
    }
    int64_t largest = 0;
    for (int64_t step = 0; step < 30; ++step) {
      int64_t sum = 0;
      for (const PlannedBuffer &buffer : buffers)
        sum += buffer.first <= step && step <= buffer.last ? buffer.bytes : 0;
      largest = std::max(largest, sum);
    }
    EXPECT_EQ(planArena(buffers).lowerBound, largest);
  }
}

// What is left over from the last step's plan decides nothing: plans are the same every time.
TEST(ArenaPlanner, PlansAreTheSameEachTime) {
  std::mt19937_64 random(5);
  llvm::SmallVector<PlannedBuffer> buffers;
  for (int count = 0; count < 60; ++count) {
    int64_t first = random() % 60;
    buffers.push_back({int64_t(1 + random() % 5000), first, first + int64_t(random() % 20), 64});
  }
  EXPECT_EQ(planArena(buffers).offsets, planArena(buffers).offsets);
}

TEST(ArenaSearch, FindsNothingBelowTheSmallestPlan) {
  llvm::SmallVector<PlannedBuffer> buffers = {{3, 0, 1}, {2, 1, 2}, {3, 2, 3}};
  llvm::SmallVector<int64_t> offsets;
  int64_t work = 1000;
  EXPECT_TRUE(searchArena(buffers, 5, work, offsets));
  EXPECT_EQ(offsets.size(), buffers.size());
  EXPECT_FALSE(searchArena(buffers, 4, work, offsets));
  EXPECT_GT(work, 0);
}

TEST(ArenaPlanner, NothingNeedsNothing) {
  ArenaPlan plan = planArena({});
  EXPECT_EQ(plan.size, 0);
  EXPECT_TRUE(plan.offsets.empty());
}

// The buffer that lies last is not padded.
TEST(ArenaPlanner, OneBufferIsItsOwnArena) {
  ArenaPlan plan = planArena(aligned({{10, 0, 3}}));
  EXPECT_EQ(plan.size, 10);
  EXPECT_EQ(plan.lowerBound, 10);
}

// Layer after layer, each buffer read by the next alone: two places are enough, at the two ends of the arena.
TEST(ArenaPlanner, ChainsMeetTheBound) {
  std::mt19937_64 random(2);
  for (int instance = 0; instance < 200; ++instance) {
    llvm::SmallVector<PlannedBuffer> buffers;
    for (int64_t step = 0; step < 20; ++step)
      buffers.push_back({kAlignment * int64_t(1 + random() % 50), step, step + 1, kAlignment});
    ArenaPlan plan = planArena(buffers);
    expectValid(buffers, plan);
    EXPECT_EQ(plan.size, plan.lowerBound) << "instance " << instance;
  }
}

// A long-lived buffer beside a chain, as a residual connection makes it.
TEST(ArenaPlanner, ResidualMeetsTheBound) {
  llvm::SmallVector<PlannedBuffer> buffers = aligned({{1024, 0, 3}, {2048, 1, 2}, {1024, 2, 3}, {1024, 3, 4}});
  ArenaPlan plan = planArena(buffers);
  expectValid(buffers, plan);
  EXPECT_EQ(plan.size, 4096);
  EXPECT_EQ(plan.lowerBound, 4096);
}

TEST(ArenaPlanner, BuffersThatNeverMeetShareOnePlace) {
  ArenaPlan plan = planArena(aligned({{100, 0, 0}, {300, 1, 1}, {200, 2, 5}}));
  EXPECT_EQ(plan.size, 300);
  EXPECT_EQ(plan.offsets, (llvm::SmallVector<int64_t>{0, 0, 0}));
}

} // namespace
