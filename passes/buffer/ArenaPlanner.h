//===- ArenaPlanner.h - offsets for buffers with known lifetimes --------------------------------------------------===//
#ifndef ONNX_AOT_PASSES_BUFFER_ARENAPLANNER_H
#define ONNX_AOT_PASSES_BUFFER_ARENAPLANNER_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>

namespace onnx_aot {

/// A buffer that is live from step `first` to step `last`, both included.
struct PlannedBuffer {
  int64_t bytes;
  int64_t first, last;
  int64_t alignment = 1;        // of its offset in the arena: a power of two
  int64_t elementAlignment = 1; // what it cannot do without: a power of two
};

struct ArenaPlan {
  llvm::SmallVector<int64_t> offsets; // one per buffer, in bytes
  int64_t size = 0;                   // of the arena
  /// The largest sum of live buffers at any step: no plan can be smaller. Padding does not count.
  int64_t lowerBound = 0;
};

enum class Effort { Greedy, Full };

/// Assigns offsets so that buffers whose lifetimes meet do not overlap. The same buffers always get the same plan.
ArenaPlan planArena(llvm::ArrayRef<PlannedBuffer> buffers, Effort effort = Effort::Full);

/// Looks for a plan of at most `limit` bytes by branch and bound, in about `work` elementary steps, of which it
/// takes its own away. True where it found one; a `false` with work left means that there is none.
bool searchArena(llvm::ArrayRef<PlannedBuffer> buffers, int64_t limit, int64_t &work,
                 llvm::SmallVectorImpl<int64_t> &offsets);

/// Memory beside the arena that is nobody's before step `until`.
struct SpareRegion {
  int64_t bytes;
  int64_t until;
  int64_t alignment; // of its begin
};

struct RegionPlan {
  ArenaPlan arena;                // offsets of all buffers, each in the region that it lies in
  llvm::SmallVector<int> regions; // one per buffer; -1: the arena
};

/// As planArena, where buffers that are dead before a region is needed may lie in it. The arena is never larger for it;
/// its lower bound is that of what no region can take.
RegionPlan planRegions(llvm::ArrayRef<PlannedBuffer> buffers, llvm::ArrayRef<SpareRegion> regions);

} // namespace onnx_aot

#endif
