//===- Extents.h - operands whose extents only a run tells --------------------------------------------------------===//
//
// An operator asks that dims of its operands agree, or that one broadcasts to the other. Where the analysis proves it,
// nothing is built; elsewhere the run checks it before anything is read.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_SUPPORT_EXTENTS_H
#define ONNX_AOT_DIALECTS_ONNX_SUPPORT_EXTENTS_H

#include "dialects/onnx/support/Lowering.h"

namespace onnx_aot::onnx {

/// What a lowering by `converter` knows of the shape of `value`.
Shape symbolicShape(const mlir::TypeConverter *converter, mlir::Value value);

/// `lowered`, whose dims are `from`, as it is read when it is broadcast to `to`, aligned at the end: each dim is 1 by
/// its type or has the extent of `to`, of which `sizes` are the values. Dims that only the run tells are repeated by an
/// aot.broadcast. The rank stays.
mlir::Value alignTo(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value lowered, llvm::ArrayRef<Dim> from,
                    llvm::ArrayRef<Dim> to, llvm::ArrayRef<mlir::OpFoldResult> sizes);

/// The run ends unless the dims of `lowered`, which are `from`, have the extents `to`, of which `sizes` are the values.
void requireExtents(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value lowered, llvm::ArrayRef<Dim> from,
                    llvm::ArrayRef<Dim> to, llvm::ArrayRef<mlir::OpFoldResult> sizes);

/// `tensor`, which has to have one element, as a tensor of rank 0.
mlir::Value buildScalar(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value tensor);

} // namespace onnx_aot::onnx

#endif
