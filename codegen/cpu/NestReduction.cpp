//===- NestReduction.cpp - the reduction and the epilogue of one tile ---------------------------------------------===//
#include "codegen/cpu/NestReduction.h"
#include "codegen/VectorBody.h"
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

/// Elements of a cache line.
static int64_t lineElements(Type type) { return 64 / std::max(1u, type.getIntOrFloatBitWidth() / 8); }

void NestReduction::annotate(scf::ForOp loop, int64_t accumulators) {
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

Value NestReduction::wholeSteps(Value low, Value high, int64_t step) {
  if (step == 1)
    return high;
  Value distance = arith::SubIOp::create(b, high, low);
  return arith::SubIOp::create(b, high, arith::RemUIOp::create(b, distance, index(step)));
}

void NestReduction::emitTile() {
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
void NestReduction::storeRowByRow(const TileValues &accumulators) {
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
Value NestReduction::allocateOnStack(int64_t elements) {
  OpBuilder::InsertionGuard guard(b);
  auto function = b.getBlock()->getParentOp()->getParentOfType<FunctionOpInterface>();
  if (auto here = dyn_cast<FunctionOpInterface>(b.getBlock()->getParentOp()))
    function = here;
  b.setInsertionPointToStart(&function.getFunctionBody().front());
  return memref::AllocaOp::create(b, MemRefType::get({elements}, nest.identity.getType()), b.getI64IntegerAttr(64));
}

/// Reduction loops level..end with `accumulators` carried through; returns their values after the loops.
SmallVector<Value> NestReduction::reduce(unsigned level, unsigned end, SmallVector<Value> accumulators) {
  if (level == end)
    return step(accumulators);
  unsigned dim = reductionDims[level];
  auto inner = [&](SmallVector<Value> values) { return reduce(level + 1, end, values); };
  if (level + 1 == end && nest.slidesWindow(vectorDim))
    return repeat(dim, accumulators, inner);
  return carry(dim, accumulators, inner);
}

/// Along a dim of few taps, without a loop: the data of neighbouring results are loaded once.
SmallVector<Value> NestReduction::repeat(unsigned dim, SmallVector<Value> accumulators, Step body) {
  for (int64_t tap = 0; tap < nest.dims[dim].extent.factor; ++tap) {
    ivs[dim] = index(tap);
    accumulators = body(accumulators);
  }
  ivs[dim] = zero;
  return accumulators;
}

/// Along a whole dim, point by point.
SmallVector<Value> NestReduction::carry(unsigned dim, SmallVector<Value> accumulators, Step body) {
  const Amount &extent = nest.dims[dim].extent;
  if (extent.isStatic())
    return carry(dim, 0, extent.factor, 1, accumulators, body);
  return carry(dim, zero, valueOf(extent), 1, accumulators, body);
}

SmallVector<Value> NestReduction::carry(unsigned dim, int64_t low, int64_t high, int64_t stepSize,
                                        SmallVector<Value> accumulators, Step body) {
  if (high <= low)
    return accumulators;
  if (high - low <= stepSize) {
    ivs[dim] = arith::ConstantIndexOp::create(b, low);
    return body(accumulators);
  }
  return carry(dim, index(low), index(high), stepSize, accumulators, body);
}

SmallVector<Value> NestReduction::carry(unsigned dim, Value low, Value high, int64_t stepSize,
                                        SmallVector<Value> accumulators, Step body) {
  auto forOp =
      scf::ForOp::create(b, low, high, index(stepSize), accumulators, [&](OpBuilder &, Location, Value, ValueRange) {});
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

SmallVector<Value> NestReduction::initialAccumulators() {
  SmallVector<Value> initial;
  for (int64_t row = 0; row < tileRows; ++row)
    for (const Chunk &chunk : chunks)
      initial.push_back(identity(chunk.width));
  return initial;
}

Value NestReduction::identity(int64_t lanes) {
  TypedAttr value = nest.identity;
  if (lanes > 1)
    value = DenseElementsAttr::get(VectorType::get({lanes}, value.getType()), ArrayRef<Attribute>(value));
  return arith::ConstantOp::create(b, value);
}

TileValues NestReduction::unflatten(ArrayRef<Value> values) const {
  TileValues tile;
  for (int64_t row = 0; row < tileRows; ++row)
    tile.emplace_back(values.slice(row * chunks.size(), chunks.size()));
  return tile;
}

//===- Prefetching ------------------------------------------------------------------------------------------------===//

/// Fetches, in step k of tile t, the elements (t * steps + k) * share of the next block.
void NestReduction::fetchShare(const PackedBlock &packed) {
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
  for (int64_t line = 0; line < share; line += lineElements(access.elementType))
    prefetch(access, line == 0 ? at : arith::AddIOp::create(b, at, index(line)).getResult(), locality);
}

/// One step of the reduction for the whole tile.
SmallVector<Value> NestReduction::step(ArrayRef<Value> accumulators) {
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

//===- Reductions along the lanes ---------------------------------------------------------------------------------===//

void NestReduction::emitHorizontalTile() {
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
SmallVector<Value> NestReduction::sumLanes(ArrayRef<Value> partial) {
  SmallVector<Value> totals;
  for (int64_t row = 0, count = chunks.size(); row < tileRows; ++row) {
    Value sum = partial[row * count];
    for (int64_t v = 1; v < count; ++v)
      sum = combine(sum, partial[row * count + v]);
    totals.push_back(reduceLanes(sum));
  }
  return totals;
}

SmallVector<Value> NestReduction::sumStatic(int64_t extent, int64_t stepSize) {
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
SmallVector<Value> NestReduction::sumDynamic(const Amount &amount, int64_t stepSize) {
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

SmallVector<Value> NestReduction::nestedCarry(unsigned level, unsigned end, SmallVector<Value> values, Step innermost) {
  if (level == end)
    return innermost(values);
  unsigned dim = reductionDims[level];
  return carry(dim, values, [&](SmallVector<Value> inner) { return nestedCarry(level + 1, end, inner, innermost); });
}

Value NestReduction::combine(Value left, Value right) {
  Operation *combiner = nest.combiner();
  if (isa<math::FmaOp>(combiner))
    return arith::AddFOp::create(b, left, right);
  if (isa<DotOp>(combiner))
    return arith::AddIOp::create(b, left, right);
  OperationState state(b.getLoc(), combiner->getName(), ValueRange{left, right}, TypeRange{left.getType()});
  return static_cast<OpBuilder &>(b).create(state)->getResult(0);
}

/// Folds the upper half of the lanes onto the lower half until one is left.
Value NestReduction::reduceLanes(Value vector) {
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
