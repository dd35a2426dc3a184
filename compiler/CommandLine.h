//===- CommandLine.h - The mechanics of flags -----------------------------===//
//
// What it is for: turns argv into calls, by a table of flags; knows no flag itself (Options.cpp declares them). LLVM's
// own parser keeps its flags in globals and would show hundreds that are not ours.
//
// How it works: `--flag=value` and `--flag value` mean the same; one-letter flags take their value as `-oOUT` or
// `-o OUT`; `--` ends the flags. Every fault is reported, not only the first.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_COMPILER_COMMANDLINE_H
#define ONNX_AOT_COMPILER_COMMANDLINE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <functional>
#include <string>
#include <vector>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace onnx_aot {

class Diagnostics;

struct Flag {
  llvm::StringRef spelling; // with its dashes
  llvm::StringRef value;    // what --help calls its value; empty: it takes none
  llvm::StringRef group;    // the heading in --help
  llvm::StringRef help;     // lines
  /// `spelled` is the flag and its value as messages quote them: `--threads=4`.
  std::function<void(llvm::StringRef value, const std::string &spelled)> apply;
};

/// Applies the flags in `argv` (argv[0] is the program) in order and collects the other arguments.
void parseFlags(llvm::ArrayRef<const char *> argv, llvm::ArrayRef<Flag> flags, std::vector<std::string> &positional,
                Diagnostics &diagnostics);

/// Prints the flags under their groups' headings, in the order of the table.
void printFlags(llvm::raw_ostream &os, llvm::ArrayRef<Flag> flags);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_COMMANDLINE_H
