//===- EmitColumnReduction.cpp - neighbouring threads reduce to neighbouring results ------------------------------===//
//
// For reductions of which neighbouring results are made of neighbouring elements: sums over rows, and products of one
// or a few rows by a matrix that lies [k][column]. A warp takes 32 neighbours, or as many vectors of up to 8; the warps
// of a block, and where results are few several blocks (PartialResults.h), share the reduction:
//
//   columns = tile * 32 * lanes + lane * lanes ...
//   for k = begin + warp; k < end; k += warps: for each row: acc[row] = compute(..., k, row, columns, acc[row])
//   shared[row][warp][columns] = acc[row]; barrier
//   for each row: store epilogue(combine over the warps of shared[row][warp][thread])
//
// Rows are results that share what moves along the columns, such as the rows of a thin matrix: up to eight are made by
// one thread, so that the matrix is read once.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/nvptx/NestKernel.h"
#include "codegen/nvptx/PartialResults.h"
#include "dialects/aot/AotDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::aot;

namespace {
constexpr int64_t kWarp = KernelBuilder::kWarp, kWarps = 8, kThreads = kWarp * kWarps;
/// Fewer columns leave most of a warp idle.
constexpr int64_t kFewestColumns = 32;
constexpr int64_t kMostRows = 8;
/// Columns that a thread takes at once at most: 16 bytes of 16 bits each. All accumulators of a block are in shared
/// memory.
constexpr int64_t kMostLanes = 8, kSharedBytes = 48 << 10;
/// Blocks that keep a large device busy; steps of a part at least, and parts at most.
constexpr int64_t kEnough = 256, kFewestSteps = 8, kMostParts = 64;

/// Which dims are columns and rows.
struct Columns {
  unsigned dim;
  std::optional<unsigned> rows;
  int64_t lanes = 1, rowsOfThread = 1;
  SmallVector<unsigned> others; // parallel dims that are neither

  static std::optional<Columns> of(const LoopNest &nest) {
    Columns columns;
    auto movesAlong = [&](const Access &access) { return access.inCompute && access.strides[columns.dim].is(1); };
    for (columns.dim = 0; columns.dim < nest.dims.size(); ++columns.dim)
      if (nest.output.strides[columns.dim].is(1) && !nest.dims[columns.dim].reduction)
        break;
    if (columns.dim == nest.dims.size() || nest.dims[columns.dim].extent.estimate() < kFewestColumns ||
        llvm::none_of(nest.inputs, movesAlong))
      return std::nullopt;
    for (unsigned dim = 0; dim < nest.dims.size(); ++dim) {
      const LoopDim &loop = nest.dims[dim];
      if (loop.reduction || dim == columns.dim)
        continue;
      bool areShared = llvm::all_of(nest.inputs, [&](const Access &access) {
        return !movesAlong(access) || (access.strides[dim].is(0) && access.panelDim != int(dim));
      });
      if (!columns.rows && areShared && loop.extent.isStatic() && loop.extent.factor <= kMostRows) {
        columns.rows = dim;
        columns.rowsOfThread = loop.extent.factor;
      } else {
        columns.others.push_back(dim);
      }
    }
    columns.lanes = lanesAlong(nest, columns.dim, [](const Access &access) { return access.inCompute; }, kMostLanes);
    int64_t bytes = llvm::divideCeil(nest.identity.getType().getIntOrFloatBitWidth(), 8);
    while (columns.lanes > 1 && columns.rowsOfThread * kWarps * columns.ofBlock() * bytes > kSharedBytes)
      columns.lanes /= 2;
    return columns;
  }

  /// The order in which results are numbered.
  SmallVector<unsigned> order() const {
    SmallVector<unsigned> dims(others);
    if (rows)
      dims.push_back(*rows);
    dims.push_back(dim);
    return dims;
  }
  int64_t ofBlock() const { return kWarp * lanes; }
};

class ColumnReduction : NestKernel {
public:
  ColumnReduction(const DeviceContext &context, Operation *op, const LoopNest &nest, const Columns &columns)
      : NestKernel(context, op, nest, cast<KernelOp>(op).getKind()), columns(columns),
        partial(device, columns.order()) {}

  void emit(const DeviceContext &context, Operation *op) {
    placeBlock();
    Value sums = reduce();
    kernel.barrier();
    storeResults(sums);
    kernel.launch(partial.allBlocks(), kThreads);
    if (partial.isCut())
      partial.combine(context, op);
  }

private:
  /// Columns vary first from block to block, then the other results, then parts.
  void placeBlock() {
    ImplicitLocOpBuilder &host = kernel.host;
    Value ofBlock = arith::ConstantIndexOp::create(host, columns.ofBlock());
    Value hostTiles = host.createOrFold<arith::CeilDivUIOp>(device.hostVolume(columns.dim), ofBlock);
    partial.cut(mostParts(), kWarps, host.createOrFold<arith::MulIOp>(hostTiles, device.hostVolume(columns.others)),
                columns.ofBlock() * columns.rowsOfThread, kEnough);
    allColumns = device.volume(columns.dim);
    Value tiles = b.createOrFold<arith::CeilDivUIOp>(allColumns, kernel.index(columns.ofBlock()));
    Value block = kernel.blockX();
    firstColumn = times(b.createOrFold<arith::RemUIOp>(block, tiles), kernel.index(columns.ofBlock()));
    other = b.createOrFold<arith::DivUIOp>(block, tiles);
    part = kernel.index(0);
    if (partial.isCut()) {
      Value others = device.volume(columns.others);
      part = b.createOrFold<arith::DivUIOp>(other, others);
      other = b.createOrFold<arith::RemUIOp>(other, others);
    }
    if (!columns.others.empty())
      device.delinearize(other, columns.others);
    thread = kernel.threadX();
  }

  int64_t mostParts() const {
    double blocks = std::ceil(double(device.nest.dims[columns.dim].extent.estimate()) / double(columns.ofBlock()));
    for (unsigned dim : columns.others)
      blocks *= double(device.nest.dims[dim].extent.estimate());
    int64_t ofDepth = device.nest.reductionVolume() / (kWarps * kFewestSteps);
    return std::min({kMostParts, ofDepth, int64_t(double(kEnough) / std::max(blocks, 1.0))});
  }

  /// Loads of several steps on their way, while there are registers for them.
  int64_t stepsAtOnce() const { return columns.rowsOfThread * columns.lanes > kMostLanes ? 2 : 4; }

  void setRow(int64_t row) {
    if (columns.rows)
      device.ivs[*columns.rows] = kernel.index(row);
  }

  /// All accumulators of the block, in shared memory: [row][warp][column].
  Value reduce() {
    Value lane = arith::RemUIOp::create(b, thread, kernel.index(kWarp));
    Value warp = arith::DivUIOp::create(b, thread, kernel.index(kWarp));
    Value column = times(lane, kernel.index(columns.lanes)), ofAll = add(firstColumn, column);
    // Threads beyond the end work on the first columns, for nobody.
    device.ivs[columns.dim] = arith::SelectOp::create(b, isBelow(ofAll, allColumns), ofAll, kernel.index(0));
    auto [begin, end] = partial.boundsOf(part);
    SmallVector<Value> start(size_t(columns.rowsOfThread), device.identity(columns.lanes));
    auto step = [&](Value k, ValueRange carried) {
      device.delinearize(k, device.reductionDims);
      SmallVector<Value> next;
      for (auto [row, accumulator] : llvm::enumerate(carried)) {
        setRow(int64_t(row));
        SmallVector<Value> inputs = device.loadInputs(/*inCompute=*/true, columns.lanes, int(columns.dim));
        next.push_back(device.compute(inputs, accumulator, columns.lanes, int(columns.dim)));
      }
      return next;
    };
    SmallVector<Value> sums = kernel.emitUnrolledFor(add(begin, warp), end, kWarps, stepsAtOnce(), start, step);
    Value shared = kernel.shared({columns.rowsOfThread, kWarps, columns.ofBlock()}, device.nest.identity.getType());
    for (auto [row, sum] : llvm::enumerate(sums)) {
      SmallVector<Value> at = {kernel.index(int64_t(row)), warp, column};
      if (columns.lanes == 1)
        memref::StoreOp::create(b, sum, shared, at);
      else
        vector::StoreOp::create(b, sum, shared, at);
    }
    return shared;
  }

  /// A thread for each column.
  void storeResults(Value shared) {
    Value column = add(firstColumn, thread);
    Value isResult =
        arith::AndIOp::create(b, isBelow(thread, kernel.index(columns.ofBlock())), isBelow(column, allColumns));
    kernel.emitIf(isResult, [&] {
      device.ivs[columns.dim] = column;
      for (int64_t row = 0; row < columns.rowsOfThread; ++row) {
        setRow(row);
        Value sum;
        for (int64_t warp = 0; warp < kWarps; ++warp) {
          Value ofWarp = memref::LoadOp::create(b, shared, ValueRange{kernel.index(row), kernel.index(warp), thread});
          sum = sum ? device.combine(sum, ofWarp) : ofWarp;
        }
        if (!partial.isCut()) {
          device.storeResult(sum);
          continue;
        }
        Value rowOfAll = add(times(other, kernel.index(columns.rowsOfThread)), kernel.index(row));
        partial.store(sum, part, add(times(rowOfAll, allColumns), column));
      }
    });
  }

  Columns columns;
  PartialResults partial;
  Value thread, firstColumn, allColumns, other, part;
};
} // namespace

LogicalResult onnx_aot::emitColumnReduction(const DeviceContext &context, Operation *op, const LoopNest &nest) {
  std::optional<Columns> columns = Columns::of(nest);
  if (!columns)
    return failure();
  ColumnReduction(context, op, nest, *columns).emit(context, op);
  return success();
}
