// Minimal filtering against the direct sum, in double precision: what the transforms are made of has no error.
#include "dialects/aot/Winograd.h"
#include "dialects/aot/WinogradError.h"
#include "gtest/gtest.h"
#include <cmath>
#include <random>

using llvm::ArrayRef;
using llvm::SmallVector;
using namespace onnx_aot::aot;

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

/// 3x3 kernels of 8 outputs and 32 inputs, of normal distribution but for the centre of each output's first one.
std::vector<float> kernelsWith(float centre) {
  std::mt19937 generator(1);
  std::normal_distribution<float> normal;
  std::vector<float> weights(8 * 32 * 9);
  for (float &weight : weights)
    weight = normal(generator);
  for (int64_t output = 0; output < 8; ++output)
    weights[output * 32 * 9 + 4] = centre;
  return weights;
}

WinogradError errorOf(int64_t tile, const std::vector<float> &weights) {
  return measureWinogradError(Winograd(tile), weights, 8, weights.size() / (8 * 9));
}

TEST_P(WinogradTest, ErrorsOfEvenWeightsAreSmall) {
  WinogradError error = errorOf(GetParam(), kernelsWith(1));
  EXPECT_GT(error.relative, 5e-8);
  EXPECT_LT(error.relative, 2e-6);
  EXPECT_GT(error.direct, 5e-8);
  EXPECT_LT(error.direct, 5e-7);
}

// What lies beside a large product has that one's error, which a direct sum keeps apart.
TEST_P(WinogradTest, ErrorsGrowWithTheLargestWeight) {
  WinogradError even = errorOf(GetParam(), kernelsWith(1)), uneven = errorOf(GetParam(), kernelsWith(1e5));
  EXPECT_GT(uneven.relative, 30 * even.relative);
  EXPECT_LT(uneven.direct, 2 * even.direct);
  EXPECT_GT(errorOf(4, kernelsWith(1000)).relative, errorOf(2, kernelsWith(1000)).relative);
}

TEST_P(WinogradTest, ErrorsOfOddWeights) {
  auto scaled = [](float factor) {
    std::vector<float> weights = kernelsWith(1);
    for (float &weight : weights)
      weight *= factor;
    return weights;
  };
  // Neither the scale nor channels that are dead or all but dead matter.
  double even = errorOf(GetParam(), scaled(1)).relative;
  EXPECT_EQ(errorOf(GetParam(), scaled(0x1p40f)).relative, even);
  EXPECT_EQ(errorOf(GetParam(), scaled(0)).relative, 0);
  EXPECT_LT(errorOf(GetParam(), scaled(1e-42f)).relative, 1e-9);
  // What overflows is infinitely wrong, and so is what is infinite.
  EXPECT_EQ(errorOf(4, scaled(1e37f)).relative, INFINITY);
  EXPECT_EQ(errorOf(GetParam(), kernelsWith(INFINITY)).relative, INFINITY);
  EXPECT_EQ(errorOf(GetParam(), kernelsWith(NAN)).relative, INFINITY);
}

INSTANTIATE_TEST_SUITE_P(Tiles, WinogradTest, testing::Values(2, 4));
} // namespace
