//===- Contestant.cpp - Who runs a model in a comparison ------------------===//
//
// See Contestant.h.
//
//===----------------------------------------------------------------------===//
#include "test/bench/Contestant.h"
#include "test/bench/OrtApi.h"
#include "test/bench/Peer.h"
#include "test/bench/SizedModel.h"
#include <algorithm>
#include <cstring>

using namespace onnx_aot::bench;

namespace {
[[noreturn]] void stop(const std::string &message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  std::exit(1);
}

class Compiled : public Contestant {
public:
  Compiled(std::unique_ptr<SizedModel> sized, const std::vector<void *> &inputs)
      : Contestant(&sized->model), sized(std::move(sized)), inputs(inputs.begin(), inputs.end()) {
    const onnx_aot_model &model = this->sized->model;
    arena = newBuffer(model.arena_bytes, model.arena_align);
    for (uint32_t i = 0; i < model.num_outputs; ++i)
      outputDims.emplace_back(model.outputs[i].rank + 1);
    for (std::vector<int64_t> &dims : outputDims)
      places.push_back(dims.data());
  }
  ~Compiled() override { std::free(arena); }

  void run() override {
    onnx_aot_status status =
        sized->model.entry(inputs.data(), outputs.data(), sized->dims.data(), places.data(), arena, nullptr);
    if (status != ONNX_AOT_OK)
      stop(name + ": status " + std::to_string(status));
  }

private:
  std::unique_ptr<SizedModel> sized;
  std::vector<const void *> inputs;
  std::vector<std::vector<int64_t>> outputDims; // where a run writes them
  std::vector<int64_t *> places;
  void *arena;
};

class OrtRunner : public Contestant {
public:
  OrtRunner(const OrtLibrary &library, const OrtSettings &settings, const onnx_aot_model *model,
            const std::vector<void *> &inputs)
      : Contestant(model), library(library) {
    OrtSessionOptions *options;
    library.check(library.get<OrtCreateEnv>()(ortLogError, "bench", &env));
    library.check(library.get<OrtCreateSessionOptions>()(&options));
    library.check(library.get<OrtSetIntraOpNumThreads>()(options, settings.threads));
    library.check(library.get<OrtSetInterOpNumThreads>()(options, 1));
    library.check(library.get<OrtSetGraphOptimizationLevel>()(options, ortEnableAll));
    if (!settings.profile.empty())
      library.check(library.get<OrtEnableProfiling>()(options, settings.profile.c_str()));
    library.check(library.get<OrtCreateSession>()(env, settings.onnx.c_str(), options, &session));
    library.get<OrtReleaseSessionOptions>()(options);
    library.check(library.get<OrtCreateCpuMemoryInfo>()(ortArenaAllocator, ortDefaultMemory, &memory));
    for (uint32_t i = 0; i < model->num_inputs; ++i)
      inputValues.push_back(makeValue(model->inputs[i], inputs[i], inputNames));
    for (uint32_t i = 0; i < model->num_outputs; ++i)
      outputValues.push_back(makeValue(model->outputs[i], outputs[i], outputNames));
    runEntry = library.get<OrtRun>();
  }

  ~OrtRunner() override {
    for (std::vector<OrtValue *> *values : {&inputValues, &outputValues})
      for (OrtValue *value : *values)
        library.get<OrtReleaseValue>()(value);
    library.get<OrtReleaseMemoryInfo>()(memory);
    library.get<OrtReleaseSession>()(session);
    library.get<OrtReleaseEnv>()(env);
  }

  void run() override {
    library.check(runEntry(session, nullptr, inputNames.data(), inputValues.data(), inputNames.size(),
                           outputNames.data(), outputNames.size(), outputValues.data()));
  }

private:
  OrtValue *makeValue(const onnx_aot_tensor_info &info, void *data, std::vector<const char *> &names) {
    OrtValue *value;
    library.check(library.get<OrtCreateTensorWithData>()(memory, data, info.bytes, info.dims, size_t(info.rank),
                                                         info.dtype, &value));
    names.push_back(info.name);
    return value;
  }

  const OrtLibrary &library;
  OrtEnv *env;
  OrtSession *session;
  OrtMemoryInfo *memory;
  OrtRun::Type runEntry;
  std::vector<const char *> inputNames, outputNames;
  std::vector<OrtValue *> inputValues, outputValues;
};

struct PeerEntries {
  decltype(&peer_version) version;
  decltype(&peer_open) open;
  decltype(&peer_run) run;
  decltype(&peer_close) close;
};

class PeerRunner : public Contestant {
public:
  PeerRunner(const PeerEntries &entries, const std::string &folder, const onnx_aot_model *model,
             const std::vector<void *> &inputs)
      : Contestant(model), entries(entries), state(entries.open(folder.c_str())),
        input(static_cast<const float *>(inputs[0])) {}
  ~PeerRunner() override { entries.close(state); }

  void run() override { entries.run(state, input, static_cast<float *>(outputs[0])); }

private:
  PeerEntries entries;
  void *state;
  const float *input;
};

void *openLibrary(const std::string &path) {
  void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    stop(dlerror());
  return library;
}

template <typename Function> void findEntry(void *library, const char *name, Function &entry) {
  entry = reinterpret_cast<Function>(dlsym(library, name));
  if (!entry)
    stop(dlerror());
}
} // namespace

Contestant::Contestant(const onnx_aot_model *model) {
  for (uint32_t i = 0; i < model->num_outputs; ++i)
    outputs.push_back(newBuffer(model->outputs[i].bytes));
}

Contestant::~Contestant() {
  for (void *output : outputs)
    std::free(output);
}

void *onnx_aot::bench::newBuffer(size_t bytes, size_t alignment) {
  alignment = std::max<size_t>(alignment, 64);
  size_t rounded = (bytes + alignment) / alignment * alignment;
  void *data = std::aligned_alloc(alignment, rounded);
  if (!data)
    stop("out of memory");
  std::memset(data, 0xA5, rounded);
  return data;
}

const onnx_aot_model *onnx_aot::bench::openModel(const std::string &path) {
  auto *model = static_cast<const onnx_aot_model *>(dlsym(openLibrary(path), "model_model"));
  if (!model || model->abi_version != ONNX_AOT_ABI_VERSION)
    stop(path + ": not a model compiled with --name=model by this version");
  return model;
}

std::unique_ptr<Contestant> onnx_aot::bench::makeCompiled(std::unique_ptr<SizedModel> model,
                                                          const std::vector<void *> &inputs) {
  return std::make_unique<Compiled>(std::move(model), inputs);
}

std::unique_ptr<Contestant> onnx_aot::bench::makeOrtSession(const OrtLibrary &library, const OrtSettings &settings,
                                                            const onnx_aot_model *model,
                                                            const std::vector<void *> &inputs) {
  return std::make_unique<OrtRunner>(library, settings, model, inputs);
}

std::unique_ptr<Contestant> onnx_aot::bench::makePeer(const std::string &path, const std::string &folder,
                                                      const onnx_aot_model *model, const std::vector<void *> &inputs,
                                                      std::string &version) {
  void *library = openLibrary(path);
  PeerEntries entries;
  findEntry(library, "peer_version", entries.version);
  findEntry(library, "peer_open", entries.open);
  findEntry(library, "peer_run", entries.run);
  findEntry(library, "peer_close", entries.close);
  if (model->num_inputs != 1 || model->num_outputs != 1)
    stop(path + ": a peer takes one input and one output");
  version = entries.version();
  return std::make_unique<PeerRunner>(entries, folder, model, inputs);
}
