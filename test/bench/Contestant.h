//===- Contestant.h - Who runs a model in a comparison --------------------===//
//
// What it is for: one interface over a compiled model (a shared library of ours, by whatever compiler), ONNX Runtime's
// session of the same model, and a library of operators that does the same work (Peer.h). Inputs are shared between all
// of them; every contestant writes outputs of its own, into buffers that exist before the first run.
//
//===----------------------------------------------------------------------===//
#ifndef ONNX_AOT_TEST_BENCH_CONTESTANT_H
#define ONNX_AOT_TEST_BENCH_CONTESTANT_H

#include "onnx_aot/runtime.h"
#include <memory>
#include <string>
#include <vector>

namespace onnx_aot::bench {

class OrtLibrary;
class SizedModel;

class Contestant {
public:
  explicit Contestant(const onnx_aot_model *model);
  Contestant(const Contestant &) = delete;
  virtual ~Contestant();
  /// One inference; ends the program with a message when it fails.
  virtual void run() = 0;

  std::string name;
  std::vector<void *> outputs; // in the graph's order
};

/// Memory for a tensor, aligned to a cache line and filled with a pattern; to be given to free().
void *newBuffer(size_t bytes, size_t alignment = 64);

/// The descriptor `model_model` of the shared library `path`.
const onnx_aot_model *openModel(const std::string &path);

std::unique_ptr<Contestant> makeCompiled(std::unique_ptr<SizedModel> model, const std::vector<void *> &inputs);

struct OrtSettings {
  std::string onnx;    // the model
  int threads = 1;     // of an operator
  std::string profile; // where the names of profiles begin; empty: no profile
};

/// A session with all graph optimisations. `model` says what the tensors are. A profile is written when it is
/// destroyed.
std::unique_ptr<Contestant> makeOrtSession(const OrtLibrary &library, const OrtSettings &settings,
                                           const onnx_aot_model *model, const std::vector<void *> &inputs);

/// The library at `path`, of the model that `folder` describes, which has one input and one output of floats; its
/// version goes to `version`.
std::unique_ptr<Contestant> makePeer(const std::string &path, const std::string &folder, const onnx_aot_model *model,
                                     const std::vector<void *> &inputs, std::string &version);

} // namespace onnx_aot::bench

#endif // ONNX_AOT_TEST_BENCH_CONTESTANT_H
