//===- NestPlan.h - the loops that a strategy makes of a nest -----------------------------------------------------===//
//
// What it is for: which loops there are, in which order and in which pieces, decided before any of them is emitted.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_CPU_NESTPLAN_H
#define ONNX_AOT_CODEGEN_CPU_NESTPLAN_H

#include "dialects/aot/AotDialect.h"
#include "dialects/aot/LoopNest.h"

namespace onnx_aot {

/// `width` lanes along the vector dim, `offset` points after the tile's first. Width 1 is a scalar. The lanes behind
/// the first `valid` ones are beyond the end of the dim: they compute with anything, and nothing is stored. Where only
/// the run knows how many are not, `mask` has them.
struct Chunk {
  Chunk(int64_t offset, int64_t width) : Chunk(offset, width, width) {}
  Chunk(int64_t offset, int64_t width, int64_t valid) : offset(offset), width(width), valid(valid) {}
  Chunk(int64_t offset, int64_t width, mlir::Value mask) : offset(offset), width(width), valid(width), mask(mask) {}

  bool isPartial() const { return valid < width || mask; }

  int64_t offset, width, valid;
  mlir::Value mask;
};

/// A part of the vector dim that is walked in tiles of `step` points.
struct VectorPiece {
  int64_t low, high, step;
  llvm::SmallVector<Chunk> chunks;
};

/// A part of the row dim that is walked `rows` at a time.
struct RowPiece {
  int64_t low, high, rows;
};

/// A block of an operand that the tiles of one iteration of loop `dim` all read from its begin to its end, as it is
/// packed: `elements` in as many `steps` of the reduction as there are. Block follows block in memory, `count` of them:
/// the next one where `dim` has advanced by `advance`, or, at its end, where loop `outer` has advanced.
struct PackedBlock {
  const aot::Access *access;
  unsigned dim;
  int64_t advance, elements, steps, count;
  int outer = -1;
};

struct NestPlan {
  /// A strategy that the nest does not allow gives scalar code; `nest` must outlive the plan.
  NestPlan(const aot::LoopNest &nest, aot::StrategyAttr strategy);

  /// The pieces of a vector dim of known extent.
  llvm::SmallVector<VectorPiece> vectorPieces() const;
  /// Tiles of `extent` rows: balanced ones, or whole ones where a tile is a square block that is turned in registers.
  llvm::SmallVector<RowPiece> rowPieces(int64_t extent) const;
  /// The block whose successor the tiles fetch, each a share of it, spread over its steps; none where there are so many
  /// tiles to a block that fetching it costs little, or so little in a block that it is there at once.
  std::optional<PackedBlock> blockToFetch() const;
  int64_t tilesPerBlock(const PackedBlock &packed) const;
  /// Whether an operand is filled up to whole tiles.
  bool comesInPanels() const;
  /// Whether points may be computed twice: no input is the destination.
  bool mayOverlap() const;
  /// How many iterations loop `dim` makes, in tiles.
  int64_t iterations(unsigned dim) const;

  /// Elements of a block that a few tiles have not read long before they are through with it.
  static constexpr int64_t kBlockToFetch = 2048;

  const aot::LoopNest &nest;
  int vectorDim, rowDim; // negative where there is none
  /// Lanes of a vector; vectors and rows of a tile; rows for which the vector dim is walked at once (0: all of them).
  int64_t width, vectors, rows, block;
  /// Whether lanes run along a dim of the reduction.
  bool horizontal = false;
  /// The loops, from the outermost to the innermost one.
  llvm::SmallVector<unsigned> parallelDims, reductionDims;

private:
  void orderLoops();
  bool rowsOutermost() const;
  std::optional<PackedBlock> blockOf(const aot::Access &access) const;
};

} // namespace onnx_aot

#endif
