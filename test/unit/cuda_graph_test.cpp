//===- cuda_graph_test.cpp - Runs that are captured and launched as one ---===//

#include "test/unit/cuda_fixture.h"

using namespace onnx_aot::test;
using testing::HasSubstr;

namespace {

class CudaGraph : public CudaRuntime {
protected:
  CudaContext context;

  void TearDown() override {
    context.close();
    CudaRuntime::TearDown();
  }

  /// A run with `n` elements gives what it should, by these calls.
  void expectRun(size_t n, const std::string &expected) {
    EXPECT_EQ(context.runOne(program, float(next), n), float(next) + 1.5f);
    EXPECT_EQ(streamCalls(), expected) << "run " << next;
    ++next;
  }

  const std::string plain = "LaunchKernel", replayed = "GraphLaunch";
  const std::string captured = "StreamBeginCapture LaunchKernel StreamEndCapture GraphInstantiate GraphLaunch";

private:
  int next = 1;
};

TEST_F(CudaGraph, ThreeRuns) {
  expectRun(8, "MemAlloc MemAlloc MemAlloc " + plain);
  expectRun(8, captured);
  for (int i = 0; i < 3; ++i)
    expectRun(8, replayed);
}

TEST_F(CudaGraph, AnotherKeyStartsOver) {
  expectRun(16, "MemAlloc MemAlloc MemAlloc " + plain);
  expectRun(8, plain);
  expectRun(8, captured);
  expectRun(8, replayed);
  expectRun(16, "GraphExecDestroy " + plain);
  expectRun(8, plain);
  expectRun(16, plain);
  expectRun(16, captured);
  expectRun(16, replayed);
}

TEST_F(CudaGraph, MemoryThatGrowsInvalidates) {
  expectRun(8, "MemAlloc MemAlloc MemAlloc " + plain);
  expectRun(8, captured);
  expectRun(8, replayed);
  ASSERT_EQ(onnx_aot_cuda_open(context.state(), program.get()), uint32_t(ONNX_AOT_OK));
  EXPECT_NE(onnx_aot_cuda_memory(context.state(), 2, 100), 0u); // new memory moves none
  EXPECT_EQ(onnx_aot_cuda_end(context.state()), uint32_t(ONNX_AOT_OK));
  expectRun(8, "MemAlloc " + replayed);
  ASSERT_EQ(onnx_aot_cuda_open(context.state(), program.get()), uint32_t(ONNX_AOT_OK));
  EXPECT_NE(onnx_aot_cuda_memory(context.state(), 2, 1000), 0u);
  EXPECT_EQ(onnx_aot_cuda_end(context.state()), uint32_t(ONNX_AOT_OK));
  EXPECT_EQ(streamCalls(), "GraphExecDestroy MemFree MemAlloc");
  expectRun(8, captured);
  expectRun(8, replayed);
}

/// Between begin and end two launches, and memory before the second that `bytes` decide; out = in + 2 * 1.5.
class GrowingRun {
public:
  GrowingRun(CudaContext &context, CudaProgram &program) : context(context), program(program) {}

  uint32_t run(uint64_t bytes, float &result) {
    uint64_t *state = context.state();
    if (uint32_t status = onnx_aot_cuda_open(state, program.get()))
      return status;
    uint64_t in = onnx_aot_cuda_memory(state, 0, 4), out = onnx_aot_cuda_memory(state, 1, 4), key = 1;
    onnx_aot_cuda_upload(state, in, &result, 4);
    if (onnx_aot_cuda_begin_graph(state, &key, 1) == 0) {
      launch(out, in);
      uint64_t middle = onnx_aot_cuda_memory(state, 2, bytes);
      onnx_aot_cuda_copy(state, middle, out, 4);
      launch(out, middle);
      onnx_aot_cuda_end_graph(state);
    }
    onnx_aot_cuda_download(state, &result, out, 4);
    return onnx_aot_cuda_end(state);
  }

private:
  void launch(uint64_t out, uint64_t in) {
    uint64_t weights = onnx_aot_cuda_weights(context.state());
    uint32_t count = 1;
    void *params[] = {&out, &in, &weights, &count};
    onnx_aot_cuda_launch(context.state(), 0, 1, 1, 1, 32, 0, params);
  }

  CudaContext &context;
  CudaProgram &program;
};

TEST_F(CudaGraph, MemoryGrowsWhileItIsCaptured) {
  GrowingRun growing(context, program);
  float value = 0;
  for (uint64_t bytes : {4, 1000, 1000, 1000}) {
    value = 10;
    ASSERT_EQ(growing.run(bytes, value), uint32_t(ONNX_AOT_OK)) << context.error();
    EXPECT_EQ(value, 13);
    std::string calls = streamCalls();
    if (bytes == 1000 && calls.find("MemFree") != std::string::npos)
      EXPECT_EQ(calls, "StreamBeginCapture LaunchKernel StreamEndCapture GraphInstantiate GraphLaunch GraphExecDestroy "
                       "MemFree MemAlloc LaunchKernel");
  }
  value = 20;
  ASSERT_EQ(growing.run(1000, value), uint32_t(ONNX_AOT_OK));
  EXPECT_EQ(value, 23);
  EXPECT_EQ(streamCalls(), replayed);
}

/// The first memory of a slot, unlike memory that grows, is asked for amid the capture too.
TEST_F(CudaGraph, NewMemoryWhileItIsCaptured) {
  uint64_t *state = context.state(), key = 1;
  for (uint32_t run = 0; run < 3; ++run) {
    ASSERT_EQ(onnx_aot_cuda_open(state, program.get()), uint32_t(ONNX_AOT_OK));
    if (onnx_aot_cuda_begin_graph(state, &key, 1) == 0) {
      EXPECT_NE(onnx_aot_cuda_memory(state, run, 8), 0u);
      onnx_aot_cuda_end_graph(state);
    }
    EXPECT_EQ(onnx_aot_cuda_end(state), uint32_t(ONNX_AOT_OK)) << context.error();
  }
}

TEST_F(CudaGraph, LaunchFailsWhileItIsCaptured) {
  restart("", "cuLaunchKernel:2:1");
  expectRun(8, "MemAlloc MemAlloc MemAlloc " + plain);
  std::vector<float> y;
  EXPECT_EQ(context.run(program, std::vector<float>(8), y), uint32_t(ONNX_AOT_DEVICE_ERROR));
  EXPECT_EQ(streamCalls(), "StreamBeginCapture LaunchKernel StreamEndCapture");
  expectRun(8, plain);
  expectRun(8, captured);
  expectRun(8, replayed);
}

TEST_F(CudaGraph, RunThatReturnsEarlyEndsTheCapture) {
  expectRun(8, "MemAlloc MemAlloc MemAlloc " + plain);
  uint64_t *state = context.state();
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(onnx_aot_cuda_open(state, program.get()), uint32_t(ONNX_AOT_OK));
    uint64_t key[] = {7};
    EXPECT_EQ(onnx_aot_cuda_begin_graph(state, key, 1), 0u);
    EXPECT_EQ(onnx_aot_cuda_end(state), uint32_t(ONNX_AOT_OK)) << context.error();
  }
  EXPECT_EQ(streamCalls(), "StreamBeginCapture StreamEndCapture StreamBeginCapture StreamEndCapture");
  expectRun(8, plain);
}

TEST_F(CudaGraph, CallersStream) {
  cu_context primary = nullptr;
  cu_stream theirs = nullptr;
  ASSERT_EQ(function<int(unsigned)>("cuInit")(0), 0);
  ASSERT_EQ(function<int(cu_context *, cu_device)>("cuDevicePrimaryCtxRetain")(&primary, 0), 0);
  ASSERT_EQ(function<int(cu_context)>("cuCtxPushCurrent_v2")(primary), 0);
  ASSERT_EQ(function<int(cu_stream *, unsigned)>("cuStreamCreate")(&theirs, 0), 0);
  calls();
  std::vector<float> x(8, 1), y;
  onnx_aot_context_set_stream(&context.context, theirs);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(context.run(program, x, y), uint32_t(ONNX_AOT_OK)) << context.error();
    EXPECT_EQ(y[7], 2.5f);
  }
  onnx_aot_context_set_stream(&context.context, nullptr);
  std::vector<std::string> lines = calls();
  EXPECT_EQ(count(lines, "cuStreamCreate"), 1u) << "what is captured";
  EXPECT_EQ(count(lines, "cuGraphLaunch"), 2u);
  EXPECT_EQ(function<int(cu_stream)>("cuStreamDestroy_v2")(theirs), 0);
  expectRun(8, replayed); // in our own stream
  context.close();
  cu_context old = nullptr;
  function<int(cu_context *)>("cuCtxPopCurrent_v2")(&old);
  EXPECT_EQ(function<int(cu_device)>("cuDevicePrimaryCtxRelease_v2")(0), 0);
}

/// It cannot be captured itself.
TEST_F(CudaGraph, LegacyStreamLaunchesGraphs) {
  std::vector<float> x(8, 1), y;
  onnx_aot_context_set_stream(&context.context, CU_STREAM_LEGACY);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(context.run(program, x, y), uint32_t(ONNX_AOT_OK)) << context.error();
  EXPECT_EQ(y[7], 2.5f);
  EXPECT_EQ(streamCalls(), "MemAlloc MemAlloc MemAlloc LaunchKernel StreamBeginCapture LaunchKernel StreamEndCapture "
                           "GraphInstantiate GraphLaunch GraphLaunch");
}

TEST_F(CudaGraph, KeyWithoutCells) {
  uint64_t *state = context.state();
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(onnx_aot_cuda_open(state, program.get()), uint32_t(ONNX_AOT_OK));
    EXPECT_EQ(onnx_aot_cuda_begin_graph(state, nullptr, 0), i == 2 ? 1u : 0u);
    onnx_aot_cuda_end_graph(state);
    EXPECT_EQ(onnx_aot_cuda_end(state), uint32_t(ONNX_AOT_OK)) << context.error();
  }
}

} // namespace
