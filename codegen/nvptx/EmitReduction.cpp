//===- EmitReduction.cpp - a warp, or a block of warps, for one result --------------------------------------------===//
//
// For long reductions with results too few to fill the device. Neighbouring threads take neighbouring elements:
//
//   acc = identity; for r = thread, thread + threads, ... < reduction: acc = compute(..., acc)
//   acc = combine over the lanes of the warp, by exchanges with lane ^ 16, 8, 4, 2, 1
//   shared[warp] = acc; barrier; the first warp combines those
//   thread 0: store epilogue(acc)
//
// A block of one warp's work needs no shared memory; then a block holds several warps, each with a result of its own.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/nvptx/DeviceNest.h"
#include "dialects/aot/AotDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

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

bool canCombine(const LoopNest &nest) {
  Operation *combiner = nest.combiner();
  if (!combiner || isa<DotOp>(combiner))
    return false;
  Type type = combiner->getResult(0).getType();
  unsigned bits = type.isIntOrFloat() ? type.getIntOrFloatBitWidth() : 0;
  return bits == 8 || bits == 16 || bits == 32 || bits == 64;
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

  DeviceNest device(context, op, nest, cast<KernelOp>(op).getKind());
  KernelBuilder &kernel = device.kernel;
  ImplicitLocOpBuilder &b = kernel.b;
  Operation *combiner = nest.combiner();
  bool isLong = length >= kLong;
  int64_t threads = isLong ? kThreads : kWarp; // for one result
  int64_t perBlock = isLong ? 1 : kWarps;      // results

  Value thread = kernel.threadX(), lane = arith::RemUIOp::create(b, thread, kernel.index(kWarp)),
        warp = arith::DivUIOp::create(b, thread, kernel.index(kWarp));
  Value result = kernel.blockX();
  if (!isLong)
    result = arith::AddIOp::create(b, arith::MulIOp::create(b, result, kernel.index(perBlock)), warp);
  auto work = [&] {
    if (!device.parallelDims.empty())
      device.delinearize(result, device.parallelDims);
    Value sum = kernel
                    .emitFor(isLong ? thread : lane, device.volume(device.reductionDims), kernel.index(threads),
                             device.identity(),
                             [&](Value number, ValueRange carried) -> SmallVector<Value> {
                               device.delinearize(number, device.reductionDims);
                               return {device.compute(device.loadInputs(/*inCompute=*/true), carried[0])};
                             })
                    .front();
    sum = combineLanes(kernel, combiner, sum, kWarp);
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
      Value all = combineLanes(kernel, combiner, memref::LoadOp::create(b, sums, at), kOfBlock);
      kernel.emitIf(isFirst, [&] { device.storeResult(all); });
    });
  };
  if (isLong) {
    work();
  } else {
    Value isResult = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, result, device.volume(device.parallelDims));
    kernel.emitIf(isResult, work);
  }
  Value blocks = device.hostVolume(device.parallelDims);
  if (!isLong)
    blocks = kernel.host.createOrFold<arith::CeilDivUIOp>(
        blocks, arith::ConstantIndexOp::create(kernel.host, perBlock).getResult());
  kernel.launch(blocks, isLong ? kThreads : kWarps * kWarp);
}
