//===- EmitReduction.cpp - a warp, or a block of warps, for one result --------------------------------------------===//
//
// For long reductions with results too few to fill the device. Neighbouring threads take neighbouring elements:
//
//   acc = identity; for r = begin + thread, begin + thread + threads, ... < end: acc = compute(..., acc)
//   acc = combine over the lanes of the warp, by exchanges with lane ^ 16, 8, 4, 2, 1
//   shared[warp] = acc; barrier; the first warp combines those
//   thread 0: store epilogue(acc)
//
// Where elements lie side by side along the reduction, a thread takes up to 8 of them at once, in as many accumulators.
// Very few results of very long reductions are made in parts by several blocks (PartialResults.h).
//
// A block of one warp's work needs no shared memory; then a block holds several warps, each with a result of its own.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/nvptx/PartialResults.h"
#include "dialects/aot/AotDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::aot;

namespace {
constexpr int64_t kWarp = KernelBuilder::kWarp;
/// Threads of a block that works on one result, and the elements from which on it does.
constexpr int64_t kThreads = 256, kLong = 2048;
/// Warps of a block in which each has its own result.
constexpr int64_t kWarps = 4;
/// A reduction of fewer elements is left to one thread, and so is one of so many results that they fill the device.
constexpr int64_t kShort = 32, kMany = 1 << 17;
/// Elements that a thread takes at once at most: 16 bytes of 16 bits each.
constexpr int64_t kMostLanes = 8;
/// Steps of a thread whose loads are on their way together.
constexpr int64_t kStepsAtOnce = 4;
/// Blocks that keep a large device busy, the elements of a part at least, and parts at most.
constexpr int64_t kEnough = 256, kFewestOfPart = 8192, kMostParts = 64;

Value combineElements(DeviceNest &device, Value value) {
  auto type = dyn_cast<VectorType>(value.getType());
  if (!type)
    return value;
  Value all = vector::ExtractOp::create(device.b, value, 0);
  for (int64_t lane = 1; lane < type.getNumElements(); ++lane)
    all = device.combine(all, vector::ExtractOp::create(device.b, value, lane));
  return all;
}

/// How many neighbouring elements of the reduction one of `threads` takes.
int64_t elementsAtOnce(const LoopNest &nest, unsigned deepest, int64_t length, int64_t threads) {
  int64_t lanes = lanesAlong(nest, deepest, [](const Access &access) { return access.inCompute; }, kMostLanes);
  while (lanes > 1 && lanes * threads > length)
    lanes /= 2;
  return lanes;
}
} // namespace

Value onnx_aot::combine(ImplicitLocOpBuilder &b, Operation *combiner, Value left, Value right) {
  if (isa<math::FmaOp>(combiner))
    return arith::AddFOp::create(b, left, right);
  OperationState state(b.getLoc(), combiner->getName(), ValueRange{left, right}, left.getType());
  return b.create(state)->getResult(0);
}

Value onnx_aot::combineLanes(KernelBuilder &kernel, Operation *combiner, Value value, int64_t lanes) {
  for (int64_t mask = lanes / 2; mask > 0; mask /= 2)
    value = combine(kernel.b, combiner, value, kernel.shuffleXor(value, mask));
  return value;
}

void onnx_aot::emitReduction(const DeviceContext &context, Operation *op, const LoopNest &nest) {
  double results = 1;
  for (const LoopDim &dim : nest.dims)
    if (!dim.reduction)
      results *= double(dim.extent.estimate());
  int64_t length = nest.hasReduction() ? nest.reductionVolume() : 0;
  if (length <= kShort || results >= kMany || !canCombine(nest))
    return emitPointwise(context, op, nest);
  if (succeeded(emitColumnReduction(context, op, nest)))
    return;

  DeviceNest device(context, op, nest, cast<KernelOp>(op).getKind());
  KernelBuilder &kernel = device.kernel;
  ImplicitLocOpBuilder &b = kernel.b;
  bool isLong = length >= kLong;
  int64_t threads = isLong ? kThreads : kWarp; // for one result
  int64_t perBlock = isLong ? 1 : kWarps;      // results
  int laneDim = int(device.reductionDims.back());
  int64_t lanes = elementsAtOnce(nest, unsigned(laneDim), length, threads);

  Value thread = kernel.threadX(), lane = arith::RemUIOp::create(b, thread, kernel.index(kWarp)),
        warp = arith::DivUIOp::create(b, thread, kernel.index(kWarp));
  Value result = kernel.blockX(), part = kernel.index(0);
  Value blocks = device.hostVolume(device.parallelDims);
  PartialResults partial(device, device.parallelDims);
  if (isLong) {
    int64_t mostParts =
        std::min({kMostParts, length / kFewestOfPart, int64_t(double(kEnough) / std::max(results, 1.0))});
    partial.cut(mostParts, kThreads * lanes, blocks, perBlock, kEnough);
    blocks = partial.allBlocks();
  }
  if (partial.isCut()) {
    Value ofAll = device.volume(device.parallelDims);
    part = b.createOrFold<arith::DivUIOp>(result, ofAll);
    result = b.createOrFold<arith::RemUIOp>(result, ofAll);
  }
  if (!isLong)
    result = arith::AddIOp::create(b, arith::MulIOp::create(b, result, kernel.index(perBlock)), warp);
  auto work = [&] {
    if (!device.parallelDims.empty())
      device.delinearize(result, device.parallelDims);
    auto [begin, end] = partial.boundsOf(part);
    Value own = b.createOrFold<arith::MulIOp>(isLong ? thread : lane, kernel.index(lanes));
    auto step = [&](Value number, ValueRange carried) -> SmallVector<Value> {
      device.delinearize(number, device.reductionDims);
      SmallVector<Value> inputs = device.loadInputs(/*inCompute=*/true, lanes, laneDim);
      return {device.compute(inputs, carried[0], lanes, laneDim)};
    };
    Value start = b.createOrFold<arith::AddIOp>(begin, own);
    Value sum = kernel.emitUnrolledFor(start, end, threads * lanes, kStepsAtOnce, device.identity(lanes), step).front();
    sum = combineLanes(kernel, nest.combiner(), combineElements(device, sum), kWarp);
    Value isFirst = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, lane, kernel.index(0));
    if (!isLong)
      return kernel.emitIf(isFirst, [&] { device.storeResult(sum); });

    constexpr int64_t kOfBlock = kThreads / kWarp;
    Value sums = kernel.shared({kOfBlock}, sum.getType());
    kernel.emitIf(isFirst, [&] { memref::StoreOp::create(b, sum, sums, warp); });
    kernel.barrier();
    Value isFirstWarp = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, warp, kernel.index(0));
    kernel.emitIf(isFirstWarp, [&] {
      // Lanes beyond the warps' sums repeat them, in another group of the exchange.
      Value at = arith::RemUIOp::create(b, lane, kernel.index(kOfBlock));
      Value all = combineLanes(kernel, nest.combiner(), memref::LoadOp::create(b, sums, at), kOfBlock);
      kernel.emitIf(isFirst, [&] {
        if (partial.isCut())
          partial.store(all, part, result);
        else
          device.storeResult(all);
      });
    });
  };
  if (isLong) {
    work();
  } else {
    Value isResult = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, result, device.volume(device.parallelDims));
    kernel.emitIf(isResult, work);
  }
  if (!isLong)
    blocks = kernel.host.createOrFold<arith::CeilDivUIOp>(
        blocks, arith::ConstantIndexOp::create(kernel.host, perBlock).getResult());
  kernel.launch(blocks, isLong ? kThreads : kWarps * kWarp);
  if (partial.isCut())
    partial.combine(context, op);
}
