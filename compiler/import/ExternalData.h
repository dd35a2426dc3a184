//===- ExternalData.h - Tensor bytes that lie beside the model file ---------------------------------------------===//
//
// What it is for: ONNX tensors may keep their bytes in other files, named relative to the model's folder. How it works:
// each file is mapped once, read only, at first use, and tensors are slices of the mapping. Only regular files whose
// real path lies below the real path of the model's folder are opened: a model is data from elsewhere and must not
// choose which files of this machine get compiled into an object.
//
// Holds after: every slice handed out stays valid while the ExternalData lives; `files()` lists what was opened.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_COMPILER_IMPORT_EXTERNALDATA_H
#define ONNX_AOT_COMPILER_IMPORT_EXTERNALDATA_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace onnx_aot {

namespace pb {
class TensorProto;
} // namespace pb

class ExternalData {
public:
  /// `folder` is the one that holds the model file.
  explicit ExternalData(llvm::StringRef folder) : folder(folder.str()) {}

  /// The `bytes` bytes of `tensor`, which has data_location EXTERNAL. The error names the file, not the tensor.
  llvm::Expected<llvm::ArrayRef<char>> slice(const pb::TensorProto &tensor, uint64_t bytes);

  /// The files opened so far, as paths that can be opened from the current directory.
  llvm::ArrayRef<std::string> files() const { return opened; }

private:
  llvm::Expected<llvm::MemoryBuffer *> map(llvm::StringRef location);

  std::string folder;
  llvm::StringMap<std::unique_ptr<llvm::MemoryBuffer>> buffers;
  std::vector<std::string> opened;
};

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_IMPORT_EXTERNALDATA_H
