//===- CommandLine.h - The mechanics of flags -----------------------------===//
//
// What it is for: turns argv into calls, by the table in Options.td; what a flag does is in Options.cpp.
//
// How it works: LLVM's option library (llvm::opt) parses and prints --help. `--flag=value` and `--flag value` mean
// the same; `-oOUT` and `-o OUT` too; `--` ends the flags. Every fault is reported, not only the first. Nothing is
// global: command lines can be parsed in several threads.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_COMPILER_COMMANDLINE_H
#define ONNX_AOT_COMPILER_COMMANDLINE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Option/OptTable.h"
#include <string>

namespace onnx_aot {

class Diagnostics;

/// Whose command line it is; a flag of Options.td is visible to one tool or both.
enum Tool : unsigned { CompileTool = 1 << 1, RunTool = 1 << 2 };

/// OPT_name for every entry of Options.td; OPT_INPUT for what is not a flag.
enum FlagId : unsigned {
  OPT_INVALID,
#define OPTION(...) LLVM_MAKE_OPT_ID(__VA_ARGS__),
#include "compiler/Options.inc"
#undef OPTION
};

struct GivenFlag {
  FlagId id;
  llvm::StringRef value;
  std::string spelled; // the flag and its value as messages quote them: `--threads=4`
};

/// Calls `apply` for the flags and the other arguments in `argv` (argv[0] is the program), in order. Unknown flags,
/// missing values and flags that are not supported yet are reported and left out.
void parseFlags(Tool tool, llvm::ArrayRef<const char *> argv, Diagnostics &diagnostics,
                llvm::function_ref<void(const GivenFlag &)> apply);

/// Prints the flags of a tool to standard output, by group.
void printHelp(Tool tool, const char *usage, const char *overview);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_COMMANDLINE_H
