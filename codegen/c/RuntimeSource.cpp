//===- RuntimeSource.cpp - functions of the runtime library as C source -------------------------------------------===//
//
// See RuntimeSource.h. A definition ends with the brace of a function's body or with a semicolon, outside of all
// braces; comments in front of it belong to it, the one that opens a file does not. Directives other than #define are
// left out, prototypes too.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/c/RuntimeSource.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include <vector>

using namespace llvm;

namespace onnx_aot::c {

namespace {
struct Source {
  StringRef name, text;
};

struct Definition {
  std::string text, comment;
  bool isFunction = false;
};

/// All definitions, by the names that they introduce.
class Library {
public:
  Library();

  const Definition *find(StringRef name) const {
    auto found = byName.find(name);
    return found == byName.end() ? nullptr : &definitions[found->second];
  }

private:
  void takeApart(StringRef text);
  void add(StringRef text, StringRef comment);
  void name(StringRef name) { byName.try_emplace(name, definitions.size()); }

  std::vector<Definition> definitions;
  StringMap<size_t> byName;
};
} // namespace

static const Source sources[] = {
#include "runtime_lib/sources.inc"
};

static bool isWord(char c) { return isAlnum(c) || c == '_'; }

/// Calls `see` with every word of `text`, but for those of comments and strings.
static void forEachWord(StringRef text, function_ref<void(StringRef)> see) {
  for (size_t at = 0; at < text.size();) {
    if (text.substr(at).starts_with("/*")) {
      at = std::min(text.find("*/", at), text.size() - 2) + 2;
      continue;
    }
    size_t end = at;
    if (text[at] == '"')
      do
        at = end = text.find('"', end + 1);
      while (end != StringRef::npos && text[end - 1] == '\\');
    while (end < text.size() && isWord(text[end]))
      ++end;
    if (end > at && !isDigit(text[at]))
      see(text.slice(at, end));
    at = std::max(end, at + 1);
  }
}

/// The word that ends where `text` does.
static StringRef lastWord(StringRef text) {
  text = text.rtrim(" *\n");
  size_t begin = text.size();
  while (begin > 0 && isWord(text[begin - 1]))
    --begin;
  return text.substr(begin);
}

//===-- Taking apart ----------------------------------------------------------------------------------------------===//

Library::Library() {
  for (const Source &source : sources)
    takeApart(source.text);
}

void Library::add(StringRef text, StringRef comment) {
  text = text.trim();
  StringRef head = text.take_until([](char c) { return c == '{' || c == '='; });
  bool isFunction = false;
  if (text.consume_front("#define ")) {
    StringRef macro = text.take_while(isWord);
    name(macro);
    definitions.push_back({("#define " + text).str(), comment.trim().str()});
    return;
  }
  if (text.starts_with("typedef")) {
    size_t pointer = text.find("(*");
    name(pointer == StringRef::npos ? lastWord(text.drop_back()) : text.substr(pointer + 2).take_while(isWord));
  } else if (text.starts_with("enum")) {
    forEachWord(text, [&](StringRef word) {
      if (word != "enum")
        name(word);
    });
  } else if (head.contains('(')) {
    if (!text.contains('{'))
      return; // a prototype
    name(lastWord(head.take_until([](char c) { return c == '('; })));
    isFunction = true;
  } else {
    name(lastWord(head.take_until([](char c) { return c == '['; })));
  }
  definitions.push_back({text.str(), comment.trim().str(), isFunction});
}

void Library::takeApart(StringRef text) {
  size_t begin = 0; // of the definition
  StringRef comment;
  int depth = 0;
  bool isBody = false, isFirst = true;
  for (size_t at = 0; at < text.size(); ++at) {
    StringRef rest = text.substr(at);
    bool isBetween = text.slice(begin, at).trim().empty();
    if (rest.starts_with("/*")) {
      size_t end = std::min(text.find("*/", at), text.size() - 2) + 2;
      if (isBetween) {
        comment = isFirst ? StringRef() : text.slice(at, end);
        isFirst = false;
        begin = end;
      }
      at = end - 1;
      continue;
    }
    if (isBetween && text[at] == '#') {
      size_t end = at;
      do
        end = std::min(text.find('\n', end + 1), text.size());
      while (end < text.size() && text[end - 1] == '\\');
      if (rest.starts_with("#define "))
        add(text.slice(at, end), comment);
      comment = StringRef();
      begin = at = end;
      continue;
    }
    char c = text[at];
    if (c == '{' && depth++ == 0)
      isBody = text.slice(begin, at).rtrim().ends_with(")");
    if (c == '}')
      --depth;
    if (depth == 0 && ((c == '}' && isBody) || c == ';')) {
      add(text.slice(begin, at + 1), comment);
      comment = StringRef();
      begin = at + 1;
      isBody = false;
    }
  }
}

//===-- Putting together ------------------------------------------------------------------------------------------===//

static const Library &library() {
  static const Library library;
  return library;
}

/// The double function that a float function of the runtime rounds; empty where `name` is none (see float.c).
static StringRef roundedFunction(StringRef name) {
  if (!name.starts_with("onnx_aot_math_") || library().find(name) || !name.consume_back("f"))
    return "";
  return library().find(name) ? name : "";
}

bool isRuntimeFunction(StringRef name) { return library().find(name) || !roundedFunction(name).empty(); }

static bool isPublic(StringRef name) {
  return is_contained({"onnx_aot_status_text", "onnx_aot_context_init", "onnx_aot_context_destroy",
                       "onnx_aot_context_slot", "onnx_aot_context_error", "onnx_aot_context_on_device",
                       "onnx_aot_context_set_stream"},
                      name);
}

namespace {
class Collector {
public:
  void add(StringRef name) {
    if (StringRef rounded = roundedFunction(name); !rounded.empty()) {
      if (!done.insert(name).second)
        return;
      add(rounded);
      bool isBinary = is_contained({"onnx_aot_math_pow", "onnx_aot_math_atan2", "onnx_aot_math_fmod"}, rounded);
      text += ("\nstatic float " + name + (isBinary ? "(float x, float y)" : "(float x)") + " { return (float)" +
               rounded + (isBinary ? "(x, y)" : "(x)") + "; }\n")
                  .str();
      return;
    }
    const Definition *definition = library().find(name);
    if (!definition || !begun.insert(definition).second)
      return;
    forEachWord(definition->text, [&](StringRef word) { add(word); });
    text += "\n";
    if (!definition->comment.empty())
      text += definition->comment + "\n";
    if (definition->isFunction && isPublic(name))
      text += "ONNX_AOT_WEAK ";
    else if (definition->isFunction && !StringRef(definition->text).starts_with("static"))
      text += "static ";
    text += definition->text + "\n";
  }

  std::string text;

private:
  StringSet<> done;
  DenseSet<const Definition *> begun;
};
} // namespace

std::string runtimeSource(const std::set<std::string> &names) {
  Collector collector;
  for (const std::string &name : names)
    collector.add(name);
  return collector.text;
}

} // namespace onnx_aot::c
