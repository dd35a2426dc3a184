//===- Fallback.h - the CPU's version of a model for a device -----------------------------------------------------===//
//
// What it is for: with --device=cuda,cpu one object holds two versions of a model, which are compiled one after the
// other from the same import. How it works: the second one, for the CPU, is told which weights the first has, and
// begins with the same (`noteWeights`, passes/buffer/PlaceWeights.cpp); so the device's weights are the beginning of
// the CPU's, and the object holds the CPU's alone. `linkFallback` puts the code of both into one module, where the
// entry of the device calls that of the CPU (codegen/nvptx/LowerDevice.cpp).
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_COMPILER_ARTIFACT_FALLBACK_H
#define ONNX_AOT_COMPILER_ARTIFACT_FALLBACK_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"
#include <memory>

namespace llvm {
class Module;
}

namespace onnx_aot {

struct ModelInterface;

/// Lets the buffer stage of `module` begin with the weights of `device`.
void noteWeights(const ModelInterface &device, mlir::ModuleOp module);

/// Links `host` into `module`: its @main becomes @main_of_host, which takes the arguments of the @main of `module`, and
/// its @weights take the place of those there.
llvm::Error linkFallback(llvm::Module &module, std::unique_ptr<llvm::Module> host);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_ARTIFACT_FALLBACK_H
