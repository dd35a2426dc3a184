//===- VerifyGraphContract.cpp - what holds after the graph stage -------------------------------------------------===//
//
// Every tensor is ranked and its dims are static; the elements of inputs and outputs are of types that the C interface
// says how to store. A model for which that does not hold is reported here, at the inputs that could be fixed and at
// the node whose result is the first that stays open.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/OnnxDialect.h"
#include "dialects/onnx/support/DataTypes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "llvm/ADT/StringExtras.h"

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
      if (!isStatic(argument.getType())) {
        reportOpenInput(function, argument);
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

  static bool isNotStored(func::FuncOp function, StringRef role, StringAttr name, Type type) {
    if (onnx::isArithmeticType(type))
      return false;
    emitError(function.getLoc(), "unsupported: ")
        << role << " \"" << (name ? name.getValue() : "") << "\" has elements of type " << getElementTypeOrSelf(type)
        << "; supported are " << onnx::kArithmeticTypes;
    return true;
  }

  /// Names the open dimensions and the flags that fix them:
  ///
  ///     input "image" has dimensions that are not fixed (batch, ?); fix them with --shape image=Ax3xB
  ///     input "ids" has dimensions that are not fixed (N, seq); fix them with --dim N=... --dim seq=...
  static void reportOpenInput(func::FuncOp function, BlockArgument argument) {
    auto attribute = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(), "onnx.name");
    StringRef input = attribute ? attribute.getValue() : "";
    InFlightDiagnostic error = emitError(function.getLoc(), "unsupported: input \"") << input << "\" has ";
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    if (!type) {
      error << "no fixed number of dimensions; fix them with --shape " << input << "=AxB...";
      return;
    }

    SmallVector<std::string> open; // each name once
    SmallVector<std::string> shape;
    bool allNamed = true;
    char letter = 'A';
    for (int64_t i = 0; i < type.getRank(); ++i) {
      if (!type.isDynamicDim(i)) {
        shape.push_back(std::to_string(type.getDimSize(i)));
        continue;
      }
      std::string name = dimName(function, argument, i);
      allNamed &= !name.empty();
      shape.emplace_back(1, letter);
      letter = letter == 'Z' ? 'A' : letter + 1;
      if (name.empty())
        open.push_back("?");
      else if (!llvm::is_contained(open, name))
        open.push_back(std::move(name));
    }
    error << "dimensions that are not fixed (" << llvm::join(open, ", ") << "); fix them with ";
    if (allNamed)
      error << "--dim " << llvm::join(open, "=... --dim ") << "=...";
    else
      error << "--shape " << input << "=" << llvm::join(shape, "x");
  }

  /// Empty for a dimension that the model gives no name.
  static std::string dimName(func::FuncOp function, BlockArgument argument, int64_t axis) {
    auto names = function.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(), "onnx.dim_names");
    auto name = names && axis < int64_t(names.size()) ? dyn_cast<StringAttr>(names[axis]) : StringAttr();
    return name ? name.str() : "";
  }

  static bool isStatic(Type type) {
    auto ranked = dyn_cast<RankedTensorType>(type);
    return ranked && ranked.hasStaticShape();
  }
};
} // namespace
} // namespace onnx_aot
