//===- WinogradError.cpp - what minimal filtering does to the results of given weights ----------------------------===//
#include "dialects/aot/WinogradError.h"
#include "llvm/ADT/STLExtras.h"
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

using namespace onnx_aot::aot;
using llvm::ArrayRef;
using llvm::SmallVector;

namespace {
/// How much is computed: results of each output channel, output channels, and kernels of them together.
constexpr int64_t kResults = 64, kMostChannels = 8, kMostKernels = 2048;
/// Results smaller than this part of their channel's, and than what products of subnormals come to, are noise.
constexpr double kNoise = 1e-3, kTiny = 0x1p-102;

/// Numbers from [0, 1), half of them 0.
class RectifiedData {
public:
  float next() {
    state = state * 6364136223846793005u + 1442695040888963407u; // Knuth's linear congruential generator
    float value = std::ldexp(float(int64_t(state) >> 40), -23);  // 24 bits: exact
    return std::max(value, 0.0f);
  }

private:
  uint64_t state = 1;
};

/// One channel's results, by each of the ways.
struct Results {
  std::vector<double> exact, size; // size: the root of the sum of squared products
  std::vector<float> direct, filtered;
};

/// The transforms as EmitWinograd writes them, of single numbers.
class Transforms {
public:
  explicit Transforms(const Winograd &winograd) : winograd(winograd), m(winograd.tile()), n(winograd.size()) {}

  /// B' d B.
  SmallVector<float> transformData(ArrayRef<float> tile) const {
    return bothDims(tile, n, [&](ArrayRef<float> line) { return dataLine(line); });
  }
  /// A' M A.
  SmallVector<float> transformBack(ArrayRef<float> products) const {
    return bothDims(products, m, [&](ArrayRef<float> line) { return backLine(line); });
  }

private:
  static float addScaled(float sum, float value, double factor) {
    return factor == 0 ? sum : std::fma(value, float(factor), sum);
  }

  SmallVector<float> dataLine(ArrayRef<float> line) const {
    SmallVector<float> result(n, 0.0f);
    for (int64_t row : {int64_t(0), n - 1})
      for (int64_t k = n; k-- > 0;)
        result[row] = addScaled(result[row], line[k], winograd.dataRow(row)[k]);
    for (auto [pair, point] : llvm::enumerate(winograd.pairs())) {
      ArrayRef<double> row = winograd.dataRow(1 + 2 * pair);
      float even = 0, odd = 0;
      for (int64_t k = n; k-- > 0;)
        if (k % 2 == 0)
          even = addScaled(even, line[k], row[k]);
        else
          odd = addScaled(odd, line[k], row[k] / point);
      result[1 + 2 * pair] = addScaled(even, odd, point);
      result[2 + 2 * pair] = addScaled(even, odd, -point);
    }
    return result;
  }

  SmallVector<float> backLine(ArrayRef<float> line) const {
    SmallVector<float> result;
    for (int64_t row = 0; row < m; ++row) {
      float sum = row == 0 ? line[0] : row == m - 1 ? line[n - 1] : 0.0f;
      for (auto [pair, point] : llvm::enumerate(winograd.pairs())) {
        float positive = line[1 + 2 * pair], negative = line[2 + 2 * pair];
        sum = addScaled(sum, row % 2 == 0 ? positive + negative : positive - negative, std::pow(point, row));
      }
      result.push_back(sum);
    }
    return result;
  }

  /// n x n numbers to `size` x `size`: y first.
  template <typename Line> SmallVector<float> bothDims(ArrayRef<float> tile, int64_t size, Line transform) const {
    SmallVector<float> half(size * n), result;
    for (int64_t x = 0; x < n; ++x) {
      SmallVector<float> column;
      for (int64_t y = 0; y < n; ++y)
        column.push_back(tile[y * n + x]);
      for (auto [y, value] : llvm::enumerate(transform(column)))
        half[y * n + x] = value;
    }
    for (int64_t y = 0; y < size; ++y)
      result.append(transform(ArrayRef(half).slice(y * n, n)));
    return result;
  }

  const Winograd &winograd;
  int64_t m, n;
};
} // namespace

/// The output channels whose largest weight is the farthest from their root mean square.
static SmallVector<int64_t> unevenChannels(ArrayRef<float> weights, int64_t outputs, int64_t inputs) {
  std::vector<double> unevenness;
  for (int64_t channel = 0; channel < outputs; ++channel) {
    double largest = 0, squares = 0;
    for (float weight : weights.slice(channel * inputs * 9, inputs * 9)) {
      largest = std::max(largest, std::abs(double(weight)));
      squares = std::fma(double(weight), double(weight), squares);
    }
    double uneven = squares == 0 ? 0 : largest * largest / squares;
    unevenness.push_back(std::isfinite(uneven) ? uneven : INFINITY); // what is not a number comes first
  }
  SmallVector<int64_t> order(outputs);
  std::iota(order.begin(), order.end(), 0);
  llvm::stable_sort(order, [&](int64_t left, int64_t right) { return unevenness[left] > unevenness[right]; });
  order.truncate(std::min(outputs, std::clamp<int64_t>(kMostKernels / inputs, 1, kMostChannels)));
  return order;
}

/// Adds the results of one tile of one channel: `tile` is [inputs][n][n], `transformed` the same after B' d B.
static void addTile(const Winograd &winograd, ArrayRef<float> weights, ArrayRef<float> transformedWeights,
                    ArrayRef<float> tile, ArrayRef<float> transformed, Results &results) {
  int64_t m = winograd.tile(), n = winograd.size(), positions = n * n, inputs = weights.size() / 9;
  SmallVector<float> products(positions, 0.0f);
  for (int64_t at = 0; at < inputs * positions; ++at)
    products[at % positions] = std::fma(transformed[at], transformedWeights[at], products[at % positions]);
  for (float value : Transforms(winograd).transformBack(products))
    results.filtered.push_back(value);
  for (int64_t y = 0; y < m; ++y)
    for (int64_t x = 0; x < m; ++x) {
      double exact = 0, squares = 0;
      float direct = 0;
      for (int64_t input = 0; input < inputs; ++input)
        for (int64_t k = 0; k < 9; ++k) {
          float value = tile[input * positions + (y + k / 3) * n + x + k % 3], weight = weights[input * 9 + k];
          double product = double(value) * weight; // exact
          exact += product;
          squares = std::fma(product, product, squares);
          direct = std::fma(value, weight, direct);
        }
      results.exact.push_back(exact);
      results.size.push_back(std::sqrt(squares));
      results.direct.push_back(direct);
    }
}

/// The rms of the relative errors of `found`; infinite where one is not a number.
static double relativeRms(const Results &results, ArrayRef<float> found) {
  double squares = 0;
  for (double exact : results.exact)
    squares = std::fma(exact, exact, squares);
  double noise = std::max(kNoise * std::sqrt(squares / results.exact.size()), kTiny), sum = 0;
  for (auto [exact, size, value] : llvm::zip(results.exact, results.size, found)) {
    double error = (value - exact) / std::max({std::abs(exact), size, noise});
    sum = std::fma(error, error, sum);
  }
  return std::isnan(sum) ? INFINITY : std::sqrt(sum / results.exact.size());
}

WinogradError onnx_aot::aot::measureWinogradError(const Winograd &winograd, ArrayRef<float> weights, int64_t outputs,
                                                  int64_t inputs) {
  int64_t m = winograd.tile(), n = winograd.size(), positions = n * n, tiles = kResults / (m * m);
  RectifiedData random;
  std::vector<float> data(tiles * inputs * positions), transformed;
  for (float &value : data)
    value = random.next();
  Transforms transforms(winograd);
  for (int64_t at = 0; at < tiles * inputs; ++at) {
    SmallVector<float> tile = transforms.transformData(ArrayRef(data).slice(at * positions, positions));
    transformed.insert(transformed.end(), tile.begin(), tile.end());
  }

  WinogradError error;
  for (int64_t channel : unevenChannels(weights, outputs, inputs)) {
    ArrayRef<float> kernels = weights.slice(channel * inputs * 9, inputs * 9);
    std::vector<float> transformedKernels;
    for (int64_t input = 0; input < inputs; ++input) {
      ArrayRef<float> kernel = kernels.slice(input * 9, 9);
      for (double value : winograd.transformKernel(SmallVector<double>(kernel)))
        transformedKernels.push_back(float(value));
    }
    Results results;
    for (int64_t tile = 0; tile < tiles; ++tile) {
      int64_t from = tile * inputs * positions;
      addTile(winograd, kernels, transformedKernels, ArrayRef(data).slice(from, inputs * positions),
              ArrayRef(transformed).slice(from, inputs * positions), results);
    }
    error.relative = std::max(error.relative, relativeRms(results, results.filtered));
    error.direct = std::max(error.direct, relativeRms(results, results.direct));
  }
  return error;
}
