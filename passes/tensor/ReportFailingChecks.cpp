//===- ReportFailingChecks.cpp - errors that need no run to be seen -----------------------------------------------===//
//
// A check whose condition is constant and false, outside of every branch and loop, fails in each run: the model is at
// fault, and says so at compile time. In a branch or a loop it stays, since no run may come there.
//
// Before: canonicalized checks.  After: the same.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/AotDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Pass/Pass.h"
#include "passes/tensor/Passes.h"

namespace onnx_aot {
#define GEN_PASS_DEF_REPORTFAILINGCHECKS
#include "passes/tensor/Passes.h.inc"

using namespace mlir;

namespace {
struct ReportFailingChecks : impl::ReportFailingChecksBase<ReportFailingChecks> {
  void runOnOperation() override {
    auto entry = getOperation().lookupSymbol<func::FuncOp>("main");
    if (!entry)
      return;
    for (auto check : entry.getBody().front().getOps<aot::RequireOp>())
      if (matchPattern(check.getCondition(), m_Zero())) {
        std::string reason = stringifyCode(check.getCode()).str();
        llvm::replace(reason, '_', ' ');
        check.emitError("every run would fail here: ") << reason;
        signalPassFailure();
      }
  }
};
} // namespace
} // namespace onnx_aot
