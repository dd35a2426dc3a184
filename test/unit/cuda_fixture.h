//===- cuda_fixture.h - The CUDA runtime on a driver of our own -----------===//
//
// A program of one kernel, `add`, that adds its weights and a number that tells its images apart to `count` floats; and
// a context that runs it as generated code does. The driver is test/device/driver, loaded before the runtime asks for
// libcuda.so.1.
//
//===----------------------------------------------------------------------===//
#ifndef ONNX_AOT_TEST_UNIT_CUDA_FIXTURE_H
#define ONNX_AOT_TEST_UNIT_CUDA_FIXTURE_H

#include "onnx_aot/runtime.h"
#include "runtime_lib/platform/cuda/cuda.h"
#include "runtime_lib/platform/cuda/driver.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace onnx_aot::test {

/// What the driver of the tests takes for machine code; see test/device/driver/FakeCuda.h.
inline std::string asCubin(const std::string &ptx) { return "\177ELF of fake CUDA\n" + ptx; }

/// out[i] = in[i] + weights[i] + marker
inline std::string addKernel(const std::string &target, float marker, const std::string &version = "7.8") {
  char bits[16];
  std::snprintf(bits, sizeof bits, "0f%08X", __builtin_bit_cast(unsigned, marker));
  return ".version " + version + "\n.target " + target + "\n.address_size 64\n" + R"ptx(
.visible .entry add(.param .u64 out, .param .u64 in, .param .u64 weights, .param .u32 count)
{
  .reg .pred %p<2>; .reg .b32 %r<8>; .reg .f32 %f<8>; .reg .b64 %d<8>;
  ld.param.u64 %d1, [out];
  ld.param.u64 %d2, [in];
  ld.param.u64 %d3, [weights];
  ld.param.u32 %r1, [count];
  mov.u32 %r2, %ctaid.x;
  mov.u32 %r3, %ntid.x;
  mov.u32 %r4, %tid.x;
  mad.lo.s32 %r5, %r2, %r3, %r4;
  setp.ge.u32 %p1, %r5, %r1;
  @%p1 bra DONE;
  mul.wide.u32 %d4, %r5, 4;
  add.s64 %d1, %d1, %d4;
  add.s64 %d2, %d2, %d4;
  add.s64 %d3, %d3, %d4;
  ld.global.f32 %f1, [%d2];
  ld.global.f32 %f2, [%d3];
  add.f32 %f3, %f1, %f2;
  add.f32 %f3, %f3, )ptx" +
         bits + R"ptx(;
  st.global.f32 [%d1], %f3;
DONE:
  ret;
}
)ptx";
}

/// A program, with the memory of its texts.
struct CudaProgram {
  std::vector<std::string> texts;
  std::vector<onnx_aot_cuda_image> images;
  std::vector<onnx_aot_cuda_kernel> kernels = {{"add", 0}};
  std::vector<float> weights = std::vector<float>(64, 0.5f);
  bool hasFallback = false;

  CudaProgram() { add(80, false, addKernel("sm_80", 1)); }

  void add(uint32_t capability, bool isSpecific, std::string text, bool isCubin = false) {
    texts.push_back(std::move(text));
    images.push_back({capability, isSpecific, isCubin, nullptr, 0});
  }
  const onnx_aot_cuda_program *get() {
    for (size_t i = 0; i < images.size(); ++i) {
      images[i].content = texts[i].c_str();
      images[i].bytes = texts[i].size();
    }
    program = {uint32_t(images.size()), uint32_t(kernels.size()),       images.data(), kernels.data(),
               weights.data(),          weights.size() * sizeof(float), hasFallback};
    return &program;
  }

private:
  onnx_aot_cuda_program program;
};

/// A context whose allocator counts.
struct CudaContext {
  onnx_aot_context context;
  int blocks = 0;
  int refusesAfter = -1; ///< So many blocks are given.

  CudaContext() { onnx_aot_context_init(&context, allocate, release, this); }
  ~CudaContext() { close(); }
  void close() {
    onnx_aot_context_destroy(&context);
    EXPECT_EQ(blocks, 0) << "memory of the host is left";
  }

  uint64_t *state() { return context.state; }
  std::string error() const {
    std::string text(onnx_aot_context_error(&context, nullptr, 0), '\0');
    onnx_aot_context_error(&context, text.data(), text.size() + 1);
    return text;
  }

  /// Runs the program on `x`, as the code of a model would.
  uint32_t run(CudaProgram &program, const std::vector<float> &x, std::vector<float> &y) {
    if (uint32_t status = onnx_aot_cuda_open(state(), program.get()))
      return status;
    uint64_t bytes = x.size() * sizeof(float);
    uint64_t in = onnx_aot_cuda_memory(state(), 0, bytes), out = onnx_aot_cuda_memory(state(), 1, bytes);
    uint64_t weights = onnx_aot_cuda_weights(state());
    auto count = uint32_t(x.size());
    onnx_aot_cuda_upload(state(), in, x.data(), bytes);
    uint64_t key[] = {count, in, out};
    if (onnx_aot_cuda_begin_graph(state(), key, 3) == 0) {
      onnx_aot_cuda_copy(state(), out, in, bytes); // as an operation in place would want it
      void *params[] = {&out, &in, &weights, &count};
      onnx_aot_cuda_launch(state(), 0, (count + 31) / 32, 1, 1, 32, 0, params);
      onnx_aot_cuda_end_graph(state());
    }
    // Nothing around the output is touched, whatever goes wrong.
    std::vector<float> around(x.size() + 2, -1);
    onnx_aot_cuda_download(state(), around.data() + 1, out, bytes);
    uint32_t status = onnx_aot_cuda_end(state());
    EXPECT_EQ(around.front(), -1);
    EXPECT_EQ(around.back(), -1);
    y.assign(around.begin() + 1, around.end() - 1);
    return status;
  }
  /// What the run gives for the first element, which is the sum of `x`, 0.5 and the image's marker.
  float runOne(CudaProgram &program, float x, size_t count = 8) {
    std::vector<float> y;
    uint32_t status = run(program, std::vector<float>(count, x), y);
    EXPECT_EQ(status, uint32_t(ONNX_AOT_OK)) << error();
    for (float value : y)
      EXPECT_EQ(value, y.front());
    return y.empty() ? 0 : y.front();
  }
  uint32_t statusOf(CudaProgram &program) {
    std::vector<float> y;
    return run(program, {1, 2, 3}, y);
  }

private:
  static void *allocate(void *user, uint64_t bytes) {
    auto *self = static_cast<CudaContext *>(user);
    if (self->refusesAfter == 0)
      return nullptr;
    self->refusesAfter -= self->refusesAfter > 0;
    ++self->blocks;
    return std::malloc(bytes);
  }
  static void release(void *user, void *memory) {
    --static_cast<CudaContext *>(user)->blocks;
    std::free(memory);
  }
};

class CudaRuntime : public testing::Test {
protected:
  CudaProgram program;

  void SetUp() override {
    driver = dlopen(ONNX_AOT_FAKE_CUDA, RTLD_NOW);
    ASSERT_TRUE(driver) << dlerror();
    logFile = testing::TempDir() + "/fake-cuda-" + std::to_string(getpid()) + ".log";
    restart();
  }
  void TearDown() override {
    if (!driver)
      return;
    EXPECT_EQ(function<uint64_t()>("onnx_aot_fake_cuda_live")(), 0u) << "something is left on the device";
    for (const char *name : {"DEVICE", "FAIL", "LOG"})
      unsetenv((std::string("ONNX_AOT_FAKE_CUDA_") + name).c_str());
    function<void()>("onnx_aot_fake_cuda_reset")();
    std::filesystem::remove(logFile);
  }

  template <typename Type> Type *function(const char *name) { return reinterpret_cast<Type *>(dlsym(driver, name)); }

  /// Goes on with another device and other failures, and an empty log.
  void restart(const std::string &device = "", const std::string &failures = "") {
    setenv("ONNX_AOT_FAKE_CUDA_DEVICE", device.c_str(), 1);
    setenv("ONNX_AOT_FAKE_CUDA_FAIL", failures.c_str(), 1);
    setenv("ONNX_AOT_FAKE_CUDA_LOG", logFile.c_str(), 1);
    std::ofstream(logFile, std::ios::trunc);
    function<void()>("onnx_aot_fake_cuda_reset")();
  }
  /// The lines of the log since it was last asked for.
  std::vector<std::string> calls() {
    std::ifstream stream(logFile);
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);)
      lines.push_back(line);
    std::filesystem::resize_file(logFile, 0);
    return lines;
  }
  /// The names of those calls that concern the stream.
  std::string streamCalls() {
    std::string names;
    for (const std::string &line : calls())
      for (const char *name : {"cuLaunchKernel", "cuStreamBeginCapture", "cuStreamEndCapture", "cuGraphInstantiate",
                               "cuGraphLaunch", "cuGraphExecDestroy", "cuMemAlloc", "cuMemFree"})
        if (line.rfind(name, 0) == 0)
          names += (names.empty() ? "" : " ") + std::string(name + 2);
    return names;
  }
  static size_t count(const std::vector<std::string> &lines, const std::string &start) {
    return std::count_if(lines.begin(), lines.end(),
                         [&](const std::string &line) { return line.rfind(start, 0) == 0; });
  }

private:
  void *driver = nullptr;
  std::string logFile;
};

} // namespace onnx_aot::test

#endif // ONNX_AOT_TEST_UNIT_CUDA_FIXTURE_H
