//===- OutputFiles.h - Files that appear whole or not at all --------------===//
//
// What it is for: a failed run leaves no output behind, and nobody ever sees half a file. How it works: every output is
// written to a temporary name in the folder of its final one; `publish` renames them all. Whatever was not published is
// removed by the destructor, and by LLVM's signal handlers when the process is killed. An output that would replace a
// file which the run reads, or another output of the run, is refused.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_COMPILER_ARTIFACT_OUTPUTFILES_H
#define ONNX_AOT_COMPILER_ARTIFACT_OUTPUTFILES_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>
#include <vector>

namespace llvm {
class raw_pwrite_stream;
} // namespace llvm

namespace onnx_aot {

class OutputFiles {
public:
  /// `inputs` are never replaced.
  explicit OutputFiles(std::vector<std::string> inputs = {}) : inputs(std::move(inputs)) {}
  OutputFiles(const OutputFiles &) = delete;
  OutputFiles &operator=(const OutputFiles &) = delete;
  ~OutputFiles();

  /// Makes an empty temporary file for the output `path` and returns its name.
  llvm::Expected<std::string> add(llvm::StringRef path);

  /// A temporary file beside `path` that is never published.
  llvm::Expected<std::string> addScratch(llvm::StringRef path);

  /// Adds the output `path` and has `write` write it.
  llvm::Error write(llvm::StringRef path, llvm::function_ref<void(llvm::raw_pwrite_stream &)> write);

  /// Renames all outputs to their final names. When one cannot be, those before it are removed again.
  llvm::Error publish();

private:
  struct File {
    std::string path; // empty: scratch
    std::string key;  // the same for every spelling of the path
    std::string temporary;
  };
  llvm::Expected<std::string> create(llvm::StringRef path, bool scratch);
  llvm::Error checkPath(llvm::StringRef path, llvm::StringRef key) const;

  std::vector<std::string> inputs;
  std::vector<File> files;
};

/// "cannot write PATH: reason"
llvm::Error cannotWrite(llvm::StringRef path, const std::error_code &code);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_ARTIFACT_OUTPUTFILES_H
