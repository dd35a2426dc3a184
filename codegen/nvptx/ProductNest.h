//===- ProductNest.h - sums of products as a matrix product -------------------------------------------------------===//
//
// What it is for: matrix products, convolutions and whatever else sums products of two operands are one thing here:
//
//   C[batch][row][column] = epilogue(sum over k of R[batch][row][k] * S[batch][k][column])
//
// in which each of batch, row, column and k stands for several dims of the nest. A convolution's columns are the places
// of its images, its k are input channels and taps; R is the weights. How it works: dims are told apart by the operands
// that they move; columns are what neighbours in the result run along.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_NVPTX_PRODUCTNEST_H
#define ONNX_AOT_CODEGEN_NVPTX_PRODUCTNEST_H

#include "dialects/aot/LoopNest.h"

namespace onnx_aot {

struct ProductNest {
  /// The inputs that are R and S.
  unsigned rowInput = 0, columnInput = 0;
  llvm::SmallVector<unsigned> batch, rows, columns, depth;

  /// Nothing where `nest` is no such sum, or where zeros beyond the ends of R and S would change it.
  static std::optional<ProductNest> of(const aot::LoopNest &nest);
};

/// The product of the extents, estimated where only the run knows.
double estimateVolume(const aot::LoopNest &nest, llvm::ArrayRef<unsigned> dims);

} // namespace onnx_aot

#endif // ONNX_AOT_CODEGEN_NVPTX_PRODUCTNEST_H
