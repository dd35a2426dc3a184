//===- Identifiers.cpp - C names from ONNX names --------------------------===//
//
// See Identifiers.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/artifact/Identifiers.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"

using namespace llvm;

namespace onnx_aot {

/// Keywords of C up to C23 and of C++ up to C++20, and macros of compilers and common headers that do not look like
/// one.
static const char *const reservedNames[] = {
    "alignas", "alignof", "and", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "break", "case", "catch", "char",
    "char16_t", "char32_t", "char8_t", "class", "co_await", "co_return", "co_yield", "compl", "concept", "const",
    "const_cast", "consteval", "constexpr", "constinit", "continue", "decltype", "default", "delete", "do", "double",
    "dynamic_cast", "else", "enum", "explicit", "export", "extern", "false", "float", "for", "friend", "goto", "if",
    "inline", "int", "long", "mutable", "namespace", "new", "noexcept", "not", "not_eq", "nullptr", "operator", "or",
    "or_eq", "private", "protected", "public", "register", "reinterpret_cast", "requires", "restrict", "return",
    "short", "signed", "sizeof", "static", "static_assert", "static_cast", "struct", "switch", "template", "this",
    "thread_local", "throw", "true", "try", "typedef", "typeid", "typename", "typeof", "typeof_unqual", "union",
    "unsigned", "using", "virtual", "void", "volatile", "wchar_t", "while", "xor", "xor_eq",
    // macros
    "I", "arm", "assert", "complex", "emit", "errno", "far", "i386", "imaginary", "interface", "linux", "mips", "near",
    "offsetof", "pixel", "riscv", "signals", "slots", "small", "sparc", "stderr", "stdin", "stdout", "unix", "vector"};

bool isReservedName(StringRef name) {
  for (const char *reserved : reservedNames)
    if (name == reserved)
      return true;
  // What has capitals alone may be a macro of any header that the user includes; so may the formats of <inttypes.h>.
  if (name.size() > 1 && none_of(name, isLower))
    return true;
  // The types of <stddef.h> and <stdint.h>: a parameter would hide them from the next one.
  return name.ends_with("_t") || name.starts_with("PRI") || name.starts_with("SCN") || name.starts_with("onnx_aot_");
}

std::string sanitizeIdentifier(StringRef name) {
  std::string result;
  for (char c : name) {
    if (isAlnum(c))
      result += c;
    else if (!result.empty() && result.back() != '_')
      result += '_';
  }
  while (!result.empty() && result.back() == '_')
    result.pop_back();
  return result;
}

std::string IdentifierSet::unique(std::string base) {
  std::string candidate = base;
  for (unsigned number = 2; !used.insert(candidate).second; ++number)
    candidate = base + (base.back() == '_' ? "" : "_") + std::to_string(number);
  return candidate;
}

std::string IdentifierSet::make(StringRef name) {
  std::string base = sanitizeIdentifier(name);
  if (base.empty() || isDigit(base.front()))
    base.insert(0, "t");
  if (isReservedName(base))
    base += '_';
  return unique(std::move(base));
}

std::string IdentifierSet::makeMacroPart(StringRef name) {
  std::string base = StringRef(sanitizeIdentifier(name)).upper();
  return unique(base.empty() ? "T" : std::move(base));
}

std::string commentText(StringRef text) {
  std::string result;
  for (char c : text) {
    bool plain = c >= 0x20 && c < 0x7f && c != '\\';
    if (!plain) {
      result += "\\x" + utohexstr(static_cast<unsigned char>(c), /*LowerCase=*/true, /*Width=*/2);
      continue;
    }
    // Neither an end nor a begin of a comment, nor a trigraph, may come together.
    char last = result.empty() ? '\0' : result.back();
    if ((last == '*' && c == '/') || (last == '/' && (c == '*' || c == '/')) || (last == '?' && c == '?'))
      result += ' ';
    result += c;
  }
  return result;
}

} // namespace onnx_aot
