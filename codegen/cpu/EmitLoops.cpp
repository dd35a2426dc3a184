//===- EmitLoops.cpp - from structured operations on memrefs to loops ---------------------------------------------===//
//
// Kernels become loops by the strategy that they carry, elementwise operations by one chosen here; copies between
// buffers of different layout become elementwise operations first, and so do those whose layout only the run knows: the
// lowering of memref.copy would call a function that nobody has. What has no linear addresses (scatters, several
// results) goes through linalg's own scalar loops.
//
// Before: linalg and aot.kernel on memrefs.  After: scf, vector, memref and arith.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/cpu/LowerDots.h"
#include "codegen/cpu/NestEmitter.h"
#include "codegen/cpu/Passes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/Utils/MemRefUtils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/Pass.h"
#include "passes/schedule/LoopStrategy.h"

namespace onnx_aot {
#define GEN_PASS_DEF_EMITLOOPS
#include "codegen/cpu/Passes.h.inc"

using namespace mlir;

namespace {
struct EmitLoops : impl::EmitLoopsBase<EmitLoops> {
  explicit EmitLoops(const aot::TargetModel &target = genericTargetModel()) : target(&target) {}

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    IRRewriter rewriter(&getContext());

    SmallVector<memref::CopyOp> copies;
    function.walk([&](memref::CopyOp copy) { copies.push_back(copy); });
    for (memref::CopyOp copy : copies) {
      if (isContiguous(copy.getSource()) && isContiguous(copy.getTarget()))
        continue;
      rewriter.setInsertionPoint(copy);
      if (!isEmpty(copy.getSource()) && !isEmpty(copy.getTarget()))
        linalg::CopyOp::create(rewriter, copy.getLoc(), copy.getSource(), copy.getTarget());
      rewriter.eraseOp(copy);
    }

    SmallVector<linalg::LinalgOp> named;
    function.walk([&](linalg::LinalgOp op) {
      if (!isa<linalg::GenericOp>(op.getOperation()))
        named.push_back(op);
    });
    for (linalg::LinalgOp op : named) {
      rewriter.setInsertionPoint(op);
      (void)linalg::generalizeNamedOp(rewriter, op);
    }

    SmallVector<Operation *> structured;
    function.walk([&](Operation *op) {
      if (isa<linalg::LinalgOp, aot::KernelOp>(op))
        structured.push_back(op);
    });
    for (Operation *op : structured)
      if (failed(lower(op, rewriter)))
        signalPassFailure();
  }

  LogicalResult lower(Operation *op, IRRewriter &rewriter) {
    rewriter.setInsertionPoint(op);
    FailureOr<aot::LoopNest> nest = aot::LoopNest::of(op);
    if (succeeded(nest) && !readsAllWords(*nest)) {
      expandDots(cast<aot::KernelOp>(op));
      nest = aot::LoopNest::of(op);
    }
    if (failed(nest)) {
      auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
      if (!linalgOp || failed(linalg::linalgOpToLoops(rewriter, linalgOp)))
        return op->emitError("unsupported: no loops can be made for this operation");
    } else {
      auto kernel = dyn_cast<aot::KernelOp>(op);
      aot::StrategyAttr strategy = kernel ? kernel.getStrategyAttr() : aot::StrategyAttr();
      if (!strategy)
        strategy = chooseLoopStrategy(*nest, *target, &getContext());
      emitLoopNest(rewriter, op->getLoc(), *nest, strategy);
    }
    rewriter.eraseOp(op);
    return success();
  }

  /// Whether every operand of an aot.dot has its bytes in words.
  static bool readsAllWords(const aot::LoopNest &nest) {
    return nest.dot < 0 ||
           llvm::all_of(
               nest.inputs, [&](const aot::Access &access) { return !access.inCompute || nest.readsWords(access); });
  }

  static void expandDots(aot::KernelOp kernel) {
    for (aot::DotOp dot : llvm::make_early_inc_range(kernel.getCompute().getOps<aot::DotOp>())) {
      ImplicitLocOpBuilder b(dot.getLoc(), dot);
      dot.replaceAllUsesWith(expandDot(b, dot));
      dot.erase();
    }
  }

  /// Whether memref.copy becomes a memcpy.
  static bool isContiguous(Value buffer) {
    auto type = cast<MemRefType>(buffer.getType());
    return type.getLayout().isIdentity() || (!isEmpty(buffer) && memref::isStaticShapeAndContiguousRowMajor(type));
  }

  static bool isEmpty(Value buffer) { return llvm::is_contained(cast<MemRefType>(buffer.getType()).getShape(), 0); }

  const aot::TargetModel *target;
};
} // namespace

std::unique_ptr<Pass> createEmitLoopsPass(const aot::TargetModel &target) {
  return std::make_unique<EmitLoops>(target);
}
} // namespace onnx_aot
