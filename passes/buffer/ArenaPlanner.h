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
};

struct ArenaPlan {
  llvm::SmallVector<int64_t> offsets; // one per buffer, in bytes
  int64_t size = 0;                   // of the arena
  /// The largest sum of live buffers, aligned, at any step: no plan can be smaller.
  int64_t lowerBound = 0;
};

/// Assigns offsets so that buffers whose lifetimes meet do not overlap. Offsets are multiples of `alignment`.
/// Greedy best fit (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020), tried in
/// several orders: the smallest result wins.
ArenaPlan planArena(llvm::ArrayRef<PlannedBuffer> buffers, int64_t alignment);

} // namespace onnx_aot

#endif
