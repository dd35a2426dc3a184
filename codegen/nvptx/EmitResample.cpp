//===- EmitResample.cpp - a thread for each element of a resized image --------------------------------------------===//
//
//   y[.., o, .., i] = epilogue(sum over the taps of o and of i of weight * weight * x[.., position, .., position])
//
// The sums are nested as on the host, so that results are the same. Neighbouring threads make neighbours in a row,
// which read neighbours; what several of them read comes from the cache.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/Sampling.h"
#include "codegen/VectorBody.h"
#include "codegen/nvptx/DeviceNest.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace onnx_aot;

namespace {
constexpr int64_t kThreads = 256;

class Resampling {
public:
  Resampling(const DeviceContext &context, aot::ResampleOp op)
      : op(op), kernel(context, op, "resample"), b(kernel.b), element(getElementTypeOrSelf(op.getData().getType())) {}

  void emit() {
    Value data = kernel.pass(op.getData()), result = kernel.pass(op.getInit());
    int64_t rank = cast<MemRefType>(result.getType()).getRank();
    for (Value input : op.getInputs())
      inputs.push_back(kernel.pass(input));
    passAxes();
    kernel.passCaptured(op->getRegions(), captured);

    Value points = arith::ConstantIndexOp::create(kernel.host, 1);
    SmallVector<Value> extents;
    for (int64_t dim = 0; dim < rank; ++dim) {
      Value extent = hostExtent(op.getInit(), dim);
      points = kernel.host.createOrFold<arith::MulIOp>(points, extent);
      extents.push_back(kernel.passIndex(extent));
    }
    Value all = kernel.passIndex(points);
    Value number =
        arith::AddIOp::create(b, arith::MulIOp::create(b, kernel.blockX(), kernel.index(kThreads)), kernel.threadX());
    kernel.emitIf(arith::CmpIOp::create(b, arith::CmpIPredicate::ult, number, all), [&] {
      SmallVector<Value> place(rank);
      for (int64_t dim = rank - 1; dim >= 0; --dim) {
        place[dim] = dim == 0 ? number : arith::RemUIOp::create(b, number, extents[dim]).getResult();
        number = arith::DivUIOp::create(b, number, extents[dim]);
      }
      bool isReversed = op.getRowsFirst() && axes.size() == 2;
      SmallVector<SampledAxis> order(axes);
      if (isReversed)
        std::swap(order[0], order[1]);
      Value value = sumOver(order, data, place, place);
      memref::StoreOp::create(b, finish(value, place), result, place);
    });
    Value threads = arith::ConstantIndexOp::create(kernel.host, kThreads);
    kernel.launch(kernel.host.createOrFold<arith::CeilDivUIOp>(points, threads), kThreads);
  }

private:
  Value hostExtent(Value buffer, int64_t dim) { return kernel.host.createOrFold<memref::DimOp>(buffer, dim); }

  void passAxes() {
    auto table = op.getTables().begin();
    for (unsigned index = 0; index < op.getSamplings().size(); ++index) {
      aot::SamplingAttr sampling = op.getSampling(index);
      SampledAxis axis{sampling, kernel.passIndex(hostExtent(op.getData(), sampling.getAxis())), Value(), {}, {}};
      for (int64_t tap = 0; !axis.hasPhases() && tap < sampling.getTaps(); ++tap)
        axis.positions.push_back(kernel.pass(*table++));
      for (int64_t tap = 0; !axis.hasPhases() && !op.getMoves() && tap < sampling.getTaps(); ++tap)
        axis.weights.push_back(kernel.pass(*table++));
      axes.push_back(axis);
    }
    llvm::sort(axes, [](const SampledAxis &left, const SampledAxis &right) {
      return left.sampling.getAxis() < right.sampling.getAxis();
    });
  }

  /// The sum over the first axis of sums over the others, for the element of the result at `place`.
  Value sumOver(ArrayRef<SampledAxis> open, Value data, ArrayRef<Value> place, SmallVector<Value> read) {
    if (open.empty())
      return memref::LoadOp::create(b, data, read);
    int64_t dim = open.front().sampling.getAxis();
    Value sum;
    for (const Tap &tap : tapsAt(b, open.front(), place[dim], element, op.getMoves())) {
      read[dim] = tap.position;
      sum = accumulateTap(b, sum, sumOver(open.drop_front(), data, place, read), tap.weight, 1);
    }
    return sum;
  }

  Value finish(Value sum, ArrayRef<Value> place) {
    if (op.getEpilogue().empty())
      return sum;
    Block &body = op.getEpilogue().front();
    IRMapping mapping = captured;
    for (auto [index, input] : llvm::enumerate(inputs)) {
      SmallVector<Value> at;
      for (AffineExpr expr : op.getMap(unsigned(index)).getResults()) {
        auto dim = dyn_cast<AffineDimExpr>(expr);
        at.push_back(dim ? place[dim.getPosition()] : kernel.index(0));
      }
      mapping.map(body.getArgument(unsigned(index)), memref::LoadOp::create(b, input, at).getResult());
    }
    mapping.map(body.getArguments().back(), sum);
    return cloneOnVectors(b, body, mapping, 1);
  }

  aot::ResampleOp op;
  KernelBuilder kernel;
  ImplicitLocOpBuilder &b;
  Type element;
  SmallVector<SampledAxis> axes; // rows before columns
  SmallVector<Value> inputs;     // of the epilogue
  IRMapping captured;
};
} // namespace

void onnx_aot::emitResample(const DeviceContext &context, aot::ResampleOp op) { Resampling(context, op).emit(); }
