//===- CodeFacts.h - What an object takes of a machine --------------------===//
//
// What it is for: flash and stack for --report, --max-ram and --max-flash, measured and not estimated. How it works:
// sections and functions are read from the object that was written; the frames of functions are what LLVM remarks when
// it lays them out, and the calls between them are those of the optimised module.
//
// A frame counts with the calls out of it: the deepest path from the entry is what a run takes at most. Functions that
// the object does not define (memcpy, helpers of the target's compiler) count nothing.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_COMPILER_ARTIFACT_CODEFACTS_H
#define ONNX_AOT_COMPILER_ARTIFACT_CODEFACTS_H

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/IR/DiagnosticHandler.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace llvm {
class LLVMContext;
class Module;
} // namespace llvm

namespace onnx_aot {

struct FunctionFacts {
  std::string name;
  uint64_t textBytes = 0;
  std::optional<uint64_t> stackBytes; // its frame; none where only the run knows
};

struct CodeFacts {
  std::vector<FunctionFacts> functions; // in the order of the module
  uint64_t textBytes = 0, readOnlyBytes = 0, dataBytes = 0, bssBytes = 0;
  std::optional<uint64_t> stackBytes; // of the deepest path from the entry

  uint64_t flashBytes() const { return textBytes + readOnlyBytes + dataBytes; }
};

/// While it lives, the frames that LLVM lays out are kept; all else goes to the handler from before.
class FrameSizes {
public:
  explicit FrameSizes(llvm::LLVMContext &context);
  ~FrameSizes();
  FrameSizes(const FrameSizes &) = delete;
  FrameSizes &operator=(const FrameSizes &) = delete;

  const llvm::StringMap<uint64_t> &frames() const { return sizes; }

private:
  class Listener;
  llvm::LLVMContext &context;
  llvm::StringMap<uint64_t> sizes;
};

/// Measures the object in the file `path`, made from `module`, whose entry is the function `entry`.
llvm::Expected<CodeFacts> measureCode(llvm::StringRef path, const llvm::Module &module, llvm::StringRef entry,
                                      const llvm::StringMap<uint64_t> &frames);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_ARTIFACT_CODEFACTS_H
