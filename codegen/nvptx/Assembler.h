//===- Assembler.h - machine code of GPUs -------------------------------------------------------------------------===//
//
// What it is for: `--cubin` puts machine code beside the PTX, so that the first run on a GPU that it is for has nothing
// to compile. Only NVIDIA's own assembler makes it, `ptxas` of the CUDA Toolkit. It is the one program that this
// compiler starts, and only where that is asked for.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_NVPTX_ASSEMBLER_H
#define ONNX_AOT_CODEGEN_NVPTX_ASSEMBLER_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace onnx_aot::nvptx {

/// The path of ptxas: of PATH, of the toolkit that CUDA_HOME or CUDA_PATH names, or of the one in /usr/local/cuda.
/// Empty where there is none.
std::string findAssembler();

/// The ELF file for `architecture` ("sm_90a"). An error has what the assembler printed.
llvm::Expected<std::string> assemble(llvm::StringRef ptxas, llvm::StringRef ptx, llvm::StringRef architecture);

} // namespace onnx_aot::nvptx

#endif // ONNX_AOT_CODEGEN_NVPTX_ASSEMBLER_H
