//===- EmitStructured.cpp - a thread for each point of the parallel dims ------------------------------------------===//
//
// Operations of linalg whose operands have no linear addresses, or that have several results. The loops are linalg's
// own; those over parallel dims become the grid, those over the others stay loops of a thread:
//
//   scf.parallel (%i, %j) = 0 .. (%n, %m) { body }
// becomes
//   %k = block * 256 + thread ; if %k < %n * %m { %i = %k / %m ; %j = %k mod %m ; body }
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/nvptx/DeviceNest.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace onnx_aot;

namespace {
constexpr int64_t kThreads = 256;

/// The extents of the outermost parallel dims, as the host knows them.
SmallVector<Value> hostExtents(ImplicitLocOpBuilder &host, linalg::LinalgOp op) {
  SmallVector<Range> ranges = op.createLoopRanges(host, host.getLoc());
  SmallVector<Value> extents;
  for (auto [range, iterator] : llvm::zip(ranges, op.getIteratorTypesArray())) {
    if (iterator != utils::IteratorType::parallel)
      break;
    extents.push_back(getValueOrCreateConstantIndexOp(host, host.getLoc(), range.size));
  }
  return extents;
}

/// Spreads the points of `loop` over threads.
void distribute(KernelBuilder &kernel, scf::ParallelOp loop, ValueRange extents) {
  ImplicitLocOpBuilder &b = kernel.b;
  b.setInsertionPoint(loop);
  Value number =
      arith::AddIOp::create(b, arith::MulIOp::create(b, kernel.blockX(), kernel.index(kThreads)), kernel.threadX());
  Value points = kernel.index(1);
  for (Value extent : extents)
    points = arith::MulIOp::create(b, points, extent);
  kernel.emitIf(arith::CmpIOp::create(b, arith::CmpIPredicate::ult, number, points), [&] {
    Value rest = number;
    SmallVector<Value> ivs(extents.size());
    for (size_t dim = extents.size(); dim-- > 0;) {
      ivs[dim] = arith::RemUIOp::create(b, rest, extents[dim]);
      rest = arith::DivUIOp::create(b, rest, extents[dim]);
    }
    IRMapping mapping;
    mapping.map(loop.getInductionVars(), ivs);
    for (Operation &op : loop.getBody()->without_terminator())
      b.clone(op, mapping);
  });
  b.setInsertionPointAfter(loop);
  loop.erase();
}
} // namespace

LogicalResult onnx_aot::emitStructured(const DeviceContext &context, Operation *op) {
  auto structured = dyn_cast<linalg::LinalgOp>(op);
  if (!structured)
    return failure();
  KernelBuilder kernel(context, op, "structured");
  SmallVector<Value> extents = hostExtents(kernel.host, structured);
  IRMapping mapping;
  for (Value operand : op->getOperands())
    if (!mapping.contains(operand))
      mapping.map(operand, kernel.pass(operand));
  kernel.passCaptured(op->getRegions(), mapping);
  SmallVector<Value> sizes;
  for (Value extent : extents)
    sizes.push_back(kernel.passIndex(extent));
  Operation *clone = kernel.b.clone(*op, mapping);

  IRRewriter rewriter(clone);
  FailureOr<linalg::LinalgLoops> loops = linalg::linalgOpToParallelLoops(rewriter, cast<linalg::LinalgOp>(clone));
  if (failed(loops)) {
    kernel.abandon();
    return failure();
  }
  auto outermost = loops->empty() ? scf::ParallelOp() : dyn_cast<scf::ParallelOp>(loops->front());
  rewriter.eraseOp(clone);
  Value all = arith::ConstantIndexOp::create(kernel.host, 1);
  if (outermost) {
    distribute(kernel, outermost, sizes);
    for (Value extent : extents)
      all = kernel.host.createOrFold<arith::MulIOp>(all, extent);
  }
  Value threads = arith::ConstantIndexOp::create(kernel.host, kThreads);
  kernel.launch(outermost ? kernel.host.createOrFold<arith::CeilDivUIOp>(all, threads) : all, outermost ? kThreads : 1);
  return success();
}
