//===- ProductNest.cpp - sums of products as a matrix product -----------------------------------------------------===//
//
// See ProductNest.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/nvptx/ProductNest.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::aot;

/// An element as it is, or wider.
static bool isElement(Value value, BlockArgument &argument) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<arith::ExtFOp, arith::ExtSIOp, arith::ExtUIOp>(op))
      return false;
    value = op->getOperand(0);
  }
  argument = dyn_cast<BlockArgument>(value);
  return bool(argument);
}

/// The two elements whose product `block` adds to its accumulator.
static bool matchBody(Block &block, BlockArgument &left, BlockArgument &right) {
  Value accumulator = block.getArguments().back();
  Operation *last = block.getTerminator()->getOperand(0).getDefiningOp();
  if (!last || !accumulator.hasOneUse() || *accumulator.user_begin() != last)
    return false;
  if (isa<math::FmaOp>(last))
    return last->getOperand(2) == accumulator && isElement(last->getOperand(0), left) &&
           isElement(last->getOperand(1), right);
  if (!isa<arith::AddFOp, arith::AddIOp>(last))
    return false;
  Value other = last->getOperand(0) == accumulator ? last->getOperand(1) : last->getOperand(0);
  Operation *product = other.getDefiningOp();
  return isa_and_nonnull<arith::MulFOp, arith::MulIOp>(product) && isElement(product->getOperand(0), left) &&
         isElement(product->getOperand(1), right);
}

std::optional<ProductNest> ProductNest::of(const LoopNest &nest) {
  if (!nest.compute || nest.usesIndex)
    return std::nullopt;
  BlockArgument left, right;
  if (!matchBody(nest.compute->front(), left, right) || left == right)
    return std::nullopt;
  for (const Access &access : nest.inputs)
    if (access.panelDim >= 0)
      return std::nullopt;
  ProductNest product;
  product.rowInput = left.getArgNumber();
  product.columnInput = right.getArgNumber();
  unsigned neighbours = nest.dims.size(); // the dim that neighbours in the result run along
  for (auto [index, dim] : llvm::enumerate(nest.dims)) {
    if (dim.reduction) {
      product.depth.push_back(index);
      continue;
    }
    bool movesLeft = !nest.inputs[product.rowInput].strides[index].is(0);
    bool movesRight = !nest.inputs[product.columnInput].strides[index].is(0);
    (movesLeft == movesRight ? product.batch : movesLeft ? product.rows : product.columns).push_back(index);
    if (nest.output.strides[index].is(1))
      neighbours = index;
  }
  if (product.depth.empty())
    return std::nullopt;
  if (llvm::is_contained(product.rows, neighbours)) {
    std::swap(product.rowInput, product.columnInput);
    std::swap(product.rows, product.columns);
  }
  return product;
}

double onnx_aot::estimateVolume(const LoopNest &nest, ArrayRef<unsigned> dims) {
  double volume = 1;
  for (unsigned dim : dims)
    volume *= double(nest.dims[dim].extent.estimate());
  return volume;
}
