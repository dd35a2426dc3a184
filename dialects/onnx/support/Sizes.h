//===- Sizes.h - extents as values of the program -----------------------------------------------------------------===//
//
// Lowerings ask for the extents of ONNX values here and get attributes where they are constant, arithmetic on the
// entry's dim arguments (and on what the run has computed) elsewhere. See ShapeAnalysis.h for where the expressions
// come from.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_SUPPORT_SIZES_H
#define ONNX_AOT_DIALECTS_ONNX_SUPPORT_SIZES_H

#include "dialects/onnx/support/ShapeAnalysis.h"
#include "mlir/IR/Builders.h"

namespace onnx_aot::onnx {

/// Gives the lowered tensor that stands for an ONNX value.
using ValueMapping = llvm::function_ref<mlir::Value(mlir::Value)>;

/// `dim` as an index value or attribute at the builder's position. Not for unknown dims.
mlir::OpFoldResult buildSize(mlir::OpBuilder &builder, mlir::Location loc, Dim dim, ValueMapping lowered);

//===-- Arithmetic on sizes, folded where both are constant -------------------------------------------------------===//

mlir::OpFoldResult addSizes(mlir::OpBuilder &builder, mlir::Location loc, mlir::OpFoldResult a, mlir::OpFoldResult b);
mlir::OpFoldResult subtractSizes(mlir::OpBuilder &builder, mlir::Location loc, mlir::OpFoldResult a,
                                 mlir::OpFoldResult b);
mlir::OpFoldResult multiplySizes(mlir::OpBuilder &builder, mlir::Location loc, mlir::OpFoldResult a,
                                 mlir::OpFoldResult b);
/// Rounded down; `b` is positive.
mlir::OpFoldResult divideSizes(mlir::OpBuilder &builder, mlir::Location loc, mlir::OpFoldResult a,
                               mlir::OpFoldResult b);
mlir::OpFoldResult minSize(mlir::OpBuilder &builder, mlir::Location loc, mlir::OpFoldResult a, mlir::OpFoldResult b);
mlir::OpFoldResult maxSize(mlir::OpBuilder &builder, mlir::Location loc, mlir::OpFoldResult a, mlir::OpFoldResult b);

/// The extents of a lowered tensor: attributes where its type is static, tensor.dim elsewhere.
llvm::SmallVector<mlir::OpFoldResult> sizesOf(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value tensor);
mlir::OpFoldResult sizeOf(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value tensor, int64_t dim);

/// The static shape of `sizes`: kDynamic where they are values.
llvm::SmallVector<int64_t> staticShape(llvm::ArrayRef<mlir::OpFoldResult> sizes);
/// The product of sizes.
mlir::OpFoldResult productOf(mlir::OpBuilder &builder, mlir::Location loc, llvm::ArrayRef<mlir::OpFoldResult> sizes);
/// A size as a value of index type.
mlir::Value asIndex(mlir::OpBuilder &builder, mlir::Location loc, mlir::OpFoldResult size);
/// The constant that a size is.
std::optional<int64_t> constantSize(mlir::OpFoldResult size);

} // namespace onnx_aot::onnx

#endif
