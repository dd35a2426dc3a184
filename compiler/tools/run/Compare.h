//===- Compare.h - Is an output right? ------------------------------------===//
//
// What it is for: compares a tensor with its reference, element by element.
//
// How it works: the dtype and the shape must be the same. Integers and bools must be equal. A float may differ by
//
//   |d| <= 1e-4 * max|ref| + 1e-3 * |ref|
//
// where float16 and bfloat16, which are coarser than that, get a few units in the last place instead, and float8 and
// float4 one. A tolerance that
// is given replaces this by |d| <= atol + rtol * |ref| for every float type. NaN equals NaN, an infinity itself.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_COMPILER_TOOLS_RUN_COMPARE_H
#define ONNX_AOT_COMPILER_TOOLS_RUN_COMPARE_H

#include "compiler/tools/run/HostTensor.h"
#include <optional>

namespace onnx_aot {

struct Tolerance {
  std::optional<double> rtol, atol; // with neither: the default
};

struct Comparison {
  bool passed = false;
  std::string mismatch;      // why no element was compared: another type or shape
  int64_t different = 0;     // elements out of tolerance
  double maxAbs = 0;         // over all elements
  double maxRel = 0;         // over the elements whose reference is not 0
  int64_t worst = -1;        // the element that is furthest out of its tolerance
  std::string got, expected; // its values
};

Comparison compareTensors(const HostTensor &got, const HostTensor &expected, const Tolerance &tolerance);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_TOOLS_RUN_COMPARE_H
