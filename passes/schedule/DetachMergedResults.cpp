//===- DetachMergedResults.cpp - contiguous buffers for kernels that need them ------------------------------------===//
//
// A producer may write straight into the slice that its result is inserted into (a padded buffer, a concatenation).
// That saves a copy, but where the vector dim stands for several merged dims (the pixels of a 1x1 convolution) and the
// slice separates them, only short rows are left for the lanes. Such a kernel keeps a buffer of its own, and the rows
// are copied.
//
//   %k = aot.kernel ... outs(%empty : tensor<1x64x7x7xf32>)             =>   %alloc = bufferization.alloc_tensor()
//   tensor.insert_slice %k into %padded : ... into tensor<1x64x9x9xf32>      %k = aot.kernel ... outs(%alloc)
//
// A decision of the schedule, which reads the strategy; it runs in the buffer stage, right before empty tensors are
// eliminated, because alloc_tensor is no tensor operation to the passes between.
//
// Before: kernels have their strategies and write into empty tensors.  After: a kernel that a slice would cut short
// writes into a buffer of its own, which empty-tensor elimination does not touch.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/AotDialect.h"
#include "dialects/aot/LoopNest.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/schedule/Passes.h"

namespace onnx_aot {
#define GEN_PASS_DEF_DETACHMERGEDRESULTS
#include "passes/schedule/Passes.h.inc"

using namespace mlir;

namespace {
struct DetachMergedResults : impl::DetachMergedResultsBase<DetachMergedResults> {
  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<bufferization::BufferizationDialect>();
  }

  void runOnOperation() override {
    getOperation().walk([&](aot::KernelOp kernel) {
      auto empty = kernel.getInit().getDefiningOp<tensor::EmptyOp>();
      if (!empty || kernel.getNumResults() != 1)
        return;
      bool separated = llvm::any_of(kernel.getResult(0).getUsers(), [&](Operation *user) {
        auto insert = dyn_cast<tensor::InsertSliceOp>(user);
        return insert && insert.getSource() == kernel.getResult(0) && separatesVectorDim(kernel, insert);
      });
      if (!separated)
        return;
      OpBuilder builder(kernel);
      auto type = cast<RankedTensorType>(empty.getType());
      kernel.getInitMutable().assign(
          bufferization::AllocTensorOp::create(builder, kernel.getLoc(), type, empty.getDynamicSizes()));
    });
  }

  /// Whether the merged vector dim falls apart in the slice, into rows of less than two vectors.
  static bool separatesVectorDim(aot::KernelOp kernel, tensor::InsertSliceOp insert) {
    aot::StrategyAttr strategy = kernel.getStrategyAttr();
    FailureOr<aot::LoopNest> nest = aot::LoopNest::of(kernel);
    int vector = strategy && succeeded(nest) ? nest->dimOf(strategy.getVector()) : -1;
    RankedTensorType source = insert.getSourceType(), destination = insert.getDestType();
    if (vector < 0 || source.getRank() != destination.getRank())
      return false;
    ArrayRef<unsigned> merged = nest->dims[vector].original;
    AffineMap output = kernel.getMap(kernel.getInputs().size());
    // Every merged dim but the outermost must fill its dim of the destination.
    for (unsigned dim : merged.drop_front()) {
      for (auto [position, expr] : llvm::enumerate(output.getResults())) {
        auto dimExpr = dyn_cast<AffineDimExpr>(expr);
        if (!dimExpr || dimExpr.getPosition() != dim)
          continue;
        // Rows of a length that only the run knows are taken to be long.
        int64_t length = source.getDimSize(position);
        if (!source.isDynamicDim(position) && length != destination.getDimSize(position))
          return length < 2 * strategy.getWidth();
      }
    }
    return false;
  }
};
} // namespace
} // namespace onnx_aot
