//===- FlagReader.h - From a flag to the structs of options ---------------===//
#ifndef ONNX_AOT_COMPILER_FLAGREADER_H
#define ONNX_AOT_COMPILER_FLAGREADER_H

#include "compiler/CommandLine.h"
#include "compiler/Options.h"

namespace onnx_aot {

/// Writes what the command line says into the structs, and keeps what is only judged when all flags are known.
class FlagReader {
public:
  /// `run` is null for onnx-aot.
  FlagReader(CompilerOptions &options, RunCommand *run, Diagnostics &diagnostics)
      : options(options), run(run), diagnostics(diagnostics) {}

  void apply(const GivenFlag &flag);

  std::vector<std::string> positional;
  std::string emit, name;
  bool help = false, version = false, check = false, listOps = false, json = false;

private:
  void applyToRun(const GivenFlag &flag);
  void applyDim(const GivenFlag &flag);
  void setDim(llvm::StringRef name, DimBounds bounds);
  void applyShape(const GivenFlag &flag);
  void applyValue(const GivenFlag &flag);
  void applyLevel(const GivenFlag &flag);
  void applyCpu(const GivenFlag &flag);
  void applyKernels(const GivenFlag &flag);
  void applyDevice(const GivenFlag &flag);
  void applyPrecision(const GivenFlag &flag);
  void applyTolerance(const GivenFlag &flag, std::optional<double> &out);
  void applyText(const GivenFlag &flag, std::string &out);
  void applySize(const GivenFlag &flag, std::optional<uint64_t> &out);

  void fault(const GivenFlag &flag, const llvm::Twine &reason);
  void notYet(const std::string &spelled);

  CompilerOptions &options;
  RunCommand *run;
  Diagnostics &diagnostics;
};

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_FLAGREADER_H
