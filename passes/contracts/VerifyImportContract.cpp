//===- VerifyImportContract.cpp - what holds after the import stage -----------------------------------------------===//
//
// 1. Only onnx operations in functions: everything else is made later.
// 2. Every onnx operation knows its node, NameLoc("\"conv1\" (Conv)") over a file's line: errors name it.
// 3. Constants of more than 1 KB are resources: their bytes stay where the model was read, and are not hashed.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/OnnxDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include "passes/contracts/Contract.h"
#include "passes/contracts/Passes.h"

namespace onnx_aot {
#define GEN_PASS_DEF_VERIFYIMPORTCONTRACT
#include "passes/contracts/Passes.h.inc"

using namespace mlir;

namespace {
struct VerifyImportContract : impl::VerifyImportContractBase<VerifyImportContract> {
  static constexpr size_t kDenseBytes = 1024;

  void runOnOperation() override {
    Contract contract("import");
    contract.allowOnly(getOperation(), {"builtin", "func", "onnx"});
    getOperation().walk([&](onnx::OnnxOpInterface op) {
      if (!namesNode(op->getLoc()))
        contract.breach(op) << "'" << op->getName() << "' does not say which node it is";
      for (NamedAttribute attribute : op->getAttrs())
        if (auto dense = dyn_cast<DenseElementsAttr>(attribute.getValue()))
          if (dense.getRawData().size() > kDenseBytes)
            contract.breach(op) << "a constant of " << dense.getRawData().size() << " bytes is not a resource";
    });
    if (contract.isBroken())
      signalPassFailure();
  }

  /// Whether `loc` is `"conv1" (Conv)` at a line of a file.
  static bool namesNode(Location loc) {
    auto name = dyn_cast<NameLoc>(loc);
    return name && name.getName().strref().starts_with("\"") && name.getName().strref().ends_with(")") &&
           isa<FileLineColLoc>(name.getChildLoc());
  }
};
} // namespace
} // namespace onnx_aot
