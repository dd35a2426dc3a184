//===- Depfile.cpp - What an output was made from, for Make and Ninja -----===//
//
// See Depfile.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/artifact/Depfile.h"

#include "llvm/ADT/StringSet.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace onnx_aot {

/// As compilers escape: Make reads a backslash as itself unless it comes before a space or a '#'.
static void writePath(StringRef path, raw_ostream &os) {
  for (size_t i = 0; i < path.size(); ++i) {
    char c = path[i];
    if (c == ' ' || c == '#') {
      os << '\\';
      // Backslashes right before the space must be doubled to stay what they are.
      if (c == ' ')
        for (size_t j = i; j > 0 && path[j - 1] == '\\'; --j)
          os << '\\';
    } else if (c == '$') {
      os << '$';
    }
    os << c;
  }
}

void writeDepfile(StringRef output, ArrayRef<std::string> inputs, raw_ostream &os) {
  writePath(output, os);
  os << ':';
  StringSet<> seen;
  for (const std::string &input : inputs) {
    if (!seen.insert(input).second)
      continue;
    os << " \\\n  ";
    writePath(input, os);
  }
  os << '\n';
}

} // namespace onnx_aot
