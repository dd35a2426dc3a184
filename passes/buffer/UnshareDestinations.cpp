//===- UnshareDestinations.cpp - one destination per user ---------------------------------------------------------===//
//----------------------------------------------------------------===//
//
// Equal subexpressions have been merged, and so have destinations, and the filled tensors that paddings are inserted
// into. A buffer would be in use from the first user of its tensor to the last, and bufferization would have to copy a
// filled one that has several users; filling another one is cheaper and lets each producer write its part in place.
//
//   %f = linalg.fill(%zero) ; insert_slice %a into %f ; insert_slice %b into %f     =>   one fill for each
//
// The same holds for borders, a tensor into which nothing but fills were inserted, and inside of a loop over strips.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/AotDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/buffer/Passes.h"

namespace onnx_aot {
#define GEN_PASS_DEF_UNSHAREDESTINATIONS
#include "passes/buffer/Passes.h.inc"

using namespace mlir;

namespace {
/// Whether it fills its destination, which it does not read.
bool isFill(Operation *op) {
  auto generic = dyn_cast<linalg::GenericOp>(op);
  return op->getNumResults() == 1 &&
         (isa<linalg::FillOp>(op) || (generic && generic.getNumDpsInputs() == 0 && generic.getNumDpsInits() == 1 &&
                                      generic.getRegionOutputArgs()[0].use_empty()));
}

/// Whether nothing but fills was written to what it makes.
bool makesBorders(Operation *op) {
  auto insert = dyn_cast_or_null<tensor::InsertSliceOp>(op);
  if (!insert || !insert.getSource().getDefiningOp() || !isFill(insert.getSource().getDefiningOp()))
    return false;
  Operation *before = insert.getDest().getDefiningOp();
  return before && (isa<tensor::EmptyOp>(before) || makesBorders(before));
}

struct UnshareDestinations : impl::UnshareDestinationsBase<UnshareDestinations> {
  void runOnOperation() override {
    SmallVector<Operation *> filled;
    getOperation().walk([&](Operation *op) {
      if (isFill(op) || makesBorders(op))
        filled.push_back(op);
    });
    unshareEmpties();
    // Users before what they use: borders that are made again are made of fills of their own.
    for (Operation *op : llvm::reverse(filled)) {
      // One user keeps what there is.
      SmallVector<OpOperand *> uses;
      for (OpOperand &use : op->getResult(0).getUses())
        uses.push_back(&use);
      for (OpOperand *use : ArrayRef(uses).drop_back()) {
        Operation *around = use->getOwner()->getParentOp();
        if (around != op->getParentOp() && !around->hasAttr(aot::kStripsAttr))
          continue;
        OpBuilder builder(use->getOwner());
        use->set(again(builder, op->getResult(0)));
      }
    }
  }

private:
  /// Otherwise one buffer would be in use from the first of its users to the last.
  void unshareEmpties() {
    SmallVector<tensor::EmptyOp> empties;
    getOperation().walk([&](tensor::EmptyOp empty) { empties.push_back(empty); });
    for (tensor::EmptyOp empty : empties)
      for (OpOperand &use : llvm::make_early_inc_range(empty->getUses())) {
        if (empty->hasOneUse() || use.getOwner()->getParentOp() != empty->getParentOp())
          continue;
        OpBuilder builder(use.getOwner());
        use.set(builder.clone(*empty)->getResult(0));
      }
  }

  static Value emptyLike(OpBuilder &builder, Location loc, Value destination) {
    auto type = cast<RankedTensorType>(destination.getType());
    auto empty = destination.getDefiningOp<tensor::EmptyOp>();
    SmallVector<OpFoldResult> sizes = empty ? empty.getMixedSizes() : tensor::getMixedSizes(builder, loc, destination);
    return tensor::EmptyOp::create(builder, loc, sizes, type.getElementType());
  }

  /// The same content in another tensor.
  static Value again(OpBuilder &builder, Value value) {
    Operation *op = value.getDefiningOp();
    if (auto insert = dyn_cast<tensor::InsertSliceOp>(op)) {
      Value source = again(builder, insert.getSource()), dest = again(builder, insert.getDest());
      auto copy = cast<tensor::InsertSliceOp>(builder.clone(*op));
      copy.getSourceMutable().assign(source);
      copy.getDestMutable().assign(dest);
      return copy.getResult();
    }
    if (isa<tensor::EmptyOp>(op))
      return emptyLike(builder, op->getLoc(), value);
    Value empty = emptyLike(builder, op->getLoc(), cast<DestinationStyleOpInterface>(op).getDpsInits()[0]);
    Operation *copy = builder.clone(*op);
    cast<DestinationStyleOpInterface>(copy).getDpsInitsMutable()[0].set(empty);
    return copy->getResult(0);
  }
};
} // namespace
} // namespace onnx_aot
