//===- Suggestions.h - what is there in the place of an operator that is not --------------------------------------===//
//
// A refusal says why, and what is supported instead: the nearest name of the domain, the domain that has an operator of
// this name, the domains that there are.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_COMPILER_IMPORT_SUGGESTIONS_H
#define ONNX_AOT_COMPILER_IMPORT_SUGGESTIONS_H

#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/StringRef.h"
#include <string>

namespace onnx_aot {

/// How the dialect spells an operator: "Relu", "ml.Scaler", "com_microsoft.Gelu".
std::string operationName(llvm::StringRef domain, llvm::StringRef op);

/// Whether operators of `domain` are known ("" is ai.onnx), though maybe not supported.
bool isKnownDomain(llvm::StringRef domain, mlir::MLIRContext &context);

/// What is supported instead of an operator of this name; begins with "; ", or is empty.
std::string suggestOperator(llvm::StringRef domain, llvm::StringRef op, mlir::MLIRContext &context);

/// Why an operator that exists is outside of what is compiled, where there is more to say than that; begins with ": ",
/// or is empty.
std::string whyOutside(llvm::StringRef domain, llvm::StringRef op);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_IMPORT_SUGGESTIONS_H
