//===- OperatorList.h - Every operator that is supported ------------------===//
//
// What it is for: `onnx-aot --list-ops`. How it works: asks the operations of the onnx dialect themselves, which are
// what the importer asks too, so that the list cannot say anything else than what compiles.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_COMPILER_OPERATORLIST_H
#define ONNX_AOT_COMPILER_OPERATORLIST_H

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace onnx_aot {

/// Sorted by name; one line each, or one JSON array.
void printOperators(llvm::raw_ostream &os, bool json);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_OPERATORLIST_H
