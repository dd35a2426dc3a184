//===- MergeKernels.h - one function for kernels that differ in constants -----------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_CPU_MERGEKERNELS_H
#define ONNX_AOT_CODEGEN_CPU_MERGEKERNELS_H

#include <map>
#include <string>

namespace llvm {
class Module;
} // namespace llvm

namespace onnx_aot {

/// The names of functions that are gone, with that of what they became.
using MergedKernels = std::map<std::string, std::string>;

/// Makes one function of internal ones of optimised code that differ in constants alone (sizes, scales, bounds,
/// addresses), which become its last parameters, where that makes the code smaller.
MergedKernels mergeKernels(llvm::Module &module);

} // namespace onnx_aot

#endif
