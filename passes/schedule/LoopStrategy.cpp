//===- LoopStrategy.cpp - register tiles for loop nests -----------------------------------------------------------===//
//
// A register tile keeps `rows * vectors` accumulators while the reduction runs. It is chosen in three steps.
//
// 1. The vector dim is the one with the least estimated cost per point: an operand costs one load where it is
//    contiguous or constant along the dim and a load per lane elsewhere; lanes that the extent cannot fill count as
//    work. A reduction dim is a candidate where partial accumulators can be combined at the end.
// 2. Rows and vectors minimise the cycles of a step of the reduction: rows * vectors multiply-adds and rows + vectors
//    loads, but not less than the latency of a multiply-add; what does not fill a tile counts as the vectors and rows
//    that it takes. The register budget is rows * vectors + vectors + 1.
// 3. The order of loops (`block`) minimises what the caches have to move.
//
// Without vectors a tile is one of scalars, along the two dims that save the most loads.
//
// An extent that only the run knows is estimated (Amount::estimate) and counts as filling its vectors.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "passes/schedule/LoopStrategy.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <numeric>

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::aot;

/// Multiply-adds, and loads, that start in a cycle (two loads do where neither crosses a line and both hit different
/// banks); cycles until a multiply-add is done.
static constexpr double kUnits = 2, kLoads = 1.5, kLatency = 4;
static constexpr int64_t kElementBytes = 4;

/// What is used over and over may take this much of the first-level cache; the rest is for what streams by.
static double nearBytes(const TargetModel &target) { return target.firstLevelBytes() * 2.0 / 3; }

/// Cycles of one step of the reduction for all vectors and all rows, in tiles of `vectors` and at most `rows`.
static double cyclesPerStep(const TileSpace &space, const TargetModel &target, int64_t vectors, int64_t rows) {
  int64_t tileLanes = space.width * vectors, tiles = space.extent / tileLanes;
  int64_t rest = llvm::divideCeil(space.extent % tileLanes, space.width);
  // Rows come in balanced tiles.
  int64_t rowTiles = llvm::divideCeil(space.rows, rows);
  double meanRows = double(space.rows) / rowTiles;
  // What the vector dim walks is read once per row tile: from beyond the first-level cache where it is large.
  auto cycles = [&](int64_t v) {
    double panelBytes = double(space.volume) * v * space.width * kElementBytes;
    double far = panelBytes > nearBytes(target) ? v : 0;
    // Along the reduction, rows have vectors of their own too.
    double compute = meanRows * v / kUnits, loads = (meanRows * (space.isHorizontal ? v : 1) + v) / kLoads;
    return std::max({compute, loads, kLatency}) + 0.5 * far + 0.5;
  };
  return rowTiles * (tiles * cycles(vectors) + (rest ? cycles(rest) : 0));
}

/// Whether the lines that `rows` read fall into so few sets of the first-level cache that they displace each other and
/// what the vectors read.
static bool overfillsSets(int64_t rows, int64_t rowBytes, const TargetModel &target) {
  constexpr int64_t kLine = 64;
  if (rowBytes < kLine)
    return false;
  int64_t period = target.firstLevelBytes() / target.firstLevelWays();
  int64_t places = period / std::gcd(rowBytes, period); // rows until they fall into the same sets again
  return int64_t(llvm::divideCeil(rows, std::max<int64_t>(places, 1))) > target.firstLevelWays() - 2;
}

RegisterTile onnx_aot::chooseRegisterTile(const TileSpace &space, const TargetModel &target, int64_t vectors) {
  RegisterTile best;
  best.cycles = INFINITY;
  int64_t registers = target.vectorRegisters();
  int64_t most =
      vectors > 0 ? vectors : std::min<int64_t>(llvm::divideCeil(space.extent, space.width), kMostTileVectors);
  int64_t mostRows = std::min<int64_t>(space.rows, space.isHorizontal ? 4 : registers);
  for (int64_t count = vectors > 0 ? vectors : 1; count <= most; ++count)
    for (int64_t rows = 1; rows <= mostRows; ++rows) {
      if (rows * count + count + 1 > registers || overfillsSets(rows, space.rowBytes, target))
        continue;
      // Every size of tile is code of its own.
      bool leavesNone = space.rows % rows == 0 && space.extent % (space.width * count) == 0;
      if (target.isForSize() && !leavesNone && rows * count > 1)
        continue;
      double cycles = cyclesPerStep(space, target, count, rows);
      if (cycles < best.cycles)
        best = {count, rows, cycles};
    }
  return best;
}

namespace {
struct GenericTarget : TargetModel {
  int64_t vectorBits(bool) const override { return 256; }
  int64_t vectorRegisters() const override { return 16; }
  bool hasRounding() const override { return true; }
  bool hasFusedMultiplyAdd() const override { return true; }
};

class Chooser {
public:
  Chooser(const LoopNest &nest, const TargetModel &target) : nest(nest), target(target) {}

  StrategyAttr choose(MLIRContext *context) {
    int64_t lanes = nest.vectorizable ? maxLanes() : 1;
    if (lanes <= 1)
      return chooseScalarTile(context);
    int vector = chooseVectorDim(lanes);
    if (vector < 0)
      return StrategyAttr::get(context, "loops", -1, 1, 1, -1, 1, 0);
    int64_t width = widthFor(vector, lanes);
    int row = chooseRowDim(vector);
    int64_t extent = nest.dims[vector].extent.estimate();
    RegisterTile tile;
    if (nest.slidesWindow(vector))
      tile.rows = rowsOfWindow(row < 0 ? 1 : nest.dims[row].extent.estimate());
    else if (nest.hasReduction())
      tile = chooseRegisterTile({extent, width, row < 0 ? 1 : nest.dims[row].extent.estimate(), steps(),
                                 rowBytes(vector, row), nest.dims[vector].reduction},
                                target);
    else if (int across = dimAcross(vector, width); across >= 0)
      row = across, tile.rows = width;
    else
      tile.vectors = std::clamp<int64_t>(extent / width, 1, 4);
    if (tile.rows == 1)
      row = -1;
    auto original = [&](int dim) { return dim < 0 ? -1 : int64_t(nest.dims[dim].original.back()); };
    return StrategyAttr::get(context, "loops", original(vector), width, tile.vectors, original(row), tile.rows,
                             chooseBlock(vector, width, row, tile));
  }

  /// See estimateCycles().
  double cyclesOf(StrategyAttr strategy) const {
    int vector = nest.dimOf(strategy.getVector()), row = nest.dimOf(strategy.getRow());
    int64_t width = strategy.getWidth();
    double others = 1; // iterations of the loops around a step of the tiles
    for (auto [index, dim] : llvm::enumerate(nest.dims))
      if (int(index) != vector && int(index) != row)
        others *= dim.extent.estimate();
    TileSpace space{vector < 0 ? 1 : nest.dims[vector].extent.estimate(),
                    width,
                    row < 0 ? 1 : nest.dims[row].extent.estimate(),
                    nest.reductionVolume(),
                    0,
                    vector >= 0 && nest.dims[vector].reduction};
    double cycles = others * cyclesPerStep(space, target, strategy.getVectors(), strategy.getRows());
    if (vector < 0)
      return cycles;
    double steps = others * llvm::divideCeil(space.extent, width * strategy.getVectors()) *
                   llvm::divideCeil(space.rows, strategy.getRows());
    for (const Access &access : nest.inputs)
      if (access.inCompute && !access.packable && !access.strides[vector].is(0))
        cycles += steps * extraCycles(access, vector, width, strategy.getVectors());
    if (!space.isHorizontal) // stores, beyond one per vector
      cycles += others / nest.reductionVolume() * space.rows * llvm::divideCeil(space.extent, width) *
                (accessCost(nest.output, vector, width) - 1);
    else // lanes are added up
      cycles += others * space.rows * 2 * std::log2(double(width));
    return cycles;
  }

private:
  /// Of the reduction: an aot.dot takes several points.
  int64_t steps() const {
    return nest.reductionVolume() / (nest.dot < 0 ? 1 : std::max<int64_t>(nest.dims[nest.dot].extent.factor, 1));
  }

  /// Beyond a load per vector, for the vectors of one step of the reduction: where lanes lie apart, and where steps lie
  /// so far from each other that each reads lines of other pages, which nothing fetches in advance.
  double extraCycles(const Access &access, int vector, int64_t width, int64_t vectors) const {
    double loads = accessCost(access, vector, width) - 1;
    if (loads > 0)
      return vectors * loads;
    double steps = 1;
    bool isKnown = nest.dims[vector].extent.isStatic();
    int64_t bytes = bytesOfElement(access.elementType), apart = 0;
    for (auto [index, dim] : llvm::enumerate(nest.dims))
      if (dim.reduction && !access.strides[index].is(0)) {
        isKnown &= dim.extent.isStatic();
        steps *= dim.extent.estimate();
        apart = std::max(apart, std::abs(access.strides[index].estimate()) * bytes);
      }
    if (nest.dims[vector].reduction || (isKnown && steps * apart <= nearBytes(target)))
      return 0;
    constexpr int64_t kPage = 4096, kWays = 16;
    constexpr double kOfPage = 1.2, kDisplaced = 6;
    // Lines at powers of two fall into few sets of the second-level cache and displace each other.
    int64_t period = target.secondLevelBytes() / kWays;
    bool displace = steps > double(period / std::gcd(apart, period)) * (kWays - 2);
    return vectors * (displace ? kDisplaced : kOfPage * std::min<double>(apart, kPage) / kPage);
  }

  /// Rows that stay in registers with as much data, which the taps of a window share, and a few weights.
  int64_t rowsOfWindow(int64_t extent) const {
    int64_t most = std::max<int64_t>(1, (target.vectorRegisters() - 6) / 2);
    return llvm::divideCeil(extent, llvm::divideCeil(extent, most));
  }

  static int64_t bytesOfElement(Type type) {
    return type.isIntOrFloat() ? llvm::divideCeil(type.getIntOrFloatBitWidth(), 8) : 8;
  }

  /// From one row to the next of what the rows read.
  int64_t rowBytes(int vector, int row) const {
    for (const Access &access : nest.inputs)
      if (row >= 0 && access.inCompute && access.strides[vector].is(0) && access.strides[row].isStatic())
        return std::abs(access.strides[row].factor) * bytesOfElement(access.elementType);
    return 0;
  }

  //===-- The order of loops --------------------------------------------------------------------------------------===//

  /// How many points of the row dim all vectors are computed for before the next ones; 0: all of them for each tile of
  /// the vector dim. Chosen by the cycles that operands take from the caches that hold them: what rows read is read
  /// again for each tile of the vector dim, what vectors read for each block of rows.
  int64_t chooseBlock(int vector, int64_t width, int row, const RegisterTile &tile) const {
    bool isStatic = llvm::all_of(nest.dims, [](const LoopDim &dim) { return dim.extent.isStatic(); });
    if (row >= 0 && isStatic && nest.slidesWindow(vector))
      return walksVectorsFirst() ? tile.rows : 0;
    bool readsPackedVectors = llvm::any_of(nest.inputs, [&](const Access &access) {
      return access.inCompute && access.packable && !access.strides[vector].is(0);
    });
    if (row < 0 || !readsPackedVectors || nest.dims[vector].reduction || nest.slidesWindow(vector))
      return 0;
    bool hasLoopsWithin = llvm::any_of(llvm::enumerate(nest.dims), [&](const auto &indexed) {
      return !indexed.value().reduction && int(indexed.index()) > vector && int(indexed.index()) != row;
    });
    if (!isStatic && hasLoopsWithin)
      return 0;
    if (!isStatic) // so few that what they read stays near, so many that they share the panels' way there
      return nest.dims[vector].extent.estimate() > width * tile.vectors ? kRowTilesOfBlock * tile.rows : 0;
    int64_t extent = nest.dims[row].extent.factor;
    double best = transferCycles(vector, width, row, tile, extent, /*isWhole=*/true);
    int64_t chosen = 0;
    for (int64_t block = tile.rows; block < extent; block *= 2)
      if (double cycles = transferCycles(vector, width, row, tile, block, /*isWhole=*/false); cycles < 0.95 * best) {
        best = cycles;
        chosen = block;
      }
    return chosen;
  }

  static constexpr int64_t kRowTilesOfBlock = 8;

  /// Of a window whose data and result together do not stay in the second-level cache: in the order in which they lie
  /// they are fetched in advance. Else what a few channels of a column read stays near, their weights in registers.
  bool walksVectorsFirst() const {
    double bytes = bytesOf(nest.output);
    for (const Access &access : nest.inputs)
      bytes += access.inCompute ? bytesOf(access) : 0;
    return bytes > target.secondLevelBytes() / 2;
  }

  /// Cycles that moving the operands takes for blocks of `block` rows; `isWhole` where the vector dim is outside of all
  /// rows.
  double transferCycles(int vector, int64_t width, int row, const RegisterTile &tile, int64_t block,
                        bool isWhole) const {
    double before = 1, after = 1; // iterations of the other dims, before and after the vector dim
    for (auto [index, dim] : llvm::enumerate(nest.dims))
      if (!dim.reduction && int(index) != vector && int(index) != row)
        (int(index) < vector ? before : after) *= dim.extent.factor;
    double vectorTiles = llvm::divideCeil(nest.dims[vector].extent.factor, width * tile.vectors);
    double blocks = before * (isWhole ? 1 : after * llvm::divideCeil(nest.dims[row].extent.factor, block));
    double tiles = before * after * llvm::divideCeil(nest.dims[row].extent.factor, tile.rows);
    double cycles = 0;
    for (const Access &access : nest.inputs) {
      if (!access.inCompute)
        continue;
      double bytes = bytesOf(access);
      if (access.strides[vector].is(0)) { // what rows read
        cycles += bytes / bytesPerCycle(bytes) + (vectorTiles - 1) * bytes / bytesPerCycle(bytes / blocks);
        continue;
      }
      double parts = 1; // of which the loops before the vector dim read one after the other
      for (int dim = 0; dim < vector; ++dim)
        if (!nest.dims[dim].reduction && dim != row && !access.strides[dim].is(0))
          parts *= nest.dims[dim].extent.factor;
      cycles += bytes / bytesPerCycle(bytes) + (blocks / parts - 1) * bytes / bytesPerCycle(bytes / parts) +
                (tiles - blocks) / parts * bytes / bytesPerCycle(bytes / parts / vectorTiles);
    }
    // A result that is written a few channels at a time is fetched and evicted piece by piece.
    double written = bytesOf(nest.output) / (isWhole ? 1 : blocks);
    if (vectorTiles > 1 && written > target.secondLevelBytes() / 2)
      cycles += 0.5 * bytesOf(nest.output) / bytesPerCycle(written);
    return cycles;
  }

  static double bytesOf(const Access &access) {
    auto type = cast<ShapedType>(access.operand.getType());
    return type.hasStaticShape() ? double(type.getNumElements()) * kElementBytes : 0;
  }

  /// From the cache that holds `bytes` of data which are used over and over; from the first one loads cost nothing
  /// beside the arithmetic.
  double bytesPerCycle(double bytes) const {
    constexpr double kShareOfLastLevel = 4 << 20;
    return bytes <= nearBytes(target)               ? INFINITY
           : bytes <= target.secondLevelBytes() / 2 ? 40
           : bytes <= kShareOfLastLevel             ? 8
                                                    : 5;
  }

  //===-- Targets without vectors ---------------------------------------------------------------------------------===//

  /// A tile of scalars: `vectors` points along one dim and `rows` along another share what they read. The one that
  /// loads the least per multiply-add, of those whose sums, and what one row reads, fit the registers; points that do
  /// not fill a tile count as whole ones.
  StrategyAttr chooseScalarTile(MLIRContext *context) const {
    bool isFloating = nest.compute && isa<FloatType>(nest.compute->front().getArguments().back().getType());
    int64_t registers = target.scalarRegisters(isFloating);
    int bestVector = -1, bestRow = -1;
    int64_t bestVectors = 1, bestRows = 1;
    double best = INFINITY;
    auto consider = [&](int vector, int row, int64_t vectors, int64_t rows) {
      // Of words of bytes the even and the odd ones are apart, and both are multiplied; rows keep their words
      // meanwhile.
      int64_t parts = nest.dot < 0 ? 1 : 2;
      int64_t needed = rows * vectors + (nest.dot < 0 ? vectors + 1 : 2 * vectors + rows - 2);
      if (needed > registers)
        return;
      // Every size of tile is code of its own.
      auto leavesSome = [&](int dim, int64_t size) { return dim >= 0 && nest.dims[dim].extent.factor % size != 0; };
      if (target.isForSize() && (leavesSome(vector, vectors) || leavesSome(row, rows)))
        return;
      double loads = 0;
      for (const Access &access : nest.inputs)
        if (access.inCompute)
          loads += (access.strides[vector].is(0) ? 1 : vectors) * (row < 0 || access.strides[row].is(0) ? 1 : rows);
      loads *= nest.dot < 0 ? 1 : 1 + parts;
      double tiles = llvm::divideCeil(nest.dims[vector].extent.factor, vectors);
      if (row >= 0)
        tiles *= llvm::divideCeil(nest.dims[row].extent.factor, rows);
      double points = double(nest.dims[vector].extent.factor) * (row < 0 ? 1 : nest.dims[row].extent.factor);
      // A step of a tile: its loads, its multiply-adds and the loop around them.
      double cycles = tiles * (loads + parts * rows * vectors + 3) / points;
      if (cycles < best) {
        best = cycles;
        bestVector = vector, bestRow = row, bestVectors = vectors, bestRows = rows;
      }
    };
    auto isTiled = [&](unsigned dim) {
      return !nest.dims[dim].reduction && nest.dims[dim].extent.isStatic() && nest.dims[dim].extent.factor > 1;
    };
    if (nest.hasReduction() && nest.vectorizable)
      for (unsigned vector = 0; vector < nest.dims.size(); ++vector)
        for (unsigned row = 0; row < nest.dims.size(); ++row)
          for (int64_t vectors = 1; vectors <= kMostScalars; ++vectors)
            for (int64_t rows = 1; rows <= kMostScalars; ++rows)
              if (isTiled(vector) && (rows == 1 ? row == vector : row != vector && isTiled(row)) &&
                  vectors <= nest.dims[vector].extent.factor && rows <= nest.dims[row].extent.factor)
                consider(vector, rows == 1 ? -1 : int(row), vectors, rows);
    if (bestVectors * bestRows == 1)
      return StrategyAttr::get(context, "loops", -1, 1, 1, -1, 1, 0);
    auto original = [&](int dim) { return dim < 0 ? -1 : int64_t(nest.dims[dim].original.back()); };
    return StrategyAttr::get(context, "loops", original(bestVector), 1, bestVectors, original(bestRow), bestRows, 0);
  }

  static constexpr int64_t kMostScalars = 6;

  /// Lanes of one register for the widest type that the bodies compute with.
  int64_t maxLanes() const {
    int64_t widest = 8;
    bool floating = false;
    auto see = [&](Type type) {
      floating |= isa<FloatType>(type);
      int64_t bits = isa<IndexType>(type) ? 64 : type.isIntOrFloat() ? type.getIntOrFloatBitWidth() : 64;
      widest = std::max(widest, bits);
    };
    for (Region *region : {nest.compute, nest.epilogue})
      if (region)
        region->walk([&](Operation *op) {
          for (Type type : op->getResultTypes())
            see(type);
        });
    for (const Access &access : nest.inputs)
      see(access.elementType);
    see(nest.output.elementType);
    return target.vectorBits(floating) / widest;
  }

  int64_t widthFor(int dim, int64_t lanes) const {
    return std::min<int64_t>(lanes, llvm::bit_floor(uint64_t(nest.dims[dim].extent.estimate())));
  }

  /// Where nothing is reduced, the dim along which an input's elements are neighbours that lie apart along `vector`: a
  /// square block of it is loaded row by row and turned in registers. -1 where there is none.
  int dimAcross(int vector, int64_t width) const {
    for (const Access &access : nest.inputs)
      if (int dim = dimAcross(access, vector, width); dim >= 0)
        return dim;
    return -1;
  }

  int dimAcross(const Access &access, int vector, int64_t width) const {
    auto holdsBlock = [&](const LoopDim &dim) { return dim.extent.estimate() >= width; };
    const Amount &stride = access.strides[vector];
    bool liesApart =
        !stride.is(0) && !stride.is(1) && !nest.mayBeUnit(stride) && bytesOfElement(access.elementType) == 4;
    if (nest.hasReduction() || !liesApart || !holdsBlock(nest.dims[vector]))
      return -1;
    for (auto [dim, loop] : llvm::enumerate(nest.dims))
      if (int(dim) != vector && access.strides[dim].is(1) && holdsBlock(loop))
        return dim;
    return -1;
  }

  /// Loads per vector of `width` points along `dim`.
  double accessCost(const Access &access, int dim, int64_t width) const {
    const Amount &stride = access.strides[dim];
    if (stride.is(0) || stride.is(nest.readsWords(access) ? DotOp::kBytes : 1) || access.packable ||
        nest.mayBeUnit(stride))
      return 1;
    if (&access != &nest.output && dimAcross(access, dim, width) >= 0)
      return 1 + std::log2(double(width)); // a load, and a shuffle per halving
    if (stride.is(2))
      return 3; // two loads and a shuffle
    return 1.5 * width;
  }

  int chooseVectorDim(int64_t lanes) const {
    double volume = nest.reductionVolume();
    bool combines = nest.combiner() != nullptr;
    int best = -1;
    double bestCost = INFINITY;
    for (auto [index, dim] : llvm::enumerate(nest.dims)) {
      if ((dim.reduction && !combines) || int(index) == nest.dot)
        continue;
      int64_t width = widthFor(index, lanes);
      if (width < 2)
        continue;
      double cost = 1;
      for (const Access &access : nest.inputs) {
        double loads = accessCost(access, index, width);
        cost += nest.compute && !access.inCompute ? loads / volume : loads;
      }
      double atEnd = dim.reduction ? 4 * std::log2(double(width)) * width : accessCost(nest.output, index, width) * 2;
      cost += atEnd / volume;
      int64_t extent = dim.extent.estimate();
      double fill = double(extent) / (llvm::divideCeil(extent, width) * width);
      cost /= width * fill;
      // Among equals the innermost dim, whose neighbours are in cache.
      if (cost <= bestCost * 1.0001) {
        bestCost = cost;
        best = index;
      }
    }
    return bestCost < 3 ? best : -1;
  }

  /// The parallel dim along which most operands are constant, so that what is loaded for one row serves all; among
  /// equals one whose rows lie in the same cache lines.
  int chooseRowDim(int vector) const {
    if (!nest.hasReduction())
      return -1;
    int best = -1;
    double bestScore = -1;
    for (auto [index, dim] : llvm::enumerate(nest.dims)) {
      if (dim.reduction || int(index) == vector)
        continue;
      double score = std::min<int64_t>(dim.extent.estimate(), 16) / 64.0;
      bool sharesLines = true;
      for (const Access &access : nest.inputs) {
        if (!access.inCompute)
          continue;
        if (access.strides[index].is(0))
          score += !access.strides[vector].is(0) ? 2 : 1;
        sharesLines &= std::abs(access.strides[index].estimate()) <= kLineElements;
      }
      if (sharesLines)
        score += 0.5;
      // Among equals the innermost dim, whose rows are the nearest.
      if (score >= bestScore) {
        bestScore = score;
        best = index;
      }
    }
    return best;
  }

  static constexpr int64_t kLineElements = 16;

  const LoopNest &nest;
  const TargetModel &target;
};
} // namespace

const TargetModel &onnx_aot::genericTargetModel() {
  static const GenericTarget target;
  return target;
}

double onnx_aot::estimateCycles(const LoopNest &nest, StrategyAttr strategy, const TargetModel &target) {
  return Chooser(nest, target).cyclesOf(strategy);
}

StrategyAttr onnx_aot::chooseLoopStrategy(const LoopNest &nest, const TargetModel &target, MLIRContext *context) {
  return Chooser(nest, target).choose(context);
}
