//===- VerifyGraphContract.cpp - what holds after the graph stage -------------------------------------------------===//
//
// Every tensor is ranked and its dims are static. A model for which that does not hold is reported here, at the node
// whose result is the first that stays open and at the inputs that could be fixed.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/OnnxDialect.h"
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
    for (BlockArgument argument : function.getArguments())
      if (!isStatic(argument.getType())) {
        auto name = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(), "onnx.name");
        emitError(function.getLoc(), "unsupported: input \"")
            << (name ? name.getValue() : "") << "\" has dimensions that are not fixed" << openDims(function, argument)
            << "; give them with --dim or --shape";
        open = true;
      }
    if (open)
      return signalPassFailure();
    function.walk([&](Operation *op) {
      if (!isa<onnx::OnnxOpInterface>(op) || llvm::all_of(op->getResultTypes(), isStatic))
        return;
      // Later ones follow from this one.
      if (llvm::all_of(op->getOperandTypes(), isStatic)) {
        op->emitError("unsupported: the shape of the result depends on data");
        open = true;
      }
    });
    if (open)
      signalPassFailure();
  }

  /// " (batch, ?)": the names of an input's open dimensions.
  static std::string openDims(func::FuncOp function, BlockArgument argument) {
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    auto names = function.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(), "onnx.dim_names");
    std::string text;
    for (int64_t i = 0; type && i < type.getRank(); ++i) {
      if (!type.isDynamicDim(i))
        continue;
      auto name = names && i < int64_t(names.size()) ? dyn_cast<StringAttr>(names[i]) : StringAttr();
      text += (text.empty() ? " (" : ", ") + (name && !name.empty() ? name.str() : "?");
    }
    return text.empty() ? text : text + ")";
  }

  static bool isStatic(Type type) {
    auto ranked = dyn_cast<RankedTensorType>(type);
    return ranked && ranked.hasStaticShape();
  }
};
} // namespace
} // namespace onnx_aot
