//===- EmitRows.cpp - a group of lanes, or a block, for a row -----------------------------------------------------===//
//
// The threads of a row take its elements in turn, in chunks of neighbours. What all elements of a row share is computed
// once by each of them; an aot.across is reduced by each thread, then by exchanges between lanes, and through shared
// memory where a row has a block:
//
//   for each element of the thread: acc = step(.., acc)       the rest of the body as far as the step needs it
//   acc = combine over the lanes
//   ...
//   for each element of the thread: store what the body yields
//
// Short rows of known length stay in registers: each element's values are kept from one of these loops, which are
// unrolled, to the next. Otherwise elements are brought again and computed again.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/nvptx/DeviceNest.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::aot;

namespace {
constexpr int64_t kWarp = KernelBuilder::kWarp;
/// Threads of a block, and those of a row that has all of them; a longer row than that of one warp does.
constexpr int64_t kThreads = 128, kThreadsOfLong = 256, kRowOfWarp = 1024;
constexpr int64_t kMostChunk = 4;

/// Neighbours that are brought and stored together, with what is known of each.
struct Chunk {
  SmallVector<IRMapping> elements;
  SmallVector<Value> ivs;
  Value isInside; // null: certainly
};

class RowKernel {
public:
  RowKernel(const DeviceContext &context, RowsOp op, const LoopNest &nest)
      : device(context, op, nest, op.getKind()), kernel(device.kernel), b(kernel.b), body(op.getBody().front()) {
    device.mapCaptured(shared);
    chooseThreads();
  }

  LogicalResult emit() {
    placeRow();
    findVarying();
    for (Operation &op : body.without_terminator()) {
      if (auto across = dyn_cast<AcrossOp>(op)) {
        if (failed(emitAcross(across)))
          return failure();
      } else if (!varying.contains(op.getResult(0))) {
        b.clone(op, shared);
      }
    }
    storeResults();
    Value rows = device.hostVolume(device.parallelDims);
    Value blocks = perBlock == 1 ? rows
                                 : kernel.host.createOrFold<arith::CeilDivUIOp>(
                                       rows, arith::ConstantIndexOp::create(kernel.host, perBlock).getResult());
    kernel.launch(blocks, threads * perBlock);
    return success();
  }

private:
  //===-- Who does what -------------------------------------------------------------------------------------------===//

  const Access &input(unsigned index) const { return device.nest.inputs[index]; }
  bool movesInRow(const Access &access) const {
    return llvm::any_of(device.reductionDims,
                        [&](unsigned dim) { return !access.strides[dim].is(0) || access.panelDim == int(dim); });
  }

  /// Whether `lanes` neighbours of the row are a vector of each operand, or one element of it.
  bool comeInChunks(int64_t lanes) const {
    unsigned last = device.reductionDims.back();
    auto fits = [&](const Access &access) { return access.strides[last].is(0) || isVector(access, last, lanes); };
    return device.nest.dims[last].extent.isMultipleOf(lanes) && fits(device.nest.output) &&
           llvm::all_of(device.nest.inputs, fits);
  }

  void chooseThreads() {
    if (!device.reductionDims.empty())
      while (chunk < kMostChunk && comeInChunks(chunk * 2))
        chunk *= 2;
    int64_t length = device.nest.reductionVolume();
    bool isKnown =
        llvm::all_of(device.reductionDims, [&](unsigned dim) { return device.nest.dims[dim].extent.isStatic(); });
    threads = kThreadsOfLong;
    if (length <= kRowOfWarp)
      threads = isKnown ? std::clamp<int64_t>(int64_t(llvm::PowerOf2Ceil(uint64_t(length / chunk))), 1, kWarp) : kWarp;
    perBlock = threads > kWarp ? 1 : kThreads / threads;
    if (isKnown && length <= kRowInRegisters)
      kept.resize(size_t(llvm::divideCeil(length, chunk * threads)));
  }

  void placeRow() {
    Value thread = kernel.threadX();
    lane = thread;
    Value row = kernel.blockX();
    if (perBlock > 1) {
      lane = arith::RemUIOp::create(b, thread, kernel.index(threads));
      Value place = arith::DivUIOp::create(b, thread, kernel.index(threads));
      row = arith::AddIOp::create(b, arith::MulIOp::create(b, row, kernel.index(perBlock)), place);
      // Lanes without a row take part in the exchanges, for the last one.
      Value rows = device.volume(device.parallelDims), last = arith::SubIOp::create(b, rows, kernel.index(1));
      hasRow = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, row, rows);
      row = arith::MinUIOp::create(b, row, last);
    }
    if (!device.parallelDims.empty())
      device.delinearize(row, device.parallelDims);
    chunks = device.volume(device.reductionDims);
    if (chunk > 1)
      chunks = b.createOrFold<arith::DivUIOp>(chunks, kernel.index(chunk));
    int64_t length = device.nest.reductionVolume() / chunk;
    for (auto [index, own] : llvm::enumerate(kept)) {
      Value number = arith::AddIOp::create(b, lane, kernel.index(int64_t(index) * threads));
      bool isWhole = int64_t(index + 1) * threads <= length;
      Value isInside = isWhole ? Value() : arith::CmpIOp::create(b, arith::CmpIPredicate::ult, number, chunks);
      own = chunkAt(isWhole ? number : arith::SelectOp::create(b, isInside, number, kernel.index(0)).getResult());
      own.isInside = isInside;
    }
  }

  Chunk chunkAt(Value number) {
    if (chunk > 1)
      number = arith::MulIOp::create(b, number, kernel.index(chunk));
    if (!device.reductionDims.empty())
      device.delinearize(number, device.reductionDims);
    return {SmallVector<IRMapping>(size_t(chunk)), device.ivs, Value()};
  }

  /// Finds the values of the body that differ within a row, and brings what does not.
  void findVarying() {
    for (BlockArgument argument : body.getArguments()) {
      if (movesInRow(input(argument.getArgNumber())))
        varying.insert(argument);
      else if (!argument.use_empty())
        shared.map(argument, device.load(argument.getArgNumber()));
    }
    for (Operation &op : body.without_terminator())
      if (!isa<AcrossOp>(op) && llvm::any_of(op.getOperands(), [&](Value value) { return varying.contains(value); }))
        varying.insert(op.getResult(0));
  }

  //===-- Values of elements --------------------------------------------------------------------------------------===//

  /// `value` of the body at element `at` of a chunk.
  Value valueOf(Value value, Chunk &own, int64_t at) {
    if (!varying.contains(value))
      return shared.lookupOrDefault(value);
    IRMapping &known = own.elements[size_t(at)];
    if (Value found = known.lookupOrNull(value))
      return found;
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      device.ivs = own.ivs;
      int dim = chunk > 1 ? int(device.reductionDims.back()) : -1;
      Value loaded = device.load(argument.getArgNumber(), chunk, dim);
      for (auto [index, element] : llvm::enumerate(own.elements))
        element.map(value, chunk == 1 ? loaded : vector::ExtractOp::create(b, loaded, int64_t(index)).getResult());
      return known.lookup(value);
    }
    Operation *op = value.getDefiningOp();
    IRMapping operands;
    for (Value operand : op->getOperands())
      operands.map(operand, valueOf(operand, own, at));
    Value result = b.clone(*op, operands)->getResult(0);
    own.elements[size_t(at)].map(value, result);
    return result;
  }

  /// Runs `visit` for each chunk of the thread, which maps carried values to their successors.
  SmallVector<Value> forEachChunk(ValueRange carried,
                                  llvm::function_ref<SmallVector<Value>(Chunk &, ValueRange)> visit) {
    if (kept.empty())
      return kernel.emitFor(lane, chunks, kernel.index(threads), carried, [&](Value number, ValueRange values) {
        Chunk own = chunkAt(number);
        return visit(own, values);
      });
    SmallVector<Value> values(carried);
    for (Chunk &own : kept)
      values = visit(own, values);
    return values;
  }

  //===-- Reductions and results ----------------------------------------------------------------------------------===//

  Value emitStep(AcrossOp across, Value accumulator, Chunk &own, int64_t at) {
    Block &step = across.getStep().front();
    IRMapping mapping;
    mapping.map(step.getArgument(0), accumulator);
    for (Operation &op : step.without_terminator()) {
      for (Value operand : op.getOperands())
        if (!mapping.contains(operand))
          mapping.map(operand, valueOf(operand, own, at));
      b.clone(op, mapping);
    }
    return mapping.lookup(step.getTerminator()->getOperand(0));
  }

  LogicalResult emitAcross(AcrossOp across) {
    Operation *combiner = across.getStep().front().getTerminator()->getOperand(0).getDefiningOp();
    if (!combiner || combiner->getBlock() != &across.getStep().front())
      return across.emitError("internal error: a step of a reduction that combines nothing");
    Value sum = arith::ConstantOp::create(b, across.getIdentity());
    sum = forEachChunk(sum, [&](Chunk &own, ValueRange carried) -> SmallVector<Value> {
            Value next = carried[0];
            for (int64_t at = 0; at < chunk; ++at)
              next = emitStep(across, next, own, at);
            if (own.isInside)
              next = arith::SelectOp::create(b, own.isInside, next, carried[0]);
            return {next};
          }).front();
    sum = combineLanes(kernel, combiner, sum, std::min(threads, kWarp));
    if (threads > kWarp) {
      int64_t warps = threads / kWarp;
      Value sums = kernel.shared({warps}, sum.getType());
      Value inWarp = arith::RemUIOp::create(b, lane, kernel.index(kWarp));
      Value isFirst = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, inWarp, kernel.index(0));
      kernel.emitIf(isFirst, [&] {
        memref::StoreOp::create(b, sum, sums, arith::DivUIOp::create(b, lane, kernel.index(kWarp)).getResult());
      });
      kernel.barrier();
      Value at = arith::RemUIOp::create(b, lane, kernel.index(warps));
      sum = combineLanes(kernel, combiner, memref::LoadOp::create(b, sums, at), warps);
    }
    shared.map(across.getResult(), sum);
    return success();
  }

  void storeIf(Value condition, llvm::function_ref<void()> store) {
    if (condition)
      kernel.emitIf(condition, store);
    else
      store();
  }

  void storeResults() {
    Value result = body.getTerminator()->getOperand(0);
    Value isFirst = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, lane, kernel.index(0));
    auto both = [&](Value left, Value right) {
      return left && right ? arith::AndIOp::create(b, left, right).getResult() : left ? left : right;
    };
    if (!movesInRow(device.nest.output)) {
      storeIf(both(isFirst, hasRow), [&] { device.store(shared.lookupOrDefault(result)); });
      return;
    }
    forEachChunk({}, [&](Chunk &own, ValueRange) -> SmallVector<Value> {
      SmallVector<Value> values;
      for (int64_t at = 0; at < chunk; ++at)
        values.push_back(valueOf(result, own, at));
      storeIf(both(own.isInside, hasRow), [&] {
        device.ivs = own.ivs;
        if (chunk == 1)
          return device.store(values[0]);
        device.store(vector::FromElementsOp::create(b, VectorType::get({chunk}, values[0].getType()), values));
      });
      return {};
    });
  }

  DeviceNest device;
  KernelBuilder &kernel;
  ImplicitLocOpBuilder &b;
  Block &body;
  IRMapping shared;           // of all elements of the row
  DenseSet<Value> varying;    // within a row
  SmallVector<Chunk> kept;    // those of the thread; empty: they are brought again
  int64_t chunk = 1;          // elements of one
  int64_t threads, perBlock;  // of a row; rows
  Value lane, hasRow, chunks; // the thread's number in the row; null: certainly; of a row
};
} // namespace

LogicalResult onnx_aot::emitRows(const DeviceContext &context, Operation *op, const LoopNest &nest) {
  return RowKernel(context, cast<RowsOp>(op), nest).emit();
}
