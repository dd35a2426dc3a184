//===- NestEmitter.cpp - vectorised loops for a loop nest ---------------------------------------------------------===//
//
// The code of one nest, here C[m][n] = f(sum over k of A[m][k] * B[k][n]) with vector dim n, row dim m, tile 6 x 2 x 8:
//
//   for n in 0..N step 16                   parallel dims, the vector dim in tiles
//     for m in 0..M step 6                  the row dim, balanced tiles
//       acc[6][2] = for k in 0..K           reduction dims, accumulators in registers
//         b[2] = two vectors of B[k][n..]   an operand is loaded once for all rows (or vectors) that share it
//         acc[r][v] = compute(broadcast A[m+r][k], b[v], acc[r][v])
//       C[m+r][n+8v] = epilogue(acc[r][v])
//
// What does not fill a tile becomes further pieces of the same code: fewer rows, fewer vectors, and at the end of the
// vector dim a vector that begins early and computes some points twice (where a reduction makes that harmless) or a
// narrower one. When the vector dim is a reduction dim, the lanes hold partial accumulators, which the combiner of the
// reduction merges at the end.
//
// Operands are addressed as flat buffers with linear indices. A body is cloned with vectors in place of scalars; that is
// possible because strategies with vectors are only chosen for bodies of elementwise operations.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/cpu/NestEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::aot;

namespace {

/// `width` points of the vector dim, `offset` points after the tile's first. Width 1 is a scalar.
struct Chunk {
  int64_t offset;
  int64_t width;
};

/// A part of the vector dim that is walked in tiles of `step` points.
struct VectorPiece {
  int64_t low, high, step;
  SmallVector<Chunk> chunks;
};

/// A part of the row dim that is walked `rows` at a time.
struct RowPiece {
  int64_t low, high, rows;
};

/// The values of one tile: [row][chunk].
using TileValues = SmallVector<SmallVector<Value>>;

class NestEmitter {
public:
  NestEmitter(OpBuilder &builder, Location loc, const LoopNest &nest, StrategyAttr strategy)
      : b(loc, builder), nest(nest), vectorDim(nest.dimOf(strategy.getVector())), rowDim(nest.dimOf(strategy.getRow())),
        width(vectorDim < 0 ? 1 : strategy.getWidth()), vectors(strategy.getVectors()), rows(strategy.getRows()) {
    horizontal = vectorDim >= 0 && nest.dims[vectorDim].reduction;
    // A strategy that the bodies do not allow gives scalar code.
    if (width == 1 || !nest.vectorizable || (horizontal && !nest.combiner())) {
      vectorDim = -1;
      width = 1;
      horizontal = false;
    }
    if (rowDim >= 0 && (nest.dims[rowDim].reduction || rowDim == vectorDim))
      rowDim = -1;
  }

  void emit() {
    for (const LoopDim &dim : nest.dims)
      if (dim.extent == 0 && !dim.reduction)
        return; // nothing to store
    for (const Access &access : nest.inputs)
      flat.push_back(flatten(access));
    flatOutput = flatten(nest.output);
    zero = arith::ConstantIndexOp::create(b, 0);
    ivs.assign(nest.dims.size(), zero);
    for (auto [index, dim] : llvm::enumerate(nest.dims))
      (dim.reduction ? reductionDims : parallelDims).push_back(index);
    if (rowDim >= 0) {
      // The row loop goes innermost, or outermost where that reads less memory.
      llvm::erase(parallelDims, unsigned(rowDim));
      parallelDims.insert(rowsOutermost() ? parallelDims.begin() : parallelDims.end(), unsigned(rowDim));
    }
    if (horizontal) {
      // Lanes run along the innermost reduction loop.
      llvm::erase(reductionDims, unsigned(vectorDim));
      reductionDims.push_back(vectorDim);
    }
    emitParallel(0);
  }

private:
  //===- Tiles ----------------------------------------------------------------------------------------------------===//

  SmallVector<VectorPiece> vectorPieces() const {
    if (vectorDim < 0 || horizontal)
      return {};
    int64_t extent = nest.dims[vectorDim].extent, step = width * vectors;
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
      // Computing a point twice is harmless unless the destination may be one of the inputs (elementwise in place).
      if (at < extent && extent >= width && nest.compute)
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

  SmallVector<RowPiece> rowPieces() const {
    int64_t extent = nest.dims[rowDim].extent;
    int64_t tiles = llvm::divideCeil(extent, rows);
    int64_t small = extent / tiles, larger = extent % tiles;
    SmallVector<RowPiece> pieces;
    if (larger > 0)
      pieces.push_back({0, larger * (small + 1), small + 1});
    pieces.push_back({larger * (small + 1), extent, small});
    return pieces;
  }

  /// Elements that the operands which vary with `dim` read in all.
  double footprint(unsigned dim) const {
    double total = 0;
    for (const Access &access : nest.inputs) {
      if (!access.inCompute || access.strides[dim] == 0)
        continue;
      double elements = 1;
      for (auto [index, loop] : llvm::enumerate(nest.dims))
        if (access.strides[index] != 0)
          elements *= loop.extent;
      total += elements;
    }
    return total;
  }

  bool rowsOutermost() const {
    if (vectorDim < 0)
      return false;
    double otherTiles = 1, vectorTiles = 1;
    for (unsigned dim : parallelDims)
      if (int(dim) != rowDim && int(dim) != vectorDim)
        otherTiles *= nest.dims[dim].extent;
    if (!horizontal)
      vectorTiles = llvm::divideCeil(nest.dims[vectorDim].extent, width * vectors);
    double rowTiles = llvm::divideCeil(nest.dims[rowDim].extent, rows);
    double outermost = footprint(rowDim) + footprint(vectorDim) * rowTiles;
    double innermost = footprint(rowDim) * otherTiles * vectorTiles + footprint(vectorDim);
    return outermost < innermost;
  }

  //===- Loops ----------------------------------------------------------------------------------------------------===//

  /// Keeps LLVM from vectorising what is vectorised, and from unrolling a loop whose body fills the pipelines: unrolled
  /// taps would only lengthen live ranges until accumulators spill.
  void annotate(scf::ForOp loop, int64_t accumulators) {
    if (vectorDim < 0)
      return;
    auto yes = b.getBoolAttr(true);
    auto vectorize = LLVM::LoopVectorizeAttr::get(b.getContext(), yes, {}, {}, {}, {}, {}, {});
    LLVM::LoopUnrollAttr unroll;
    if (accumulators >= kPipelineDepth)
      unroll = LLVM::LoopUnrollAttr::get(b.getContext(), yes, {}, {}, {}, {}, {}, {});
    loop->setAttr("llvm.loop_annotation", LLVM::LoopAnnotationAttr::get(b.getContext(), {}, vectorize, {}, unroll, {}, {},
                                                                        {}, {}, {}, {}, {}, {}, {}, {}, {}));
  }

  /// Runs `body` with ivs[dim] set for low, low + step, ... < high.
  void loop(unsigned dim, int64_t low, int64_t high, int64_t step, llvm::function_ref<void()> body) {
    if (high - low <= step) {
      ivs[dim] = arith::ConstantIndexOp::create(b, low);
      body();
      return;
    }
    auto forOp = scf::ForOp::create(b, arith::ConstantIndexOp::create(b, low), arith::ConstantIndexOp::create(b, high),
                                    arith::ConstantIndexOp::create(b, step));
    annotate(forOp, kPipelineDepth);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(forOp.getBody());
    ivs[dim] = forOp.getInductionVar();
    body();
  }

  void emitParallel(unsigned level) {
    if (level == parallelDims.size())
      return emitTile();
    unsigned dim = parallelDims[level];
    if (int(dim) == vectorDim) {
      for (const VectorPiece &piece : vectorPieces()) {
        chunks = piece.chunks;
        loop(dim, piece.low, piece.high, piece.step, [&] { emitParallel(level + 1); });
      }
    } else if (int(dim) == rowDim) {
      for (const RowPiece &piece : rowPieces()) {
        tileRows = piece.rows;
        loop(dim, piece.low, piece.high, piece.rows, [&] { emitParallel(level + 1); });
      }
      tileRows = 1;
    } else {
      loop(dim, 0, nest.dims[dim].extent, 1, [&] { emitParallel(level + 1); });
    }
    ivs[dim] = zero;
  }

  void emitTile() {
    if (horizontal)
      return emitHorizontalTile();
    if (vectorDim < 0)
      chunks = {{0, 1}};
    TileValues accumulators;
    if (nest.compute) {
      SmallVector<Value> initial = initialAccumulators();
      accumulators = unflatten(reduce(0, reductionDims.size(), initial));
    }
    store(accumulators);
  }

  /// Reduction loops level..end with `accumulators` carried through; returns their values after the loops.
  SmallVector<Value> reduce(unsigned level, unsigned end, SmallVector<Value> accumulators) {
    if (level == end)
      return step(accumulators);
    unsigned dim = reductionDims[level];
    return carry(dim, 0, nest.dims[dim].extent, 1, accumulators,
                 [&](SmallVector<Value> values) { return reduce(level + 1, end, values); });
  }

  SmallVector<Value> carry(unsigned dim, int64_t low, int64_t high, int64_t stepSize, SmallVector<Value> accumulators,
                           llvm::function_ref<SmallVector<Value>(SmallVector<Value>)> body) {
    if (high <= low)
      return accumulators;
    if (high - low <= stepSize) {
      ivs[dim] = arith::ConstantIndexOp::create(b, low);
      return body(accumulators);
    }
    auto forOp = scf::ForOp::create(
        b, arith::ConstantIndexOp::create(b, low), arith::ConstantIndexOp::create(b, high),
        arith::ConstantIndexOp::create(b, stepSize), accumulators, [&](OpBuilder &, Location, Value, ValueRange) {});
    annotate(forOp, accumulators.size());
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(forOp.getBody());
      ivs[dim] = forOp.getInductionVar();
      SmallVector<Value> next = body(SmallVector<Value>(forOp.getRegionIterArgs()));
      scf::YieldOp::create(b, next);
    }
    ivs[dim] = zero;
    return SmallVector<Value>(forOp.getResults());
  }

  SmallVector<Value> initialAccumulators() {
    SmallVector<Value> initial;
    for (int64_t row = 0; row < tileRows; ++row)
      for (const Chunk &chunk : chunks)
        initial.push_back(identity(chunk.width));
    return initial;
  }

  Value identity(int64_t lanes) {
    TypedAttr value = nest.identity;
    if (lanes > 1)
      value = DenseElementsAttr::get(VectorType::get({lanes}, value.getType()), ArrayRef<Attribute>(value));
    return arith::ConstantOp::create(b, value);
  }

  TileValues unflatten(ArrayRef<Value> values) const {
    TileValues tile;
    for (int64_t row = 0; row < tileRows; ++row)
      tile.emplace_back(values.slice(row * chunks.size(), chunks.size()));
    return tile;
  }

  /// One step of the reduction for the whole tile.
  SmallVector<Value> step(ArrayRef<Value> accumulators) {
    SmallVector<TileValues> inputs = loadInputs([](const Access &access) { return access.inCompute; });
    SmallVector<Value> next;
    for (int64_t row = 0; row < tileRows; ++row)
      for (auto [index, chunk] : llvm::enumerate(chunks))
        next.push_back(cloneBody(*nest.compute, inputs, row, index, accumulators[row * chunks.size() + index]));
    return next;
  }

  //===- Reductions along the lanes -------------------------------------------------------------------------------===//

  void emitHorizontalTile() {
    int64_t extent = nest.dims[vectorDim].extent;
    int64_t stepSize = width * vectors, main = extent / stepSize * stepSize;
    // Per row: one vector of partial accumulators for each of the `vectors`.
    chunks.clear();
    for (int64_t v = 0; v < vectors; ++v)
      chunks.push_back({v * width, width});
    SmallVector<Value> partial = initialAccumulators();
    unsigned outer = reductionDims.size() - 1;
    SmallVector<Value> totals(tileRows);
    auto alongLanes = [&](SmallVector<Value> values) {
      return carry(vectorDim, 0, main, stepSize, values, [&](SmallVector<Value> inner) { return step(inner); });
    };
    if (main > 0)
      partial = nestedCarry(0, outer, partial, alongLanes);
    for (int64_t row = 0; row < tileRows; ++row) {
      Value sum = partial[row * vectors];
      for (int64_t v = 1; v < vectors; ++v)
        sum = combine(sum, partial[row * vectors + v]);
      totals[row] = reduceLanes(sum);
    }
    // The rest, in ever narrower vectors, each reduced to scalars at once.
    int64_t at = main;
    while (at < extent) {
      int64_t narrow = std::min<int64_t>(width, llvm::bit_floor(uint64_t(extent - at)));
      chunks = {{0, narrow}};
      SmallVector<Value> rest =
          nestedCarry(0, outer, initialAccumulators(), [&](SmallVector<Value> values) {
            ivs[vectorDim] = arith::ConstantIndexOp::create(b, at);
            return step(values);
          });
      for (int64_t row = 0; row < tileRows; ++row)
        totals[row] = combine(totals[row], reduceLanes(rest[row]));
      at += narrow;
    }
    ivs[vectorDim] = zero;
    chunks = {{0, 1}};
    store(unflatten(totals));
  }

  SmallVector<Value> nestedCarry(unsigned level, unsigned end, SmallVector<Value> values,
                                 llvm::function_ref<SmallVector<Value>(SmallVector<Value>)> innermost) {
    if (level == end)
      return innermost(values);
    unsigned dim = reductionDims[level];
    return carry(dim, 0, nest.dims[dim].extent, 1, values,
                 [&](SmallVector<Value> inner) { return nestedCarry(level + 1, end, inner, innermost); });
  }

  Value combine(Value left, Value right) {
    Operation *combiner = nest.combiner();
    if (isa<math::FmaOp>(combiner))
      return arith::AddFOp::create(b, left, right);
    OperationState state(b.getLoc(), combiner->getName(), ValueRange{left, right}, TypeRange{left.getType()});
    return static_cast<OpBuilder &>(b).create(state)->getResult(0);
  }

  /// Folds the upper half of the lanes onto the lower half until one is left.
  Value reduceLanes(Value vector) {
    auto type = dyn_cast<VectorType>(vector.getType());
    if (!type)
      return vector;
    for (int64_t lanes = type.getNumElements(); lanes > 1; lanes /= 2) {
      Value low = vector::ExtractStridedSliceOp::create(b, vector, ArrayRef<int64_t>{0}, ArrayRef<int64_t>{lanes / 2},
                                                        ArrayRef<int64_t>{1});
      Value high = vector::ExtractStridedSliceOp::create(b, vector, ArrayRef<int64_t>{lanes / 2},
                                                         ArrayRef<int64_t>{lanes / 2}, ArrayRef<int64_t>{1});
      vector = combine(low, high);
    }
    return vector::ExtractOp::create(b, vector, 0);
  }

  //===- Memory ---------------------------------------------------------------------------------------------------===//

  /// The operand as a one-dimensional buffer that begins at its base address, or at its offset where that is dynamic.
  Value flatten(const Access &access) {
    auto type = cast<MemRefType>(access.operand.getType());
    int64_t offset = 0;
    SmallVector<int64_t> strides; // none where the buffer is empty
    (void)type.getStridesAndOffset(strides, offset);
    bool isDynamic = ShapedType::isDynamic(offset);
    int64_t last = isDynamic ? 0 : offset;
    for (auto [extent, stride] : llvm::zip(type.getShape(), strides))
      last += std::max<int64_t>(extent - 1, 0) * std::max<int64_t>(stride, 0);
    int64_t size = last + 1;
    if (isDynamic) {
      auto layout = StridedLayoutAttr::get(type.getContext(), ShapedType::kDynamic, {1});
      auto metadata = memref::ExtractStridedMetadataOp::create(b, access.operand);
      OpFoldResult start = metadata.getOffset(), extent = b.getIndexAttr(size), stride = b.getIndexAttr(1);
      return memref::ReinterpretCastOp::create(b, MemRefType::get({size}, type.getElementType(), layout),
                                               metadata.getBaseBuffer(), start, ArrayRef<OpFoldResult>{extent},
                                               ArrayRef<OpFoldResult>{stride});
    }
    auto flatType = MemRefType::get({size}, type.getElementType());
    if (type == flatType)
      return access.operand;
    return memref::ReinterpretCastOp::create(b, flatType, access.operand, /*offset=*/0, ArrayRef<int64_t>{size},
                                             ArrayRef<int64_t>{1});
  }

  /// Address of the tile's first point; `rows` and `lanes` are added as constants.
  Value address(const Access &access, int64_t row, int64_t lane) {
    int64_t constant = access.offset;
    Value sum;
    for (auto [dim, stride] : llvm::enumerate(access.strides)) {
      if (stride == 0)
        continue;
      if (auto known = getConstantIntValue(ivs[dim])) {
        constant += stride * *known;
        continue;
      }
      Value term = ivs[dim];
      if (stride != 1)
        term = arith::MulIOp::create(b, term, arith::ConstantIndexOp::create(b, stride));
      sum = sum ? Value(arith::AddIOp::create(b, sum, term)) : term;
    }
    if (rowDim >= 0)
      constant += row * access.strides[rowDim];
    if (vectorDim >= 0)
      constant += lane * access.strides[vectorDim];
    Value offset = arith::ConstantIndexOp::create(b, constant);
    if (!sum)
      return offset;
    return constant == 0 ? sum : Value(arith::AddIOp::create(b, sum, offset));
  }

  Value load(Value buffer, const Access &access, int64_t row, const Chunk &chunk) {
    int64_t stride = vectorDim < 0 ? 0 : access.strides[vectorDim];
    Value at = address(access, row, chunk.offset);
    if (chunk.width == 1)
      return memref::LoadOp::create(b, buffer, at);
    auto type = VectorType::get({chunk.width}, access.elementType);
    if (stride == 1)
      return vector::LoadOp::create(b, type, buffer, ValueRange{at});
    if (stride == 0)
      return vector::BroadcastOp::create(b, type, memref::LoadOp::create(b, buffer, at));
    if (stride == 2)
      return loadEven(buffer, access, row, chunk, type);
    SmallVector<Value> lanes;
    for (int64_t lane = 0; lane < chunk.width; ++lane)
      lanes.push_back(memref::LoadOp::create(b, buffer, address(access, row, chunk.offset + lane)));
    return vector::FromElementsOp::create(b, type, lanes);
  }

  /// Every second element, from two vectors of which the later ends at the last element that is wanted, so that nothing
  /// beyond the buffer is read.
  Value loadEven(Value buffer, const Access &access, int64_t row, const Chunk &chunk, VectorType type) {
    int64_t width = chunk.width;
    Value at = address(access, row, chunk.offset);
    Value low = vector::LoadOp::create(b, type, buffer, ValueRange{at});
    Value next = arith::AddIOp::create(b, at, arith::ConstantIndexOp::create(b, width - 1));
    Value high = vector::LoadOp::create(b, type, buffer, ValueRange{next});
    SmallVector<int64_t> lanes;
    for (int64_t lane = 0; lane < width; ++lane)
      lanes.push_back(2 * lane < width ? 2 * lane : 2 * lane + 1);
    return vector::ShuffleOp::create(b, low, high, lanes);
  }

  /// Tiles of the inputs that `wanted` names (empty for the others). Rows and vectors that read the same share a load.
  SmallVector<TileValues> loadInputs(llvm::function_ref<bool(const Access &)> wanted) {
    SmallVector<TileValues> tiles(nest.inputs.size());
    for (auto [index, access] : llvm::enumerate(nest.inputs)) {
      if (!wanted(access))
        continue;
      TileValues &tile = tiles[index];
      for (int64_t row = 0; row < tileRows; ++row) {
        SmallVector<Value> values;
        for (auto [at, chunk] : llvm::enumerate(chunks)) {
          if (row > 0 && (rowDim < 0 || access.strides[rowDim] == 0))
            values.push_back(tile[0][at]);
          else if (at > 0 && vectorDim >= 0 && access.strides[vectorDim] == 0 && chunk.width == chunks[0].width)
            values.push_back(values[0]);
          else
            values.push_back(load(flat[index], access, row, chunk));
        }
        tile.push_back(values);
      }
    }
    return tiles;
  }

  void store(const TileValues &accumulators) {
    // All loads of the tile come before its stores: an input may be the destination itself.
    SmallVector<TileValues> inputs = loadInputs([](const Access &access) { return access.inEpilogue; });
    TileValues results(tileRows);
    for (int64_t row = 0; row < tileRows; ++row)
      for (size_t at = 0; at < chunks.size(); ++at)
        results[row].push_back(
            cloneBody(*nest.epilogue, inputs, row, at, nest.compute ? accumulators[row][at] : Value()));
    for (int64_t row = 0; row < tileRows; ++row)
      for (auto [at, chunk] : llvm::enumerate(chunks))
        storeChunk(results[row][at], row, chunk);
  }

  void storeChunk(Value value, int64_t row, const Chunk &chunk) {
    const Access &access = nest.output;
    int64_t stride = vectorDim < 0 ? 0 : access.strides[vectorDim];
    if (chunk.width == 1) {
      memref::StoreOp::create(b, value, flatOutput, address(access, row, chunk.offset));
    } else if (stride == 1) {
      vector::StoreOp::create(b, value, flatOutput, ValueRange{address(access, row, chunk.offset)});
    } else {
      for (int64_t lane = 0; lane < chunk.width; ++lane)
        memref::StoreOp::create(b, vector::ExtractOp::create(b, value, lane), flatOutput,
                                address(access, row, chunk.offset + lane));
    }
  }

  //===- Bodies ---------------------------------------------------------------------------------------------------===//

  Value cloneBody(Region &body, ArrayRef<TileValues> inputs, int64_t row, size_t chunkIndex, Value accumulator) {
    const Chunk &chunk = chunks[chunkIndex];
    Block &block = body.front();
    IRMapping mapping;
    for (auto [index, argument] : llvm::enumerate(block.getArguments())) {
      if (index < inputs.size() && !inputs[index].empty())
        mapping.map(argument, inputs[index][row][chunkIndex]);
      else if (index == inputs.size() && accumulator)
        mapping.map(argument, accumulator);
    }
    for (Operation &op : block.without_terminator())
      cloneOperation(op, mapping, row, chunk);
    return asVector(mapping.lookupOrDefault(block.getTerminator()->getOperand(0)), chunk.width);
  }

  Value asVector(Value value, int64_t lanes) {
    if (lanes == 1 || isa<VectorType>(value.getType()))
      return value;
    return vector::BroadcastOp::create(b, VectorType::get({lanes}, value.getType()), value);
  }

  void cloneOperation(Operation &op, IRMapping &mapping, int64_t row, const Chunk &chunk) {
    if (auto index = dyn_cast<linalg::IndexOp>(op)) {
      mapping.map(index.getResult(), position(index.getDim(), row, chunk));
      return;
    }
    if (chunk.width == 1 || op.hasTrait<OpTrait::ConstantLike>()) {
      // A constant stays scalar here; a user that is a vector broadcasts it.
      b.clone(op, mapping);
      return;
    }
    for (Value operand : op.getOperands())
      if (!isa<VectorType>(mapping.lookupOrDefault(operand).getType()))
        mapping.map(operand, asVector(mapping.lookupOrDefault(operand), chunk.width));
    Operation *clone = b.clone(op, mapping);
    for (Value result : clone->getResults())
      result.setType(VectorType::get({chunk.width}, result.getType()));
  }

  /// The value of iteration dim `original` of the operation at each lane.
  Value position(uint64_t original, int64_t row, const Chunk &chunk) {
    int dim = nest.dimOf(original);
    if (dim < 0)
      return zero;
    int64_t constant = dim == rowDim ? row : dim == vectorDim ? chunk.offset : 0;
    Value base = arith::AddIOp::create(b, ivs[dim], arith::ConstantIndexOp::create(b, constant));
    if (chunk.width == 1)
      return base;
    auto type = VectorType::get({chunk.width}, b.getIndexType());
    Value lanes = vector::BroadcastOp::create(b, type, base);
    if (dim != vectorDim)
      return lanes;
    return arith::AddIOp::create(b, lanes, vector::StepOp::create(b, type));
  }

  /// Accumulators that hide the latency of two multiply-add units of four cycles.
  static constexpr int64_t kPipelineDepth = 8;

  ImplicitLocOpBuilder b;
  const LoopNest &nest;
  int vectorDim, rowDim;
  int64_t width, vectors, rows;
  bool horizontal = false;

  SmallVector<unsigned> parallelDims, reductionDims;
  SmallVector<Value> flat;
  Value flatOutput, zero;
  SmallVector<Value> ivs;
  int64_t tileRows = 1;
  SmallVector<Chunk> chunks;
};
} // namespace

void onnx_aot::emitLoopNest(OpBuilder &builder, Location loc, const LoopNest &nest, StrategyAttr strategy) {
  NestEmitter(builder, loc, nest, strategy).emit();
}
