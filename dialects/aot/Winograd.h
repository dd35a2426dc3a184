//===- Winograd.h - minimal filtering of 3x3 kernels --------------------------------------------------------------===//
//
// The transforms of F(m x m, 3 x 3) (Winograd, Arithmetic Complexity of Computations, 1980; Lavin and Gray, Fast
// Algorithms for Convolutional Neural Networks, 2015), built by Toom and Cook's rule from n - 1 points and infinity, where
// n = m + 2. With g the kernel, d a tile of n x n data and Y the m x m results:
//
//   Y = A' [ (G g G') * (B' d B) ] A        * element by element
//
//   B'[j] coefficients of prod over i != j of (x - p_i)     G[j] = (1, p_j, p_j^2) / prod over i != j of (p_j - p_i)
//   A'[i][j] = p_j^i                                        infinity: x's highest power, (0, 0, 1), only the last row
//
// Points come in pairs p, -p around 0, whose rows of B' differ in the signs of the odd coefficients only. For m = 4 they
// are 0, 3/4, -3/4, 3/2, -3/2: half the rounding error of the textbook's 0, 1, -1, 2, -2 at the same number of operations.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_AOT_WINOGRAD_H
#define ONNX_AOT_DIALECTS_AOT_WINOGRAD_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

namespace onnx_aot::aot {

/// One-dimensional F(m, 3); m is 2 or 4.
class Winograd {
public:
  explicit Winograd(int64_t m);

  int64_t tile() const { return m; }
  /// Elements of a tile of data.
  int64_t size() const { return m + 2; }
  /// The positive points; row 1 + 2 i of B' belongs to pair i, the next one to its negative, the last one to infinity.
  llvm::ArrayRef<double> pairs() const { return pairPoints; }
  /// Row `row` of B': size() coefficients.
  llvm::ArrayRef<double> dataRow(int64_t row) const { return data[row]; }
  /// G g G' for one 3x3 kernel: size()^2 elements, row by row.
  llvm::SmallVector<double> transformKernel(llvm::ArrayRef<double> kernel) const;

private:
  int64_t m;
  llvm::SmallVector<double> pairPoints;
  llvm::SmallVector<llvm::SmallVector<double>> data, kernel; // B', G
};

} // namespace onnx_aot::aot

#endif
