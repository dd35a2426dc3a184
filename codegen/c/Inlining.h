//===- Inlining.h - which operations become parts of larger expressions -------------------------------------------===//
//
// What it is for: `acc = x[i * 28 + j] * w[j] + acc;` rather than a variable per operation. How it works: a value that
// is used once, in its own block, becomes part of the expression that uses it, up to a length that one can still read;
// a load only where nothing is written between it and the statement that the expression ends up in.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_C_INLINING_H
#define ONNX_AOT_CODEGEN_C_INLINING_H

#include "mlir/IR/Block.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/DenseSet.h"

namespace onnx_aot::c {

/// The operations of `block`, regions not included, that are no statements of their own.
llvm::DenseSet<mlir::Operation *> findInlined(mlir::Block &block);

} // namespace onnx_aot::c

#endif // ONNX_AOT_CODEGEN_C_INLINING_H
