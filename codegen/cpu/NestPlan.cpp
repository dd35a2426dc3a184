//===- NestPlan.cpp - the loops that a strategy makes of a nest ---------------------------------------------------===//
#include "codegen/cpu/NestPlan.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::aot;

NestPlan::NestPlan(const LoopNest &nest, StrategyAttr strategy)
    : nest(nest), vectorDim(nest.dimOf(strategy.getVector())), rowDim(nest.dimOf(strategy.getRow())),
      width(vectorDim < 0 ? 1 : strategy.getWidth()), vectors(strategy.getVectors()), rows(strategy.getRows()),
      block(strategy.getBlock()) {
  horizontal = vectorDim >= 0 && nest.dims[vectorDim].reduction;
  bool fitsPanels = llvm::all_of(nest.inputs, [&](const Access &access) {
    return access.panelDim < 0 || access.panelDim != vectorDim || access.panel == width * vectors;
  });
  if (width * vectors == 1 || (width == 1 && horizontal) || !nest.vectorizable || !fitsPanels ||
      (horizontal && !nest.combiner())) {
    vectorDim = -1;
    width = 1;
    horizontal = false;
  }
  if (rowDim >= 0 && (nest.dims[rowDim].reduction || rowDim == vectorDim))
    rowDim = -1;
  if (rowDim < 0 || vectorDim < 0 || horizontal)
    block = 0;
  orderLoops();
}

//===-- Loops -----------------------------------------------------------------------------------------------------===//

void NestPlan::orderLoops() {
  for (auto [index, dim] : llvm::enumerate(nest.dims))
    if (int(index) != nest.dot)
      (dim.reduction ? reductionDims : parallelDims).push_back(index);
  if (rowDim >= 0) {
    // The row loop goes innermost, or outermost where that reads less memory. A block of a window is one tile of rows,
    // down whose column all vectors are walked for one row after the other.
    bool isWindow = block > 0 && nest.slidesWindow(vectorDim);
    llvm::erase(parallelDims, unsigned(rowDim));
    if (block > 0) {
      llvm::erase(parallelDims, unsigned(vectorDim));
      parallelDims.push_back(vectorDim);
    }
    bool isOutermost = isWindow || (block == 0 && rowsOutermost());
    if (isWindow)
      block = 0;
    parallelDims.insert(isOutermost ? parallelDims.begin() : parallelDims.end(), unsigned(rowDim));
  }
  if (horizontal) {
    // Lanes run along the innermost reduction loop.
    llvm::erase(reductionDims, unsigned(vectorDim));
    reductionDims.push_back(vectorDim);
  }
}

/// Whether fewer elements come from beyond the first cache when all is done for a tile of rows before the next one:
/// what does not vary with rows is read again then for each tile, otherwise what rows read in each iteration of the
/// dims along which it repeats.
bool NestPlan::rowsOutermost() const {
  if (vectorDim < 0)
    return false;
  // Down a column of tiles a window meets the data of the tile above, and one tile's code stands in the inner loop.
  if (nest.slidesWindow(vectorDim))
    return true;
  double rowTiles = llvm::divideCeil(nest.dims[rowDim].extent.estimate(), rows), outermost = 0, innermost = 0;
  for (const Access &access : nest.inputs) {
    if (!access.inCompute)
      continue;
    double elements = 1, repeats = 1;
    for (auto [dim, loop] : llvm::enumerate(nest.dims)) {
      if (!access.strides[dim].is(0))
        elements *= loop.extent.estimate();
      else if (!loop.reduction && int(dim) != rowDim)
        repeats *=
            int(dim) == vectorDim ? llvm::divideCeil(loop.extent.estimate(), width * vectors) : loop.extent.estimate();
    }
    bool variesWithRows = !access.strides[rowDim].is(0);
    outermost += elements * (variesWithRows ? 1 : rowTiles);
    innermost += elements * (variesWithRows ? repeats : 1);
  }
  return outermost < innermost;
}

//===-- Pieces ----------------------------------------------------------------------------------------------------===//

SmallVector<VectorPiece> NestPlan::vectorPieces() const {
  if (vectorDim < 0 || horizontal)
    return {};
  int64_t extent = nest.dims[vectorDim].extent.factor, step = width * vectors;
  SmallVector<VectorPiece> pieces;
  int64_t main = extent / step * step;
  if (main > 0) {
    VectorPiece piece{0, main, step, {}};
    for (int64_t v = 0; v < vectors; ++v)
      piece.chunks.push_back({v * width, width});
    pieces.push_back(piece);
  }
  if (main < extent) {
    VectorPiece piece{main, extent, extent - main, {}};
    int64_t at = main;
    for (; at + width <= extent; at += width)
      piece.chunks.push_back({at - main, width});
    int64_t left = extent - at;
    if (left > 0 && comesInPanels() && !llvm::isPowerOf2_64(left))
      piece.chunks.push_back({at - main, int64_t(llvm::bit_ceil(uint64_t(left))), left});
    else if (left > 0 && extent >= width && mayOverlap() && !comesInPanels())
      piece.chunks.push_back({extent - width - main, width});
    else
      for (int64_t rest = extent - at; rest > 0; rest = extent - at) {
        int64_t narrow = llvm::bit_floor(uint64_t(rest));
        piece.chunks.push_back({at - main, narrow});
        at += narrow;
      }
    pieces.push_back(piece);
  }
  return pieces;
}

/// Elementwise operations may be in place, but not those that certainly move elements.
bool NestPlan::mayOverlap() const {
  if (nest.compute || nest.inputs.size() != 1)
    return nest.compute;
  auto differ = [](const auto &strides) {
    const auto &[read, written] = strides;
    return read.isStatic() && written.isStatic() && read != written;
  };
  return llvm::any_of(llvm::zip_equal(nest.inputs[0].strides, nest.output.strides), differ);
}

bool NestPlan::comesInPanels() const {
  return llvm::any_of(nest.inputs, [&](const Access &access) { return access.panelDim == vectorDim; });
}

SmallVector<RowPiece> NestPlan::rowPieces(int64_t extent) const {
  if (!nest.compute) {
    int64_t whole = extent / rows * rows;
    SmallVector<RowPiece> squares;
    if (whole > 0)
      squares.push_back({0, whole, rows});
    if (whole < extent)
      squares.push_back(mayOverlap() && whole > 0 ? RowPiece{extent - rows, extent, rows} : RowPiece{whole, extent, 1});
    return squares;
  }
  int64_t tiles = llvm::divideCeil(extent, rows);
  int64_t small = extent / tiles, larger = extent % tiles;
  SmallVector<RowPiece> pieces;
  if (larger > 0)
    pieces.push_back({0, larger * (small + 1), small + 1});
  pieces.push_back({larger * (small + 1), extent, small});
  return pieces;
}

//===-- Blocks to fetch -------------------------------------------------------------------------------------------===//

std::optional<PackedBlock> NestPlan::blockToFetch() const {
  if (vectorDim < 0 || horizontal || llvm::any_of(nest.dims, [](const LoopDim &dim) { return !dim.extent.isStatic(); }))
    return std::nullopt;
  for (const Access &access : nest.inputs) {
    std::optional<PackedBlock> block = access.inCompute ? blockOf(access) : std::nullopt;
    if (block && block->elements >= kBlockToFetch && tilesPerBlock(*block) <= 2 * block->elements / block->steps)
      return block;
  }
  return std::nullopt;
}

std::optional<PackedBlock> NestPlan::blockOf(const Access &access) const {
  int64_t steps = 1;
  for (unsigned dim : reductionDims) {
    if (access.strides[dim].is(0))
      return std::nullopt;
    steps *= nest.dims[dim].extent.factor;
  }
  if (access.panelDim == vectorDim) {
    int64_t panels = llvm::divideCeil(nest.dims[vectorDim].extent.factor, access.panel);
    PackedBlock packed{&access, unsigned(vectorDim), access.panel, access.panelStride.factor, steps, panels};
    for (unsigned dim : parallelDims) {
      if (int(dim) == vectorDim || access.strides[dim].is(0))
        continue;
      if (packed.outer >= 0 || !access.strides[dim].is(panels * packed.elements))
        return std::nullopt;
      packed.outer = dim;
      packed.count *= nest.dims[dim].extent.factor;
    }
    return packed;
  }
  // A matrix of a batch, all of whose columns are one tile.
  int64_t lanes = nest.dims[vectorDim].extent.factor;
  for (unsigned dim : llvm::reverse(parallelDims))
    if (int(dim) != vectorDim && !access.strides[dim].is(0))
      return lanes <= width * vectors && access.strides[vectorDim].is(1) && access.strides[dim].is(steps * lanes)
                 ? std::optional(PackedBlock{&access, dim, 1, steps * lanes, steps, nest.dims[dim].extent.factor})
                 : std::nullopt;
  return std::nullopt;
}

int64_t NestPlan::iterations(unsigned dim) const {
  int64_t extent = nest.dims[dim].extent.factor;
  return int(dim) == rowDim      ? llvm::divideCeil(block > 0 ? std::min(extent, block) : extent, rows)
         : int(dim) == vectorDim ? llvm::divideCeil(extent, width * vectors)
                                 : extent;
}

int64_t NestPlan::tilesPerBlock(const PackedBlock &packed) const {
  int64_t tiles = 1;
  for (unsigned dim : llvm::reverse(parallelDims)) {
    if (dim == packed.dim)
      break;
    tiles *= iterations(dim);
  }
  return tiles;
}
