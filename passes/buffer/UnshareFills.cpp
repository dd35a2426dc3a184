//===- UnshareFills.cpp - one filled destination per user ---------------------------------------------------------===//
//
// Equal subexpressions have been merged, and so have the filled tensors that paddings are inserted into. Bufferization
// would have to copy a filled buffer that has several users; filling another one is cheaper and lets each producer
// write its part in place.
//
//   %f = linalg.fill(%zero) ; insert_slice %a into %f ; insert_slice %b into %f     =>   one fill for each
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/buffer/Passes.h"

namespace onnx_aot {
#define GEN_PASS_DEF_UNSHAREFILLS
#include "passes/buffer/Passes.h.inc"

using namespace mlir;

namespace {
struct UnshareFills : impl::UnshareFillsBase<UnshareFills> {
  static Value emptyLike(OpBuilder &builder, Location loc, Value destination) {
    auto type = cast<RankedTensorType>(destination.getType());
    auto empty = destination.getDefiningOp<tensor::EmptyOp>();
    SmallVector<OpFoldResult> sizes = empty ? empty.getMixedSizes() : tensor::getMixedSizes(builder, loc, destination);
    return tensor::EmptyOp::create(builder, loc, sizes, type.getElementType());
  }

  void runOnOperation() override {
    SmallVector<Operation *> fills;
    getOperation().walk([&](Operation *op) {
      auto generic = dyn_cast<linalg::GenericOp>(op);
      // What reads its destination is no fill.
      bool isFill =
          isa<linalg::FillOp>(op) || (generic && generic.getNumDpsInputs() == 0 && generic.getNumDpsInits() == 1 &&
                                      generic.getRegionOutputArgs()[0].use_empty());
      if (isFill && op->getNumResults() == 1 && !op->getResult(0).hasOneUse())
        fills.push_back(op);
    });
    for (Operation *fill : fills) {
      // One user keeps the fill itself.
      SmallVector<OpOperand *> uses;
      for (OpOperand &use : fill->getResult(0).getUses())
        uses.push_back(&use);
      for (OpOperand *use : ArrayRef(uses).drop_back()) {
        if (use->getOwner()->getParentRegion() != fill->getParentRegion())
          continue;
        OpBuilder builder(use->getOwner());
        Value empty = emptyLike(builder, fill->getLoc(), cast<DestinationStyleOpInterface>(fill).getDpsInits()[0]);
        Operation *copy = builder.clone(*fill);
        cast<DestinationStyleOpInterface>(copy).getDpsInitsMutable()[0].set(empty);
        use->set(copy->getResult(0));
      }
    }
  }
};
} // namespace
} // namespace onnx_aot
