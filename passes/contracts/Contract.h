//===- Contract.h - how a broken contract is reported -------------------------------------------------------------===//
//
// A verifier walks the module and reports every breach. A breach is never the model's fault: its text begins with what
// the driver takes for an internal error. (The graph stage's verifier is the exception: it speaks to users.)
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_PASSES_CONTRACTS_CONTRACT_H
#define ONNX_AOT_PASSES_CONTRACTS_CONTRACT_H

#include "mlir/IR/Dialect.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/STLExtras.h"

namespace onnx_aot {

/// Counts and reports what breaks the contract of one stage.
class Contract {
public:
  explicit Contract(llvm::StringRef stage) : stage(stage) {}

  mlir::InFlightDiagnostic breach(mlir::Operation *op) {
    broken = true;
    return op->emitError("internal error: contract of the ") << stage << " stage: ";
  }

  /// Every operation below `root`, and itself, belongs to one of `dialects`.
  void allowOnly(mlir::Operation *root, llvm::ArrayRef<llvm::StringRef> dialects) {
    root->walk([&](mlir::Operation *op) {
      if (!llvm::is_contained(dialects, op->getName().getDialectNamespace()))
        breach(op) << "'" << op->getName() << "' must not exist here";
    });
  }

  bool isBroken() const { return broken; }

private:
  llvm::StringRef stage;
  bool broken = false;
};

} // namespace onnx_aot

#endif
