//===- FuseElementwise.cpp - chains of elementwise operations as one loop -----------------------------------------===//
//
// MLIR's elementwise fusion, held back where it would repeat expensive work: a producer is fused into its only user,
// and not across a broadcast unless its body is trivial.
//
// Before: one linalg.generic per operator.  After: one per chain.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/AotDialect.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/schedule/FusePrologue.h"
#include "passes/schedule/Passes.h"

namespace onnx_aot {
#define GEN_PASS_DEF_FUSEELEMENTWISE
#include "passes/schedule/Passes.h.inc"

using namespace mlir;

namespace {
struct FuseElementwise : impl::FuseElementwiseBase<FuseElementwise> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    RewritePatternSet patterns(context);
    linalg::populateElementwiseOpsFusionPatterns(patterns, shouldFuse);
    linalg::GenericOp::getCanonicalizationPatterns(patterns, context);
    tensor::ExpandShapeOp::getCanonicalizationPatterns(patterns, context);
    tensor::CollapseShapeOp::getCanonicalizationPatterns(patterns, context);
    tensor::EmptyOp::getCanonicalizationPatterns(patterns, context);
    // A tensor.dim of a producer would be a second use of it.
    tensor::DimOp::getCanonicalizationPatterns(patterns, context);
    tensor::CastOp::getCanonicalizationPatterns(patterns, context);
    aot::BroadcastOp::getCanonicalizationPatterns(patterns, context);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }

  static bool shouldFuse(OpOperand *operand) {
    auto producer = operand->get().getDefiningOp<linalg::GenericOp>();
    auto consumer = dyn_cast<linalg::GenericOp>(operand->getOwner());
    // Nothing moves into a loop around its consumer.
    if (!producer || !consumer || !producer->hasOneUse() || producer->getBlock() != consumer->getBlock())
      return false;
    // What quantizes stays apart from what dequantizes for a kernel that can do that itself, and so is stored narrow.
    if (kernelToAbsorb(consumer))
      return false;
    return consumer.getMatchingIndexingMap(operand).isPermutation() || isTrivial(producer);
  }

  /// Whether repeating the body costs no more than a load: nothing but moves, casts and one plain operation.
  static bool isTrivial(linalg::GenericOp generic) {
    int cost = 0;
    generic.getRegion().walk([&](Operation *op) {
      if (isa<linalg::YieldOp>(op) || op->hasTrait<OpTrait::ConstantLike>())
        return;
      cost += op->getDialect()->getNamespace() == "math" || isa<arith::DivFOp, tensor::ExtractOp>(op) ? 10 : 1;
    });
    return cost <= 2;
  }
};
} // namespace
} // namespace onnx_aot
