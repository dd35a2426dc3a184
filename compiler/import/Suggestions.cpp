//===- Suggestions.cpp - what is there in the place of an operator that is not ------------------------------------===//
#include "compiler/import/Suggestions.h"
#include "dialects/onnx/OnnxInterfaces.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include <set>

using namespace mlir;
using namespace onnx_aot;

static constexpr llvm::StringLiteral kMachineLearning = "ai.onnx.ml";

std::string onnx_aot::operationName(StringRef domain, StringRef op) {
  if (domain.empty())
    return op.str();
  if (domain == kMachineLearning)
    return ("ml." + op).str();
  std::string prefix = domain.str();
  llvm::replace(prefix, '.', '_');
  return prefix + "." + op.str();
}

/// The names of all operators as the dialect spells them. It is only asked for once something is wrong.
static std::vector<StringRef> operatorNames(MLIRContext &context) {
  std::vector<StringRef> names;
  for (RegisteredOperationName name : context.getRegisteredOperationsByDialect("onnx"))
    if (auto *interface = name.getInterface<onnx::OnnxOpInterface>();
        interface && interface->getSignature().sinceVersion)
      names.push_back(interface->getSignature().name);
  return names;
}

/// "com_microsoft" of "com_microsoft.Gelu", "" of "Relu".
static StringRef prefixOf(StringRef name) { return name.contains('.') ? name.rsplit('.').first : StringRef(); }
static StringRef baseOf(StringRef name) { return name.contains('.') ? name.rsplit('.').second : name; }

/// A domain's name from the dialect's spelling, in which no domain has an underscore.
static std::string domainOf(StringRef prefix) {
  if (prefix.empty())
    return "ai.onnx";
  std::string domain = prefix.str();
  llvm::replace(domain, '_', '.');
  return domain;
}

bool onnx_aot::isKnownDomain(StringRef domain, MLIRContext &context) {
  if (domain.empty() || domain.starts_with("ai.onnx."))
    return true;
  std::string prefix = prefixOf(operationName(domain, "x")).str();
  return llvm::any_of(operatorNames(context), [&](StringRef name) { return prefixOf(name) == prefix; });
}

/// The name of the same domain that is spelt almost so.
static StringRef nearestName(StringRef prefix, StringRef op, ArrayRef<StringRef> names) {
  // A third of the letters, so that short names do not suggest others at random.
  unsigned least = std::max<unsigned>(op.size() / 3, 1) + 1;
  StringRef nearest;
  for (StringRef name : names) {
    if (prefixOf(name) != prefix)
      continue;
    unsigned distance = baseOf(name).edit_distance_insensitive(op, /*AllowReplacements=*/true, least);
    if (distance < least) {
      least = distance;
      nearest = baseOf(name);
    }
  }
  return nearest;
}

std::string onnx_aot::suggestOperator(StringRef domain, StringRef op, MLIRContext &context) {
  std::vector<StringRef> names = operatorNames(context);
  llvm::sort(names);
  // One with a dot in its name would be spelt like one of another domain.
  if (op.contains('.'))
    return "";
  std::string prefix = prefixOf(operationName(domain, "x")).str(), text;
  for (StringRef name : names)
    if (baseOf(name) == op && prefixOf(name) != prefix)
      return "; the domain \"" + domainOf(prefixOf(name)) + "\" has an operator of this name";
  if (StringRef nearest = nearestName(prefix, op, names); !nearest.empty())
    return "; the nearest name is \"" + nearest.str() + "\"";
  if (isKnownDomain(domain, context))
    return "";
  std::set<std::string> domains;
  for (StringRef name : names)
    domains.insert(domainOf(prefixOf(name)));
  return "; known are the operators of " + llvm::join(domains, ", ") + ", and the functions that a model defines";
}

std::string onnx_aot::whyOutside(StringRef domain, StringRef op) {
  if (domain == kMachineLearning)
    return ": the classical machine learning of ai.onnx.ml is outside of what is compiled";
  if (!domain.empty())
    return "";
  return llvm::StringSwitch<std::string>(op)
      .Case("ImageDecoder", ": compressed images are outside of what is compiled; decode them before the run, and make "
                            "the pixels an input")
      .Cases({"RegexFullMatch", "StringConcat", "StringNormalizer", "StringSplit"},
             ": tensors of strings are outside of what is compiled; work on text before the run")
      .Default("");
}
