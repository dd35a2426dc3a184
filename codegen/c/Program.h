//===- Program.h - a module as the functions of a C file ----------------------------------------------------------===//
//
// What it is for: what the artifact stage puts into model.c besides the C ABI's own functions. Everything is static.
//
//   PREFIX_main            the model, with a parameter for each of the entry's
//   PREFIX_conv_0 ...      its kernels
//   PREFIX_NAME_of_dims    what says sizes before a run
//
// Holds before: the module is as the codegen stage for C leaves it (compiler/Pipeline.cpp).
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_C_PROGRAM_H
#define ONNX_AOT_CODEGEN_C_PROGRAM_H

#include "codegen/c/Prelude.h"
#include "codegen/c/WeightTables.h"
#include "mlir/IR/BuiltinOps.h"

namespace onnx_aot::c {

struct Program {
  Needs needs;
  std::vector<WeightTable> tables;
  std::string functions;
  /// The types of the parameters of PREFIX_main that are pointers to elements; of others, nothing.
  std::vector<std::string> entryParameters;
};

/// `movesComplex`: integers of 64 and 128 bits in the caller's buffers are complex numbers. Fails, with a diagnostic
/// that names the node, where an operation has no form in C.
mlir::FailureOr<Program> printProgram(mlir::ModuleOp module, llvm::StringRef prefix, bool movesComplex);

} // namespace onnx_aot::c

#endif // ONNX_AOT_CODEGEN_C_PROGRAM_H
