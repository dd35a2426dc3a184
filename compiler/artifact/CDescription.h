//===- CDescription.h - The description of a model, as C ------------------===//
//
// What it is for: `const onnx_aot_model <prefix>_model = {...};` of runtime.h with the tables that it points to.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_COMPILER_ARTIFACT_CDESCRIPTION_H
#define ONNX_AOT_COMPILER_ARTIFACT_CDESCRIPTION_H

#include "llvm/ADT/StringRef.h"

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace onnx_aot {

struct ModelInterface;

/// `isPlanned`: <prefix>_plan has been written.
void writeCDescription(const ModelInterface &model, llvm::StringRef prefix, bool isPlanned, llvm::raw_ostream &os);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_ARTIFACT_CDESCRIPTION_H
