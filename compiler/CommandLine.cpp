//===- CommandLine.cpp - The mechanics of flags ---------------------------===//
//
// See CommandLine.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/CommandLine.h"
#include "compiler/Diagnostics.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/raw_ostream.h"

using namespace onnx_aot;
using llvm::StringRef;

static bool isShort(const Flag &flag) { return flag.spelling.size() == 2; }

static const Flag *findFlag(llvm::ArrayRef<Flag> flags, StringRef spelling) {
  const Flag *found = llvm::find_if(flags, [&](const Flag &flag) { return flag.spelling == spelling; });
  return found == flags.end() ? nullptr : found;
}

static void reportUnknown(llvm::ArrayRef<Flag> flags, StringRef spelling, Diagnostics &diagnostics) {
  const Flag *nearest = nullptr;
  unsigned best = 3; // more edits than this is another word
  for (const Flag &flag : flags) {
    unsigned distance = spelling.edit_distance(flag.spelling, /*AllowReplacements=*/true, best);
    // `-emit` for `--emit`: the dash does not count.
    if (spelling == flag.spelling.drop_front())
      distance = 0;
    if (!isShort(flag) && distance < best) {
      best = distance;
      nearest = &flag;
    }
  }
  if (nearest)
    diagnostics.fault("unknown flag " + spelling + "; did you mean " + nearest->spelling + "?");
  else
    diagnostics.fault("unknown flag " + spelling + "; see --help");
}

void onnx_aot::parseFlags(llvm::ArrayRef<const char *> argv, llvm::ArrayRef<Flag> flags,
                          std::vector<std::string> &positional, Diagnostics &diagnostics) {
  for (size_t i = 1; i < argv.size(); ++i) {
    StringRef argument = argv[i];
    if (argument == "--") {
      positional.insert(positional.end(), argv.begin() + i + 1, argv.end());
      return;
    }
    if (!argument.starts_with("-") || argument == "-") {
      positional.push_back(argument.str());
      continue;
    }

    bool isLong = argument.starts_with("--");
    StringRef spelling = isLong ? argument.take_until([](char c) { return c == '='; }) : argument.take_front(2);
    const Flag *flag = findFlag(flags, spelling);
    if (!flag || (!isLong && flag->value.empty() && argument.size() > 2)) {
      reportUnknown(flags, argument.take_until([](char c) { return c == '='; }), diagnostics);
      continue;
    }

    StringRef rest = argument.drop_front(spelling.size());
    if (flag->value.empty()) {
      if (!rest.empty())
        diagnostics.fault(spelling + " takes no value");
      else
        flag->apply("", spelling.str());
      continue;
    }
    if (isLong && rest.consume_front("=")) {
      flag->apply(rest, argument.str());
    } else if (!isLong && !rest.empty()) {
      flag->apply(rest, argument.str());
    } else if (i + 1 < argv.size() && !StringRef(argv[i + 1]).starts_with("--")) {
      StringRef value = argv[++i];
      flag->apply(value, (spelling + (isLong ? "=" : " ") + value).str());
    } else {
      diagnostics.fault(spelling + " needs a value: " + spelling + (isLong ? "=" : " ") + flag->value);
    }
  }
}

void onnx_aot::printFlags(llvm::raw_ostream &os, llvm::ArrayRef<Flag> flags) {
  const size_t column = 30;
  StringRef group;
  for (const Flag &flag : flags) {
    if (flag.group != group)
      os << "\n" << (group = flag.group) << ":\n";
    std::string left = ("  " + flag.spelling).str();
    bool isJoined = flag.spelling == "-O";
    if (!flag.value.empty())
      left += ((isJoined ? "" : isShort(flag) || flag.value.contains('=') ? " " : "=") + flag.value).str();
    os << left;
    llvm::SmallVector<StringRef> lines;
    flag.help.split(lines, '\n');
    size_t at = left.size();
    for (StringRef line : lines) {
      // A long flag keeps its line to itself.
      if (at + 2 > column) {
        os << "\n";
        at = 0;
      }
      os.indent(column - at) << line;
      at = column;
    }
    os << "\n";
  }
}
