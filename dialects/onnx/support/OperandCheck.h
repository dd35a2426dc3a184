//===- OperandCheck.h - the checks of an operator, apart from its lowering ----------------------------------------===//
//
// A family lists the checks of its operators in <Family>Checks.cpp, one function per operator, which emits what has to
// hold before the operator's own code runs (see Checks.h). They become patterns that run before the lowering of the
// operator does:
//
//   static void checkMod(ModOp op, ModOp::Adaptor operands, ImplicitLocOpBuilder &b) { requireNonzero(...); }
//   addCheck<ModOp>(converter, patterns, checkMod);
//
// An operator all of whose results are empty computes nothing, and nothing of it is checked.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_SUPPORT_OPERANDCHECK_H
#define ONNX_AOT_DIALECTS_ONNX_SUPPORT_OPERANDCHECK_H

#include "dialects/onnx/support/Checks.h"
#include "dialects/onnx/support/Lowering.h"

namespace onnx_aot::onnx {

/// On an operation whose checks are there.
inline constexpr llvm::StringLiteral kChecked = "aot.checked";

template <typename OpTy> struct OperandCheck : OnnxLowering<OpTy> {
  using Check = void (*)(OpTy op, typename OpTy::Adaptor operands, mlir::ImplicitLocOpBuilder &b);

  OperandCheck(mlir::TypeConverter &converter, mlir::MLIRContext *context, Check check)
      : OnnxLowering<OpTy>(converter, context, /*benefit=*/40), check(check) {}

  llvm::LogicalResult matchAndRewrite(OpTy op, typename OpTy::Adaptor operands,
                                      mlir::ConversionPatternRewriter &rewriter) const override {
    if (op->hasAttr(kChecked))
      return rewriter.notifyMatchFailure(op, "is checked");
    mlir::ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    check(op, operands, b);
    // The operation stays and is lowered next.
    rewriter.modifyOpInPlace(op, [&] { op->setAttr(kChecked, rewriter.getUnitAttr()); });
    return llvm::success();
  }

private:
  Check check;
};

template <typename OpTy>
void addCheck(mlir::TypeConverter &converter, mlir::RewritePatternSet &patterns,
              typename OperandCheck<OpTy>::Check check) {
  patterns.add<OperandCheck<OpTy>>(converter, patterns.getContext(), check);
}

} // namespace onnx_aot::onnx

#endif
