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
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/nvptx/DeviceNest.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::aot;

static constexpr int64_t kThreads = 256;

void onnx_aot::emitPointwise(const DeviceContext &context, Operation *op, const LoopNest &nest) {
  if (succeeded(emitTranspose(context, op, nest)))
    return;
  auto known = dyn_cast<KernelOp>(op);
  DeviceNest device(context, op, nest, known ? known.getKind() : StringRef("elementwise"));
  KernelBuilder &kernel = device.kernel;
  ImplicitLocOpBuilder &b = kernel.b;
  ArrayRef<unsigned> dims = device.parallelDims;
  int laneDim = dims.empty() ? -1 : int(dims.back());
  int64_t lanes = laneDim < 0 ? 1 : lanesAlong(nest, laneDim, [](const Access &) { return true; });

  auto divided = [lanes](ImplicitLocOpBuilder &at, Value number) -> Value {
    return lanes == 1 ? number
                      : at.createOrFold<arith::DivUIOp>(number, arith::ConstantIndexOp::create(at, lanes).getResult());
  };
  Value number =
      arith::AddIOp::create(b, arith::MulIOp::create(b, kernel.blockX(), kernel.index(kThreads)), kernel.threadX());
  Value points = divided(b, device.volume(dims));
  Value isPoint = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, number, points);
  kernel.emitIf(isPoint, [&] {
    if (!dims.empty())
      device.delinearize(arith::MulIOp::create(b, number, kernel.index(lanes)), dims);
    Value accumulator;
    if (nest.compute) {
      auto nested = [&](auto &self, size_t level, Value carried) -> Value {
        if (level == device.reductionDims.size())
          return device.compute(device.loadInputs(/*inCompute=*/true, lanes, laneDim), carried, lanes, laneDim);
        unsigned dim = device.reductionDims[level];
        return kernel
            .emitFor(kernel.index(0), device.valueOf(nest.dims[dim].extent), kernel.index(1), carried,
                     [&](Value iv, ValueRange values) -> SmallVector<Value> {
                       device.ivs[dim] = iv;
                       return {self(self, level + 1, values[0])};
                     })
            .front();
      };
      accumulator = nested(nested, 0, device.identity(lanes));
    }
    device.storeResult(accumulator, lanes, laneDim);
  });
  Value all = divided(kernel.host, device.hostVolume(dims));
  Value threads = arith::ConstantIndexOp::create(kernel.host, kThreads);
  kernel.launch(kernel.host.createOrFold<arith::CeilDivUIOp>(all, threads), kThreads);
}
