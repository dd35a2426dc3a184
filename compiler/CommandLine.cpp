//===- CommandLine.cpp - The mechanics of flags ---------------------------===//
//
// See CommandLine.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/CommandLine.h"
#include "compiler/Diagnostics.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Option/Arg.h"
#include "llvm/Option/ArgList.h"
#include "llvm/Option/Option.h"
#include "llvm/Support/raw_ostream.h"

using namespace onnx_aot;
using namespace llvm::opt;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

/// A flag of Options.td beside LLVM's own, which take the lowest four bits.
static constexpr unsigned NotYet = 1 << 4;

#define OPTTABLE_STR_TABLE_CODE
#include "compiler/Options.inc"
#undef OPTTABLE_STR_TABLE_CODE
#define OPTTABLE_PREFIXES_TABLE_CODE
#include "compiler/Options.inc"
#undef OPTTABLE_PREFIXES_TABLE_CODE

static constexpr OptTable::Info flagInfos[] = {
#define OPTION(...) LLVM_CONSTRUCT_OPT_INFO(__VA_ARGS__),
#include "compiler/Options.inc"
#undef OPTION
};

namespace {
struct FlagTable : GenericOptTable {
  FlagTable() : GenericOptTable(OptionStrTable, OptionPrefixesTable, flagInfos) { setDashDashParsing(true); }
};
} // namespace

//===----------------------------------------------------------------------===//
// Faults
//===----------------------------------------------------------------------===//

static void reportUnknown(const FlagTable &table, Tool tool, StringRef argument, Diagnostics &diagnostics) {
  const unsigned farthest = 2; // more edits than this make another word
  StringRef spelling = argument.split('=').first;
  std::string nearest;
  if (spelling != argument && table.findExact(spelling, nearest, Visibility(tool)))
    return diagnostics.fault(spelling + " takes no value");
  if (table.findNearest(argument, nearest, Visibility(tool), /*MinimumLength=*/4, farthest) <= farthest)
    diagnostics.fault("unknown flag " + spelling + "; did you mean " + StringRef(nearest).split('=').first + "?");
  else
    diagnostics.fault("unknown flag " + spelling + "; see --help");
}

/// "--name=PREFIX", "-o OUT": a flag of one word with `value`.
static std::string spell(const Option &option, StringRef value) {
  bool isApart = option.getKind() == Option::JoinedOrSeparateClass;
  return (option.getPrefixedName() + (isApart ? " " : "") + value).str();
}

static void reportMissingValue(const FlagTable &table, const Option &option, Diagnostics &diagnostics) {
  StringRef name = option.getPrefixedName().rtrim('=');
  diagnostics.fault(name + " needs a value: " + spell(option, table.getOptionMetaVar(option.getID())));
}

/// Of a capability that is not there, and not asking for what happens anyway.
static bool isNotYet(const FlagTable &table, const Option &option, StringRef value) {
  return option.hasFlag(NotYet) &&
         !llvm::is_contained(table.suggestValueCompletions(option.getPrefixedName(), ""), value);
}

//===----------------------------------------------------------------------===//
// Parsing and help
//===----------------------------------------------------------------------===//

void onnx_aot::parseFlags(Tool tool, llvm::ArrayRef<const char *> argv, Diagnostics &diagnostics,
                          llvm::function_ref<void(const GivenFlag &)> apply) {
  FlagTable table;
  unsigned missingIndex = 0, missingCount = 0;
  InputArgList arguments = table.ParseArgs(argv.drop_front(), missingIndex, missingCount, Visibility(tool));
  for (const Arg *argument : arguments) {
    const Option &option = argument->getOption();
    StringRef value = argument->getNumValues() ? argument->getValue() : "";
    const Arg &given = argument->getAlias() ? *argument->getAlias() : *argument;
    bool isApart = given.getSpelling() == arguments.getArgString(given.getIndex());
    if (option.matches(OPT_UNKNOWN)) {
      reportUnknown(table, tool, arguments.getArgString(argument->getIndex()), diagnostics);
    } else if (option.matches(OPT_INPUT)) {
      apply({OPT_INPUT, value, value.str()});
    } else if (isApart && value.starts_with("--")) {
      // The next flag, where a value should be.
      reportMissingValue(table, option, diagnostics);
    } else {
      std::string spelled = spell(option, value);
      if (isNotYet(table, option, value))
        diagnostics.unsupported(spelled + " is not supported yet");
      else
        apply({static_cast<FlagId>(option.getID()), value, spelled});
    }
  }
  if (!missingCount)
    return;
  StringRef last = arguments.getArgString(missingIndex);
  for (const OptTable::Info &info : flagInfos)
    if (info.Kind != Option::GroupClass && table.getOptionPrefixedName(info.ID) == last)
      reportMissingValue(table, table.getOption(info.ID).getUnaliasedOption(), diagnostics);
}

void onnx_aot::printHelp(Tool tool, const char *usage, const char *overview) {
  FlagTable().printHelp(llvm::outs(), usage, overview, /*ShowHidden=*/false, /*ShowAllAliases=*/false,
                        Visibility(tool));
}
