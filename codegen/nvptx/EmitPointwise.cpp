//===- EmitPointwise.cpp - a thread for a few neighbouring results ------------------------------------------------===//
//
// For elementwise operations, and for reductions that are short or whose results are many enough to fill the device:
//
//   n = block * 256 + thread
//   if n < results / lanes
//     ivs = delinearize(n)
//     acc = identity, then compute(...) in loops over the reduction dims
//     store epilogue(acc)
//
// Where neighbours lie side by side, or are the same, in every operand, a thread takes 4 or 2 of them at once, as
// vectors of at most 16 bytes. Where neighbours lie apart, EmitTranspose takes over.
//
// Operations that do not depend on each other (the borders of a padded image, the parts of a concatenation) are one
// kernel, in which each has blocks of its own.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/nvptx/DeviceNest.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::aot;

namespace {
constexpr int64_t kThreads = 256;

/// A nest, and what a thread does of it.
class Points {
public:
  Points(const DeviceContext &context, Operation *op, const LoopNest &nest)
      : device(context, op, nest, kindOf(op)), kernel(device.kernel) {
    chooseLanes();
  }
  Points(KernelBuilder &shared, Operation *op, const LoopNest &nest) : device(shared, op, nest), kernel(shared) {
    chooseLanes();
  }

  KernelBuilder &builder() { return kernel; }

  /// On the host.
  Value blocks() {
    Value all = divided(kernel.host, device.hostVolume(device.parallelDims));
    Value threads = arith::ConstantIndexOp::create(kernel.host, kThreads);
    return kernel.host.createOrFold<arith::CeilDivUIOp>(all, threads);
  }

  /// What a thread of block `block` of these does.
  void emit(Value block) {
    ImplicitLocOpBuilder &b = kernel.b;
    Value number = arith::AddIOp::create(b, arith::MulIOp::create(b, block, kernel.index(kThreads)), kernel.threadX());
    Value points = divided(b, device.volume(device.parallelDims));
    kernel.emitIf(arith::CmpIOp::create(b, arith::CmpIPredicate::ult, number, points), [&] {
      if (!device.parallelDims.empty())
        device.delinearize(arith::MulIOp::create(b, number, kernel.index(lanes)), device.parallelDims);
      device.storeResult(device.nest.compute ? reduce() : Value(), lanes, laneDim);
    });
  }

  static StringRef kindOf(Operation *op) {
    auto known = dyn_cast<KernelOp>(op);
    return known ? known.getKind() : StringRef("elementwise");
  }

private:
  void chooseLanes() {
    ArrayRef<unsigned> dims = device.parallelDims;
    laneDim = dims.empty() ? -1 : int(dims.back());
    lanes = laneDim < 0 ? 1 : lanesAlong(device.nest, laneDim, [](const Access &) { return true; });
  }

  Value divided(ImplicitLocOpBuilder &at, Value number) const {
    return lanes == 1 ? number
                      : at.createOrFold<arith::DivUIOp>(number, arith::ConstantIndexOp::create(at, lanes).getResult());
  }

  Value reduce() { return reduceOver(device.reductionDims, device.identity(lanes)); }

  Value reduceOver(ArrayRef<unsigned> dims, Value carried) {
    if (dims.empty())
      return device.compute(device.loadInputs(/*inCompute=*/true, lanes, laneDim), carried, lanes, laneDim);
    return kernel
        .emitFor(kernel.index(0), device.valueOf(device.nest.dims[dims.front()].extent), kernel.index(1), carried,
                 [&](Value iv, ValueRange values) -> SmallVector<Value> {
                   device.ivs[dims.front()] = iv;
                   return {reduceOver(dims.drop_front(), values[0])};
                 })
        .front();
  }

  DeviceNest device;
  KernelBuilder &kernel;
  int laneDim = -1;
  int64_t lanes = 1;
};
} // namespace

void onnx_aot::emitPointwise(const DeviceContext &context, Operation *op, const LoopNest &nest) {
  if (succeeded(emitTranspose(context, op, nest)))
    return;
  Points points(context, op, nest);
  KernelBuilder &kernel = points.builder();
  points.emit(kernel.blockX());
  kernel.launch(points.blocks(), kThreads);
}

/// Each has blocks of its own, one after the other.
void onnx_aot::emitTogether(const DeviceContext &context, ArrayRef<Operation *> operations) {
  KernelBuilder kernel(context, operations.back(), "elementwise");
  ImplicitLocOpBuilder &b = kernel.b;
  Value block = kernel.blockX(), before = arith::ConstantIndexOp::create(kernel.host, 0);
  for (Operation *op : operations) {
    Points points(kernel, op, *LoopNest::of(op));
    Value end = kernel.host.createOrFold<arith::AddIOp>(before, points.blocks());
    Value isReached = arith::CmpIOp::create(b, arith::CmpIPredicate::uge, block, kernel.passIndex(before));
    Value isBefore = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, block, kernel.passIndex(end));
    Value own = arith::SubIOp::create(b, block, kernel.passIndex(before));
    kernel.emitIf(arith::AndIOp::create(b, isReached, isBefore), [&] { points.emit(own); });
    before = end;
  }
  kernel.launch(before, kThreads);
}
