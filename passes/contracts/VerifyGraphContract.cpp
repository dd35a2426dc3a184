//===- VerifyGraphContract.cpp - what holds after the graph stage -------------------------------------------------===//
//
// Every tensor is ranked; the elements of inputs and outputs are of types that the C interface says how to store. A
// model for which that does not hold is reported here, at the inputs that could be fixed and at the node whose result
// is the first that stays open.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/OnnxDialect.h"
#include "dialects/onnx/support/DataTypes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace onnx_aot {
#define GEN_PASS_DEF_VERIFYGRAPHCONTRACT
#include "passes/contracts/Passes.h.inc"

using namespace mlir;

namespace {
struct VerifyGraphContract : impl::VerifyGraphContractBase<VerifyGraphContract> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    bool open = false;
    for (unsigned i = 0; i < function.getNumArguments(); ++i)
      open |= isNotStored(function, "input", function.getArgAttrOfType<StringAttr>(i, "onnx.name"),
                          function.getArgument(i).getType());
    for (auto [i, type] : llvm::enumerate(function.getResultTypes()))
      open |= isNotStored(function, "output", function.getResultAttrOfType<StringAttr>(i, "onnx.name"), type);
    for (BlockArgument argument : function.getArguments())
      if (!isa<RankedTensorType>(argument.getType())) {
        auto name = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(), "onnx.name");
        StringRef input = name ? name.getValue() : "";
        emitError(function.getLoc(), "unsupported: input \"")
            << input << "\" has no fixed number of dimensions; fix them with --shape " << input << "=AxB...";
        open = true;
      }
    if (open)
      return signalPassFailure();
    auto isRanked = [](Type type) { return isa<RankedTensorType>(type); };
    function.walk([&](Operation *op) {
      if (!isa<onnx::OnnxOpInterface>(op) || llvm::all_of(op->getResultTypes(), isRanked))
        return;
      // Later ones follow from this one.
      if (llvm::all_of(op->getOperandTypes(), isRanked)) {
        op->emitError("unsupported: the number of dimensions of the result depends on data");
        open = true;
      }
    });
    if (open)
      signalPassFailure();
  }

  static bool isNotStored(func::FuncOp function, StringRef role, StringAttr name, Type type) {
    if (onnx::isNumberType(type))
      return false;
    emitError(function.getLoc(), "unsupported: ")
        << role << " \"" << (name ? name.getValue() : "") << "\" has elements of type " << getElementTypeOrSelf(type)
        << "; supported are bool and numbers";
    return true;
  }
};
} // namespace
} // namespace onnx_aot
