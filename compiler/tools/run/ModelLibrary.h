//===- ModelLibrary.h - A compiled model, loaded --------------------------===//
//
// What it is for: opens a shared library that onnx-aot made, finds the one `PREFIX_model` in it, and runs it on
// tensors.
//
// How it works: the name is taken from the library's dynamic symbols. Where sizes depend on dims, the model's plan says
// them. Each output and the arena have a guard behind them, so that a run that writes past its memory is noticed
// instead of returned.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_COMPILER_TOOLS_RUN_MODELLIBRARY_H
#define ONNX_AOT_COMPILER_TOOLS_RUN_MODELLIBRARY_H

#include "compiler/tools/run/HostTensor.h"
#include "llvm/Support/Error.h"
#include <memory>

struct onnx_aot_context;
struct onnx_aot_model;
struct onnx_aot_tensor_info;

namespace onnx_aot {

class ModelLibrary {
public:
  /// `prefix` is the model's C prefix; when it is empty, the library must hold exactly one model.
  static llvm::Expected<std::unique_ptr<ModelLibrary>> open(llvm::StringRef path, llvm::StringRef prefix);
  ~ModelLibrary();

  const onnx_aot_model &getModel() const { return *model; }
  /// What a status that a run returned means.
  std::string statusText(uint32_t status) const;
  /// What the context knows of its device's last error; empty where there is none.
  std::string deviceText(const onnx_aot_context &context) const;

private:
  ModelLibrary() = default;
  void *handle = nullptr;
  const onnx_aot_model *model = nullptr;
};

/// An input or output of the model without its value; dims that are not constant as the description has them.
HostTensor describe(const onnx_aot_tensor_info &info);

/// The memory of a run: aligned, and guarded at its end. May be run again and again.
class ModelRun {
public:
  /// The inputs are in the model's order and have its types and shapes, with `dims` for the model's dimensions.
  ModelRun(const onnx_aot_model &model, llvm::ArrayRef<HostTensor> inputs, llvm::ArrayRef<int64_t> dims);
  ~ModelRun();

  /// The status of the model, or of the plan where that fails: 0 is success.
  uint32_t run();
  /// After a run that failed, or that the CPU did because there was no device: the reason.
  std::string deviceText(const ModelLibrary &library) const { return context ? library.deviceText(*context) : ""; }
  /// After a run: the outputs, or what was overwritten.
  llvm::Expected<std::vector<HostTensor>> outputs() const;

private:
  struct Block {
    char *data;
    size_t size;
  };
  Block allocate(size_t size);
  void allocateOutputs();

  const onnx_aot_model &model;
  std::vector<int64_t> dims;
  uint32_t planStatus = 0;
  std::vector<Block> inputBlocks, outputBlocks;
  Block arena;
  std::vector<const void *> inputPointers;
  std::vector<void *> outputPointers;
  std::vector<std::vector<int64_t>> outputDims; // of dynamic outputs
  std::vector<int64_t *> outputDimsPointers;
  std::unique_ptr<onnx_aot_context> context;
};

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_TOOLS_RUN_MODELLIBRARY_H
