//===- Prelude.h - small functions that printed C calls -----------------------------------------------------------===//
//
// What it is for: what C has no operator for, such as the bits of a float, is a static function of the printed file,
// which is there only if it is called.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_C_PRELUDE_H
#define ONNX_AOT_CODEGEN_C_PRELUDE_H

#include "llvm/ADT/StringRef.h"
#include <set>
#include <string>

namespace onnx_aot::c {

/// What a printed file needs besides its own functions.
struct Needs {
  std::set<std::string> helpers; // of the prelude
  std::set<std::string> runtime; // functions of runtime_lib
  bool mathMacros = false;       // INFINITY and NAN
  bool memoryFunctions = false;  // memcpy and memmove
  bool bits128 = false;
  int64_t largestIndex = 0;
};

/// The functions of the prelude that `needs` names, each after those that it calls itself.
std::string preludeText(const Needs &needs);

} // namespace onnx_aot::c

#endif // ONNX_AOT_CODEGEN_C_PRELUDE_H
