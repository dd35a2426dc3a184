//===- EmitProduct.cpp - matrix products in tiles -----------------------------------------------------------------===//
//
// A block of 256 threads makes a tile of the result, each thread a part of it in registers. Tiles of both operands are
// brought to shared memory, a step of k at a time, and the next step's elements are on their way in registers while a
// step is computed:
//
//   next = elements of step 0
//   for step in 0 .. steps
//     shared = next; barrier
//     next = elements of step + 1
//     for k in the step: acc[i][j] = compute(R[k][rows of the thread], S[k][columns of the thread], acc[i][j])
//     barrier
//   store epilogue(acc[i][j]), but for what is beyond the ends
//
// Elements beyond the ends are zeros. Neighbouring threads bring neighbouring elements, whichever dim these run along.
// The tile is the largest of which there are enough to fill the device.
//
// Register tiling through shared memory follows Volkov and Demmel, "Benchmarking GPUs to Tune Dense Linear Algebra"
// (SC 2008); a convolution as such a product without a matrix of its patches is the implicit GEMM of Chetlur et al.,
// "cuDNN: Efficient Primitives for Deep Learning" (2014).
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/nvptx/DeviceNest.h"
#include "codegen/nvptx/ProductNest.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::aot;

namespace {
constexpr int64_t kThreads = 256, kSide = 16; // a square of threads
/// Rows and columns that a thread takes side by side.
constexpr int64_t kGroup = 4;

struct Tile {
  int64_t rows, columns, depth;
};
constexpr Tile kTiles[] = {{128, 128, 8}, {64, 64, 16}, {32, 32, 16}};
/// Blocks that keep a large device busy.
constexpr double kEnough = 128;
/// Fewer rows, columns or products leave most of the smallest tile empty.
constexpr double kFewest = 8;

/// One operand's tile: [k][lane], where lanes are its rows or columns.
struct Operand {
  const Access &access;
  ArrayRef<unsigned> dims; // of its lanes
  int64_t lanes, depth;
  unsigned input;
  bool alongDepth; // neighbouring threads bring neighbours along k

  Value shared;
  SmallVector<Value> laneAddress, laneInside; // of the elements that a thread brings

  int64_t perThread() const { return lanes * depth / kThreads; }
  /// Padding keeps threads that store along k out of each other's banks.
  int64_t pitch() const { return lanes + (alongDepth ? kGroup : 0); }
};

class ProductEmitter {
public:
  ProductEmitter(const DeviceContext &context, Operation *op, const LoopNest &nest, const ProductNest &product,
                 const Tile &tile)
      : device(context, op, nest, cast<KernelOp>(op).getKind()), kernel(device.kernel), b(kernel.b), product(product),
        tile(tile), row{device.nest.inputs[product.rowInput], this->product.rows, tile.rows, tile.depth, product.rowInput, false, {}, {}, {}},
        column{device.nest.inputs[product.columnInput], this->product.columns, tile.columns, tile.depth, product.columnInput, false, {}, {}, {}} {}

  void emit() {
    thread = kernel.threadX();
    placeBlock();
    rowsOfAll = device.volume(product.rows);
    columnsOfAll = device.volume(product.columns);
    depthOfAll = device.volume(product.depth);
    prepare(row, rowStart, rowsOfAll);
    prepare(column, columnStart, columnsOfAll);
    storeTile(multiply());
    kernel.launch(blocks, kThreads);
  }

private:
  //===-- Places --------------------------------------------------------------------------------------------------===//

  Value add(Value left, Value right) { return b.createOrFold<arith::AddIOp>(left, right); }
  Value times(Value value, int64_t factor) { return b.createOrFold<arith::MulIOp>(value, kernel.index(factor)); }
  Value divided(Value value, int64_t by) { return b.createOrFold<arith::DivUIOp>(value, kernel.index(by)); }
  Value rest(Value value, int64_t by) { return b.createOrFold<arith::RemUIOp>(value, kernel.index(by)); }
  Value isBelow(Value value, Value end) { return arith::CmpIOp::create(b, arith::CmpIPredicate::ult, value, end); }

  /// The block's tile: columns first, then rows, then the batch.
  void placeBlock() {
    auto tilesOf = [&](ImplicitLocOpBuilder &at, Value extent, int64_t size) -> Value {
      return at.createOrFold<arith::CeilDivUIOp>(extent, arith::ConstantIndexOp::create(at, size).getResult());
    };
    ImplicitLocOpBuilder &host = kernel.host;
    Value columns = tilesOf(host, device.hostVolume(product.columns), tile.columns);
    Value rows = tilesOf(host, device.hostVolume(product.rows), tile.rows);
    blocks = host.createOrFold<arith::MulIOp>(
        columns, host.createOrFold<arith::MulIOp>(rows, device.hostVolume(product.batch)));
    Value columnTiles = tilesOf(b, device.volume(product.columns), tile.columns);
    Value rowTiles = tilesOf(b, device.volume(product.rows), tile.rows);
    Value block = kernel.blockX();
    columnStart = times(b.createOrFold<arith::RemUIOp>(block, columnTiles), tile.columns);
    Value left = b.createOrFold<arith::DivUIOp>(block, columnTiles);
    rowStart = times(b.createOrFold<arith::RemUIOp>(left, rowTiles), tile.rows);
    if (!product.batch.empty())
      device.delinearize(b.createOrFold<arith::DivUIOp>(left, rowTiles), product.batch);
  }

  /// Sum of stride * iv over `dims`.
  Value offsetOf(const Access &access, ArrayRef<unsigned> dims) {
    Value sum = kernel.index(0);
    for (unsigned dim : dims)
      if (!access.strides[dim].is(0))
        sum = add(sum, b.createOrFold<arith::MulIOp>(device.ivs[dim], device.valueOf(access.strides[dim])));
    return sum;
  }

  /// Which lane and which k element `number` of the thread has, of those that it brings.
  std::pair<Value, Value> placeOf(const Operand &operand, int64_t number) {
    Value element = add(thread, kernel.index(number * kThreads));
    if (operand.alongDepth)
      return {divided(element, operand.depth), rest(element, operand.depth)};
    return {rest(element, operand.lanes), divided(element, operand.lanes)};
  }

  void prepare(Operand &operand, Value start, Value end) {
    const Amount &alongDepth = operand.access.strides[product.depth.back()];
    bool hasNeighbours = !operand.dims.empty() && operand.access.strides[operand.dims.back()].is(1);
    operand.alongDepth = alongDepth.is(1) && !hasNeighbours;
    operand.shared = kernel.shared({operand.depth, operand.pitch()}, operand.access.elementType);
    Value base = add(device.valueOf(operand.access.offset), offsetOf(operand.access, product.batch));
    for (int64_t number = 0; number < operand.perThread(); ++number) {
      Value lane = add(start, placeOf(operand, number).first);
      if (!operand.dims.empty())
        device.delinearize(lane, operand.dims);
      operand.laneAddress.push_back(add(base, offsetOf(operand.access, operand.dims)));
      operand.laneInside.push_back(isBelow(lane, end));
    }
  }

  //===-- Elements ------------------------------------------------------------------------------------------------===//

  /// The elements that the thread brings of the step that begins at `from`; zeros beyond the ends.
  SmallVector<Value> bring(const Operand &operand, Value from) {
    SmallVector<Value> values;
    Type type = operand.access.elementType;
    for (int64_t number = 0; number < operand.perThread(); ++number) {
      Value k = add(from, placeOf(operand, number).second);
      Value isInside = arith::AndIOp::create(b, operand.laneInside[number], isBelow(k, depthOfAll));
      auto choice = scf::IfOp::create(b, type, isInside, /*withElseRegion=*/true);
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(choice.thenBlock());
      device.delinearize(k, product.depth);
      Value at = add(operand.laneAddress[number], offsetOf(operand.access, product.depth));
      scf::YieldOp::create(b, memref::LoadOp::create(b, device.elementsOf(operand.input), at).getResult());
      b.setInsertionPointToStart(choice.elseBlock());
      scf::YieldOp::create(b, arith::ConstantOp::create(b, b.getZeroAttr(type)).getResult());
      values.push_back(choice.getResult(0));
    }
    return values;
  }

  void place(const Operand &operand, ValueRange values) {
    for (auto [number, value] : llvm::enumerate(values)) {
      auto [lane, k] = placeOf(operand, int64_t(number));
      memref::StoreOp::create(b, value, operand.shared, ValueRange{k, lane});
    }
  }

  /// Lanes of a thread: groups of neighbours, kSide groups apart.
  SmallVector<Value> lanesOf(const Operand &operand, Value group) {
    SmallVector<Value> lanes;
    int64_t size = std::min<int64_t>(kGroup, operand.lanes / kSide);
    for (int64_t first = 0; first < operand.lanes; first += size * kSide)
      for (int64_t lane = 0; lane < size; ++lane)
        lanes.push_back(add(times(group, size), kernel.index(first + lane)));
    return lanes;
  }

  SmallVector<Value> loadLanes(const Operand &operand, int64_t k, ArrayRef<Value> lanes) {
    SmallVector<Value> values;
    int64_t size = std::min<int64_t>(kGroup, operand.lanes / kSide);
    auto type = VectorType::get({size}, operand.access.elementType);
    for (size_t first = 0; first < lanes.size(); first += size_t(size)) {
      auto loaded = vector::LoadOp::create(b, type, operand.shared, ValueRange{kernel.index(k), lanes[first]});
      loaded.setAlignmentAttr(b.getI64IntegerAttr(llvm::divideCeil(type.getElementTypeBitWidth() * size, 8)));
      for (int64_t lane = 0; lane < size; ++lane)
        values.push_back(vector::ExtractOp::create(b, loaded, lane));
    }
    return values;
  }

  //===-- The product ---------------------------------------------------------------------------------------------===//

  SmallVector<Value> multiply() {
    SmallVector<Value> rowLanes = lanesOf(row, divided(thread, kSide));
    SmallVector<Value> columnLanes = lanesOf(column, rest(thread, kSide));
    size_t sums = rowLanes.size() * columnLanes.size();
    SmallVector<Value> carried(sums, device.identity());
    auto bringBoth = [&](Value from) {
      SmallVector<Value> values = bring(row, from);
      llvm::append_range(values, bring(column, from));
      return values;
    };
    llvm::append_range(carried, bringBoth(kernel.index(0)));
    SmallVector<Value> results = kernel.emitFor(
        kernel.index(0), depthOfAll, kernel.index(tile.depth), carried, [&](Value from, ValueRange values) {
          ValueRange brought = values.drop_front(sums);
          place(row, brought.take_front(row.perThread()));
          place(column, brought.drop_front(row.perThread()));
          kernel.barrier();
          SmallVector<Value> next = bringBoth(add(from, kernel.index(tile.depth)));
          SmallVector<Value> accumulators(values.take_front(sums));
          for (int64_t k = 0; k < tile.depth; ++k) {
            SmallVector<Value> left = loadLanes(row, k, rowLanes), right = loadLanes(column, k, columnLanes);
            for (auto [i, x] : llvm::enumerate(left))
              for (auto [j, y] : llvm::enumerate(right)) {
                SmallVector<Value> inputs(device.nest.inputs.size());
                inputs[row.input] = x;
                inputs[column.input] = y;
                Value &sum = accumulators[i * right.size() + j];
                sum = device.compute(inputs, sum);
              }
          }
          kernel.barrier();
          llvm::append_range(accumulators, next);
          return accumulators;
        });
    results.truncate(sums);
    return results;
  }

  void storeTile(ArrayRef<Value> sums) {
    SmallVector<Value> rowLanes = lanesOf(row, divided(thread, kSide));
    SmallVector<Value> columnLanes = lanesOf(column, rest(thread, kSide));
    for (auto [i, rowLane] : llvm::enumerate(rowLanes)) {
      Value at = add(rowStart, rowLane);
      kernel.emitIf(isBelow(at, rowsOfAll), [&] {
        if (!product.rows.empty())
          device.delinearize(at, product.rows);
        for (auto [j, columnLane] : llvm::enumerate(columnLanes)) {
          Value place = add(columnStart, columnLane);
          kernel.emitIf(isBelow(place, columnsOfAll), [&] {
            if (!product.columns.empty())
              device.delinearize(place, product.columns);
            device.storeResult(sums[i * columnLanes.size() + j]);
          });
        }
      });
    }
  }

  DeviceNest device;
  KernelBuilder &kernel;
  ImplicitLocOpBuilder &b;
  const ProductNest product;
  const Tile tile;
  Operand row, column;
  Value thread, rowStart, columnStart, rowsOfAll, columnsOfAll, depthOfAll, blocks;
};
} // namespace

LogicalResult onnx_aot::emitProduct(const DeviceContext &context, Operation *op, const LoopNest &nest) {
  std::optional<ProductNest> product = ProductNest::of(nest);
  if (!product)
    return failure();
  double rows = estimateVolume(nest, product->rows), columns = estimateVolume(nest, product->columns),
         batch = estimateVolume(nest, product->batch), depth = estimateVolume(nest, product->depth);
  if (rows < kFewest || columns < kFewest || depth < kFewest)
    return failure();
  const Tile *tile = kTiles;
  while (tile != std::end(kTiles) - 1 &&
         std::ceil(rows / double(tile->rows)) * std::ceil(columns / double(tile->columns)) * batch < kEnough)
    ++tile;
  ProductEmitter(context, op, nest, *product, *tile).emit();
  return success();
}
