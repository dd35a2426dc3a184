//===- onnx-aot.cpp - The compiler's command line -------------------------===//
//
// What it is for: `onnx-aot MODEL.onnx -o OUT`. Everything happens in the library; this file only says in which order,
// and turns errors into the exit status: 0 done, 1 the model or a flag is at fault, 2 internal error.
//
//===----------------------------------------------------------------------===//

#include "compiler/Compiler.h"
#include "compiler/CrashHandler.h"
#include "compiler/Diagnostics.h"
#include "compiler/ModelSummary.h"
#include "compiler/OperatorList.h"
#include "compiler/Options.h"
#include "llvm/Support/raw_ostream.h"

using namespace onnx_aot;

static int perform(const CompileCommand &command, Diagnostics &diagnostics) {
  switch (command.action) {
  case CompileCommand::Action::ListOps:
    printOperators(llvm::outs(), command.json);
    return 0;
  case CompileCommand::Action::Check:
    return checkModel(command.model, command.options, llvm::outs(), diagnostics);
  case CompileCommand::Action::Compile:
    return compileModel(command.model, command.options, diagnostics);
  }
  return 2;
}

int main(int argc, char **argv) {
  installCrashHandler("onnx-aot");
  Diagnostics diagnostics("onnx-aot");
  CompileCommand command;
  ParseResult parsed = parseCompileCommand(llvm::ArrayRef<const char *>(argv, argc), command, diagnostics);
  int status = parsed == ParseResult::Proceed ? perform(command, diagnostics) : 0;
  diagnostics.flush();
  return std::max(status, diagnostics.exitStatus());
}
