//===- SizedModel.h - A model at the sizes of a dataset --------------------===//
//
// What it is for: dims that a compiled model leaves open have values where a dataset is run. How it works: the arrays
// of the dataset say them, the model's `plan` says what follows, and a copy of the descriptor gets extents and sizes in
// their places, so that whoever makes tensors of it sees none that are open.
//
//===----------------------------------------------------------------------===//
#ifndef ONNX_AOT_TEST_BENCH_SIZEDMODEL_H
#define ONNX_AOT_TEST_BENCH_SIZEDMODEL_H

#include "onnx_aot/runtime.h"
#include <string>
#include <vector>

namespace onnx_aot::bench {

class SizedModel {
public:
  /// Ends the program with a message where the arrays below `data` do not fit the model, or where it needs a context.
  SizedModel(const onnx_aot_model *model, const std::string &data);
  SizedModel(const SizedModel &) = delete;

  onnx_aot_model model;
  std::vector<int64_t> dims; // of the entry

private:
  void size(const onnx_aot_tensor_info *infos, uint32_t count, std::vector<onnx_aot_tensor_info> &sized);

  std::vector<std::vector<int64_t>> extents; // of inputs, then of outputs
  std::vector<onnx_aot_tensor_info> inputs, outputs;
};

} // namespace onnx_aot::bench

#endif
