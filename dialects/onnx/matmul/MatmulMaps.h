//===- MatmulMaps.h - the iteration space of numpy's matrix product -----------------------------------------------===//
//
// Dims: batch..., then m and n where they exist (a vector on the left has no rows, one on the right no columns), then
// k.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_MATMUL_MATMULMAPS_H
#define ONNX_AOT_DIALECTS_ONNX_MATMUL_MATMULMAPS_H

#include "dialects/onnx/support/Lowering.h"

namespace onnx_aot::onnx {

/// Lowered operands of numpy's matrix product that can be read by MatmulMaps, and the extents of its result.
struct ProductOperands {
  mlir::Value a, b;
  llvm::SmallVector<mlir::OpFoldResult> sizes;
};

/// Brings the batch dims of the product `y` = `a` * `b` to those of `y`, where only the run tells whether they repeat,
/// and has it check the inner dims.
llvm::FailureOr<ProductOperands> alignProduct(const mlir::TypeConverter *converter,
                                              mlir::ConversionPatternRewriter &rewriter, mlir::Operation *op,
                                              mlir::Value a, mlir::Value b, mlir::Value y);

struct MatmulMaps {
  MatmulMaps(mlir::MLIRContext *context, llvm::ArrayRef<int64_t> a, llvm::ArrayRef<int64_t> b,
             llvm::ArrayRef<int64_t> y);

  mlir::AffineMap map(llvm::ArrayRef<mlir::AffineExpr> exprs) const;
  /// The map of a parameter of A's rows (B's columns): of one element each, a vector of them, or a tensor of A's (B's)
  /// rank whose other matrix dim is 1. Of result `y`, which has both, rows are meant.
  mlir::AffineMap rowParameter(llvm::ArrayRef<int64_t> shape) const;
  mlir::AffineMap columnParameter(llvm::ArrayRef<int64_t> shape) const;

  mlir::MLIRContext *context;
  llvm::SmallVector<int64_t> batch; // extents, kDynamic where only the run tells
  mlir::AffineExpr m, n, k;         // m and n may be null
  mlir::AffineMap a, b, y;
  llvm::SmallVector<bool> isReduction;

private:
  mlir::AffineMap parameter(llvm::ArrayRef<int64_t> shape, mlir::AffineExpr expr, bool isRow) const;
  llvm::SmallVector<mlir::AffineExpr> batchExprs(llvm::ArrayRef<int64_t> own) const;
};

void populateQuantizedMatmulToLinalg(mlir::TypeConverter &converter, mlir::RewritePatternSet &patterns);
void populateEinsumToLinalg(mlir::TypeConverter &converter, mlir::RewritePatternSet &patterns);
void populateDeterminantToLinalg(mlir::TypeConverter &converter, mlir::RewritePatternSet &patterns);

} // namespace onnx_aot::onnx

#endif
