//===- PlaceRegionResults.cpp - buffers for what branches and loops yield -----------------------------------------===//
//
// Bufferization wants the values that a loop carries to stay in the buffers that they came in, and results of branches
// are best buffers of one layout. So copies are made explicit:
//
// - What a branch yields is put into a buffer of the branch.
// - What a loop's body yields is put into a buffer of the body and, behind all of the body, copied into the buffer that
//   the value came in: values may be exchanged. Nothing is copied where a slice is inserted into a carried value that
//   is not used elsewhere.
// - Slices of a loop's body at places that vary lie in buffers of their own: kernels need addresses that are known.
//
//   scf.yield %v        =>   %t = bufferization.materialize_in_destination %v in %alloc_tensor
//                            %c = bufferization.materialize_in_destination %t in %iter_arg
//                            scf.yield %c
//
// Runs before empty tensors are eliminated, so that producers write into these buffers.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/buffer/Passes.h"

namespace onnx_aot {
#define GEN_PASS_DEF_PLACEREGIONRESULTS
#include "passes/buffer/Passes.h.inc"

using namespace mlir;

namespace {
struct PlaceRegionResults : impl::PlaceRegionResultsBase<PlaceRegionResults> {
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<bufferization::BufferizationDialect>();
  }

  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) { ops.push_back(op); });
    for (Operation *op : ops) {
      if (auto branches = dyn_cast<scf::IfOp>(op))
        placeBranches(branches);
      else if (auto loop = dyn_cast<scf::ForOp>(op))
        placeCarried(loop.getBody()->getTerminator()->getOpOperands(), loop.getRegionIterArgs());
      else if (auto loop = dyn_cast<scf::WhileOp>(op)) {
        placeCarried(loop.getConditionOp().getArgsMutable(), loop.getBeforeArguments());
        placeCarried(loop.getYieldOp()->getOpOperands(), loop.getAfterArguments());
      } else if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
        if (inLoop(op) && !slice.getOffsets().empty()) {
          OpBuilder builder(op->getBlock(), std::next(op->getIterator()));
          Value buffer = place(builder, slice.getResult());
          slice.getResult().replaceAllUsesExcept(buffer, buffer.getDefiningOp());
        }
      } else if (auto slice = dyn_cast<tensor::InsertSliceOp>(op)) {
        if (inLoop(op) && !slice.getOffsets().empty()) {
          OpBuilder builder(op);
          slice.getSourceMutable().assign(place(builder, slice.getSource()));
        }
      }
    }
  }

  static bool inLoop(Operation *op) { return op->getParentOfType<scf::ForOp>() || op->getParentOfType<scf::WhileOp>(); }

  /// `value` in a dense buffer of its own.
  static Value place(OpBuilder &builder, Value value) {
    Value buffer = bufferization::AllocTensorOp::create(builder, value.getLoc(),
                                                        cast<RankedTensorType>(value.getType()), ValueRange());
    return store(builder, value, buffer);
  }

  static Value store(OpBuilder &builder, Value value, Value buffer) {
    return bufferization::MaterializeInDestinationOp::create(builder, value.getLoc(), value.getType(), value, buffer)
        .getResult();
  }

  static void placeBranches(scf::IfOp branches) {
    if (branches.getNumResults() == 0)
      return;
    for (scf::YieldOp yield : {branches.thenYield(), branches.elseYield()}) {
      OpBuilder builder(yield);
      for (OpOperand &operand : yield->getOpOperands())
        if (isa<RankedTensorType>(operand.get().getType()))
          operand.set(place(builder, operand.get()));
    }
  }

  static void placeCarried(MutableArrayRef<OpOperand> yielded, ArrayRef<BlockArgument> carried) {
    SmallVector<std::pair<OpOperand *, Value>> changed;
    for (auto [operand, argument] : llvm::zip(yielded, carried)) {
      auto insert = operand.get().getDefiningOp<tensor::InsertSliceOp>();
      bool isInPlace = operand.get() == argument || (insert && insert.getDest() == argument && argument.hasOneUse());
      if (isa<RankedTensorType>(argument.getType()) && !isInPlace)
        changed.emplace_back(&operand, argument);
    }
    if (changed.empty())
      return;
    OpBuilder builder(changed.front().first->getOwner());
    // All are read before the first is written.
    for (auto [operand, argument] : changed)
      operand->set(place(builder, operand->get()));
    for (auto [operand, argument] : changed)
      operand->set(store(builder, operand->get(), argument));
  }
};
} // namespace
} // namespace onnx_aot
