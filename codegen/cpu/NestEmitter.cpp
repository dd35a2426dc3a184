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
// A dim whose extent is only known at run time has its pieces behind each other as loops: tiles, single vectors, and
// for the rest points or, where a reduction makes it harmless, the vector that ends with the dim; of panels, which are
// filled up, a tile whose stores are masked. Likewise tiles of rows, smaller ones, single rows, where a reduction lets
// the last tile of either size end with the dim. Where a stride of the vector dim is anybody's guess (a broadcast that
// the run decides on), there is vector code for the case that all of them are 1, and scalar code.
//
// Which loops these are is in NestPlan; what stands inside of them, loads, bodies and stores, is in NestTile.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/cpu/NestEmitter.h"
#include "codegen/cpu/NestTile.h"
#include "codegen/cpu/VectorBody.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::aot;

namespace {
class NestEmitter : NestTile {
public:
  NestEmitter(OpBuilder &builder, Location loc, const LoopNest &nest, StrategyAttr strategy)
      : NestTile(builder, loc, nest, strategy) {
    if (rowDim >= 0 && nest.dims[rowDim].extent.isStatic())
      rowsHere = nest.dims[rowDim].extent.factor;
  }

  void emit() {
    for (const LoopDim &dim : nest.dims)
      if (dim.extent.is(0) && !dim.reduction)
        return; // nothing to store
    prepare();
    emitParallel(0);
  }

private:
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
    loop->setAttr("llvm.loop_annotation", LLVM::LoopAnnotationAttr::get(b.getContext(), {}, vectorize, {}, unroll, {},
                                                                        {}, {}, {}, {}, {}, {}, {}, {}, {}, {}));
  }

  /// Runs `body` with ivs[dim] set for low, low + step, ... < high.
  void loop(unsigned dim, int64_t low, int64_t high, int64_t step, llvm::function_ref<void()> body) {
    if (high - low <= step) {
      ivs[dim] = arith::ConstantIndexOp::create(b, low);
      body();
      return;
    }
    loop(dim, index(low), index(high), step, body);
  }

  void loop(unsigned dim, Value low, Value high, int64_t step, llvm::function_ref<void()> body) {
    auto forOp = scf::ForOp::create(b, low, high, index(step));
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
    if (block > 0 && int(dim) == vectorDim && !rowBase)
      return emitBlocks(level);
    bool isStatic = nest.dims[dim].extent.isStatic();
    auto inner = [&] { emitParallel(level + 1); };
    if (int(dim) == vectorDim && !isStatic) {
      emitDynamicVectors(inner);
    } else if (int(dim) == rowDim && !isStatic) {
      emitDynamicRows(inner);
    } else if (!isStatic) {
      loop(dim, zero, valueOf(nest.dims[dim].extent), 1, inner);
    } else if (int(dim) == vectorDim) {
      for (const VectorPiece &piece : vectorPieces()) {
        chunks = piece.chunks;
        loop(dim, piece.low, piece.high, piece.step, inner);
      }
    } else if (int(dim) == rowDim) {
      for (const RowPiece &piece : rowPieces(rowsHere)) {
        tileRows = piece.rows;
        loop(dim, piece.low, piece.high, piece.rows, [&] {
          if (rowBase)
            ivs[dim] = b.createOrFold<arith::AddIOp>(rowBase, ivs[dim]);
          inner();
        });
      }
      tileRows = 1;
    } else {
      loop(dim, 0, nest.dims[dim].extent.factor, 1, inner);
    }
    ivs[dim] = zero;
  }

  /// The vector dim and all within it, for one block of rows after the other.
  void emitBlocks(unsigned level) {
    if (!nest.dims[rowDim].extent.isStatic()) {
      Value rowsOfAll = valueOf(nest.dims[rowDim].extent);
      loop(rowDim, zero, rowsOfAll, block, [&] {
        rowBase = ivs[rowDim];
        rowEnd = arith::MinUIOp::create(b, arith::AddIOp::create(b, rowBase, index(block)), rowsOfAll);
        emitParallel(level);
        rowBase = Value();
      });
      ivs[rowDim] = zero;
      return;
    }
    int64_t extent = nest.dims[rowDim].extent.factor, whole = extent / block * block;
    auto inner = [&](int64_t count) {
      rowBase = ivs[rowDim];
      rowsHere = count;
      emitParallel(level);
      rowBase = Value();
    };
    if (whole > 0)
      loop(rowDim, 0, whole, block, [&] { inner(block); });
    if (whole < extent)
      loop(rowDim, whole, extent, extent - whole, [&] { inner(extent - whole); });
    ivs[rowDim] = zero;
  }

  /// The last multiple of `step` above `low` that is not beyond `high`.
  Value wholeSteps(Value low, Value high, int64_t step) {
    if (step == 1)
      return high;
    Value distance = arith::SubIOp::create(b, high, low);
    return arith::SubIOp::create(b, high, arith::RemUIOp::create(b, distance, index(step)));
  }

  void emitDynamicVectors(llvm::function_ref<void()> body) {
    const Amount &amount = nest.dims[vectorDim].extent;
    Value extent = valueOf(amount), at = zero;
    auto walk = [&](int64_t count, int64_t lanes) {
      chunks.clear();
      for (int64_t v = 0; v < count; ++v)
        chunks.push_back({v * lanes, lanes});
      Value end = amount.isMultipleOf(count * lanes) ? extent : wholeSteps(at, extent, count * lanes);
      loop(vectorDim, at, end, count * lanes, body);
      at = end;
    };
    if (vectors > 1 || comesInPanels())
      walk(vectors, width);
    if (comesInPanels())
      return emitRestOfPanel(at, body);
    if (vectors == 1 || !amount.isMultipleOf(vectors * width))
      walk(1, width);
    if (amount.isMultipleOf(width))
      return;
    // See vectorPieces().
    if (!nest.compute)
      return walk(1, 1);
    emitIf(arith::CmpIPredicate::slt, at, extent, [&] {
      auto overlap = [&] {
        chunks = {{0, width}};
        ivs[vectorDim] = arith::SubIOp::create(b, extent, index(width));
        body();
      };
      emitIf(arith::CmpIPredicate::sge, extent, index(width), overlap, [&] { walk(1, 1); });
    });
  }

  /// What is left for the last panel, in one vector where it fits.
  void emitRestOfPanel(Value at, llvm::function_ref<void()> body) {
    const Amount &amount = nest.dims[vectorDim].extent;
    if (amount.isMultipleOf(vectors * width))
      return;
    Value left = arith::SubIOp::create(b, valueOf(amount), at);
    auto tile = [&](int64_t count) {
      chunks.clear();
      for (int64_t v = 0; v < count; ++v) {
        Value lanes = v == 0 ? left : arith::SubIOp::create(b, left, index(v * width)).getResult();
        auto type = VectorType::get({width}, b.getI1Type());
        chunks.push_back({v * width, width, vector::CreateMaskOp::create(b, type, lanes)});
      }
      ivs[vectorDim] = at;
      body();
    };
    emitIf(arith::CmpIPredicate::sgt, left, zero, [&] {
      if (vectors == 1)
        return tile(1);
      emitIf(arith::CmpIPredicate::sle, left, index(width), [&] { tile(1); }, [&] { tile(vectors); });
    });
  }

  /// Of rows [low, high), where what is computed twice is harmless: tiles as long as more than half of one is left, the
  /// last of which ends with the rows; then tiles of half as many rows in the same way; single rows where there are not
  /// even as many.
  void emitOverlappingRows(Value low, Value high, llvm::function_ref<void()> body) {
    Value at = low;
    auto walk = [&](int64_t size, Value end) {
      tileRows = size;
      loop(rowDim, at, end, size, [&] {
        if (size > 1)
          ivs[rowDim] = arith::MinUIOp::create(b, ivs[rowDim], arith::SubIOp::create(b, high, index(size)));
        body();
      });
      at = end;
    };
    auto select = [&](arith::CmpIPredicate predicate, Value left, int64_t right, Value yes, Value no) -> Value {
      return arith::SelectOp::create(b, arith::CmpIOp::create(b, predicate, left, index(right)), yes, no);
    };
    int64_t half = rows >= 4 ? rows / 2 : 1;
    Value left = arith::RemUIOp::create(b, arith::SubIOp::create(b, high, low), index(rows));
    Value whole = arith::SubIOp::create(b, high, left);
    Value end = select(arith::CmpIPredicate::ugt, left, half, high, whole);
    walk(rows, select(arith::CmpIPredicate::uge, high, rows, end, low));
    if (half > 1)
      walk(half, select(arith::CmpIPredicate::uge, high, half, high, at));
    walk(1, high);
    tileRows = 1;
  }

  void emitDynamicRows(llvm::function_ref<void()> body) {
    const Amount &amount = nest.dims[rowDim].extent;
    Value extent = rowBase ? rowEnd : valueOf(amount), at = rowBase ? rowBase : zero;
    if (nest.compute && rows > 1 && (rowBase || !amount.isMultipleOf(rows)))
      return emitOverlappingRows(at, extent, body);
    SmallVector<int64_t> sizes = {rows};
    if (rows > 1)
      sizes.push_back(1);
    for (int64_t size : sizes) {
      tileRows = size;
      Value end = amount.isMultipleOf(size) ? extent : wholeSteps(at, extent, size);
      loop(rowDim, at, end, size, body);
      at = end;
      if (amount.isMultipleOf(size))
        break;
    }
    tileRows = 1;
  }

  void emitIf(arith::CmpIPredicate predicate, Value left, Value right, llvm::function_ref<void()> then,
              llvm::function_ref<void()> otherwise = nullptr) {
    Value condition = arith::CmpIOp::create(b, predicate, left, right);
    auto ifOp = scf::IfOp::create(b, condition,
                                  /*withElseRegion=*/bool(otherwise));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(ifOp.thenBlock()->getTerminator());
    then();
    if (!otherwise)
      return;
    b.setInsertionPoint(ifOp.elseBlock()->getTerminator());
    otherwise();
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
    if (nest.compute && tileRows > 1 && vectorDim >= 0 && isLong(nest.epilogue->front()))
      storeRowByRow(accumulators);
    else
      store(accumulators);
  }

  /// The epilogue in a loop over the rows, whose accumulators wait on the stack.
  void storeRowByRow(const TileValues &accumulators) {
    int64_t lanes = 0;
    for (const Chunk &chunk : chunks)
      lanes = std::max(lanes, chunk.offset - chunks[0].offset + chunk.width);
    Value waiting = allocateOnStack(tileRows * lanes);
    auto place = [&](Value row, const Chunk &chunk) {
      Value at = arith::MulIOp::create(b, row, index(lanes));
      return arith::AddIOp::create(b, at, index(chunk.offset - chunks[0].offset)).getResult();
    };
    for (int64_t row = 0; row < tileRows; ++row)
      for (auto [at, chunk] : llvm::enumerate(chunks)) {
        Value value = accumulators[row][at];
        chunk.width == 1 ? void(memref::StoreOp::create(b, value, waiting, place(index(row), chunk)))
                         : void(vector::StoreOp::create(b, value, waiting, ValueRange{place(index(row), chunk)}));
      }
    Value firstRow = ivs[rowDim];
    auto forOp = scf::ForOp::create(b, zero, index(tileRows), index(1));
    annotate(forOp, kPipelineDepth);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(forOp.getBody());
    ivs[rowDim] = arith::AddIOp::create(b, firstRow, forOp.getInductionVar());
    TileValues values(1);
    for (const Chunk &chunk : chunks) {
      Value at = place(forOp.getInductionVar(), chunk);
      Type type = nest.identity.getType();
      values[0].push_back(
          chunk.width == 1
              ? memref::LoadOp::create(b, waiting, at).getResult()
              : vector::LoadOp::create(b, VectorType::get({chunk.width}, type), waiting, ValueRange{at}).getResult());
    }
    int64_t rowsOfTile = std::exchange(tileRows, 1);
    store(values);
    tileRows = rowsOfTile;
    ivs[rowDim] = firstRow;
  }

  /// In the function's frame, whatever loops are around.
  Value allocateOnStack(int64_t elements) {
    OpBuilder::InsertionGuard guard(b);
    auto function = b.getBlock()->getParentOp()->getParentOfType<FunctionOpInterface>();
    if (auto here = dyn_cast<FunctionOpInterface>(b.getBlock()->getParentOp()))
      function = here;
    b.setInsertionPointToStart(&function.getFunctionBody().front());
    return memref::AllocaOp::create(b, MemRefType::get({elements}, nest.identity.getType()), b.getI64IntegerAttr(64));
  }

  /// Reduction loops level..end with `accumulators` carried through; returns their values after the loops.
  SmallVector<Value> reduce(unsigned level, unsigned end, SmallVector<Value> accumulators) {
    if (level == end)
      return step(accumulators);
    unsigned dim = reductionDims[level];
    auto inner = [&](SmallVector<Value> values) { return reduce(level + 1, end, values); };
    if (level + 1 == end && nest.slidesWindow(vectorDim))
      return repeat(dim, accumulators, inner);
    return carry(dim, accumulators, inner);
  }

  using Step = llvm::function_ref<SmallVector<Value>(SmallVector<Value>)>;

  /// Along a dim of few taps, without a loop: the data of neighbouring results are loaded once.
  SmallVector<Value> repeat(unsigned dim, SmallVector<Value> accumulators, Step body) {
    for (int64_t tap = 0; tap < nest.dims[dim].extent.factor; ++tap) {
      ivs[dim] = index(tap);
      accumulators = body(accumulators);
    }
    ivs[dim] = zero;
    return accumulators;
  }

  /// Along a whole dim, point by point.
  SmallVector<Value> carry(unsigned dim, SmallVector<Value> accumulators, Step body) {
    const Amount &extent = nest.dims[dim].extent;
    if (extent.isStatic())
      return carry(dim, 0, extent.factor, 1, accumulators, body);
    return carry(dim, zero, valueOf(extent), 1, accumulators, body);
  }

  SmallVector<Value> carry(unsigned dim, int64_t low, int64_t high, int64_t stepSize, SmallVector<Value> accumulators,
                           Step body) {
    if (high <= low)
      return accumulators;
    if (high - low <= stepSize) {
      ivs[dim] = arith::ConstantIndexOp::create(b, low);
      return body(accumulators);
    }
    return carry(dim, index(low), index(high), stepSize, accumulators, body);
  }

  SmallVector<Value> carry(unsigned dim, Value low, Value high, int64_t stepSize, SmallVector<Value> accumulators,
                           Step body) {
    auto forOp = scf::ForOp::create(b, low, high, index(stepSize), accumulators,
                                    [&](OpBuilder &, Location, Value, ValueRange) {});
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

  //===- Prefetching ----------------------------------------------------------------------------------------------===//

  /// Fetches, in step k of tile t, the elements (t * steps + k) * share of the next block.
  void fetchShare(const PackedBlock &packed) {
    const Access &access = *packed.access;
    int64_t perStep = packed.elements / packed.steps, share = llvm::divideCeil(perStep, tilesPerBlock(packed));
    Value at = index(packed.elements);
    auto add = [&](Value iv, int64_t elements) {
      at = arith::AddIOp::create(b, at, arith::MulIOp::create(b, iv, index(elements)));
    };
    add(ivs[packed.dim], packed.elements / packed.advance);
    if (packed.outer >= 0)
      add(ivs[packed.outer], access.strides[packed.outer].factor);
    // The last block fetches itself.
    at = arith::MinUIOp::create(b, at, index((packed.count - 1) * packed.elements));
    int64_t perIteration = packed.steps * share;
    for (unsigned dim : llvm::reverse(parallelDims)) {
      if (dim == packed.dim)
        break;
      int64_t points = int(dim) == rowDim ? rows : int(dim) == vectorDim ? width * vectors : 1;
      Value iv = ivs[dim];
      if (int(dim) == rowDim && rowBase)
        iv = arith::SubIOp::create(b, iv, rowBase);
      add(iv, perIteration / points);
      perIteration *= iterations(dim);
    }
    for (unsigned dim : reductionDims)
      add(ivs[dim], access.strides[dim].factor / perStep * share);
    // What fits the first-level cache beside the tiles goes there, the rest to the second.
    uint32_t locality = packed.elements <= kBlockToFetch * 2 ? 3 : 2;
    for (int64_t line = 0; line < share; line += kLineElements)
      prefetch(access, line == 0 ? at : arith::AddIOp::create(b, at, index(line)).getResult(), locality);
  }

  /// One step of the reduction for the whole tile.
  SmallVector<Value> step(ArrayRef<Value> accumulators) {
    if (std::optional<PackedBlock> packed = blockToFetch())
      fetchShare(*packed);
    // Row by row, so that what one row loads is used before the next one's: registers are short.
    SmallVector<TileValues> inputs;
    SmallVector<Value> next;
    for (int64_t row = 0; row < tileRows; ++row) {
      loadRow(row, [](const Access &access) { return access.inCompute; }, inputs);
      for (auto [index, chunk] : llvm::enumerate(chunks))
        next.push_back(cloneBody(*nest.compute, inputs, row, index, accumulators[row * chunks.size() + index]));
    }
    return next;
  }

  //===- Reductions along the lanes -------------------------------------------------------------------------------===//

  void emitHorizontalTile() {
    const Amount &extent = nest.dims[vectorDim].extent;
    int64_t stepSize = width * vectors;
    // Per row: one vector of partial accumulators for each of the `vectors`.
    chunks.clear();
    for (int64_t v = 0; v < vectors; ++v)
      chunks.push_back({v * width, width});
    SmallVector<Value> totals = extent.isStatic() ? sumStatic(extent.factor, stepSize) : sumDynamic(extent, stepSize);
    ivs[vectorDim] = zero;
    chunks = {{0, 1}};
    store(unflatten(totals));
  }

  /// Per row the sum of what the lanes of its vectors hold.
  SmallVector<Value> sumLanes(ArrayRef<Value> partial) {
    SmallVector<Value> totals;
    for (int64_t row = 0, count = chunks.size(); row < tileRows; ++row) {
      Value sum = partial[row * count];
      for (int64_t v = 1; v < count; ++v)
        sum = combine(sum, partial[row * count + v]);
      totals.push_back(reduceLanes(sum));
    }
    return totals;
  }

  SmallVector<Value> sumStatic(int64_t extent, int64_t stepSize) {
    int64_t main = extent / stepSize * stepSize;
    SmallVector<Value> partial = initialAccumulators();
    unsigned outer = reductionDims.size() - 1;
    auto alongLanes = [&](SmallVector<Value> values) {
      return carry(vectorDim, 0, main, stepSize, values, [&](SmallVector<Value> inner) { return step(inner); });
    };
    if (main > 0)
      partial = nestedCarry(0, outer, partial, alongLanes);
    SmallVector<Value> totals = sumLanes(partial);
    // The rest, in ever narrower vectors, each reduced to scalars at once.
    int64_t at = main;
    while (at < extent) {
      int64_t narrow = std::min<int64_t>(width, llvm::bit_floor(uint64_t(extent - at)));
      chunks = {{0, narrow}};
      SmallVector<Value> rest = nestedCarry(0, outer, initialAccumulators(), [&](SmallVector<Value> values) {
        ivs[vectorDim] = arith::ConstantIndexOp::create(b, at);
        return step(values);
      });
      for (int64_t row = 0; row < tileRows; ++row)
        totals[row] = combine(totals[row], reduceLanes(rest[row]));
      at += narrow;
    }
    return totals;
  }

  /// As many whole steps as there are, then single vectors, then points.
  SmallVector<Value> sumDynamic(const Amount &amount, int64_t stepSize) {
    Value extent = valueOf(amount), at = zero;
    SmallVector<Value> totals;
    auto walk = [&](int64_t size) {
      Value end = amount.isMultipleOf(size) ? extent : wholeSteps(at, extent, size);
      SmallVector<Value> partial =
          nestedCarry(0, reductionDims.size() - 1, initialAccumulators(), [&](SmallVector<Value> values) {
            return carry(vectorDim, at, end, size, values, [&](SmallVector<Value> inner) { return step(inner); });
          });
      SmallVector<Value> sums = sumLanes(partial);
      for (auto [row, sum] : llvm::enumerate(sums))
        totals.size() > row ? void(totals[row] = combine(totals[row], sum)) : totals.push_back(sum);
      at = end;
    };
    walk(stepSize);
    if (vectors > 1 && !amount.isMultipleOf(stepSize)) {
      chunks = {{0, width}};
      walk(width);
    }
    if (!amount.isMultipleOf(width)) {
      chunks = {{0, 1}};
      walk(1);
    }
    return totals;
  }

  SmallVector<Value> nestedCarry(unsigned level, unsigned end, SmallVector<Value> values,
                                 llvm::function_ref<SmallVector<Value>(SmallVector<Value>)> innermost) {
    if (level == end)
      return innermost(values);
    unsigned dim = reductionDims[level];
    return carry(dim, values, [&](SmallVector<Value> inner) { return nestedCarry(level + 1, end, inner, innermost); });
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

  /// Accumulators that hide the latency of two multiply-add units of four cycles.
  static constexpr int64_t kPipelineDepth = 8;
  /// Elements of a cache line.
  static constexpr int64_t kLineElements = 16;

  /// The rows that are walked: [0, rowsHere) after `rowBase`; up to `rowEnd` where only the run knows how many there
  /// are.
  int64_t rowsHere = 0;
  Value rowBase, rowEnd;
};
} // namespace

/// The strides along the vector dim that only the run knows, and that are most often 1.
static SmallVector<Amount *> guessedStrides(LoopNest &nest, StrategyAttr strategy) {
  SmallVector<Amount *> guessed;
  int vector = nest.dimOf(strategy.getVector());
  if (vector < 0 || strategy.getWidth() == 1 || !nest.vectorizable)
    return guessed;
  auto see = [&](Access &access) {
    if (nest.mayBeUnit(access.strides[vector]))
      guessed.push_back(&access.strides[vector]);
  };
  llvm::for_each(nest.inputs, see);
  see(nest.output);
  return guessed;
}

void onnx_aot::emitLoopNest(OpBuilder &builder, Location loc, const LoopNest &nest, StrategyAttr strategy) {
  LoopNest unit = nest;
  SmallVector<Amount *> guessed = guessedStrides(unit, strategy);
  if (guessed.empty())
    return NestEmitter(builder, loc, nest, strategy).emit();

  Value condition, one = arith::ConstantIndexOp::create(builder, loc, 1);
  for (Amount *stride : guessed) {
    const Symbol &symbol = nest.symbols[stride->symbols[0]];
    Value value = symbol.value;
    if (symbol.dim >= 0)
      value = memref::ExtractStridedMetadataOp::create(builder, loc, value).getStrides()[symbol.dim];
    Value isOne = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, value, one);
    condition = condition ? Value(arith::AndIOp::create(builder, loc, condition, isOne)) : isOne;
    *stride = 1;
  }
  auto scalar = StrategyAttr::get(strategy.getContext(), strategy.getProvider(), -1, 1, 1, -1, 1, 0);
  auto ifOp = scf::IfOp::create(builder, loc, condition, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(ifOp.thenBlock()->getTerminator());
  NestEmitter(builder, loc, unit, strategy).emit();
  builder.setInsertionPoint(ifOp.elseBlock()->getTerminator());
  NestEmitter(builder, loc, nest, scalar).emit();
}
