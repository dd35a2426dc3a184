//===- Report.cpp - What onnx-aot-run prints ------------------------------===//
//
//   logits float[1][3]: -1.25 0.5 3 (argmax 2)
//   logits float[1][3]: max abs diff 1.2e-07, max rel diff 3e-06: PASS
//   {"model":"m.onnx","runs":100,"median_ms":0.035,"min_ms":0.034,"p99_ms":0.041}
//
//===----------------------------------------------------------------------===//

#include "compiler/tools/run/Report.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <cmath>

using namespace onnx_aot;
using llvm::format;

Timing onnx_aot::summarise(std::vector<double> milliseconds) {
  std::sort(milliseconds.begin(), milliseconds.end());
  size_t n = milliseconds.size();
  // The value that 99 of 100 runs do not exceed.
  size_t p99 = static_cast<size_t>(std::ceil(0.99 * static_cast<double>(n))) - 1;
  double median = n % 2 ? milliseconds[n / 2] : (milliseconds[n / 2 - 1] + milliseconds[n / 2]) / 2;
  return {n, median, milliseconds.front(), milliseconds[p99]};
}

void onnx_aot::printOutput(llvm::raw_ostream &os, const HostTensor &tensor) {
  const int64_t shown = 8;
  os << tensor.name << " " << typeText(tensor.dtype, tensor.dims) << ":";
  unsigned components = findDtype(tensor.dtype)->components;
  int64_t count = tensor.numElements();
  for (int64_t i = 0, n = std::min(count, shown) * components; i < n; ++i)
    os << " " << tensor.text(i, 6) << (components == 2 && i % 2 ? "i" : "");
  if (count > shown)
    os << " ...";
  if (components == 1 && count > 1) {
    int64_t best = 0;
    for (int64_t i = 1; i < count; ++i)
      if (!(tensor.number(i) <= tensor.number(best)) && !std::isnan(tensor.number(i)))
        best = i;
    os << " (argmax " << best;
    if (best >= shown)
      os << ", " << tensor.text(best, 6);
    os << ")";
  }
  os << "\n";
}

void onnx_aot::printComparison(llvm::raw_ostream &os, const HostTensor &tensor, const Comparison &comparison) {
  os << tensor.name << " " << typeText(tensor.dtype, tensor.dims) << ": ";
  if (!comparison.mismatch.empty()) {
    os << comparison.mismatch << ": FAIL\n";
    return;
  }
  os << "max abs diff " << format("%.3g", comparison.maxAbs) << ", max rel diff " << format("%.3g", comparison.maxRel);
  if (comparison.different)
    os << ", " << comparison.different << " of " << tensor.numElements() << " out of tolerance, worst at ["
       << comparison.worst << "]: " << comparison.got << ", expected " << comparison.expected;
  os << (comparison.passed ? ": PASS\n" : ": FAIL\n");
}

void onnx_aot::printTiming(llvm::raw_ostream &os, llvm::StringRef model, const Timing &timing, bool json) {
  if (json) {
    llvm::json::OStream out(os);
    out.object([&] {
      out.attribute("model", model);
      out.attribute("runs", static_cast<int64_t>(timing.runs));
      for (auto [key, value] :
           {std::pair("median_ms", timing.median), {"min_ms", timing.min}, {"p99_ms", timing.p99}}) {
        out.attributeBegin(key);
        out.rawValue(llvm::formatv("{0:f6}", value).str()); // nanoseconds are what the clock tells
        out.attributeEnd();
      }
    });
    os << "\n";
    return;
  }
  os << "median " << format("%.4f", timing.median) << " ms, min " << format("%.4f", timing.min) << " ms, p99 "
     << format("%.4f", timing.p99) << " ms (" << timing.runs << " runs)\n";
}
