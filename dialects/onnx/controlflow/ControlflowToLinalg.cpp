//===- ControlflowToLinalg.cpp - lowering of the operators with bodies --------------------------------------------===//
//
// Bodies move into scf operations, whose results have static shapes: every way through gives the same ones.
//
//   %y = "onnx.If"(%c) ({ onnx.Yield %a }, { onnx.Yield %b })
// becomes
//   %y = scf.if %bit -> tensor<4xf32> { scf.yield %a } else { scf.yield %b }
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/controlflow/Controlflow.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace onnx_aot::onnx;

namespace {
YieldOp yieldOf(Region &body) { return cast<YieldOp>(body.front().getTerminator()); }

/// The element of a tensor that has one.
Value extractScalar(OpBuilder &builder, Location loc, Value tensor) {
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  SmallVector<Value> indices(cast<RankedTensorType>(tensor.getType()).getRank(), zero);
  return tensor::ExtractOp::create(builder, loc, tensor, indices);
}

/// The element of a bool tensor (stored as i8) as i1.
Value extractBool(OpBuilder &builder, Location loc, Value tensor) {
  Value stored = extractScalar(builder, loc, tensor);
  Value zero = arith::ConstantOp::create(builder, loc, builder.getIntegerAttr(stored.getType(), 0));
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, stored, zero);
}

struct LowerIf : OnnxLowering<IfOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(IfOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    SmallVector<Type> types;
    for (auto [index, result] : llvm::enumerate(op.getResults())) {
      for (Region *branch : {&op.getThenBranch(), &op.getElseBranch()})
        if (yieldOf(*branch).getValues()[index].getType() != result.getType())
          return op.emitError("unsupported: the branches give output ") << index << " different shapes";
      types.push_back(stored(result));
    }
    Value condition = extractBool(rewriter, op.getLoc(), adaptor.getCond());
    auto branches = scf::IfOp::create(rewriter, op.getLoc(), types, condition, /*addThenBlock=*/false,
                                      /*addElseBlock=*/false);
    rewriter.inlineRegionBefore(op.getThenBranch(), branches.getThenRegion(), branches.getThenRegion().end());
    rewriter.inlineRegionBefore(op.getElseBranch(), branches.getElseRegion(), branches.getElseRegion().end());
    rewriter.replaceOp(op, branches.getResults());
    return success();
  }
};

/// The terminator of a body that has moved into an scf operation.
struct LowerYield : OpConversionPattern<YieldOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(YieldOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    if (auto branches = dyn_cast<scf::IfOp>(op->getParentOp())) {
      rewriter.replaceOpWithNewOp<scf::YieldOp>(op, adaptor.getValues().take_front(branches.getNumResults()));
      return success();
    }
    return rewriter.notifyMatchFailure(op, "the operator around it is not lowered");
  }
};
} // namespace

namespace onnx_aot::onnx {
void populateControlflowToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerIf, LowerYield>(converter, patterns.getContext());
}
} // namespace onnx_aot::onnx
