//===- Report.h - What onnx-aot-run prints --------------------------------===//
//
// What it is for: the lines about outputs, comparisons and times, on standard output.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_COMPILER_TOOLS_RUN_REPORT_H
#define ONNX_AOT_COMPILER_TOOLS_RUN_REPORT_H

#include "compiler/tools/run/Compare.h"

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace onnx_aot {

/// Times of the runs of a benchmark, in milliseconds.
struct Timing {
  size_t runs;
  double median, min, p99;
};

/// `milliseconds` must not be empty.
Timing summarise(std::vector<double> milliseconds);

void printOutput(llvm::raw_ostream &os, const HostTensor &tensor);
void printComparison(llvm::raw_ostream &os, const HostTensor &tensor, const Comparison &comparison);
void printTiming(llvm::raw_ostream &os, llvm::StringRef model, const Timing &timing, bool json);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_TOOLS_RUN_REPORT_H
