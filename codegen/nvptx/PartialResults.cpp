//===- PartialResults.cpp - reductions that several blocks share --------------------------------------------------===//
//
// See PartialResults.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/nvptx/PartialResults.h"
#include "dialects/aot/AotDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::aot;

static constexpr int64_t kThreads = 256;
/// Parts of which a thread loads accumulators together.
static constexpr int64_t kPartsAtOnce = 4;

void PartialResults::cut(int64_t most, int64_t granule, Value blocks, int64_t resultsOfBlock, int64_t enough) {
  ImplicitLocOpBuilder &host = device.kernel.host;
  auto number = [&](int64_t value) { return arith::ConstantIndexOp::create(host, value).getResult(); };
  hostBlocks = blocks;
  if (most <= 1)
    return;
  hostParts = number(most);
  Value count = host.createOrFold<arith::MulIOp>(device.hostVolume(dims), hostParts);
  if (!getConstantIntValue(blocks)) {
    Value atLeastOne = arith::MaxUIOp::create(host, blocks, number(1));
    Value wanted = arith::CeilDivUIOp::create(host, number(enough), atLeastOne);
    hostParts = arith::MinUIOp::create(host, wanted, hostParts);
    // There are fewer than enough + blocks in all. A bound without divisions can be found before the first launch.
    Value all = arith::AddIOp::create(host, blocks, number(enough));
    count = arith::MinUIOp::create(host, count, arith::MulIOp::create(host, all, number(resultsOfBlock)));
  }
  hostBlocks = host.createOrFold<arith::MulIOp>(blocks, hostParts);
  Value depth = device.hostVolume(device.reductionDims);
  Value ofPart = host.createOrFold<arith::CeilDivUIOp>(depth, hostParts);
  Value granules = host.createOrFold<arith::CeilDivUIOp>(ofPart, number(granule));
  length = device.kernel.passIndex(host.createOrFold<arith::MulIOp>(granules, number(granule)));
  hostPartial = device.kernel.workspace(count, device.nest.identity.getType());
  partial = device.kernel.passElements(hostPartial);
}

std::pair<Value, Value> PartialResults::boundsOf(Value part) {
  ImplicitLocOpBuilder &b = device.b;
  Value depth = device.volume(device.reductionDims);
  if (!isCut())
    return {device.kernel.index(0), depth};
  Value begin = arith::MinUIOp::create(b, depth, arith::MulIOp::create(b, part, length));
  return {begin, arith::MinUIOp::create(b, depth, arith::AddIOp::create(b, begin, length))};
}

void PartialResults::store(Value accumulator, Value part, Value result) {
  ImplicitLocOpBuilder &b = device.b;
  Value at = arith::AddIOp::create(b, b.createOrFold<arith::MulIOp>(part, device.volume(dims)), result);
  auto type = dyn_cast<VectorType>(accumulator.getType());
  if (!type) {
    memref::StoreOp::create(b, accumulator, partial, at);
    return;
  }
  auto stored = vector::StoreOp::create(b, accumulator, partial, ValueRange{at});
  stored.setAlignmentAttr(vectorAlignment(b, type));
}

void PartialResults::combine(const DeviceContext &context, Operation *op) {
  DeviceNest sums(context, op, device.nest, (cast<KernelOp>(op).getKind() + "_combine").str());
  KernelBuilder &kernel = sums.kernel;
  ImplicitLocOpBuilder &b = sums.b, &host = kernel.host;
  Value elements = kernel.passElements(hostPartial), parts = kernel.passIndex(hostParts), volume = sums.volume(dims);
  int laneDim = dims.empty() ? -1 : int(dims.back());
  auto isOfEpilogue = [&](const Access &access) { return &access == &sums.nest.output || access.inEpilogue; };
  int64_t lanes = laneDim < 0 ? 1 : lanesAlong(sums.nest, laneDim, isOfEpilogue);
  Value first =
      arith::AddIOp::create(b, arith::MulIOp::create(b, kernel.blockX(), kernel.index(kThreads)), kernel.threadX());
  first = b.createOrFold<arith::MulIOp>(first, kernel.index(lanes));
  kernel.emitIf(arith::CmpIOp::create(b, arith::CmpIPredicate::ult, first, volume), [&] {
    auto load = [&](Value at) -> Value {
      if (lanes == 1)
        return memref::LoadOp::create(b, elements, at);
      auto type = VectorType::get({lanes}, sums.nest.identity.getType());
      auto loaded = vector::LoadOp::create(b, type, elements, ValueRange{at});
      loaded.setAlignmentAttr(vectorAlignment(b, type));
      return loaded;
    };
    SmallVector<Value> all =
        kernel.emitUnrolledFor(kernel.index(0), parts, 1, kPartsAtOnce, sums.identity(lanes),
                               [&](Value part, ValueRange carried) -> SmallVector<Value> {
                                 Value at = arith::AddIOp::create(b, arith::MulIOp::create(b, part, volume), first);
                                 return {sums.combine(carried[0], load(at))};
                               });
    if (!dims.empty())
      sums.delinearize(first, dims);
    sums.storeResult(all.front(), lanes, laneDim);
  });
  auto number = [&](int64_t value) { return arith::ConstantIndexOp::create(host, value).getResult(); };
  kernel.launch(host.createOrFold<arith::CeilDivUIOp>(sums.hostVolume(dims), number(lanes * kThreads)), kThreads);
}
