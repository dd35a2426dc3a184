//===- RuntimeSource.h - functions of the runtime library as C source ---------------------------------------------===//
//
// What it is for: a printed file stands alone, so it contains the functions of runtime_lib that it calls. How it works:
// the sources are part of the compiler; they are taken apart into definitions, and those that the wanted names lead to,
// through the words of their texts, are put together again, each behind what it uses and all of them static.
//
//   runtimeSource({"onnx_aot_math_expf"})    ->    Pair, quickTwoSum, kPowers, ..., onnx_aot_math_exp, ..._expf
//
// Holds before: every name is defined in one place of runtime_lib/math and core.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_C_RUNTIMESOURCE_H
#define ONNX_AOT_CODEGEN_C_RUNTIMESOURCE_H

#include "llvm/ADT/StringRef.h"
#include <set>
#include <string>

namespace onnx_aot::c {

/// The definitions of `names` and of all that they use. Functions of runtime.h, which several models of one program
/// may define, are weak rather than static.
std::string runtimeSource(const std::set<std::string> &names);

/// Whether the runtime library defines `name`.
bool isRuntimeFunction(llvm::StringRef name);

} // namespace onnx_aot::c

#endif // ONNX_AOT_CODEGEN_C_RUNTIMESOURCE_H
