//===- VerifyTensorContract.cpp - what holds after the tensor stage -----------------------------------------------===//
//
// No onnx operation is left, nor a type that only ONNX has: integers are signless, and bools take a byte in memory.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "passes/contracts/Contract.h"
#include "passes/contracts/Passes.h"

namespace onnx_aot {
#define GEN_PASS_DEF_VERIFYTENSORCONTRACT
#include "passes/contracts/Passes.h.inc"

using namespace mlir;

namespace {
struct VerifyTensorContract : impl::VerifyTensorContractBase<VerifyTensorContract> {
  void runOnOperation() override {
    Contract contract("tensor");
    contract.allowOnly(getOperation(), {"builtin", "func", "linalg", "tensor", "arith", "math", "scf", "aot", "affine",
                                        "ub", "complex"});
    getOperation().walk([&](Operation *op) {
      for (Type type : op->getResultTypes())
        if (isOnnxType(type))
          contract.breach(op) << "a value has the type " << type;
    });
    if (contract.isBroken())
      signalPassFailure();
  }

  static bool isOnnxType(Type type) {
    auto tensor = dyn_cast<TensorType>(type);
    auto integer = tensor ? dyn_cast<IntegerType>(tensor.getElementType()) : IntegerType();
    return integer && (!integer.isSignless() || integer.getWidth() == 1);
  }
};
} // namespace
} // namespace onnx_aot
