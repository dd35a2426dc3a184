//===- HeaderWriter.h - The generated header ------------------------------===//
//
// What it is for: writes `model.h`, which declares what the object defines and needs no other file of onnx-aot: the
// text of include/onnx_aot/runtime.h is part of it, inside its own include guard, so two such headers go together.
//
//   #define MNIST_ARENA_BYTES 12544u
//   #define MNIST_INPUT_IMAGE_DIMS {1, 1, 28, 28}
//   onnx_aot_status mnist_run(const float *image, float *logits, void *arena);
//   extern const onnx_aot_model mnist_model;
//
// Holds after: C99 and C++ compilers take it without a warning, whatever the tensors are named.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_COMPILER_ARTIFACT_HEADERWRITER_H
#define ONNX_AOT_COMPILER_ARTIFACT_HEADERWRITER_H

#include "llvm/ADT/StringRef.h"

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace onnx_aot {

struct ModelInterface;

void writeHeader(const ModelInterface &model, llvm::StringRef prefix, llvm::raw_ostream &os);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_ARTIFACT_HEADERWRITER_H
