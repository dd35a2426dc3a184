//===- Importer.h - Halide's bitcode in a module of this LLVM -----------------------------------------------------===//
//
// What it is for: makes a function `void name(ptr input..., ptr output, ptr scratch)` of the bitcode that Halide's
// plugin returns, an older LLVM's, for the compiler's own target. What is done to it, and why:
//
//   1. alias tags go: Halide tags accesses by the names of buffers, and two kernels over the same memory name it
//      differently;
//   2. vectors need the alignment of their elements alone: Halide promises more than its strided loads have;
//   3. floating point is as it is written, NaN and infinity included, apart from products that may be fused with sums;
//      the larger of two keeps NaN;
//   4. module flags, descriptions of the arguments and the bitcode's own CPU go; triple and data layout become the
//      target's;
//   5. kernels are not optimised again: they are to be linked behind the module's optimisation;
//   6. triples are normalised, as those of the compiler's target machines are: "thumbv6m-none-eabi" is not the EABI.
//
// Memory that Halide would take from its runtime is a part of `scratch`, whose size is known; nothing else of the
// runtime may be called.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_HALIDE_IMPORTER_H
#define ONNX_AOT_CODEGEN_HALIDE_IMPORTER_H

#include "llvm/ADT/StringRef.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"
#include "llvm/TargetParser/Triple.h"
#include <memory>

namespace onnx_aot {

struct ImportedKernel {
  std::unique_ptr<llvm::Module> module;
  int64_t scratchBytes = 0;
};

/// The target of the module that the kernel is for.
struct ImportTarget {
  llvm::Triple triple;
  llvm::DataLayout layout;
};

/// Fails where the code needs something of Halide's runtime.
llvm::Expected<ImportedKernel> importHalideKernel(llvm::StringRef bitcode, llvm::StringRef name,
                                                  const ImportTarget &target, llvm::LLVMContext &context);

} // namespace onnx_aot

#endif
