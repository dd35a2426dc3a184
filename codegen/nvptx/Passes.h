//===- Passes.h - passes of the code generation for NVIDIA GPUs ---===//
#ifndef ONNX_AOT_CODEGEN_NVPTX_PASSES_H
#define ONNX_AOT_CODEGEN_NVPTX_PASSES_H

#include "mlir/Pass/Pass.h"

namespace onnx_aot {

/// On the module, where kernels have been compiled: an ArrayAttr of {capability, specific, cubin, text}.
inline constexpr llvm::StringLiteral kDeviceImagesAttr = "aot.device_images";
/// Their names, in the order of the numbers that launches have.
inline constexpr llvm::StringLiteral kDeviceKernelsAttr = "aot.device_kernels";

/// The function that does the entry's work on the CPU; it takes the entry's arguments.
inline constexpr llvm::StringLiteral kHostEntry = "main_of_host";

struct ModelFacts;

/// Tells `facts`, which describe the layers before aot-map-to-device, what has become of them.
std::unique_ptr<mlir::Pass> createDescribeDevicePass(ModelFacts &facts);

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "codegen/nvptx/Passes.h.inc"
} // namespace onnx_aot

#endif
