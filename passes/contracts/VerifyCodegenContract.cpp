//===- VerifyCodegenContract.cpp - what holds after the codegen stage ---------------------------------------------===//
//
// Only what the target translates: operations of the LLVM dialect. Which symbols the object may leave undefined is the
// artifact stage's to check.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "mlir/IR/BuiltinOps.h"
#include "passes/contracts/Contract.h"
#include "passes/contracts/Passes.h"

namespace onnx_aot {
#define GEN_PASS_DEF_VERIFYCODEGENCONTRACT
#include "passes/contracts/Passes.h.inc"

using namespace mlir;

namespace {
struct VerifyCodegenContract : impl::VerifyCodegenContractBase<VerifyCodegenContract> {
  void runOnOperation() override {
    Contract contract("codegen");
    for (Operation &op : *getOperation().getBody())
      contract.allowOnly(&op, {"llvm"});
    if (contract.isBroken())
      signalPassFailure();
  }
};
} // namespace
} // namespace onnx_aot
