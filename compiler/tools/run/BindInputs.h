//===- BindInputs.h - What a model has to know of its inputs --------------===//
//
// What it is for: flags that an .onnx file is compiled with, read off the values that are given for its inputs. Dims
// stay open where they may; ranks, the lengths of sequences and whether an optional is there are fixed.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_COMPILER_TOOLS_RUN_BINDINPUTS_H
#define ONNX_AOT_COMPILER_TOOLS_RUN_BINDINPUTS_H

#include "compiler/Options.h"
#include "compiler/tools/run/DataSet.h"

namespace onnx_aot {

namespace pb {
class GraphProto;
} // namespace pb

/// Fixes the shapes of inputs of unknown rank, and of the tensors of sequences and optionals. Flags of the user stay.
void bindShapes(const pb::GraphProto &graph, llvm::ArrayRef<DataItem> given, ImportOptions &import);

/// Fixes the values of inputs that decide about the length of a sequence or whether an optional is there: numbers of
/// parts, trip counts, conditions. False where there are none.
bool bindDecidingValues(const pb::GraphProto &graph, llvm::ArrayRef<DataItem> given, ImportOptions &import);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_TOOLS_RUN_BINDINPUTS_H
