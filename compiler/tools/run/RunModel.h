//===- RunModel.h - What onnx-aot-run does --------------------------------===//
//
// What it is for: compiles a model if need be, runs it on given or drawn inputs, and prints, writes, compares or times.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_COMPILER_TOOLS_RUN_RUNMODEL_H
#define ONNX_AOT_COMPILER_TOOLS_RUN_RUNMODEL_H

namespace onnx_aot {

class Diagnostics;
struct RunCommand;

/// Returns the exit status: 0, or 1 when outputs differ or errors were reported (2 when one of them is internal).
int runModel(const RunCommand &command, Diagnostics &diagnostics);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_TOOLS_RUN_RUNMODEL_H
