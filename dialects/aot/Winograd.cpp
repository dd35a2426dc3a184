//===- Winograd.cpp - minimal filtering of 3x3 kernels ------------------------------------------------------------===//
#include "dialects/aot/Winograd.h"

using namespace onnx_aot::aot;
using llvm::ArrayRef;
using llvm::SmallVector;

/// Coefficients of (x - root) * polynomial, the constant one first.
static SmallVector<double> timesRoot(ArrayRef<double> polynomial, double root) {
  SmallVector<double> result(polynomial.size() + 1, 0.0);
  for (auto [power, coefficient] : llvm::enumerate(polynomial)) {
    result[power + 1] += coefficient;
    result[power] -= root * coefficient;
  }
  return result;
}

Winograd::Winograd(int64_t m) : m(m), pairPoints(m == 4 ? SmallVector<double>{0.75, 1.5} : SmallVector<double>{1.0}) {
  SmallVector<double> points = {0.0};
  for (double pair : pairPoints)
    points.append({pair, -pair});
  for (size_t row = 0; row <= points.size(); ++row) {
    bool isInfinity = row == points.size();
    SmallVector<double> polynomial = {1.0};
    double scale = 1.0;
    for (auto [index, point] : llvm::enumerate(points)) {
      if (index == row)
        continue;
      polynomial = timesRoot(polynomial, point);
      if (!isInfinity)
        scale *= points[row] - point;
    }
    polynomial.resize(size(), 0.0);
    data.push_back(polynomial);
    if (isInfinity)
      kernel.push_back({0.0, 0.0, 1.0});
    else
      kernel.push_back({1.0 / scale, points[row] / scale, points[row] * points[row] / scale});
  }
}

SmallVector<double> Winograd::transformKernel(ArrayRef<double> weights) const {
  int64_t n = size();
  SmallVector<double> half(n * 3, 0.0), result(n * n, 0.0);
  for (int64_t row = 0; row < n; ++row)
    for (int64_t column = 0; column < 3; ++column)
      for (int64_t k = 0; k < 3; ++k)
        half[row * 3 + column] += kernel[row][k] * weights[k * 3 + column];
  for (int64_t row = 0; row < n; ++row)
    for (int64_t column = 0; column < n; ++column)
      for (int64_t k = 0; k < 3; ++k)
        result[row * n + column] += half[row * 3 + k] * kernel[column][k];
  return result;
}
