//===- onnx-aot-run.cpp - Runs a model, once or for its time --------------===//
//
// What it is for: `onnx-aot-run MODEL.onnx --inputs DIR --expect DIR`; see tools/run/RunModel.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/CrashHandler.h"
#include "compiler/Diagnostics.h"
#include "compiler/Options.h"
#include "compiler/tools/run/RunModel.h"

using namespace onnx_aot;

int main(int argc, char **argv) {
  installCrashHandler("onnx-aot-run");
  Diagnostics diagnostics("onnx-aot-run");
  RunCommand command;
  ParseResult parsed = parseRunCommand(llvm::ArrayRef<const char *>(argv, argc), command, diagnostics);
  int status = parsed == ParseResult::Proceed ? runModel(command, diagnostics) : 0;
  diagnostics.flush();
  return std::max(status, diagnostics.exitStatus());
}
