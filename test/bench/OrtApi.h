//===- OrtApi.h - The part of ONNX Runtime's C API that a comparison needs -===//
//
// What it is for: a peer to measure against, without its headers and without linking it. How it works: the library is
// opened with dlopen; its only exported function, OrtGetApiBase, gives a table of functions which every release extends
// at its end, so an entry's index never changes. The indices below are those of the public onnxruntime_c_api.h.
//
//   OrtLibrary ort(path);                           // dlopen, or an error text in ort.error()
//   ort.check(ort.get<OrtCreateEnv>()(3, "bench", &env));
//
// Holds after: `check` ends the program with the library's own message when a call fails; this is a test program.
//
//===----------------------------------------------------------------------===//
#ifndef ONNX_AOT_TEST_BENCH_ORTAPI_H
#define ONNX_AOT_TEST_BENCH_ORTAPI_H

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <string>

namespace onnx_aot::bench {

// Objects of the library: only pointers to them are used.
struct OrtStatus;
struct OrtEnv;
struct OrtSession;
struct OrtSessionOptions;
struct OrtMemoryInfo;
struct OrtValue;

/// An entry of the table: its index and its type.
template <unsigned Index, typename Function> struct OrtEntry {
  static constexpr unsigned index = Index;
  using Type = Function *;
};

using OrtGetErrorMessage = OrtEntry<2, const char *(const OrtStatus *)>;
using OrtCreateEnv = OrtEntry<3, OrtStatus *(int severity, const char *id, OrtEnv **)>;
using OrtCreateSession =
    OrtEntry<7, OrtStatus *(const OrtEnv *, const char *path, const OrtSessionOptions *, OrtSession **)>;
using OrtRun = OrtEntry<9, OrtStatus *(OrtSession *, const void *runOptions, const char *const *inputNames,
                                       const OrtValue *const *inputs, size_t numInputs, const char *const *outputNames,
                                       size_t numOutputs, OrtValue **outputs)>;
using OrtCreateSessionOptions = OrtEntry<10, OrtStatus *(OrtSessionOptions **)>;
using OrtEnableProfiling = OrtEntry<14, OrtStatus *(OrtSessionOptions *, const char *prefix)>;
using OrtSetGraphOptimizationLevel = OrtEntry<23, OrtStatus *(OrtSessionOptions *, int)>;
using OrtSetIntraOpNumThreads = OrtEntry<24, OrtStatus *(OrtSessionOptions *, int)>;
using OrtSetInterOpNumThreads = OrtEntry<25, OrtStatus *(OrtSessionOptions *, int)>;
using OrtCreateTensorWithData = OrtEntry<49, OrtStatus *(const OrtMemoryInfo *, void *data, size_t bytes,
                                                         const int64_t *dims, size_t rank, int dtype, OrtValue **)>;
using OrtCreateCpuMemoryInfo = OrtEntry<69, OrtStatus *(int allocator, int memory, OrtMemoryInfo **)>;
using OrtReleaseEnv = OrtEntry<92, void(OrtEnv *)>;
using OrtReleaseMemoryInfo = OrtEntry<94, void(OrtMemoryInfo *)>;
using OrtReleaseSession = OrtEntry<95, void(OrtSession *)>;
using OrtReleaseValue = OrtEntry<96, void(OrtValue *)>;
using OrtReleaseSessionOptions = OrtEntry<100, void(OrtSessionOptions *)>;

enum { ortLogError = 3, ortEnableAll = 99, ortArenaAllocator = 1, ortDefaultMemory = 0 };

class OrtLibrary {
public:
  explicit OrtLibrary(const char *path) {
    struct ApiBase {
      const void *const *(*getApi)(uint32_t version);
      const char *(*getVersion)();
    };
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    void *symbol = library ? dlsym(library, "OrtGetApiBase") : nullptr;
    if (!symbol) {
      text = dlerror();
      return;
    }
    const ApiBase *base = reinterpret_cast<const ApiBase *(*)()>(symbol)();
    // Version 1 of the table has all entries that are used here, in every release.
    table = base->getApi(1);
    if (table)
      text = base->getVersion();
    else
      text = std::string("no API of version 1 in ONNX Runtime ") + base->getVersion();
  }

  bool loaded() const { return table != nullptr; }
  const std::string &error() const { return text; }
  const std::string &version() const { return text; }

  template <typename Entry> typename Entry::Type get() const {
    return reinterpret_cast<typename Entry::Type>(const_cast<void *>(table[Entry::index]));
  }

  void check(OrtStatus *status) const {
    if (!status)
      return;
    std::fprintf(stderr, "ONNX Runtime: %s\n", get<OrtGetErrorMessage>()(status));
    std::exit(1);
  }

private:
  const void *const *table = nullptr;
  std::string text;
};

} // namespace onnx_aot::bench

#endif // ONNX_AOT_TEST_BENCH_ORTAPI_H
