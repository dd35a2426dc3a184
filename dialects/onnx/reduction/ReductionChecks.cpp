//===- ReductionChecks.cpp - what reductions and scans ask of a run's values --------------------------------------===//
//
// K lies within its dim, axes that are data name a dim, and what has no value for no elements gets some: ArgMax, ArgMin
// and the mean of integers. ReduceMax and ReduceMin of no elements are defined since opset 18 (the lowest or highest
// value); of older models they are checked too.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/reduction/ReductionAxes.h"
#include "dialects/onnx/support/Axes.h"
#include "dialects/onnx/support/OperandCheck.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::onnx;

/// The one element of a tensor.
static Value onlyElement(ImplicitLocOpBuilder &b, Value tensor) {
  SmallVector<Value> place(cast<RankedTensorType>(tensor.getType()).getRank(), arith::ConstantIndexOp::create(b, 0));
  return tensor::ExtractOp::create(b, tensor, place);
}

static void checkTopK(TopKOp op, TopKOp::Adaptor operands, ImplicitLocOpBuilder &b) {
  auto type = cast<RankedTensorType>(op.getX().getType());
  int64_t axis = wrapAxis(op.getAxis(), type.getRank());
  Value k = onlyElement(b, operands.getK());
  requireWithin(b, k, b.getIndexAttr(0), tensor::getMixedSize(b, b.getLoc(), operands.getX(), axis),
                aot::Code::k_out_of_range);
  // The shape that a model declares for what it does not compute.
  int64_t declared = cast<RankedTensorType>(op.getValues().getType()).getDimSize(axis);
  if (!ShapedType::isDynamic(declared))
    requireWithin(b, k, b.getIndexAttr(declared), b.getIndexAttr(declared), aot::Code::shape_mismatch);
}

template <typename OpTy> static void checkAxis(OpTy op, typename OpTy::Adaptor operands, ImplicitLocOpBuilder &b) {
  int64_t rank = cast<RankedTensorType>(op.getX().getType()).getRank();
  requireIndices(b, b.getLoc(), operands.getAxis(), getElementTypeOrSelf(op.getAxis().getType()), b.getIndexAttr(rank),
                 AffineMap(), /*fromEnd=*/true, aot::Code::invalid_value);
}

/// There are elements to combine wherever there is a result.
static void requireElements(ImplicitLocOpBuilder &b, Value data, ArrayRef<bool> isReduced) {
  auto product = [&](bool reduced) {
    Value result = arith::ConstantIndexOp::create(b, 1);
    for (auto [dim, size] : llvm::enumerate(tensor::getMixedSizes(b, b.getLoc(), data)))
      if (isReduced[dim] == reduced)
        result = arith::MulIOp::create(b, result, getValueOrCreateConstantIndexOp(b, b.getLoc(), size));
    return result;
  };
  auto type = cast<RankedTensorType>(data.getType());
  if (type.hasStaticShape() && type.getNumElements() != 0)
    return;
  Value zero = arith::ConstantIndexOp::create(b, 0);
  Value hasElements = arith::CmpIOp::create(b, arith::CmpIPredicate::ne, product(true), zero);
  Value hasNoResult = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, product(false), zero);
  require(b, b.getLoc(), arith::OrIOp::create(b, hasElements, hasNoResult), aot::Code::empty_reduction);
}

template <typename OpTy> static void checkArg(OpTy op, typename OpTy::Adaptor operands, ImplicitLocOpBuilder &b) {
  SmallVector<bool> isReduced(cast<RankedTensorType>(op.getData().getType()).getRank(), false);
  isReduced[wrapAxis(op.getAxis(), isReduced.size())] = true;
  requireElements(b, operands.getData(), isReduced);
}

template <typename OpTy> static void checkReduce(OpTy op, typename OpTy::Adaptor operands, ImplicitLocOpBuilder &b) {
  auto type = cast<RankedTensorType>(op.getData().getType());
  constexpr bool isMean = std::is_same_v<OpTy, ReduceMeanOp>;
  bool isUndefined = isMean ? isa<IntegerType>(type.getElementType()) : op->hasAttr(kUndefinedIfEmpty);
  auto isReduced = reducedDims(op.getAxes(), op.getNoopWithEmptyAxes(), type.getRank());
  if (isUndefined && isReduced)
    requireElements(b, operands.getData(), *isReduced);
}

namespace onnx_aot::onnx {
void populateReductionChecks(TypeConverter &converter, RewritePatternSet &patterns) {
  addCheck<TopKOp>(converter, patterns, checkTopK);
  addCheck<CumSumOp>(converter, patterns, checkAxis<CumSumOp>);
  addCheck<CumProdOp>(converter, patterns, checkAxis<CumProdOp>);
  addCheck<ArgMaxOp>(converter, patterns, checkArg<ArgMaxOp>);
  addCheck<ArgMinOp>(converter, patterns, checkArg<ArgMinOp>);
  addCheck<ReduceMaxOp>(converter, patterns, checkReduce<ReduceMaxOp>);
  addCheck<ReduceMinOp>(converter, patterns, checkReduce<ReduceMinOp>);
  addCheck<ReduceMeanOp>(converter, patterns, checkReduce<ReduceMeanOp>);
}
} // namespace onnx_aot::onnx
