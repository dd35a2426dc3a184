//===- Depfile.h - What an output was made from, for Make and Ninja -------===//
//
//   mnist.o: mnist.onnx weights/with\ space.bin
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_COMPILER_ARTIFACT_DEPFILE_H
#define ONNX_AOT_COMPILER_ARTIFACT_DEPFILE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <string>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace onnx_aot {

void writeDepfile(llvm::StringRef output, llvm::ArrayRef<std::string> inputs, llvm::raw_ostream &os);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_ARTIFACT_DEPFILE_H
