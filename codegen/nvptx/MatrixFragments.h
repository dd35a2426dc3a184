//===- MatrixFragments.h - operands and products of the matrix units ----------------------------------------------===//
//
// Elements of 16 bits, sums of 32: mma.sync.m16n8k16; of 32-bit elements, rounded to tf32, half as many along k:
// mma.sync.m16n8k8. A fragment is what the 32 lanes of a warp hold of a matrix: of
// 8 by 8 elements (8 by 4 of 32 bits) lane l has two neighbours (one) in row l / 4, and a fragment has several of
// these. See the PTX ISA manual, "Warp Level Matrix Multiply-Accumulate".
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_NVPTX_MATRIXFRAGMENTS_H
#define ONNX_AOT_CODEGEN_NVPTX_MATRIXFRAGMENTS_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace onnx_aot {

/// sum + left * right: 4x2 elements (16 rows, 16 along k), 2x2 elements (8 columns) and 2x2 sums of each lane; 4x1 and
/// 2x1 elements of 32 bits, 8 along k.
mlir::Value multiplyFragments(mlir::ImplicitLocOpBuilder &b, mlir::Value left, mlir::Value right, mlir::Value sum);

} // namespace onnx_aot

#endif // ONNX_AOT_CODEGEN_NVPTX_MATRIXFRAGMENTS_H
