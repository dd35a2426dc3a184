//===- cuda_runtime_test.cpp - Opening a device, and what can go wrong ----===//

#include "runtime_lib/core/status.h"
#include "test/unit/cuda_fixture.h"
#include <cstring>
#include <thread>

using namespace onnx_aot::test;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

namespace {

TEST_F(CudaRuntime, Runs) {
  CudaContext context;
  EXPECT_EQ(context.error(), "");
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(context.runOne(program, float(i), 8), float(i) + 1.5f);
  std::vector<float> y;
  EXPECT_EQ(context.run(program, {}, y), uint32_t(ONNX_AOT_OK)) << context.error();
  EXPECT_EQ(context.error(), "");
}

TEST_F(CudaRuntime, OpensOnceAndUploadsTheWeightsOnce) {
  CudaContext context;
  context.runOne(program, 1);
  std::vector<std::string> lines = calls();
  EXPECT_EQ(count(lines, "cuModuleLoadDataEx"), 1u);
  EXPECT_EQ(count(lines, "cuMemcpyHtoDAsync_v2 bytes=256 "), 1u);
  EXPECT_EQ(count(lines, "cuStreamCreate flags=1 "), 1u);
  context.runOne(program, 2);
  lines = calls();
  EXPECT_EQ(count(lines, "cuModuleLoadDataEx") + count(lines, "cuMemcpyHtoDAsync_v2 bytes=256 ") +
                count(lines, "cuInit") + count(lines, "cuStreamCreate") + count(lines, "cuMemAlloc"),
            0u);
}

TEST_F(CudaRuntime, NeedsNoWeights) {
  program.weights.clear();
  CudaContext context;
  ASSERT_EQ(onnx_aot_cuda_open(context.state(), program.get()), uint32_t(ONNX_AOT_OK));
  EXPECT_EQ(onnx_aot_cuda_weights(context.state()), 0u);
  EXPECT_EQ(onnx_aot_cuda_end(context.state()), uint32_t(ONNX_AOT_OK));
  EXPECT_EQ(count(calls(), "cuMem"), 0u);
}

TEST_F(CudaRuntime, ChoosesTheImage) {
  program.add(90, false, addKernel("sm_90", 2));
  program.add(90, true, addKernel("sm_90a", 4));
  const std::pair<int, float> markers[] = {{80, 1}, {86, 1}, {89, 1}, {90, 4}, {100, 2}, {120, 2}};
  for (auto [capability, marker] : markers) {
    restart("cc=" + std::to_string(capability));
    CudaContext context;
    EXPECT_EQ(context.runOne(program, 10), 10.5f + marker) << capability;
  }
  restart("cc=75");
  CudaContext context;
  EXPECT_EQ(context.statusOf(program), uint32_t(ONNX_AOT_DEVICE_UNSUPPORTED));
  EXPECT_EQ(context.error(), "the model is not compiled for this GPU, which has compute capability 7.5, but for 8.0, "
                             "9.0, 9.0a");
}

/// Machine code is for GPUs of its generation that are not older, and PTX for all others.
TEST_F(CudaRuntime, PrefersMachineCode) {
  program.add(90, false, addKernel("sm_90", 2));
  program.add(90, true, addKernel("sm_90a", 4));
  program.add(80, false, asCubin(addKernel("sm_80", 8)), /*isCubin=*/true);
  program.add(86, false, asCubin(addKernel("sm_86", 16)), /*isCubin=*/true);
  program.add(90, true, asCubin(addKernel("sm_90a", 32)), /*isCubin=*/true);
  program.add(90, false, asCubin(addKernel("sm_90", 64)), /*isCubin=*/true);
  const std::pair<int, float> markers[] = {{80, 8}, {86, 16}, {87, 16}, {89, 16}, {90, 32}, {100, 2}};
  for (auto [capability, marker] : markers) {
    restart("cc=" + std::to_string(capability));
    CudaContext context;
    EXPECT_EQ(context.runOne(program, 10), 10.5f + marker) << capability;
    EXPECT_EQ(count(calls(), "cuModuleLoadDataEx"), 1u);
  }
  restart("cc=75");
  CudaContext context;
  EXPECT_EQ(context.statusOf(program), uint32_t(ONNX_AOT_DEVICE_UNSUPPORTED));
  EXPECT_THAT(context.error(), HasSubstr("7.5, but for 8.0, 9.0, 9.0a"));
}

TEST_F(CudaRuntime, TakesPtxWhereMachineCodeIsRefused) {
  program.add(80, false, "\177ELF of another toolkit", /*isCubin=*/true);
  CudaContext context;
  EXPECT_EQ(context.runOne(program, 10), 11.5f);
  EXPECT_EQ(context.error(), "");
  EXPECT_EQ(count(calls(), "cuModuleLoadDataEx"), 2u);
}

/// A driver that is too old for the best image takes one that asks for less.
TEST_F(CudaRuntime, TakesAnOlderImage) {
  program.add(90, true, addKernel("sm_90a", 4, "8.0"));
  restart("cc=90,driver=11080");
  CudaContext context;
  EXPECT_EQ(context.runOne(program, 10), 11.5f);
  EXPECT_EQ(context.error(), "");
  context.close();
  restart("cc=90,driver=11040");
  EXPECT_EQ(context.statusOf(program), uint32_t(ONNX_AOT_DEVICE_UNSUPPORTED));
  EXPECT_THAT(context.error(), HasSubstr("Unsupported .version 7.8"));
  context.close();
  restart("cc=90", "cuModuleLoadDataEx:1:2"); // no memory for it is no reason to take another one
  EXPECT_EQ(context.statusOf(program), uint32_t(ONNX_AOT_DEVICE_OUT_OF_MEMORY));
  EXPECT_EQ(count(calls(), "cuModuleLoadDataEx"), 1u);
}

/// Where a program has a fallback it is asked once, and the reason stays.
TEST_F(CudaRuntime, LeavesTheProgramToItsFallback) {
  program.hasFallback = true;
  const std::pair<const char *, uint32_t> missing[] = {{"count=0", ONNX_AOT_NO_DEVICE},
                                                       {"cc=75", ONNX_AOT_DEVICE_UNSUPPORTED},
                                                       {"driver=11020", ONNX_AOT_DEVICE_UNSUPPORTED},
                                                       {"driver=11070", ONNX_AOT_DEVICE_UNSUPPORTED}};
  for (auto [device, status] : missing) {
    restart(device);
    CudaContext context;
    EXPECT_EQ(context.statusOf(program), status) << device;
    EXPECT_EQ(onnx_aot_context_on_device(&context.context), 0);
    std::string reason = context.error();
    EXPECT_NE(reason, "");
    restart(); // with a device
    EXPECT_EQ(context.statusOf(program), status) << device;
    EXPECT_EQ(context.error(), reason);
    EXPECT_THAT(calls(), IsEmpty());
    CudaProgram other;
    EXPECT_EQ(context.runOne(other, 1), 2.5f);
    EXPECT_EQ(onnx_aot_context_on_device(&context.context), 1);
    EXPECT_EQ(context.error(), "");
  }
  // All other errors are errors.
  restart("memory=100");
  CudaContext context;
  EXPECT_EQ(context.statusOf(program), uint32_t(ONNX_AOT_DEVICE_OUT_OF_MEMORY));
  EXPECT_EQ(context.error(), "cuMemAlloc_v2: CUDA_ERROR_OUT_OF_MEMORY (out of memory) for less than 1 MiB of weights");
  restart();
  EXPECT_EQ(context.runOne(program, 1), 2.5f);
  EXPECT_EQ(onnx_aot_context_on_device(&context.context), 1);
}

TEST_F(CudaRuntime, SpecificImageAloneFitsNoOther) {
  program.texts.clear();
  program.images.clear();
  program.add(90, true, addKernel("sm_90a", 4));
  restart("cc=100");
  CudaContext context;
  EXPECT_EQ(context.statusOf(program), uint32_t(ONNX_AOT_DEVICE_UNSUPPORTED));
}

TEST_F(CudaRuntime, NoDevice) {
  restart("count=0");
  CudaContext context;
  EXPECT_EQ(context.statusOf(program), uint32_t(ONNX_AOT_NO_DEVICE));
  EXPECT_EQ(context.error(), "cuInit: CUDA_ERROR_NO_DEVICE (no CUDA-capable device is detected)");
  restart();
  EXPECT_EQ(context.runOne(program, 1), 2.5f); // one may be plugged in
  EXPECT_EQ(context.error(), "");
}

TEST_F(CudaRuntime, DeviceThatIsBusyMayBeFreeLater) {
  restart("", "cuDevicePrimaryCtxRetain:1:46");
  CudaContext context;
  EXPECT_EQ(context.statusOf(program), uint32_t(ONNX_AOT_DEVICE_ERROR));
  EXPECT_EQ(context.runOne(program, 1), 2.5f);
}

TEST_F(CudaRuntime, DriverIsTooOld) {
  CudaContext context;
  restart("driver=11020");
  EXPECT_EQ(context.statusOf(program), uint32_t(ONNX_AOT_DEVICE_UNSUPPORTED));
  EXPECT_EQ(context.error(), "the driver is too old: it is that of CUDA 11.2, and must be at least that of 11.4");
  restart("driver=11070"); // the PTX is of 11.8
  EXPECT_EQ(context.statusOf(program), uint32_t(ONNX_AOT_DEVICE_UNSUPPORTED));
  EXPECT_THAT(context.error(), HasSubstr("CUDA_ERROR_UNSUPPORTED_PTX_VERSION"));
  EXPECT_THAT(context.error(), HasSubstr("Unsupported .version 7.8"));
  restart("driver=11080");
  EXPECT_EQ(context.statusOf(program), uint32_t(ONNX_AOT_OK)) << context.error();
}

TEST_F(CudaRuntime, CompilerOfTheDriverIsQuoted) {
  program.texts[0] = ".version 7.8\n.target sm_80\n.address_size 64\nnonsense\n";
  CudaContext context;
  EXPECT_EQ(context.statusOf(program), uint32_t(ONNX_AOT_DEVICE_UNSUPPORTED));
  EXPECT_THAT(context.error(),
              HasSubstr("cuModuleLoadDataEx: CUDA_ERROR_INVALID_PTX (a PTX JIT compilation failed)\n"));
  EXPECT_THAT(context.error(), HasSubstr("4"));
}

TEST_F(CudaRuntime, KernelIsMissing) {
  program.kernels.push_back({"subtract", 0});
  CudaContext context;
  EXPECT_EQ(context.statusOf(program), uint32_t(ONNX_AOT_DEVICE_ERROR));
  EXPECT_EQ(context.error(), "cuModuleGetFunction: CUDA_ERROR_NOT_FOUND (named symbol not found) for kernel subtract");
}

TEST_F(CudaRuntime, SharedMemoryAboveWhatAllMayHave) {
  program.kernels[0].shared_bytes = 160u << 10;
  CudaContext context;
  EXPECT_EQ(context.statusOf(program), uint32_t(ONNX_AOT_OK)) << context.error();
  EXPECT_EQ(count(calls(), "cuFuncSetAttribute"), 0u) << "only images for exactly one architecture take it";
  context.close();
  program.images[0].is_specific = 1;
  EXPECT_EQ(context.statusOf(program), uint32_t(ONNX_AOT_OK)) << context.error();
  EXPECT_EQ(count(calls(), "cuFuncSetAttribute attribute=8 value=163840 = 0"), 1u);
  context.close();
  program.kernels[0].shared_bytes = 200u << 10;
  EXPECT_EQ(context.statusOf(program), uint32_t(ONNX_AOT_DEVICE_UNSUPPORTED));
  EXPECT_EQ(context.error(), "the GPU has less shared memory than the 204800 bytes that kernel add needs");
  program.kernels[0].shared_bytes = 48u << 10;
  EXPECT_EQ(context.statusOf(program), uint32_t(ONNX_AOT_OK)) << context.error();
}

/// Extents 64 and 8, one stride, and a box.
TEST_F(CudaRuntime, TensorMaps) {
  constexpr uint64_t kFacts[] = {64, 8, 128, 64, 8}, kUnaligned[] = {64, 8, 120, 64, 8}, kEmpty[] = {64, 0, 128, 64, 8};
  alignas(64) char map[128] = {}, untouched[128] = {};
  auto encode = [&](CudaContext &context, const uint64_t *facts) {
    EXPECT_EQ(onnx_aot_cuda_open(context.state(), program.get()), uint32_t(ONNX_AOT_OK));
    uint64_t address = onnx_aot_cuda_memory(context.state(), 0, 1024);
    onnx_aot_cuda_tensor_map(context.state(), map, address, 2, 2, facts);
    return onnx_aot_cuda_end(context.state());
  };
  CudaContext context;
  EXPECT_EQ(encode(context, kFacts), uint32_t(ONNX_AOT_OK));
  EXPECT_EQ(std::memcmp(map, untouched, sizeof(map)), 0) << "only images for exactly one architecture have them";
  context.close();
  program.images[0].is_specific = 1;
  EXPECT_EQ(encode(context, kEmpty), uint32_t(ONNX_AOT_OK));
  EXPECT_EQ(std::memcmp(map, untouched, sizeof(map)), 0) << "nothing is brought of a tensor without elements";
  EXPECT_EQ(encode(context, kFacts), uint32_t(ONNX_AOT_OK));
  EXPECT_NE(std::memcmp(map, untouched, sizeof(map)), 0);
  EXPECT_EQ(encode(context, kUnaligned), uint32_t(ONNX_AOT_DEVICE_ERROR));
  EXPECT_EQ(context.error(), "cuTensorMapEncodeTiled: CUDA_ERROR_INVALID_VALUE (invalid argument)");
}

TEST_F(CudaRuntime, FirstErrorSticksUntilTheEnd) {
  restart("", "cuLaunchKernel:1:1");
  CudaContext context;
  EXPECT_EQ(context.statusOf(program), uint32_t(ONNX_AOT_DEVICE_ERROR));
  EXPECT_EQ(context.error(), "cuLaunchKernel: CUDA_ERROR_INVALID_VALUE (invalid argument) for kernel add");
  std::vector<std::string> lines = calls();
  EXPECT_EQ(count(lines, "cuMemcpyDtoHAsync_v2"), 0u);
  EXPECT_EQ(count(lines, "cuStreamSynchronize"), 2u); // for the weights, and at the end
  EXPECT_EQ(context.runOne(program, 1), 2.5f);
  EXPECT_EQ(context.error(), "");
}

TEST_F(CudaRuntime, NothingIsDoneAfterAnError) {
  restart("", "cuMemcpyHtoDAsync:2:1");
  CudaContext context;
  uint64_t *state = context.state();
  ASSERT_EQ(onnx_aot_cuda_open(state, program.get()), uint32_t(ONNX_AOT_OK));
  uint64_t memory = onnx_aot_cuda_memory(state, 0, 8);
  EXPECT_NE(memory, 0u);
  onnx_aot_cuda_upload(state, memory, program.weights.data(), 8);
  calls();
  onnx_aot_cuda_upload(state, memory, program.weights.data(), 8);
  EXPECT_EQ(onnx_aot_cuda_memory(state, 0, 8), 0u);
  EXPECT_EQ(onnx_aot_cuda_memory(state, 1, 8), 0u);
  onnx_aot_cuda_copy(state, memory, memory, 8);
  uint64_t key = 0;
  EXPECT_EQ(onnx_aot_cuda_begin_graph(state, &key, 1), 0u);
  onnx_aot_cuda_launch(state, 0, 1, 1, 1, 32, 0, nullptr);
  onnx_aot_cuda_end_graph(state);
  EXPECT_THAT(calls(), IsEmpty());
  EXPECT_EQ(onnx_aot_cuda_wait(state), uint32_t(ONNX_AOT_DEVICE_ERROR));
  EXPECT_EQ(onnx_aot_cuda_memory(state, 0, 8), memory);
  EXPECT_EQ(onnx_aot_cuda_end(state), uint32_t(ONNX_AOT_OK));
}

TEST_F(CudaRuntime, MemoryOfTheDeviceIsExceeded) {
  restart("memory=4096"); // of which the weights take 256
  CudaContext context;
  std::vector<float> y;
  EXPECT_EQ(context.run(program, std::vector<float>(1000), y), uint32_t(ONNX_AOT_DEVICE_OUT_OF_MEMORY));
  EXPECT_EQ(context.error(), "cuMemAlloc_v2: CUDA_ERROR_OUT_OF_MEMORY (out of memory) for less than 1 MiB");
  EXPECT_EQ(context.runOne(program, 1), 2.5f);
}

TEST_F(CudaRuntime, MemoryGrowsWithRoomToSpareWhereThereIsSome) {
  restart("memory=8192");
  CudaContext context;
  uint64_t *state = context.state();
  program.weights.clear();
  ASSERT_EQ(onnx_aot_cuda_open(state, program.get()), uint32_t(ONNX_AOT_OK));
  calls();
  uint64_t first = onnx_aot_cuda_memory(state, 3, 0);
  EXPECT_NE(first, 0u);
  EXPECT_EQ(onnx_aot_cuda_memory(state, 3, 256), first);
  EXPECT_EQ(count(calls(), "cuMemAlloc_v2 bytes=256 = 0"), 1u);
  EXPECT_NE(onnx_aot_cuda_memory(state, 3, 4000), 0u);
  EXPECT_EQ(count(calls(), "cuMemAlloc_v2 bytes=4096 = 0"), 1u);
  EXPECT_NE(onnx_aot_cuda_memory(state, 3, 4097), 0u);
  EXPECT_EQ(count(calls(), "cuMemAlloc_v2 bytes=6144 = 0"), 1u);
  EXPECT_NE(onnx_aot_cuda_memory(state, 3, 8000), 0u);
  std::vector<std::string> lines = calls();
  EXPECT_EQ(count(lines, "cuMemAlloc_v2 bytes=9216 = 2"), 1u);
  EXPECT_EQ(count(lines, "cuMemAlloc_v2 bytes=8192 = 0"), 1u);
  EXPECT_EQ(onnx_aot_cuda_memory(state, 4, UINT64_MAX), 0u);
  EXPECT_EQ(onnx_aot_cuda_end(state), uint32_t(ONNX_AOT_DEVICE_OUT_OF_MEMORY));
}

TEST_F(CudaRuntime, LostDeviceStaysLost) {
  CudaContext context;
  context.runOne(program, 1);
  uint64_t *state = context.state();
  ASSERT_EQ(onnx_aot_cuda_open(state, program.get()), uint32_t(ONNX_AOT_OK));
  float host = 1;
  uint64_t address = reinterpret_cast<uintptr_t>(&host);
  uint32_t size = 1;
  void *params[] = {&address, &address, &address, &size};
  testing::internal::CaptureStderr();
  onnx_aot_cuda_launch(state, 0, 1, 1, 1, 32, 0, params);
  EXPECT_EQ(onnx_aot_cuda_end(state), uint32_t(ONNX_AOT_DEVICE_ERROR));
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("fake CUDA: "));
  const char *text = "cuStreamSynchronize: CUDA_ERROR_ILLEGAL_ADDRESS (an illegal memory access was encountered)";
  EXPECT_EQ(context.error(), text);
  calls();
  EXPECT_EQ(context.statusOf(program), uint32_t(ONNX_AOT_DEVICE_ERROR));
  EXPECT_EQ(context.error(), text);
  EXPECT_THAT(calls(), IsEmpty());
}

TEST_F(CudaRuntime, DeviceIsLostWhileMemoryGrows) {
  CudaContext context;
  context.runOne(program, 1);
  restart("", "cuStreamSynchronize:1:719");
  std::vector<float> y;
  EXPECT_EQ(context.run(program, std::vector<float>(64), y), uint32_t(ONNX_AOT_DEVICE_ERROR)) << context.error();
  EXPECT_THAT(context.error(), HasSubstr("CUDA_ERROR_LAUNCH_FAILED"));
}

TEST_F(CudaRuntime, ErrorsWithoutANameHaveANumber) {
  restart("", "cuMemAlloc:1:12345");
  CudaContext context;
  EXPECT_EQ(context.statusOf(program), uint32_t(ONNX_AOT_DEVICE_ERROR));
  EXPECT_EQ(context.error(), "cuMemAlloc_v2: error 12345 for less than 1 MiB of weights");
  char cut[10];
  EXPECT_EQ(onnx_aot_context_error(&context.context, cut, sizeof cut), 57u);
  EXPECT_STREQ(cut, "cuMemAllo");
  EXPECT_EQ(onnx_aot_context_error(&context.context, cut, 1), 57u);
  EXPECT_STREQ(cut, "");
}

/// Whatever fails, and whenever: a status, nothing left behind, and the next run works unless the device is lost.
TEST_F(CudaRuntime, EachCallMayFail) {
#define NAME(name, parameters) #name,
  const char *const names[] = {ONNX_AOT_CUDA_FUNCTIONS(NAME)};
#undef NAME
  program.weights.assign(128, 0.5f);
  program.kernels[0].shared_bytes = 64u << 10;
  program.images[0].is_specific = 1;
  for (const std::string name : names) {
    if (name == "cuDevicePrimaryCtxRelease_v2" || name == "cuCtxPopCurrent_v2")
      continue; // nothing could be given back then
    if (name.find("Event") != std::string::npos)
      continue; // belong to runs that do not wait
    // What gives back, and what only finds words for an error, may fail unnoticed.
    bool isQuiet =
        name.find("Destroy") != std::string::npos || name.find("cuGetError") == 0 || name == "cuModuleUnload";
    for (int code : {CU_INVALID_VALUE, CU_ILLEGAL_ADDRESS})
      for (int nth : {1, 2, 3}) {
        restart("", name + ":" + std::to_string(nth) + ":" + std::to_string(code));
        CudaContext context;
        size_t failures = 0;
        SCOPED_TRACE(name + " " + std::to_string(nth) + " " + std::to_string(code));
        for (size_t n : {8, 8, 8, 100, 100}) {
          std::vector<float> y;
          uint32_t status = context.run(program, std::vector<float>(n, 1), y);
          if (status == ONNX_AOT_OK)
            EXPECT_EQ(y, std::vector<float>(n, 2.5f));
          else if (!isQuiet && failures == 0)
            EXPECT_THAT(context.error(), testing::AnyOf(HasSubstr(name), HasSubstr("less shared memory")));
          failures += status != ONNX_AOT_OK;
        }
        if (code == CU_INVALID_VALUE)
          EXPECT_LE(failures, 1u) << context.error();
        if (!isQuiet && nth == 1)
          EXPECT_GE(failures, 1u);
        context.close();
        EXPECT_EQ(function<uint64_t()>("onnx_aot_fake_cuda_live")(), 0u);
      }
  }
}

TEST_F(CudaRuntime, HostMemoryMayBeRefused) {
  for (int given = 0; given < 8; ++given) {
    CudaContext context;
    context.refusesAfter = given;
    std::vector<float> y;
    uint32_t status = context.run(program, {1}, y);
    if (status != ONNX_AOT_OK) {
      EXPECT_EQ(status, uint32_t(ONNX_AOT_OUT_OF_MEMORY)) << given;
      EXPECT_THAT(context.error(), HasSubstr("memory")) << given;
    }
    EXPECT_EQ(status == ONNX_AOT_OK, given >= 3) << given;
    context.refusesAfter = -1;
    EXPECT_EQ(context.runOne(program, 1), 2.5f);
  }
}

TEST_F(CudaRuntime, AnotherProgramTakesItsPlace) {
  CudaProgram other;
  other.texts[0] = addKernel("sm_80", 100);
  CudaContext context;
  EXPECT_EQ(context.runOne(program, 1), 2.5f);
  EXPECT_EQ(context.runOne(other, 1), 101.5f);
  EXPECT_EQ(context.runOne(other, 2), 102.5f);
  EXPECT_EQ(context.runOne(program, 1), 2.5f);
  EXPECT_EQ(count(calls(), "cuModuleLoadDataEx"), 3u);
}

TEST_F(CudaRuntime, RestoresTheCurrentContext) {
  restart("count=2");
  cu_context theirs = nullptr, current = nullptr;
  auto getCurrent = function<int(cu_context *)>("cuCtxGetCurrent");
  ASSERT_EQ(function<int(unsigned)>("cuInit")(0), 0);
  ASSERT_EQ(function<int(cu_context *, cu_device)>("cuDevicePrimaryCtxRetain")(&theirs, 1), 0);
  ASSERT_EQ(function<int(cu_context)>("cuCtxPushCurrent_v2")(theirs), 0);
  {
    CudaContext context;
    ASSERT_EQ(onnx_aot_cuda_open(context.state(), program.get()), uint32_t(ONNX_AOT_OK));
    getCurrent(&current);
    EXPECT_NE(current, theirs);
    EXPECT_EQ(onnx_aot_cuda_end(context.state()), uint32_t(ONNX_AOT_OK));
    getCurrent(&current);
    EXPECT_EQ(current, theirs);
    // Opening fails, the second time where all is there.
    CudaProgram missing;
    missing.kernels[0].name = "none";
    EXPECT_EQ(onnx_aot_cuda_open(context.state(), missing.get()), uint32_t(ONNX_AOT_DEVICE_ERROR));
    getCurrent(&current);
    EXPECT_EQ(current, theirs);
    // Destroyed amid a run.
    ASSERT_EQ(onnx_aot_cuda_open(context.state(), program.get()), uint32_t(ONNX_AOT_OK));
  }
  getCurrent(&current);
  EXPECT_EQ(current, theirs);
  function<int(cu_context *)>("cuCtxPopCurrent_v2")(&current);
  EXPECT_EQ(function<int(cu_device)>("cuDevicePrimaryCtxRelease_v2")(1), 0);
}

TEST_F(CudaRuntime, ContextsOfTwoThreads) {
  auto work = [](float marker) {
    CudaProgram program;
    CudaContext context;
    for (int i = 0; i < 30; ++i)
      EXPECT_EQ(context.runOne(program, marker + float(i % 5), size_t(8 << i / 10)), marker + float(i % 5) + 1.5f);
  };
  std::thread first(work, 1000.f), second(work, 2000.f);
  first.join();
  second.join();
}

TEST_F(CudaRuntime, CloseWithoutOpen) {
  CudaContext context;
  onnx_aot_cuda_close(context.state());
  EXPECT_EQ(onnx_aot_cuda_wait(context.state()), uint32_t(ONNX_AOT_DEVICE_ERROR));
  EXPECT_EQ(onnx_aot_cuda_memory(context.state(), 0, 1), 0u);
}

TEST(CudaStatus, HasTexts) {
  std::vector<std::string> texts;
  for (uint32_t code :
       {ONNX_AOT_NO_DEVICE, ONNX_AOT_DEVICE_UNSUPPORTED, ONNX_AOT_DEVICE_OUT_OF_MEMORY, ONNX_AOT_DEVICE_ERROR}) {
    char text[128];
    onnx_aot_format_status(nullptr, nullptr, code, text, sizeof text);
    EXPECT_THAT(text, HasSubstr("GPU"));
    EXPECT_THAT(texts, Not(testing::Contains(text)));
    texts.push_back(text);
  }
}

/// In a process of its own, where no driver has been loaded yet.
TEST(CudaDriverDeathTest, IsMissing) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_EXIT(
      {
        if (void *real = dlopen("libcuda.so.1", RTLD_NOW); real) {
          std::fputs("cannot be loaded; there is a driver here, so nothing is tested", stderr);
          std::_Exit(0);
        }
        CudaProgram program;
        CudaContext context;
        uint32_t status = context.statusOf(program);
        std::fputs(context.error().c_str(), stderr);
        context.close();
        std::_Exit(status == ONNX_AOT_NO_DEVICE ? 0 : 1);
      },
      testing::ExitedWithCode(0), "libcuda.so.1.* cannot be loaded");
}

} // namespace
