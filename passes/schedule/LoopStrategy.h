//===- LoopStrategy.h - register tiles for loop nests -------------------------------------------------------------===//
#ifndef ONNX_AOT_PASSES_SCHEDULE_LOOPSTRATEGY_H
#define ONNX_AOT_PASSES_SCHEDULE_LOOPSTRATEGY_H

#include "dialects/aot/AotDialect.h"
#include "dialects/aot/LoopNest.h"
#include "dialects/aot/TargetModel.h"

namespace onnx_aot {

/// The strategy of provider "loops" for a nest: which dim runs along vector lanes, which one the register tile unrolls,
/// and the tile's size. Dims are given by their number in the operation.
aot::StrategyAttr chooseLoopStrategy(const aot::LoopNest &nest, const aot::TargetModel &target,
                                     mlir::MLIRContext *context);

/// Cycles that the nest is estimated to take by `strategy`, to be compared with those of the same nest read in another
/// way.
double estimateCycles(const aot::LoopNest &nest, aot::StrategyAttr strategy, const aot::TargetModel &target);

/// What a register tile covers: `extent` points along the vector dim, of which `width` fill a register, and `rows`,
/// whose data lie `rowBytes` apart; it reduces `volume` points. Where lanes run along the reduction dim,
/// `isHorizontal`.
struct TileSpace {
  int64_t extent, width, rows, volume, rowBytes = 0;
  bool isHorizontal = false;
};
struct RegisterTile {
  int64_t vectors = 1, rows = 1;
  double cycles = 0; // of one step of the reduction for the whole space
};
/// The tile of the fewest cycles; of those of `vectors` vectors where that is positive.
RegisterTile chooseRegisterTile(const TileSpace &space, const aot::TargetModel &target, int64_t vectors = 0);
/// How many vectors a tile has at most.
inline constexpr int64_t kMostTileVectors = 4;

/// A target with 16 registers of 256 bits: what passes assume where no target is injected.
const aot::TargetModel &genericTargetModel();

} // namespace onnx_aot

#endif
