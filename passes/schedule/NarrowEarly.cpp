//===- NarrowEarly.cpp - elements become narrow where they are made -----------------------------------------------===//
//
// With --precision=fp16 or bf16 the operands of products are rounded before them. Between that and what makes the
// elements there may be reshapes and transpositions, as there are around attention's heads, and no kernel's epilogue
// is next to it.
//
//   %x = aot.kernel "matmul"                                 %x = aot.kernel "matmul"
//   %h = tensor.expand_shape %x                       =>     %n = linalg.generic truncf(%x)
//   %q = linalg.generic truncf(%h), transposed               %h = tensor.expand_shape %n
//                                                            %q = linalg.generic transposed %h
//
// Before: elementwise chains are fused.  After: what nobody reads in its full width is rounded beside what makes it,
// where aot-fuse-epilogue finds it.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/schedule/Passes.h"

namespace onnx_aot {
#define GEN_PASS_DEF_NARROWEARLY
#include "passes/schedule/Passes.h.inc"

using namespace mlir;

namespace {
/// Whether all that `generic` does is to round each element, perhaps to another place.
bool isNarrowing(linalg::GenericOp generic) {
  if (generic.getNumDpsInputs() != 1 || generic.getNumDpsInits() != 1 || generic.getNumReductionLoops() != 0 ||
      !generic.hasPureTensorSemantics() || !generic.getDpsInits()[0].getDefiningOp<tensor::EmptyOp>())
    return false;
  auto round = generic.getBody()->getTerminator()->getOperand(0).getDefiningOp<arith::TruncFOp>();
  return round && round.getIn() == generic.getBody()->getArgument(0) &&
         llvm::all_of(generic.getIndexingMapsArray(), [](AffineMap map) { return map.isPermutation(); });
}

bool isReshape(Operation *op) { return isa_and_nonnull<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op); }

linalg::GenericOp buildMove(OpBuilder &b, Location loc, Value source, Value init, ArrayRef<AffineMap> maps) {
  SmallVector<utils::IteratorType> iterators(maps[0].getNumDims(), utils::IteratorType::parallel);
  return linalg::GenericOp::create(b, loc, init.getType(), source, init, maps, iterators,
                                   [&](OpBuilder &nested, Location at, ValueRange elements) {
                                     Value element = elements[0];
                                     if (element.getType() != elements[1].getType())
                                       element = arith::TruncFOp::create(nested, at, elements[1].getType(), element);
                                     linalg::YieldOp::create(nested, at, element);
                                   });
}

struct NarrowEarly : impl::NarrowEarlyBase<NarrowEarly> {
  void runOnOperation() override {
    getOperation().walk([](linalg::GenericOp generic) {
      if (isNarrowing(generic))
        narrowAtSource(generic);
    });
  }

  static void narrowAtSource(linalg::GenericOp generic) {
    SmallVector<Operation *> reshapes; // the last one first
    Value source = generic.getDpsInputs()[0];
    while (isReshape(source.getDefiningOp()) && source.hasOneUse()) {
      reshapes.push_back(source.getDefiningOp());
      source = source.getDefiningOp()->getOperand(0);
    }
    auto maker = source.getDefiningOp<DestinationStyleOpInterface>();
    auto empty = maker && maker->getNumResults() == 1 ? maker.getDpsInits()[0].getDefiningOp<tensor::EmptyOp>()
                                                      : tensor::EmptyOp();
    SmallVector<AffineMap> maps = generic.getIndexingMapsArray();
    bool moves = maps[0] != maps[1];
    if (!empty || !source.hasOneUse() || maker->getBlock() != generic->getBlock() || (reshapes.empty() && !moves))
      return;
    OpBuilder b(generic);
    Location loc = generic.getLoc();
    Type narrow = cast<RankedTensorType>(generic.getResult(0).getType()).getElementType();
    AffineMap identity = b.getMultiDimIdentityMap(empty.getType().getRank());
    Value init = tensor::EmptyOp::create(b, loc, empty.getMixedSizes(), narrow);
    Value value = buildMove(b, loc, source, init, {identity, identity}).getResult(0);
    for (Operation *reshape : llvm::reverse(reshapes)) {
      auto type = cast<RankedTensorType>(reshape->getResult(0).getType()).clone(narrow);
      if (auto expand = dyn_cast<tensor::ExpandShapeOp>(reshape))
        value = tensor::ExpandShapeOp::create(b, reshape->getLoc(), type, value, expand.getReassociationIndices(),
                                              expand.getMixedOutputShape());
      else
        value = tensor::CollapseShapeOp::create(b, reshape->getLoc(), type, value,
                                                cast<tensor::CollapseShapeOp>(reshape).getReassociationIndices());
    }
    if (moves)
      value = buildMove(b, loc, value, generic.getDpsInits()[0], maps).getResult(0);
    generic.getResult(0).replaceAllUsesWith(value);
    generic.erase();
    for (Operation *reshape : reshapes)
      reshape->erase();
  }
};
} // namespace
} // namespace onnx_aot
