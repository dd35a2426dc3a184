//===- FuseEpilogue.cpp - elementwise consumers into the kernel before them ---------------------------------------===//
//
// A linalg.generic that is the only user of a kernel's result, and walks it element by element, moves into the kernel's
// epilogue: it then runs on accumulators that are still in registers.
//
//   %c = aot.kernel "conv" ...            =>   %y = aot.kernel "conv" ins(..., %r) ... epilogue { acc -> relu(acc + r)
//   } %y = linalg.generic relu(%c + %r)
//
// So it does into an aot.resample.
//
// Before: elementwise chains are fused.  After: no kernel is followed by a generic that it could absorb.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/AotDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "passes/schedule/FusePrologue.h"
#include "passes/schedule/Passes.h"
#include "passes/schedule/PlainElementwise.h"

namespace onnx_aot {
#define GEN_PASS_DEF_FUSEEPILOGUE
#include "passes/schedule/Passes.h.inc"

using namespace mlir;

namespace {
struct AbsorbGeneric : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp generic, PatternRewriter &rewriter) const override {
    if (!isPlainElementwise(generic))
      return rewriter.notifyMatchFailure(generic, "not a pure elementwise operation");
    if (kernelToAbsorb(generic))
      return rewriter.notifyMatchFailure(generic, "the next kernel does this itself");
    for (OpOperand *operand : generic.getDpsInputOperands()) {
      auto kernel = operand->get().getDefiningOp<aot::KernelOp>();
      // Nothing moves into a loop around its consumer.
      bool isAlone = kernel && kernel->hasOneUse() && kernel->getBlock() == generic->getBlock();
      if (isAlone && generic.getMatchingIndexingMap(operand).isPermutation()) {
        rewriter.replaceOp(generic, absorb(generic, operand, kernel, rewriter));
        return success();
      }
    }
    return rewriter.notifyMatchFailure(generic, "no input is a kernel's result with a single use");
  }

  static ValueRange absorb(linalg::GenericOp generic, OpOperand *operand, aot::KernelOp kernel,
                           PatternRewriter &rewriter) {
    // Kernel dims -> dims of the generic.
    AffineMap output = kernel.getMap(kernel.getInputs().size());
    AffineMap toGeneric = inversePermutation(generic.getMatchingIndexingMap(operand)).compose(output);

    SmallVector<Value> inputs(kernel.getInputs());
    SmallVector<Attribute> maps(kernel.getIndexingMaps().getValue().drop_back());
    SmallVector<OpOperand *> added;
    for (OpOperand *other : generic.getDpsInputOperands())
      if (other != operand) {
        added.push_back(other);
        inputs.push_back(other->get());
        maps.push_back(AffineMapAttr::get(generic.getMatchingIndexingMap(other).compose(toGeneric)));
      }
    OpOperand *init = generic.getDpsInitOperand(0);
    maps.push_back(AffineMapAttr::get(generic.getMatchingIndexingMap(init).compose(toGeneric)));

    rewriter.setInsertionPoint(generic);
    auto fused = aot::KernelOp::create(rewriter, rewriter.getFusedLoc({kernel.getLoc(), generic.getLoc()}),
                                       generic.getResultTypes(), kernel.getKindAttr(), inputs, init->get(),
                                       rewriter.getArrayAttr(maps), kernel.getIteratorTypesAttr(), kernel.getIdentity(),
                                       kernel.getStrategyAttr());
    for (auto [from, to] : {std::pair(&kernel.getCompute(), &fused.getCompute()),
                            std::pair(&kernel.getEpilogue(), &fused.getEpilogue())}) {
      rewriter.cloneRegionBefore(*from, *to, to->end());
      for (OpOperand *other : added)
        to->front().insertArgument(to->front().getNumArguments() - 1, getElementTypeOrSelf(other->get().getType()),
                                   generic.getLoc());
    }
    // The generic's body goes behind the epilogue's, which yields what the generic read.
    Block &epilogue = fused.getEpilogue().front();
    auto yield = cast<aot::YieldOp>(epilogue.getTerminator());
    IRMapping mapping;
    mapping.map(generic.getMatchingBlockArgument(operand), yield.getValue());
    unsigned firstAdded = kernel.getInputs().size();
    for (auto [index, other] : llvm::enumerate(added))
      mapping.map(generic.getMatchingBlockArgument(other), epilogue.getArgument(firstAdded + index));
    rewriter.setInsertionPoint(yield);
    for (Operation &op : generic.getBody()->without_terminator())
      rewriter.clone(op, mapping);
    Value result = generic.getBody()->getTerminator()->getOperand(0);
    rewriter.modifyOpInPlace(yield, [&] { yield.getValueMutable().assign(mapping.lookupOrDefault(result)); });
    return fused.getResults();
  }
};

/// The same into an aot.resample, whose result and inputs are read along its rows.
struct AbsorbIntoResample : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp generic, PatternRewriter &rewriter) const override {
    if (!isPlainElementwise(generic) || !generic.getMatchingIndexingMap(generic.getDpsInitOperand(0)).isIdentity())
      return rewriter.notifyMatchFailure(generic, "not a pure elementwise operation along rows");
    for (OpOperand *operand : generic.getDpsInputOperands()) {
      auto resample = operand->get().getDefiningOp<aot::ResampleOp>();
      bool isAlone = resample && operand->get() == resample.getResults().front() && operand->get().hasOneUse() &&
                     resample->getBlock() == generic->getBlock();
      auto isReadable = [&](OpOperand *other) {
        return other == operand || aot::ResampleOp::isReadAlongRows(generic.getMatchingIndexingMap(other));
      };
      if (isAlone && generic.getMatchingIndexingMap(operand).isIdentity() &&
          llvm::all_of(generic.getDpsInputOperands(), isReadable)) {
        absorb(generic, operand, resample, rewriter);
        return success();
      }
    }
    return rewriter.notifyMatchFailure(generic, "no input is a resampled tensor with a single use");
  }

  static void absorb(linalg::GenericOp generic, OpOperand *operand, aot::ResampleOp resample,
                     PatternRewriter &rewriter) {
    SmallVector<Value> inputs(resample.getInputs()), inits(resample.getInits());
    SmallVector<Attribute> maps(resample.getIndexingMaps().getValue());
    Location loc = generic.getLoc();
    SmallVector<OpOperand *> added;
    for (OpOperand *other : generic.getDpsInputOperands())
      if (other != operand) {
        added.push_back(other);
        inputs.push_back(other->get());
        maps.push_back(AffineMapAttr::get(generic.getMatchingIndexingMap(other)));
      }
    inits.front() = generic.getDpsInits()[0];
    rewriter.setInsertionPoint(generic);
    auto fused = aot::ResampleOp::create(rewriter, rewriter.getFusedLoc({resample.getLoc(), loc}),
                                         ValueRange(inits).getTypes(), resample.getData(), resample.getTables(), inputs,
                                         inits, rewriter.getAffineMapArrayAttr({}), resample.getSamplingsAttr(),
                                         resample.getMovesAttr(), resample.getRowsFirstAttr());
    fused.setIndexingMapsAttr(rewriter.getArrayAttr(maps));
    // Elements of the inputs of before, of those that are added, and the sum.
    Block *epilogue = rewriter.createBlock(&fused.getEpilogue());
    for (Value input : inputs)
      epilogue->addArgument(getElementTypeOrSelf(input.getType()), loc);
    Value sum = epilogue->addArgument(getElementTypeOrSelf(resample.getData().getType()), loc);
    IRMapping mapping;
    auto append = [&](Block &from) {
      for (Operation &op : from.without_terminator())
        rewriter.clone(op, mapping);
      return mapping.lookupOrDefault(from.getTerminator()->getOperand(0));
    };
    size_t before = resample.getInputs().size();
    if (!resample.getEpilogue().empty()) {
      Block &first = resample.getEpilogue().front();
      mapping.map(first.getArguments().drop_back(), epilogue->getArguments().take_front(before));
      mapping.map(first.getArguments().back(), sum);
      sum = append(first);
    }
    mapping.map(generic.getMatchingBlockArgument(operand), sum);
    for (auto [index, other] : llvm::enumerate(added))
      mapping.map(generic.getMatchingBlockArgument(other), epilogue->getArgument(before + index));
    aot::YieldOp::create(rewriter, loc, append(*generic.getBody()));
    rewriter.replaceOp(generic, fused.getResults().front());
  }
};

struct FuseEpilogue : impl::FuseEpilogueBase<FuseEpilogue> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<AbsorbGeneric, AbsorbIntoResample>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
} // namespace onnx_aot
