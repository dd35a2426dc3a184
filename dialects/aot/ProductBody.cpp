//===- ProductBody.cpp - bodies of kernels that add products ------------------------------------------------------===//
//
// See ProductBody.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/ProductBody.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace onnx_aot::aot;

/// The input that `value` is an element of, as it is or wider.
static std::optional<unsigned> inputOf(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<arith::ExtFOp, arith::ExtSIOp, arith::ExtUIOp>(op))
      return std::nullopt;
    value = op->getOperand(0);
  }
  return cast<BlockArgument>(value).getArgNumber();
}

std::optional<ProductBody> ProductBody::of(Block &compute) {
  Value accumulator = compute.getArguments().back();
  Operation *last = compute.getTerminator()->getOperand(0).getDefiningOp();
  if (!last || !accumulator.hasOneUse() || *accumulator.user_begin() != last)
    return std::nullopt;
  Operation *product = last;
  if (isa<arith::AddFOp, arith::AddIOp>(last)) {
    product = (last->getOperand(0) == accumulator ? last->getOperand(1) : last->getOperand(0)).getDefiningOp();
    if (!isa_and_nonnull<arith::MulFOp, arith::MulIOp>(product))
      return std::nullopt;
  } else if (!isa<math::FmaOp>(last) || last->getOperand(2) != accumulator) {
    return std::nullopt;
  }
  std::optional<unsigned> left = inputOf(product->getOperand(0)), right = inputOf(product->getOperand(1));
  if (!left || !right || *left == *right)
    return std::nullopt;
  return ProductBody{*left, *right};
}
