//===- WeightsWriter.h - The bytes of the weights -------------------------===//
//
// What it is for: turns the weight slices of a ModelInterface into the bytes that emitted code reads. They never pass
// through LLVM's constants: an object file is emitted with zeros in place of the weights, and the bytes are written
// into the mapped file.
//
// Holds before: the interface comes from `ModelInterface::fromModule`, so every slice fits.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_COMPILER_ARTIFACT_WEIGHTSWRITER_H
#define ONNX_AOT_COMPILER_ARTIFACT_WEIGHTSWRITER_H

#include "compiler/artifact/ModelInterface.h"
#include "llvm/ADT/ArrayRef.h"

namespace onnx_aot {

/// Writes all slices into `image`, which has `model.weightBytes` bytes; those that no slice covers stay as they are.
/// Elements of several bytes are written in the byte order of the target.
void writeWeights(const ModelInterface &model, llvm::MutableArrayRef<char> image, bool bigEndian);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_ARTIFACT_WEIGHTSWRITER_H
