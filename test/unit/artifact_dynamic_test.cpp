//===- artifact_dynamic_test.cpp - Dims, sizes and contexts in the C interface ----===//

#include "test/unit/artifact_fixture.h"
#include <gmock/gmock.h>

using namespace onnx_aot;
using namespace onnx_aot::test;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

/// y = x of [batch][2]; z, as many ones as x[0] says, in memory of the context. The arena has batch * 64 bytes.
const char *const dynamicBuffers = R"mlir(
func.func @arena_bytes(%b: index) -> index { %0 = "x.y"() : () -> index
 return %0 : index }
func.func @main(%x: memref<f32> {onnx.name = "x", aot.tensor = tensor<?x2xf32>, aot.dims = array<i64: -1, 2>},
                %y: memref<f32> {onnx.name = "y", bufferize.result, aot.tensor = tensor<?x2xf32>,
                                 aot.dims = array<i64: -1, 2>, aot.max_dims = array<i64: 8, 2>},
                %z: memref<i64> {onnx.name = "z", bufferize.result, aot.tensor = tensor<?xf32>, aot.slot,
                                 aot.dims = array<i64: -9223372036854775808>,
                                 aot.max_dims = array<i64: 9223372036854775807>},
                %b: index {aot.dim = "batch size", aot.bounds = array<i64: 1, 8>},
                %yd: memref<2xi64> {aot.dims_of = 0 : i64}, %zd: memref<1xi64> {aot.dims_of = 1 : i64},
                %arena: memref<i8> {aot.arena}, %ctx: i64 {aot.context}) -> i32
    attributes {aot.arena_function = @arena_bytes, aot.slots = 1 : i64} {
  %0 = "x.y"() : () -> i32
  return %0 : i32
}
)mlir";

const char *const dynamicCode = R"llvm(
declare ptr @onnx_aot_context_slot(ptr, i64, i64)
define i64 @arena_bytes(i64 %b) {
  %bytes = mul i64 %b, 64
  %large = icmp ugt i64 %b, 8
  %r = select i1 %large, i64 -1, i64 %bytes
  ret i64 %r
}
define i32 @output_dims(i64 %b, ptr %yd, ptr %zd) {
  %bad = icmp ugt i64 %b, 8
  br i1 %bad, label %fail, label %good
fail:
  ret i32 16
good:
  store i64 %b, ptr %yd
  %yd1 = getelementptr i64, ptr %yd, i64 1
  store i64 2, ptr %yd1
  store i64 -1, ptr %zd
  ret i32 0
}
define i32 @main(ptr %x, ptr %y, ptr %z, i64 %b, ptr %yd, ptr %zd, ptr %arena, ptr %ctx) {
entry:
  store i64 %b, ptr %yd
  %yd1 = getelementptr i64, ptr %yd, i64 1
  store i64 2, ptr %yd1
  %n = mul i64 %b, 8
  call void @llvm.memcpy.p0.p0.i64(ptr %y, ptr %x, i64 %n, i1 false)
  %x0 = load float, ptr %x
  %count = fptosi float %x0 to i64
  %bytes = mul i64 %count, 4
  %slot = call ptr @onnx_aot_context_slot(ptr %ctx, i64 0, i64 %bytes)
  %none = icmp eq ptr %slot, null
  br i1 %none, label %fail, label %fill
fail:
  ret i32 24
fill:
  store i64 %count, ptr %zd
  %address = ptrtoint ptr %slot to i64
  store i64 %address, ptr %z
  br label %loop
loop:
  %i = phi i64 [ 0, %fill ], [ %next, %body ]
  %more = icmp slt i64 %i, %count
  br i1 %more, label %body, label %exit
body:
  %p = getelementptr float, ptr %slot, i64 %i
  store float 1.0, ptr %p
  %next = add i64 %i, 1
  br label %loop
exit:
  ret i32 0
}
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
)llvm";

const char *const program = R"c(
#include "dyn.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static int fail(int line) { printf("line %d\n", line); return 1; }
static int blocks, refuse;
static void *grab(void *user, uint64_t bytes) { return refuse ? NULL : (++*(int *)user, malloc((size_t)bytes)); }
static void drop(void *user, void *memory) { --*(int *)user; free(memory); }
_Alignas(64) static char arena[8 * 64];
int main(void) {
  float x[] = {3, 1, 2, 4}, y[16] = {0}, *z = NULL;
  int64_t y_dims[2], z_dims[1];
  onnx_aot_context ctx;
  const onnx_aot_model *m = &dyn_model;
  onnx_aot_context_init(&ctx, grab, drop, &blocks);
  if (DYN_DIM_BATCH_SIZE_MIN != 1 || DYN_DIM_BATCH_SIZE_MAX != 8) return fail(__LINE__);
  if (DYN_INPUT_X_MAX_BYTES != 64 || DYN_OUTPUT_Y_MAX_BYTES != 64) return fail(__LINE__);
  if (dyn_arena_bytes(2) != 128 || dyn_arena_bytes(9) != SIZE_MAX) return fail(__LINE__);
  if (dyn_output_dims(2, y_dims, z_dims) || y_dims[0] != 2 || y_dims[1] != 2 || z_dims[0] != -1) return fail(__LINE__);
  if (dyn_output_dims(9, y_dims, z_dims) != ONNX_AOT_DIM_OUT_OF_BOUNDS) return fail(__LINE__);
  if (dyn_run(x, y, &z, 2, y_dims, z_dims, arena, &ctx)) return fail(__LINE__);
  if (y_dims[0] != 2 || z_dims[0] != 3 || y[3] != 4 || !z || z[2] != 1) return fail(__LINE__);
  if ((uintptr_t)z % 64 != 0) return fail(__LINE__);
  x[0] = 1000; /* the slot grows, and is large enough the next time */
  if (dyn_run(x, y, &z, 2, y_dims, z_dims, arena, &ctx) || z_dims[0] != 1000 || z[999] != 1) return fail(__LINE__);
  int before = blocks;
  float *same = z;
  if (dyn_run(x, y, &z, 2, y_dims, z_dims, arena, &ctx) || blocks != before || z != same) return fail(__LINE__);
  refuse = 1;
  x[0] = 100000;
  if (dyn_run(x, y, &z, 2, y_dims, z_dims, arena, &ctx) != ONNX_AOT_OUT_OF_MEMORY || z) return fail(__LINE__);
  refuse = 0;
  if (dyn_run(x, y, &z, 2, y_dims, z_dims, arena, NULL) != ONNX_AOT_NULL_ARGUMENT) return fail(__LINE__);
  if (dyn_run(x, y, NULL, 2, y_dims, z_dims, arena, &ctx) != ONNX_AOT_NULL_ARGUMENT) return fail(__LINE__);
  if (dyn_run(x, y, &z, 2, y_dims, NULL, arena, &ctx) != ONNX_AOT_NULL_ARGUMENT) return fail(__LINE__);
  if (dyn_run(NULL, y, &z, 2, y_dims, z_dims, arena, &ctx) != ONNX_AOT_NULL_ARGUMENT) return fail(__LINE__);
  if (dyn_run(x, y, &z, 2, y_dims, z_dims, arena + 4, &ctx) != ONNX_AOT_ARENA_ALIGNMENT) return fail(__LINE__);

  /* The same through the description. */
  const void *in[] = {x};
  void *out[] = {y, &z};
  int64_t dims[] = {2}, *out_dims[] = {y_dims, z_dims};
  uint64_t bytes = 0;
  x[0] = 3;
  if (m->num_dims != 1 || m->num_slots != 1 || m->arena_bytes != ONNX_AOT_UNBOUNDED) return fail(__LINE__);
  if (strcmp(m->dims[0].name, "batch size") || m->dims[0].min != 1 || m->dims[0].max != 8) return fail(__LINE__);
  if (m->inputs[0].flags != ONNX_AOT_TENSOR_DYNAMIC || m->inputs[0].dims[0] != -1) return fail(__LINE__);
  if (m->outputs[1].flags != (ONNX_AOT_TENSOR_DYNAMIC | ONNX_AOT_TENSOR_IN_CONTEXT)) return fail(__LINE__);
  if (m->outputs[1].dims[0] != ONNX_AOT_DIM_COMPUTED || m->outputs[1].bytes != ONNX_AOT_UNBOUNDED) return fail(__LINE__);
  if (m->outputs[0].bytes != 64 || m->outputs[0].element_bytes != 4) return fail(__LINE__);
  if (m->plan(dims, &bytes, out_dims) || bytes != 128 || z_dims[0] != -1) return fail(__LINE__);
  if (m->entry(in, out, dims, out_dims, arena, &ctx) || z_dims[0] != 3) return fail(__LINE__);
  dims[0] = 9;
  if (m->plan(dims, &bytes, out_dims) != ONNX_AOT_DIM_OUT_OF_BOUNDS) return fail(__LINE__);
  if (m->plan(NULL, &bytes, out_dims) != ONNX_AOT_NULL_ARGUMENT) return fail(__LINE__);
  m->context_destroy(&ctx);
  if (blocks != 0) return fail(__LINE__);
  puts("fine");
  return 0;
}
)c";

const char *const wrapper = R"cpp(
#include "dyn.h"
#include <onnx_aot/model.hpp>
#include <array>
#include <cstdio>
static int fail(int line) { std::printf("line %d\n", line); return 1; }
int main() {
  onnx_aot::Model model(dyn_model);
  std::vector<float> x = {5, 1, 2, 4};
  std::array<std::int64_t, 1> batch = {2};
  if (!model.valid() || !model.plan(batch) || model.outputBytes(0) != 16) return fail(__LINE__);
  if (model.outputBytes(1) != onnx_aot::Model::npos || !model.output(1).isDynamic()) return fail(__LINE__);
  std::vector<float> y(model.outputBytes(0) / sizeof(float));
  onnx_aot::Model moved(std::move(model));
  auto status = moved.run({onnx_aot::input(x)}, {onnx_aot::output(y), onnx_aot::OutputView::inContext()}, batch);
  if (!status) return std::puts(status.text().c_str()), fail(__LINE__);
  if (y != x || moved.outputDims(1)[0] != 5 || moved.outputBytes(1) != 20) return fail(__LINE__);
  if (static_cast<const float *>(moved.outputData(1))[4] != 1) return fail(__LINE__);
  batch[0] = 3;
  if (moved.run({onnx_aot::input(x)}, {onnx_aot::output(y), onnx_aot::OutputView::inContext()}, batch)) return fail(__LINE__);
  batch[0] = 9;
  if (moved.plan(batch).raw() != ONNX_AOT_DIM_OUT_OF_BOUNDS) return fail(__LINE__);
  return 0;
}
)cpp";

const std::string include = std::string("-I '") + ONNX_AOT_TEST_DIR + "/../include' ";

TEST_F(ArtifactTest, DynamicModelRunsAtEverySize) {
  ASSERT_TRUE(build(options("dyn.o", OutputKind::Object, "dyn"), dynamicCode, dynamicBuffers)) << errors;
  write("main.c", program);
  ASSERT_EQ(shell("cc -std=c11 -O1 -Wall -Wextra -Wpedantic -Werror main.c dyn.o -o run && ./run"), 0) << log;
  ASSERT_EQ(shell("nm -u dyn.o"), 0);
  EXPECT_EQ(log.find("onnx_aot"), std::string::npos) << log;
  ASSERT_EQ(shell("nm -g --defined-only dyn.o | cut -d' ' -f3 | sort"), 0);
  EXPECT_EQ(log, "dyn_arena_bytes\ndyn_model\ndyn_output_dims\ndyn_run\nonnx_aot_context_destroy\n"
                 "onnx_aot_context_error\nonnx_aot_context_init\nonnx_aot_context_on_device\n"
                 "onnx_aot_context_set_stream\nonnx_aot_context_slot\nonnx_aot_status_text\n");
  write("main.cpp", wrapper);
  ASSERT_EQ(shell("c++ -std=c++17 -O1 -Wall -Wextra -Wpedantic -Werror " + include + "main.cpp dyn.o -o run && ./run"),
            0)
      << log;
  std::string header = readFile(in("dyn.h"));
  EXPECT_THAT(header, HasSubstr("x: float[batch_size][2];\n * y: float[batch_size][2];\n"));
  EXPECT_THAT(header, HasSubstr("z: float[z_dims[0]] in memory of ctx"));
  EXPECT_THAT(header, HasSubstr("batch_size (\"batch size\"): 1 to 8"));
}

TEST_F(ArtifactTest, DynamicInterfaceIsRead) {
  auto model = interface(dynamicBuffers);
  ASSERT_TRUE(mlir::succeeded(model));
  ASSERT_EQ(model->dims.size(), 1u);
  EXPECT_EQ(model->dims[0].max, 8);
  EXPECT_THAT(model->inputs[0].dims, ElementsAre(-1, 2));
  EXPECT_EQ(model->inputs[0].bytes, 64u);
  EXPECT_TRUE(model->outputs[1].isInContext);
  EXPECT_EQ(model->outputs[1].bytes, TensorInterface::unbounded);
  EXPECT_EQ(model->arenaFunction, "arena_bytes");
  EXPECT_EQ(model->slots, 1u);
}

} // namespace
