//===- DataSet.h - A folder of inputs and reference outputs ---------------===//
//
// What it is for: finds the tensors of a folder. How it works: a file io.txt lists them, one per line,
//
//   in in_00.npy image
//   out out_00.npy logits
//
// or, without it, the files have the names of ONNX's test data sets: input_0.pb, input_1.pb ..., output_0.pb ... whose
// numbers are positions in the model's inputs and outputs.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_COMPILER_TOOLS_RUN_DATASET_H
#define ONNX_AOT_COMPILER_TOOLS_RUN_DATASET_H

#include "compiler/tools/run/HostTensor.h"
#include "llvm/Support/Error.h"
#include <vector>

namespace onnx_aot {

/// A tensor of a data set. It belongs to the input or output of its name or, where the model has no such name, to the
/// one at its position.
/// A sequence or an optional is an item without data, whose `length` counts its tensors, followed by an item for each,
/// which is called NAME[0], NAME[1] and so on.
struct DataItem {
  HostTensor tensor;
  int64_t position = -1; // -1: it goes by its name alone
  int64_t length = -1;   // -1: a tensor
  bool isNested = false; // a sequence in an optional
};

enum class DataRole { Input, Output };

/// Reads the tensors of one role; an empty list when the folder has none. Errors begin with the path.
llvm::Expected<std::vector<DataItem>> readDataSet(llvm::StringRef folder, DataRole role);

/// Writes io.txt and the tensors as .npy files, making the folder.
llvm::Error writeDataSet(llvm::StringRef folder, llvm::ArrayRef<HostTensor> inputs, llvm::ArrayRef<HostTensor> outputs);

/// The item for the tensor `name` at `position`; null where there is none. The tensor of an optional goes by its name.
const DataItem *findItem(llvm::ArrayRef<DataItem> items, llvm::StringRef name, int64_t position);
/// The one for a sequence or optional.
const DataItem *findList(llvm::ArrayRef<DataItem> items, llvm::StringRef name, int64_t position);

/// Reads a file and adds what it holds; `name` replaces the one in it where it is not empty.
llvm::Error addItems(llvm::StringRef path, llvm::StringRef name, int64_t position, std::vector<DataItem> &items);

/// NAME of NAME[3]; the whole name where it is not that of an element.
llvm::StringRef listName(llvm::StringRef name);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_TOOLS_RUN_DATASET_H
