//===- SizedModel.cpp - A model at the sizes of a dataset ------------------===//
//
// See SizedModel.h.
//
//===----------------------------------------------------------------------===//
#include "test/bench/SizedModel.h"
#include "test/e2e/npy.h"

using namespace onnx_aot::bench;

SizedModel::SizedModel(const onnx_aot_model *source, const std::string &data)
    : model(*source), dims(source->num_dims, -1) {
  if (model.num_slots > 0)
    fail("%s: models that need a context are not timed", model.name);
  for (uint32_t i = 0; i < model.num_inputs; ++i) {
    const onnx_aot_tensor_info &info = model.inputs[i];
    char file[256];
    datasetFile(data.c_str(), "in", info.name, file, sizeof file);
    std::vector<int64_t> &own = extents.emplace_back(info.rank);
    readNpyShape(data.c_str(), file, own.data(), info.rank);
    for (int32_t axis = 0; axis < info.rank; ++axis)
      if (info.dims[axis] < 0)
        dims[-1 - info.dims[axis]] = own[axis];
  }
  std::vector<int64_t *> outputDims;
  for (uint32_t i = 0; i < model.num_outputs; ++i) {
    const onnx_aot_tensor_info &info = model.outputs[i];
    extents.emplace_back(info.dims, info.dims + info.rank);
  }
  for (uint32_t i = 0; i < model.num_outputs; ++i)
    outputDims.push_back(extents[model.num_inputs + i].data());
  if (model.plan && model.plan(dims.data(), &model.arena_bytes, outputDims.data()) != ONNX_AOT_OK)
    fail("%s: the dataset has dims that the model does not take", model.name);
  size(model.inputs, model.num_inputs, inputs);
  size(model.outputs, model.num_outputs, outputs);
  model.inputs = inputs.data();
  model.outputs = outputs.data();
}

void SizedModel::size(const onnx_aot_tensor_info *infos, uint32_t count, std::vector<onnx_aot_tensor_info> &sized) {
  size_t first = infos == model.outputs ? model.num_inputs : 0;
  for (uint32_t i = 0; i < count; ++i) {
    onnx_aot_tensor_info info = infos[i];
    std::vector<int64_t> &own = extents[first + i];
    info.dims = own.data();
    info.bytes = info.element_bytes;
    for (int64_t extent : own) {
      if (extent < 0)
        fail("%s: only a run says how large \"%s\" is", model.name, info.name);
      info.bytes *= uint64_t(extent);
    }
    sized.push_back(info);
  }
}
