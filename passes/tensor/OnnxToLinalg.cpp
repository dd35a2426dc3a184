//===- OnnxToLinalg.cpp - the lowering of operators ---------------------------------------------------------------===//
//
// Runs the lowering patterns of all families as one full conversion. Types change on the way: unsigned integers become
// signless, bools become i8 (see Lowering.h). Constants become arith.constant.
//
// Before: static ranked tensors, onnx operations.  After: no onnx operation is left.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/AotDialect.h"
#include "dialects/onnx/OnnxDialect.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Func/Transforms/FuncConversions.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/DialectConversion.h"

namespace onnx_aot {
namespace onnx {
#define ONNX_FAMILY(Name) void populate##Name##ToLinalg(mlir::TypeConverter &, mlir::RewritePatternSet &);
#include "dialects/onnx/FamilyLowerings.inc"
#undef ONNX_FAMILY
} // namespace onnx

#define GEN_PASS_DEF_ONNXTOLINALG
#include "passes/tensor/Passes.h.inc"

using namespace mlir;

namespace {
struct OnnxToLinalg : impl::OnnxToLinalgBase<OnnxToLinalg> {
  void runOnOperation() override {
    onnx::TensorTypeConverter converter;
    RewritePatternSet patterns(&getContext());
#define ONNX_FAMILY(Name) onnx::populate##Name##ToLinalg(converter, patterns);
#include "dialects/onnx/FamilyLowerings.inc"
#undef ONNX_FAMILY
    populateFunctionOpInterfaceTypeConversionPattern<func::FuncOp>(patterns, converter);
    populateReturnOpTypeConversionPattern(patterns, converter);

    ConversionTarget target(getContext());
    target.addLegalDialect<linalg::LinalgDialect, tensor::TensorDialect, arith::ArithDialect, math::MathDialect,
                           scf::SCFDialect, affine::AffineDialect, aot::AotDialect>();
    target.addLegalOp<ModuleOp>();
    target.addIllegalDialect<onnx::OnnxDialect>();
    target.addDynamicallyLegalOp<func::FuncOp>(
        [&](func::FuncOp op) { return converter.isSignatureLegal(op.getFunctionType()); });
    target.addDynamicallyLegalOp<func::ReturnOp>([&](func::ReturnOp op) { return converter.isLegal(op); });

    // All operators that have no lowering are reported, not only the first.
    bool unsupported = false;
    getOperation().walk([&](onnx::OnnxOpInterface op) {
      if (hasLowering(op, patterns))
        return;
      op->emitError("unsupported: operator ") << op.getSignature().name << " has no lowering";
      unsupported = true;
    });
    if (unsupported || failed(applyFullConversion(getOperation(), target, std::move(patterns))))
      signalPassFailure();
  }

  static bool hasLowering(Operation *op, RewritePatternSet &patterns) {
    return llvm::any_of(patterns.getNativePatterns(), [&](const std::unique_ptr<RewritePattern> &pattern) {
      return pattern->getRootKind() && *pattern->getRootKind() == op->getName();
    });
  }
};
} // namespace
} // namespace onnx_aot
