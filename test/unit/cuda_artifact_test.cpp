//===- cuda_artifact_test.cpp - An object that carries the CUDA runtime ---===//
//
// Code that calls platform/cuda, as the compiler emits it, becomes an object that stands alone and loads the driver by
// itself.
//
//===----------------------------------------------------------------------===//

#include "test/unit/artifact_fixture.h"
#include "test/unit/cuda_fixture.h"

using namespace onnx_aot;
using namespace onnx_aot::test;
using testing::HasSubstr;

namespace {

const char *const buffers = R"mlir(
func.func @main(%x: memref<4xf32> {onnx.name = "x"}, %y: memref<4xf32> {onnx.name = "y", bufferize.result},
                %arena: memref<0xi8>, %ctx: i64 {aot.context}) -> i32 attributes {aot.slots = 1 : i64} {
  %0 = "x.y"() : () -> i32
  return %0 : i32
}
)mlir";

std::string asConstant(const std::string &text) {
  std::string result;
  for (char c : text)
    result += c == '\n' ? "\\0A" : std::string(1, c);
  return "c\"" + result + "\\00\"";
}

std::string arrayType(const std::string &text) { return "[" + std::to_string(text.size() + 1) + " x i8]"; }

/// y = x + 0.5 + 1 by one kernel.
std::string code() {
  std::string ptx = addKernel("sm_80", 1);
  return "@ptx = private constant " + arrayType(ptx) + " " + asConstant(ptx) + "\n@name = private constant [4 x i8] " +
         asConstant("add") + R"llvm(
@halves = private constant [4 x float] [float 0.5, float 0.5, float 0.5, float 0.5]
@images = private constant [1 x { i32, i32, i32, ptr, i64 }] [{ i32, i32, i32, ptr, i64 } { i32 80, i32 0, i32 0, ptr @ptx, i64 )llvm" +
         std::to_string(ptx.size()) + R"llvm( }]
@kernels = private constant [1 x { ptr, i32 }] [{ ptr, i32 } { ptr @name, i32 0 }]
@program = private constant { i32, i32, ptr, ptr, ptr, i64, i32 }
  { i32 1, i32 1, ptr @images, ptr @kernels, ptr @halves, i64 16, i32 0 }
declare i32 @onnx_aot_cuda_open(ptr, ptr)
declare i64 @onnx_aot_cuda_memory(ptr, i32, i64)
declare i64 @onnx_aot_cuda_weights(ptr)
declare void @onnx_aot_cuda_upload(ptr, i64, ptr, i64)
declare void @onnx_aot_cuda_download(ptr, ptr, i64, i64)
declare i32 @onnx_aot_cuda_begin_graph(ptr, ptr, i32)
declare void @onnx_aot_cuda_end_graph(ptr)
declare void @onnx_aot_cuda_launch(ptr, i32, i32, i32, i32, i32, i32, ptr)
declare i32 @onnx_aot_cuda_end(ptr)
define i32 @main(ptr %x, ptr %y, ptr %arena, ptr %ctx) {
  %cells = alloca [4 x i64]
  %params = alloca [4 x ptr]
  %status = call i32 @onnx_aot_cuda_open(ptr %ctx, ptr @program)
  %failed = icmp ne i32 %status, 0
  br i1 %failed, label %fail, label %work
fail:
  ret i32 %status
work:
  %in = call i64 @onnx_aot_cuda_memory(ptr %ctx, i32 0, i64 16)
  %out = call i64 @onnx_aot_cuda_memory(ptr %ctx, i32 1, i64 16)
  %weights = call i64 @onnx_aot_cuda_weights(ptr %ctx)
  %inp = getelementptr [4 x i64], ptr %cells, i64 0, i64 1
  %weightsp = getelementptr [4 x i64], ptr %cells, i64 0, i64 2
  %countp = getelementptr [4 x i64], ptr %cells, i64 0, i64 3
  store i64 %out, ptr %cells
  store i64 %in, ptr %inp
  store i64 %weights, ptr %weightsp
  store i32 4, ptr %countp
  %p1 = getelementptr [4 x ptr], ptr %params, i64 0, i64 1
  %p2 = getelementptr [4 x ptr], ptr %params, i64 0, i64 2
  %p3 = getelementptr [4 x ptr], ptr %params, i64 0, i64 3
  store ptr %cells, ptr %params
  store ptr %inp, ptr %p1
  store ptr %weightsp, ptr %p2
  store ptr %countp, ptr %p3
  call void @onnx_aot_cuda_upload(ptr %ctx, i64 %in, ptr %x, i64 16)
  %replayed = call i32 @onnx_aot_cuda_begin_graph(ptr %ctx, ptr %cells, i32 2)
  %issue = icmp eq i32 %replayed, 0
  br i1 %issue, label %launch, label %read
launch:
  call void @onnx_aot_cuda_launch(ptr %ctx, i32 0, i32 1, i32 1, i32 1, i32 32, i32 0, ptr %params)
  call void @onnx_aot_cuda_end_graph(ptr %ctx)
  br label %read
read:
  call void @onnx_aot_cuda_download(ptr %ctx, ptr %y, i64 %out, i64 16)
  %end = call i32 @onnx_aot_cuda_end(ptr %ctx)
  ret i32 %end
}
)llvm";
}

const char *const program = R"cpp(
#include "gpu.h"
#include <cstdio>
#include <onnx_aot/model.hpp>
int main() {
  onnx_aot::Model model(gpu_model);
  std::vector<float> x = {1, 2, 3, 4}, y(4);
  for (int i = 0; i < 4; ++i) {
    x[0] = float(i);
    if (auto status = model.run({onnx_aot::input(x)}, {onnx_aot::output(y)}); !status) {
      std::printf("%s: %s\n", status.text().c_str(), model.deviceError().c_str());
      return 1;
    }
    if (y[0] != float(i) + 1.5f || y[3] != 5.5f || !model.deviceError().empty() || !model.onDevice())
      return 2;
  }
  std::puts("fine");
}
)cpp";

TEST_F(ArtifactTest, ObjectDrivesTheDevice) {
  ASSERT_TRUE(build(options("gpu.o", OutputKind::Object, "gpu"), code(), buffers)) << errors;
  ASSERT_EQ(shell("nm -u gpu.o"), 0);
  EXPECT_THAT(log, HasSubstr("dlopen"));
  EXPECT_THAT(log, HasSubstr("dlsym"));
  EXPECT_EQ(log.find("onnx_aot"), std::string::npos) << log;

  write("main.cpp", program);
  ASSERT_EQ(shell("c++ -std=c++17 -O1 -Wall -Wextra -Wpedantic -Werror -I '" ONNX_AOT_TEST_DIR
                  "/../include' main.cpp gpu.o -o run"),
            0)
      << log;
  const std::string run = "env ONNX_AOT_FAKE_CUDA_LEAKS=1 LD_LIBRARY_PATH=$(dirname " ONNX_AOT_FAKE_CUDA ") ";
  EXPECT_EQ(shell(run + "./run"), 0);
  EXPECT_EQ(log, "fine\n");
  EXPECT_NE(shell(run + "ONNX_AOT_FAKE_CUDA_DEVICE=cc=75 ./run"), 0);
  EXPECT_EQ(log, "gpu: the model is not compiled for this GPU, or its driver is too old: the model is not compiled for "
                 "this GPU, which has compute capability 7.5, but for 8.0\n");
  EXPECT_NE(shell(run + "ONNX_AOT_FAKE_CUDA_FAIL=cuGraphLaunch:2:999 ./run"), 0);
  EXPECT_EQ(log, "gpu: the GPU or its driver failed: cuGraphLaunch: CUDA_ERROR_UNKNOWN (unknown error)\n");
}

TEST_F(ArtifactTest, SharedLibraryDrivesTheDevice) {
  CompilerOptions chosen = options("gpu.so", OutputKind::SharedLibrary, "gpu");
  ASSERT_TRUE(build(chosen, code(), buffers)) << errors;
  write("main.cpp", program);
  ASSERT_EQ(shell("c++ -std=c++17 -I '" ONNX_AOT_TEST_DIR "/../include' main.cpp ./gpu.so -o run"), 0) << log;
  EXPECT_EQ(shell("LD_LIBRARY_PATH=.:$(dirname " ONNX_AOT_FAKE_CUDA ") ./run"), 0);
  EXPECT_EQ(log, "fine\n");
}

} // namespace
