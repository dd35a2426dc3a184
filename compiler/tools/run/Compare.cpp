//===- Compare.cpp - Is an output right? ----------------------------------===//
//
// See Compare.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/tools/run/Compare.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

using namespace onnx_aot;

namespace {
/// How far element values may be from the reference.
struct Bound {
  double absolute, relative;
  double at(double reference) const { return absolute + relative * std::fabs(reference); }
};
} // namespace

static Bound boundFor(const HostTensor &expected, const DtypeInfo &info, const Tolerance &tolerance) {
  if (info.epsilon == 0)
    return {0, 0};
  if (tolerance.rtol || tolerance.atol)
    return {tolerance.atol.value_or(0), tolerance.rtol.value_or(0)};
  if (info.size == 1) // neighbours are far apart: one place of difference
    return {0, info.epsilon};
  double largest = 0;
  for (int64_t i = 0, n = expected.numElements() * info.components; i < n; ++i)
    if (double value = std::fabs(expected.number(i)); std::isfinite(value))
      largest = std::max(largest, value);
  // Coarse types round their results (and what those were made from) by up to half of epsilon.
  return {std::max(1e-4, info.epsilon > 1e-4 ? info.epsilon : 0) * largest,
          std::max(1e-3, info.epsilon > 1e-4 ? 4 * info.epsilon : 0)};
}

Comparison onnx_aot::compareTensors(const HostTensor &got, const HostTensor &expected, const Tolerance &tolerance) {
  Comparison result;
  if (got.dtype != expected.dtype || got.dims != expected.dims) {
    result.mismatch = "is " + typeText(got.dtype, got.dims) + ", expected " + typeText(expected.dtype, expected.dims);
    return result;
  }
  const DtypeInfo &info = *findDtype(expected.dtype);
  Bound bound = boundFor(expected, info, tolerance);
  size_t numberSize = info.size / info.components;
  double worstExcess = -1;
  for (int64_t i = 0, n = expected.numElements() * info.components; i < n; ++i) {
    // Equal bits cover infinities and 64-bit integers, which a double does not hold exactly.
    if (!memcmp(got.data.data() + i * numberSize, expected.data.data() + i * numberSize, numberSize))
      continue;
    double a = got.number(i), b = expected.number(i);
    if (info.epsilon != 0 && (a == b || (std::isnan(a) && std::isnan(b))))
      continue;
    double difference = std::fabs(a - b);
    if (std::isnan(difference))
      difference = std::numeric_limits<double>::infinity();
    result.maxAbs = std::max(result.maxAbs, difference);
    if (b != 0)
      result.maxRel = std::max(result.maxRel, std::isinf(difference) ? difference : difference / std::fabs(b));
    // Integers that differ beyond a double's precision are different all the same.
    bool isOut = info.epsilon == 0 || std::isinf(difference) || difference > bound.at(b);
    if (!isOut)
      continue;
    ++result.different;
    double excess = difference - bound.at(b);
    if (result.worst < 0 || excess > worstExcess) {
      worstExcess = excess;
      result.worst = i / info.components;
      result.got = got.text(i, 9);
      result.expected = expected.text(i, 9);
    }
  }
  result.passed = result.different == 0;
  return result;
}
