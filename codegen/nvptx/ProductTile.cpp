//===- ProductTile.cpp - a block's tile of a matrix product -------------------------------------------------------===//
//
// See ProductTile.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/nvptx/ProductTile.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::aot;

/// The order in which results are numbered.
static SmallVector<unsigned> resultDims(const ProductNest &product) {
  SmallVector<unsigned> dims(product.batch);
  llvm::append_range(dims, product.rows);
  llvm::append_range(dims, product.columns);
  return dims;
}

ProductTile::ProductTile(const DeviceContext &context, Operation *op, const LoopNest &nest, const ProductNest &product,
                         const TileSize &size)
    : NestKernel(context, op, nest, cast<KernelOp>(op).getKind()), product(product), size(size),
      row{product.rowInput, product.rows, size.rows, size.depth},
      column{product.columnInput, product.columns, size.columns, size.depth}, context(context), op(op),
      partial(device, resultDims(product)) {}

//===-- The choice of a tile --------------------------------------------------------------------------------------===//

namespace {
/// Of a large GPU; what it cannot hold at once takes turns.
constexpr double kMultiprocessors = 128;
/// What a multiprocessor gets from the second-level cache in a clock cycle.
constexpr double kBytes = 32;
/// Cycles until another kernel has begun, read what the first one left, and ended.
constexpr double kSecondKernel = 5000;
/// Parts have so many steps at least, and are so many at most.
constexpr int64_t kFewestSteps = 4, kMostParts = 32;
/// What cutting has to save to be done: sums in other kernels are an estimate, their memory is not.
constexpr double kSaving = 0.8;

/// Cycles until all is done. Blocks of a multiprocessor wait for memory at the same time and multiply in turn.
double estimateCycles(const LoopNest &nest, const ProductNest &product, const TileSize &size,
                      const ProductSpeed &speed) {
  double batch = estimateVolume(nest, product.batch), rows = estimateVolume(nest, product.rows),
         columns = estimateVolume(nest, product.columns), depth = estimateVolume(nest, product.depth);
  auto rowsOfTile = double(size.rows), columnsOfTile = double(size.columns), depthOfStep = double(size.depth),
       parts = double(size.parts);
  double tiles = std::ceil(rows / rowsOfTile) * std::ceil(columns / columnsOfTile) * batch;
  double steps = std::ceil(std::ceil(depth / depthOfStep) / parts);
  double blocks = std::ceil(tiles * parts / kMultiprocessors);
  double elementBytes = nest.inputs[product.rowInput].elementType.getIntOrFloatBitWidth() / 8.0;
  // Threads of a small tile load more of shared memory for each product.
  double effort = 1 + 32 / std::sqrt(rowsOfTile * columnsOfTile);
  double multiplying = rowsOfTile * columnsOfTile * depthOfStep / speed.products * effort;
  double bringing = (rowsOfTile + columnsOfTile) * depthOfStep * elementBytes / kBytes;
  double cycles = steps * std::max(speed.latency, blocks * std::max(multiplying, bringing));
  if (size.parts == 1)
    return cycles;
  double sumBytes = nest.identity.getType().getIntOrFloatBitWidth() / 8.0;
  return cycles + kSecondKernel + 2 * parts * batch * rows * columns * sumBytes / (kBytes * kMultiprocessors);
}
} // namespace

TileSize onnx_aot::chooseTile(const LoopNest &nest, const ProductNest &product, ArrayRef<TileSize> sizes,
                              const ProductSpeed &speed, std::optional<ProductSpeed> whole) {
  TileSize best = sizes.front();
  double fewest = std::numeric_limits<double>::infinity();
  auto consider = [&](const TileSize &size) {
    bool isWhole = whole && size.parts == 1 && size.rows == sizes.front().rows && size.columns == sizes.front().columns;
    double cycles = estimateCycles(nest, product, size, isWhole ? *whole : speed);
    if (cycles < fewest) {
      best = size;
      fewest = cycles;
    }
  };
  for (const TileSize &size : sizes)
    consider(size);
  if (!canCombine(nest))
    return best;
  fewest *= kSaving;
  for (TileSize size : sizes) {
    auto steps = int64_t(std::ceil(estimateVolume(nest, product.depth) / double(size.depth)));
    for (size.parts = 2; size.parts <= std::min(kMostParts, steps / kFewestSteps); ++size.parts)
      consider(size);
  }
  return best;
}

//===-- Where tiles lie -------------------------------------------------------------------------------------------===//

void ProductTile::prepare(const TileLayout &layout) {
  thread = kernel.threadX();
  placeBlock();
  rowsOfAll = device.volume(product.rows);
  columnsOfAll = device.volume(product.columns);
  std::tie(depthStart, depthEnd) = partial.boundsOf(part);
  lay(row, rowStart, rowsOfAll, layout);
  lay(column, columnStart, columnsOfAll, layout);
}

/// Columns vary first from block to block, then rows, then the batch, then parts of k.
void ProductTile::placeBlock() {
  auto tilesOf = [&](ImplicitLocOpBuilder &at, Value extent, int64_t extentOfTile) -> Value {
    return at.createOrFold<arith::CeilDivUIOp>(extent, arith::ConstantIndexOp::create(at, extentOfTile).getResult());
  };
  ImplicitLocOpBuilder &host = kernel.host;
  Value columns = tilesOf(host, device.hostVolume(product.columns), size.columns);
  Value rows = tilesOf(host, device.hostVolume(product.rows), size.rows);
  Value tiles = host.createOrFold<arith::MulIOp>(
      columns, host.createOrFold<arith::MulIOp>(rows, device.hostVolume(product.batch)));
  partial.cut(size.parts, size.depth, tiles, size.rows * size.columns, int64_t(kMultiprocessors));
  Value columnTiles = tilesOf(b, device.volume(product.columns), size.columns);
  Value rowTiles = tilesOf(b, device.volume(product.rows), size.rows);
  Value block = kernel.blockX();
  columnStart = times(b.createOrFold<arith::RemUIOp>(block, columnTiles), size.columns);
  Value left = b.createOrFold<arith::DivUIOp>(block, columnTiles);
  rowStart = times(b.createOrFold<arith::RemUIOp>(left, rowTiles), size.rows);
  batch = b.createOrFold<arith::DivUIOp>(left, rowTiles);
  part = kernel.index(0);
  if (partial.isCut()) {
    Value ofAll = device.volume(product.batch);
    part = b.createOrFold<arith::DivUIOp>(batch, ofAll);
    batch = b.createOrFold<arith::RemUIOp>(batch, ofAll);
  }
  if (!product.batch.empty())
    device.delinearize(batch, product.batch);
}

/// Sum of stride * iv over `dims`.
Value ProductTile::offsetOf(const Access &access, ArrayRef<unsigned> dims) {
  Value sum = kernel.index(0);
  for (unsigned dim : dims)
    if (!access.strides[dim].is(0))
      sum = add(sum, b.createOrFold<arith::MulIOp>(device.ivs[dim], device.valueOf(access.strides[dim])));
  return sum;
}

void ProductTile::lay(TileOperand &operand, Value start, Value end, const TileLayout &layout) {
  const Access &access = accessOf(operand);
  unsigned deepest = product.depth.back();
  bool hasNeighbours = !operand.dims.empty() && access.strides[operand.dims.back()].is(1);
  operand.alongDepth = access.strides[deepest].is(1) && !hasNeighbours;
  if (operand.alongDepth || hasNeighbours) {
    unsigned dim = operand.alongDepth ? deepest : operand.dims.back();
    if (isVector(access, dim, layout.mostChunk) && device.nest.dims[dim].extent.isMultipleOf(layout.mostChunk))
      operand.chunk = layout.mostChunk;
  }
  int64_t rows = operand.alongDepth ? operand.lanes : operand.depth;
  operand.pitch =
      operand.alongDepth ? operand.depth + layout.paddingAlongDepth : operand.lanes + layout.paddingAlongLanes;
  operand.shared = kernel.shared({layout.stages, rows, operand.pitch}, access.elementType);
  Value base = add(device.valueOf(access.offset), offsetOf(access, product.batch));
  for (int64_t number = 0; number < chunksPerThread(operand); ++number) {
    Value lane = add(start, placeOf(operand, number).lane);
    if (!operand.dims.empty())
      device.delinearize(lane, operand.dims);
    operand.laneAddress.push_back(add(base, offsetOf(access, operand.dims)));
    operand.isLaneInside.push_back(isBelow(lane, end));
  }
}

//===-- Elements --------------------------------------------------------------------------------------------------===//

ProductTile::Place ProductTile::placeOf(const TileOperand &operand, int64_t number) {
  int64_t neighbours = operand.alongDepth ? operand.depth : operand.lanes;
  Value element = times(add(thread, number * kThreads), operand.chunk);
  Value at = divided(element, neighbours), neighbour = rest(element, neighbours);
  return operand.alongDepth ? Place{at, neighbour, at, neighbour} : Place{at, neighbour, neighbour, at};
}

std::pair<Value, Value> ProductTile::source(const TileOperand &operand, int64_t number, Value from) {
  Value k = add(from, placeOf(operand, number).k);
  Value isInside = arith::AndIOp::create(b, operand.isLaneInside[number], isBelow(k, depthEnd));
  device.delinearize(k, product.depth);
  return {add(operand.laneAddress[number], offsetOf(accessOf(operand), product.depth)), isInside};
}

SmallVector<Value> ProductTile::bring(const TileOperand &operand, Value from) {
  SmallVector<Value> chunks;
  Type element = accessOf(operand).elementType;
  Type type = operand.chunk == 1 ? element : VectorType::get({operand.chunk}, element);
  for (int64_t number = 0; number < chunksPerThread(operand); ++number) {
    auto [at, isInside] = source(operand, number, from);
    auto choice = scf::IfOp::create(b, type, isInside, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(choice.thenBlock());
    Value elements = device.elementsOf(operand.input), loaded;
    if (operand.chunk == 1) {
      loaded = memref::LoadOp::create(b, elements, at);
    } else {
      auto vector = vector::LoadOp::create(b, cast<VectorType>(type), elements, ValueRange{at});
      vector.setAlignmentAttr(b.getI64IntegerAttr(operand.chunk * element.getIntOrFloatBitWidth() / 8));
      loaded = vector;
    }
    scf::YieldOp::create(b, loaded);
    b.setInsertionPointToStart(choice.elseBlock());
    scf::YieldOp::create(b, arith::ConstantOp::create(b, b.getZeroAttr(type)).getResult());
    chunks.push_back(choice.getResult(0));
  }
  return chunks;
}

void ProductTile::forChunk(const TileOperand &operand, int64_t number, llvm::function_ref<void()> body) {
  int64_t chunks = operand.lanes * operand.depth / operand.chunk;
  if ((number + 1) * kThreads <= chunks)
    return body();
  kernel.emitIf(isBelow(add(thread, number * kThreads), kernel.index(chunks)), body);
}

void ProductTile::place(const TileOperand &operand, ValueRange chunks) {
  for (auto [index, value] : llvm::enumerate(chunks)) {
    Value chunk = value;
    Place place = placeOf(operand, int64_t(index));
    forChunk(operand, int64_t(index), [&] {
      SmallVector<Value> at = {kernel.index(0), place.row, place.neighbour};
      auto type = dyn_cast<VectorType>(chunk.getType());
      if (!type) {
        memref::StoreOp::create(b, chunk, operand.shared, at);
        return;
      }
      auto store = vector::StoreOp::create(b, chunk, operand.shared, at);
      store.setAlignmentAttr(b.getI64IntegerAttr(type.getNumElements() * type.getElementTypeBitWidth() / 8));
    });
  }
}

SmallVector<Value> ProductTile::sumInTurn(SmallVector<Value> sums,
                                          llvm::function_ref<void(MutableArrayRef<Value>)> multiply) {
  size_t count = sums.size(), ofRows = size_t(chunksPerThread(row));
  auto bringBoth = [&](Value from) {
    SmallVector<Value> chunks = bring(row, from);
    llvm::append_range(chunks, bring(column, from));
    return chunks;
  };
  llvm::append_range(sums, bringBoth(depthStart));
  auto step = [&](Value from, ValueRange values) {
    ValueRange brought = values.drop_front(count);
    place(row, brought.take_front(ofRows));
    place(column, brought.drop_front(ofRows));
    kernel.barrier();
    SmallVector<Value> next = bringBoth(add(from, size.depth));
    SmallVector<Value> result(values.take_front(count));
    multiply(result);
    kernel.barrier();
    llvm::append_range(result, next);
    return result;
  };
  sums = kernel.emitFor(depthStart, depthEnd, kernel.index(size.depth), sums, step);
  sums.truncate(count);
  return sums;
}

int64_t ProductTile::sumsAtOnce(int64_t neighbours) const {
  if (product.columns.empty())
    return 1;
  unsigned dim = product.columns.back();
  auto isOfEpilogue = [&](const Access &access) { return &access == &device.nest.output || access.inEpilogue; };
  if (!partial.isCut())
    return std::min(neighbours, lanesAlong(device.nest, dim, isOfEpilogue));
  while (!device.nest.dims[dim].extent.isMultipleOf(neighbours))
    neighbours /= 2;
  return neighbours;
}

void ProductTile::storeSums(ArrayRef<Value> rows, ArrayRef<Value> columns,
                            llvm::function_ref<Value(size_t, size_t)> sum, int64_t neighbours) {
  auto lanes = size_t(sumsAtOnce(neighbours));
  int laneDim = lanes == 1 ? -1 : int(product.columns.back());
  auto sumsFrom = [&](size_t i, size_t j) -> Value {
    if (lanes == 1)
      return sum(i, j);
    SmallVector<Value> elements;
    for (size_t lane = 0; lane < lanes; ++lane)
      elements.push_back(sum(i, j + lane));
    return vector::FromElementsOp::create(b, VectorType::get({int64_t(lanes)}, elements.front().getType()), elements);
  };
  for (size_t i = 0; i < rows.size(); ++i) {
    Value at = add(rowStart, rows[i]);
    kernel.emitIf(isBelow(at, rowsOfAll), [&] {
      Value first; // result of the row
      if (partial.isCut())
        first = b.createOrFold<arith::MulIOp>(add(b.createOrFold<arith::MulIOp>(batch, rowsOfAll), at), columnsOfAll);
      else if (!product.rows.empty())
        device.delinearize(at, product.rows);
      for (size_t j = 0; j < columns.size(); j += lanes) {
        Value place = add(columnStart, columns[j]);
        kernel.emitIf(isBelow(place, columnsOfAll), [&] {
          if (partial.isCut())
            return partial.store(sumsFrom(i, j), part, add(first, place));
          if (!product.columns.empty())
            device.delinearize(place, product.columns);
          device.storeResult(sumsFrom(i, j), int64_t(lanes), laneDim);
        });
      }
    });
  }
}

void ProductTile::launch() {
  kernel.launch(partial.allBlocks(), kThreads);
  if (partial.isCut())
    partial.combine(context, op);
}
