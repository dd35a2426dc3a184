//===- cuda_stream_test.cpp - Runs that do not wait for a caller's stream -===//

#include "test/unit/cuda_fixture.h"

using namespace onnx_aot::test;
using testing::HasSubstr;

namespace {

/// A caller that has the driver's primary context, streams and memory of the device.
class CudaStream : public CudaRuntime {
protected:
  CudaContext context;
  cu_stream first = nullptr, second = nullptr;
  uint64_t in = 0, out = 0;

  void SetUp() override {
    CudaRuntime::SetUp();
    cu_context primary = nullptr;
    ASSERT_EQ(function<int(unsigned)>("cuInit")(0), 0);
    ASSERT_EQ(function<int(cu_context *, cu_device)>("cuDevicePrimaryCtxRetain")(&primary, 0), 0);
    ASSERT_EQ(function<int(cu_context)>("cuCtxPushCurrent_v2")(primary), 0);
    for (cu_stream *stream : {&first, &second})
      ASSERT_EQ(function<int(cu_stream *, unsigned)>("cuStreamCreate")(stream, 0), 0);
    for (uint64_t *address : {&in, &out})
      ASSERT_EQ(function<int(uint64_t *, uint64_t)>("cuMemAlloc_v2")(address, sizeof(float)), 0);
    use(first);
    calls();
  }
  void TearDown() override {
    context.close();
    for (uint64_t address : {in, out})
      function<int(uint64_t)>("cuMemFree_v2")(address);
    for (cu_stream stream : {first, second})
      if (stream)
        function<int(cu_stream)>("cuStreamDestroy_v2")(stream);
    cu_context old = nullptr;
    function<int(cu_context *)>("cuCtxPopCurrent_v2")(&old);
    EXPECT_EQ(function<int(cu_device)>("cuDevicePrimaryCtxRelease_v2")(0), 0);
    CudaRuntime::TearDown();
  }

  void use(cu_stream stream) { onnx_aot_context_set_stream(&context.context, stream); }
  int waitFor(cu_stream stream) { return function<int(cu_stream)>("cuStreamSynchronize")(stream); }

  /// A run as that of a model with --io=device: out = in + 1.5, by way of memory that all runs share.
  uint32_t run() {
    uint64_t *state = context.state();
    if (uint32_t status = onnx_aot_cuda_open(state, program.get()))
      return status;
    uint64_t middle = onnx_aot_cuda_memory(state, 0, 4), weights = onnx_aot_cuda_weights(state);
    uint32_t count = 1;
    uint64_t key[] = {in, out};
    if (onnx_aot_cuda_begin_graph(state, key, 2) == 0) {
      onnx_aot_cuda_copy(state, middle, in, 4);
      void *params[] = {&out, &middle, &weights, &count};
      onnx_aot_cuda_launch(state, 0, 1, 1, 1, 32, 0, params);
      onnx_aot_cuda_end_graph(state);
    }
    return onnx_aot_cuda_leave(state);
  }
  /// The same without the driver's words: memory of the device is memory of the process.
  float &at(uint64_t address) { return *reinterpret_cast<float *>(address); }
};

TEST_F(CudaStream, RunsReturnBeforeTheirWorkIsDone) {
  at(in) = 1;
  for (int i = 0; i < 4; ++i) {
    at(out) = -1;
    ASSERT_EQ(run(), uint32_t(ONNX_AOT_OK)) << context.error();
    EXPECT_EQ(at(out), -1) << "run " << i << " waited";
    ASSERT_EQ(waitFor(first), 0);
    EXPECT_EQ(at(out), 2.5f);
  }
  std::vector<std::string> lines = calls();
  EXPECT_EQ(count(lines, "cuStreamSynchronize"), 1u + 4u); // for the weights, and ours
  EXPECT_EQ(count(lines, "cuStreamCreate"), 1u) << "what is captured";
  EXPECT_EQ(count(lines, "cuGraphLaunch"), 3u);
  EXPECT_EQ(count(lines, "cuEventCreate flags=2 "), 1u);
}

TEST_F(CudaStream, RunsFollowEachOther) {
  at(in) = 1;
  ASSERT_EQ(run(), uint32_t(ONNX_AOT_OK));
  std::swap(in, out);
  ASSERT_EQ(run(), uint32_t(ONNX_AOT_OK));
  EXPECT_EQ(at(out), 1);
  ASSERT_EQ(waitFor(first), 0);
  EXPECT_EQ(at(out), 4);
}

/// The context's memory belongs to one run at a time, in whatever streams they are.
TEST_F(CudaStream, AnotherStreamGoesOnAfterTheFirst) {
  at(in) = 1;
  ASSERT_EQ(run(), uint32_t(ONNX_AOT_OK));
  use(second);
  std::swap(in, out);
  ASSERT_EQ(run(), uint32_t(ONNX_AOT_OK));
  ASSERT_EQ(waitFor(second), 0); // which waits for the first
  EXPECT_EQ(at(in), 2.5f);
  EXPECT_EQ(at(out), 4);
}

TEST_F(CudaStream, OwnStreamGoesOnAfterACallers) {
  at(in) = 1;
  ASSERT_EQ(run(), uint32_t(ONNX_AOT_OK));
  use(nullptr);
  std::swap(in, out);
  ASSERT_EQ(run(), uint32_t(ONNX_AOT_OK)); // waits, since nobody else could
  EXPECT_EQ(at(in), 2.5f);
  EXPECT_EQ(at(out), 4);
}

TEST_F(CudaStream, StreamIsDestroyedBetweenRuns) {
  at(in) = 1;
  ASSERT_EQ(run(), uint32_t(ONNX_AOT_OK));
  ASSERT_EQ(function<int(cu_stream)>("cuStreamDestroy_v2")(first), 0);
  first = nullptr;
  use(second);
  ASSERT_EQ(run(), uint32_t(ONNX_AOT_OK)) << context.error();
  ASSERT_EQ(waitFor(second), 0);
  EXPECT_EQ(at(out), 2.5f);
}

TEST_F(CudaStream, ContextIsDestroyedWhileARunIsUnderWay) {
  at(in) = 1;
  ASSERT_EQ(run(), uint32_t(ONNX_AOT_OK));
  calls();
  context.close(); // memory that the run still needs goes
  EXPECT_EQ(count(calls(), "cuEventSynchronize"), 1u);
  EXPECT_EQ(at(out), 2.5f);
  EXPECT_EQ(waitFor(first), 0);
}

TEST_F(CudaStream, ErrorsOfTheWorkComeUpInTheNextRun) {
  testing::internal::CaptureStderr();
  uint64_t good = in;
  in = 64;                                           // nothing of the device
  EXPECT_EQ(run(), uint32_t(ONNX_AOT_DEVICE_ERROR)); // the copy is refused at once
  in = good;
  ASSERT_EQ(run(), uint32_t(ONNX_AOT_OK)) << context.error();
  ASSERT_EQ(waitFor(first), 0);
  // The kernel of this run stores outside of all memory, which shows when somebody waits.
  uint64_t goodOut = out;
  out = 64;
  EXPECT_EQ(run(), uint32_t(ONNX_AOT_OK));
  out = goodOut;
  EXPECT_EQ(waitFor(first), CU_ILLEGAL_ADDRESS);
  EXPECT_EQ(run(), uint32_t(ONNX_AOT_DEVICE_ERROR));
  EXPECT_THAT(context.error(), HasSubstr("CUDA_ERROR_ILLEGAL_ADDRESS"));
  EXPECT_EQ(run(), uint32_t(ONNX_AOT_DEVICE_ERROR));
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("fake CUDA"));
  context.close();
  restart();
}

/// Where the end of a run cannot be marked, it is waited for.
TEST_F(CudaStream, EventsMayFail) {
  at(in) = 1;
  for (const char *failure : {"cuEventCreate:1:1", "cuEventRecord:1:1"}) {
    restart("", failure);
    at(out) = -1;
    EXPECT_EQ(run(), uint32_t(ONNX_AOT_DEVICE_ERROR));
    EXPECT_EQ(at(out), 2.5f);
    EXPECT_THAT(context.error(), HasSubstr("cuEvent"));
    EXPECT_EQ(run(), uint32_t(ONNX_AOT_OK)) << context.error();
    ASSERT_EQ(waitFor(first), 0);
  }
  restart("", "cuStreamWaitEvent:1:1");
  EXPECT_EQ(run(), uint32_t(ONNX_AOT_DEVICE_ERROR));
  EXPECT_EQ(run(), uint32_t(ONNX_AOT_OK)) << context.error();
  ASSERT_EQ(waitFor(first), 0);
}

TEST_F(CudaStream, EndWaitsInACallersStreamToo) {
  at(in) = 1;
  ASSERT_EQ(run(), uint32_t(ONNX_AOT_OK));
  ASSERT_EQ(onnx_aot_cuda_open(context.state(), program.get()), uint32_t(ONNX_AOT_OK));
  EXPECT_EQ(onnx_aot_cuda_end(context.state()), uint32_t(ONNX_AOT_OK));
  EXPECT_EQ(at(out), 2.5f);
}

} // namespace
