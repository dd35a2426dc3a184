//===- Identifiers.h - C names from ONNX names ----------------------------===//
//
// What it is for: ONNX allows any text as a tensor's name; the generated header needs names that C99 and C++ accept as
// parameters and as parts of macros, that no standard header defines as a macro, and that differ from each other.
//
//   "image"       -> image          "x:0"   -> x_0          "1x"    -> t1x
//   "int"         -> int_           ""      -> t            second "image" -> image_2
//   "BUFSIZ"      -> BUFSIZ_
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_COMPILER_ARTIFACT_IDENTIFIERS_H
#define ONNX_AOT_COMPILER_ARTIFACT_IDENTIFIERS_H

#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/StringSet.h"
#include <string>

namespace onnx_aot {

/// Hands out different identifiers.
class IdentifierSet {
public:
  /// Keeps `name` from being handed out.
  void reserve(llvm::StringRef name) { used.insert(name); }

  /// An identifier made from `name`, as close to it as possible.
  std::string make(llvm::StringRef name);

  /// The same in upper case for the end of a macro's name, where digits and keywords do no harm.
  std::string makeMacroPart(llvm::StringRef name);

private:
  std::string unique(std::string base);

  llvm::StringSet<> used;
};

/// The letters, digits and underscores of `name`, other characters replaced by underscores, none of which come first,
/// last or in pairs. May be empty or begin with a digit.
std::string sanitizeIdentifier(llvm::StringRef name);

/// Whether C99 or C++ takes the name, or it may be a macro.
bool isReservedName(llvm::StringRef name);

/// `text` as it may stand in a C comment: one line of ASCII that does not end the comment.
std::string commentText(llvm::StringRef text);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_ARTIFACT_IDENTIFIERS_H
