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

ProductTile::ProductTile(const DeviceContext &context, Operation *op, const LoopNest &nest, const ProductNest &product,
                         const TileSize &size)
    : device(context, op, nest, cast<KernelOp>(op).getKind()), kernel(device.kernel), b(kernel.b), product(product),
      size(size), row{product.rowInput, product.rows, size.rows, size.depth},
      column{product.columnInput, product.columns, size.columns, size.depth} {}

const TileSize &onnx_aot::chooseTile(const LoopNest &nest, const ProductNest &product, ArrayRef<TileSize> sizes) {
  constexpr double kEnough = 128;
  double rows = estimateVolume(nest, product.rows), columns = estimateVolume(nest, product.columns),
         batch = estimateVolume(nest, product.batch);
  const auto *size = llvm::find_if(sizes, [&](const TileSize &size) {
    return std::ceil(rows / double(size.rows)) * std::ceil(columns / double(size.columns)) * batch >= kEnough;
  });
  return size == sizes.end() ? sizes.back() : *size;
}

//===-- Arithmetic ------------------------------------------------------------------------------------------------===//

Value ProductTile::add(Value left, Value right) { return b.createOrFold<arith::AddIOp>(left, right); }
Value ProductTile::times(Value value, int64_t factor) {
  return b.createOrFold<arith::MulIOp>(value, kernel.index(factor));
}
Value ProductTile::divided(Value value, int64_t by) { return b.createOrFold<arith::DivUIOp>(value, kernel.index(by)); }
Value ProductTile::rest(Value value, int64_t by) { return b.createOrFold<arith::RemUIOp>(value, kernel.index(by)); }
Value ProductTile::isBelow(Value value, Value end) {
  return arith::CmpIOp::create(b, arith::CmpIPredicate::ult, value, end);
}

//===-- Where tiles lie -------------------------------------------------------------------------------------------===//

void ProductTile::prepare(const TileLayout &layout) {
  thread = kernel.threadX();
  placeBlock();
  rowsOfAll = device.volume(product.rows);
  columnsOfAll = device.volume(product.columns);
  depthOfAll = device.volume(product.depth);
  lay(row, rowStart, rowsOfAll, layout);
  lay(column, columnStart, columnsOfAll, layout);
}

/// Columns vary first from block to block, then rows, then the batch.
void ProductTile::placeBlock() {
  auto tilesOf = [&](ImplicitLocOpBuilder &at, Value extent, int64_t extentOfTile) -> Value {
    return at.createOrFold<arith::CeilDivUIOp>(extent, arith::ConstantIndexOp::create(at, extentOfTile).getResult());
  };
  ImplicitLocOpBuilder &host = kernel.host;
  Value columns = tilesOf(host, device.hostVolume(product.columns), size.columns);
  Value rows = tilesOf(host, device.hostVolume(product.rows), size.rows);
  blocks = host.createOrFold<arith::MulIOp>(columns,
                                            host.createOrFold<arith::MulIOp>(rows, device.hostVolume(product.batch)));
  Value columnTiles = tilesOf(b, device.volume(product.columns), size.columns);
  Value rowTiles = tilesOf(b, device.volume(product.rows), size.rows);
  Value block = kernel.blockX();
  columnStart = times(b.createOrFold<arith::RemUIOp>(block, columnTiles), size.columns);
  Value left = b.createOrFold<arith::DivUIOp>(block, columnTiles);
  rowStart = times(b.createOrFold<arith::RemUIOp>(left, rowTiles), size.rows);
  if (!product.batch.empty())
    device.delinearize(b.createOrFold<arith::DivUIOp>(left, rowTiles), product.batch);
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
  Value isInside = arith::AndIOp::create(b, operand.isLaneInside[number], isBelow(k, depthOfAll));
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
  llvm::append_range(sums, bringBoth(kernel.index(0)));
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
  sums = kernel.emitFor(kernel.index(0), depthOfAll, kernel.index(size.depth), sums, step);
  sums.truncate(count);
  return sums;
}

void ProductTile::storeSums(ArrayRef<Value> rows, ArrayRef<Value> columns,
                            llvm::function_ref<Value(size_t, size_t)> sum) {
  for (auto [i, rowOfTile] : llvm::enumerate(rows)) {
    Value at = add(rowStart, rowOfTile);
    kernel.emitIf(isBelow(at, rowsOfAll), [&] {
      if (!product.rows.empty())
        device.delinearize(at, product.rows);
      for (auto [j, columnOfTile] : llvm::enumerate(columns)) {
        Value place = add(columnStart, columnOfTile);
        kernel.emitIf(isBelow(place, columnsOfAll), [&] {
          if (!product.columns.empty())
            device.delinearize(place, product.columns);
          device.storeResult(sum(i, j));
        });
      }
    });
  }
}
