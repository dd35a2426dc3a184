//===- PlainElementwise.cpp - elementwise operations that kernels may absorb --------------------------------------===//
#include "passes/schedule/PlainElementwise.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

bool onnx_aot::isPlainElementwise(linalg::GenericOp generic) {
  if (generic.getNumDpsInits() != 1 || generic.getNumReductionLoops() != 0 || !generic.hasPureTensorSemantics() ||
      !generic.getRegionOutputArgs()[0].use_empty())
    return false;
  // A destination with content of its own may be what the kernel reads: a loop's state, updated in place.
  if (!generic.getDpsInits()[0].getDefiningOp<tensor::EmptyOp>())
    return false;
  return llvm::all_of(generic.getBody()->without_terminator(), [](Operation &op) {
    return op.hasTrait<OpTrait::ConstantLike>() || OpTrait::hasElementwiseMappableTraits(&op);
  });
}
