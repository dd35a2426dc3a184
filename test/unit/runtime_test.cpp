//===- runtime_test.cpp - The status text and the C++ wrapper -------------===//

#include "onnx_aot/model.hpp"
#include "runtime_lib/core/status.h"
#include "test/unit/artifact_fixture.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace onnx_aot::test;
using testing::HasSubstr;

namespace {

std::string formatted(const char *model, const char *node, uint32_t status) {
  char text[128];
  uint64_t length = onnx_aot_format_status(model, node, status, text, sizeof(text));
  EXPECT_EQ(length, std::string(text).size());
  return text;
}

TEST(StatusText, SaysWhat) {
  EXPECT_EQ(formatted(nullptr, nullptr, 0), "ok");
  EXPECT_EQ(formatted("m", nullptr, 1), "m: an input, output or arena pointer is NULL");
  EXPECT_EQ(formatted("m", "conv", (1u << 8) | 2u), "m: node \"conv\": the arena is not aligned as the model needs");
  EXPECT_EQ(formatted("m", "", (1u << 8) | 2u), "m: node #0: the arena is not aligned as the model needs");
  EXPECT_EQ(formatted("m", nullptr, 0xffffffffu), "m: node #16777214: unknown status code 255");
}

TEST(StatusText, IsCutOff) {
  for (uint64_t size = 0; size <= 8; ++size) {
    std::string buffer(10, '#');
    EXPECT_EQ(onnx_aot_format_status("mod", nullptr, 0, buffer.data(), size), 7u);
    std::string expected = std::string("mod: ok").substr(0, size == 0 ? 0 : size - 1);
    if (size != 0)
      expected += '\0';
    EXPECT_EQ(buffer, expected + std::string(10 - expected.size(), '#')) << size;
  }
  EXPECT_EQ(onnx_aot_format_status("mod", nullptr, 0, nullptr, 0), 7u);
  EXPECT_EQ(onnx_aot_format_status("mod", nullptr, 0, nullptr, 5), 7u);
}

/// A model in C++: adds one to four floats, by way of the arena.
onnx_aot_status addOne(const void *const *inputs, void *const *outputs, const int64_t *, int64_t *const *, void *arena,
                       onnx_aot_context *) {
  if (reinterpret_cast<uintptr_t>(arena) % 64 != 0)
    return ONNX_AOT_ARENA_ALIGNMENT;
  auto *x = static_cast<const float *>(inputs[0]);
  auto *scratch = static_cast<float *>(arena), *y = static_cast<float *>(outputs[0]);
  for (int i = 0; i < 4; ++i)
    scratch[i] = x[i] + 1;
  for (int i = 0; i < 4; ++i)
    y[i] = scratch[i];
  return ONNX_AOT_OK;
}

struct Described {
  int64_t dims[2] = {2, 2};
  onnx_aot_tensor_info input = {"x", dims, 16, ONNX_AOT_FLOAT, 2, 0, 4};
  onnx_aot_tensor_info output = {"y", dims, 16, ONNX_AOT_FLOAT, 2, 0, 4};
  onnx_aot_key_value metadata = {"author", "someone"};
  const char *node = "add";
  onnx_aot_model model = {};

  Described() {
    model.abi_version = ONNX_AOT_ABI_VERSION;
    model.num_inputs = model.num_outputs = model.num_metadata = model.num_nodes = 1;
    model.arena_align = 64;
    model.arena_bytes = 16;
    model.name = "plus";
    model.inputs = &input;
    model.outputs = &output;
    model.metadata = &metadata;
    model.node_names = &node;
    model.entry = addOne;
  }
};

TEST(ModelWrapper, Runs) {
  Described described;
  onnx_aot::Model model(described.model);
  ASSERT_TRUE(model.valid());
  std::vector<float> x = {1, 2, 3, 4}, y(4);
  EXPECT_TRUE(model.run({onnx_aot::input(x)}, {onnx_aot::output(y)}));
  EXPECT_EQ(y, (std::vector<float>{2, 3, 4, 5}));
  onnx_aot::Model moved(std::move(model));
  EXPECT_FALSE(model.valid());
  EXPECT_TRUE(moved.run({onnx_aot::input(x.data(), 4)}, {onnx_aot::output(y.data(), 4)}));
  EXPECT_FALSE(model.run({onnx_aot::input(x)}, {onnx_aot::output(y)}));
  model = std::move(moved);
  EXPECT_TRUE(model.run({onnx_aot::input(x)}, {onnx_aot::output(y)}));
}

TEST(ModelWrapper, ChecksBuffers) {
  Described described;
  onnx_aot::Model model(described.model);
  std::vector<float> x(4), y(4), three(3);
  std::vector<int32_t> ints(4);
  std::vector<unsigned char> bytes(16);
  EXPECT_THAT(model.run({}, {onnx_aot::output(y)}).text(), HasSubstr("plus: wrong number"));
  EXPECT_THAT(model.run({onnx_aot::input(three)}, {onnx_aot::output(y)}).text(), HasSubstr("\"x\": the buffer has"));
  EXPECT_THAT(model.run({onnx_aot::input(x)}, {onnx_aot::output(ints)}).text(),
              HasSubstr("\"y\": the buffer's element"));
  EXPECT_TRUE(model.run({onnx_aot::input(bytes)}, {onnx_aot::output(y)}));
  onnx_aot::Status status(&described.model, (1u << 8) | ONNX_AOT_NULL_ARGUMENT);
  EXPECT_FALSE(status);
  EXPECT_EQ(status.text(), "plus: node \"add\": an input, output or arena pointer is NULL");
}

TEST(ModelWrapper, Describes) {
  Described described;
  onnx_aot::Model model(described.model);
  EXPECT_EQ(model.findInput("x"), 0u);
  EXPECT_EQ(model.findInput("y"), onnx_aot::Model::npos);
  EXPECT_EQ(model.findOutput("y"), 0u);
  EXPECT_EQ(model.input(0).size(), 4u);
  EXPECT_EQ(model.input(0).dims()[1], 2);
  EXPECT_EQ(model.output(0).dtype(), ONNX_AOT_FLOAT);
  EXPECT_EQ(model.metadata("author"), "someone");
  EXPECT_EQ(model.metadata("none"), "");
}

using RuntimeTest = ArtifactTest;

TEST_F(RuntimeTest, WrapperWorksWithAGeneratedHeader) {
  ASSERT_TRUE(build(options("tiny.o", onnx_aot::OutputKind::Object))) << errors;
  write("main.cpp", R"c(
#include "tiny.h"
#include "onnx_aot/model.hpp"
#include <array>
#include <cstdio>
int main() {
  onnx_aot::Model model(tiny_model);
  std::array<float, 4> x = {1, 2, 3, 4}, y = {};
  onnx_aot::Status status = model.run({onnx_aot::input(x)}, {onnx_aot::output(y)});
  if (!status) std::puts(status.text().c_str());
  return status && y[3] == 16.5f && model.findOutput("y") == 0 ? 0 : 1;
}
)c");
  const std::string include = " -I" ONNX_AOT_TEST_DIR "/../include ";
  for (const char *compiler : {"g++ -std=c++17", "clang++-22 -std=c++20 -fno-exceptions -fno-rtti"})
    EXPECT_EQ(shell(compiler + include + "-Wall -Wextra -Wpedantic -Wshadow -Werror main.cpp tiny.o -o run && ./run"),
              0)
        << log;
}

} // namespace
