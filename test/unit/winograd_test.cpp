// Minimal filtering against the direct sum, in double precision: what the transforms are made of has no error.
#include "dialects/aot/Winograd.h"
#include "gtest/gtest.h"
#include <cmath>
#include <random>

using llvm::ArrayRef;
using llvm::SmallVector;
using onnx_aot::aot::Winograd;

namespace {
/// B' d B of a tile, row by row.
SmallVector<double> transformData(const Winograd &winograd, ArrayRef<double> tile) {
  int64_t n = winograd.size();
  SmallVector<double> half(n * n, 0.0), result(n * n, 0.0);
  for (int64_t row = 0; row < n; ++row)
    for (int64_t column = 0; column < n; ++column)
      for (int64_t k = 0; k < n; ++k)
        half[row * n + column] += winograd.dataRow(row)[k] * tile[k * n + column];
  for (int64_t row = 0; row < n; ++row)
    for (int64_t column = 0; column < n; ++column)
      for (int64_t k = 0; k < n; ++k)
        result[row * n + column] += half[row * n + k] * winograd.dataRow(column)[k];
  return result;
}

/// Row `row` of A': the powers of the points, in the order of B'.
SmallVector<double> resultRow(const Winograd &winograd, int64_t row) {
  SmallVector<double> powers = {row == 0 ? 1.0 : 0.0};
  for (double pair : winograd.pairs())
    powers.append({std::pow(pair, row), std::pow(-pair, row)});
  powers.push_back(row == winograd.tile() - 1 ? 1.0 : 0.0);
  return powers;
}

class WinogradTest : public testing::TestWithParam<int64_t> {};

TEST_P(WinogradTest, GivesTheDirectSum) {
  Winograd winograd(GetParam());
  int64_t n = winograd.size(), m = winograd.tile();
  ASSERT_EQ(n, m + 2);
  std::mt19937 generator(1);
  std::uniform_real_distribution<double> uniform(-1, 1);
  SmallVector<double> kernel(9), tile(n * n);
  for (double &value : kernel)
    value = uniform(generator);
  for (double &value : tile)
    value = uniform(generator);
  SmallVector<double> weights = winograd.transformKernel(kernel), data = transformData(winograd, tile);
  for (int64_t y = 0; y < m; ++y)
    for (int64_t x = 0; x < m; ++x) {
      double direct = 0, filtered = 0;
      for (int64_t ky = 0; ky < 3; ++ky)
        for (int64_t kx = 0; kx < 3; ++kx)
          direct += kernel[ky * 3 + kx] * tile[(y + ky) * n + x + kx];
      for (int64_t row = 0; row < n; ++row)
        for (int64_t column = 0; column < n; ++column)
          filtered += resultRow(winograd, y)[row] * weights[row * n + column] * data[row * n + column] *
                      resultRow(winograd, x)[column];
      EXPECT_NEAR(direct, filtered, 1e-13);
    }
}

// The lowering computes row p and row -p of B' from their even and odd coefficients, which differ in signs alone.
TEST_P(WinogradTest, PairsDifferInTheSignsOfOddCoefficients) {
  Winograd winograd(GetParam());
  for (size_t pair = 0; pair < winograd.pairs().size(); ++pair)
    for (int64_t k = 0; k < winograd.size(); ++k)
      EXPECT_EQ(winograd.dataRow(1 + 2 * pair)[k], (k % 2 ? -1 : 1) * winograd.dataRow(2 + 2 * pair)[k]);
}

INSTANTIATE_TEST_SUITE_P(Tiles, WinogradTest, testing::Values(2, 4));
} // namespace
