//===- header_test.cpp - Generated headers, compiled as C99 and C++ -------===//

#include "compiler/artifact/HeaderWriter.h"
#include "compiler/artifact/Identifiers.h"
#include "test/unit/artifact_fixture.h"
#include <gmock/gmock.h>

using namespace onnx_aot;
using namespace onnx_aot::test;
using testing::HasSubstr;
using testing::Not;

namespace {

TensorInterface tensor(std::string name, std::vector<int64_t> dims, int32_t dtype = 1, uint64_t bytes = 4) {
  TensorInterface result;
  result.name = std::move(name);
  result.dims.assign(dims.begin(), dims.end());
  result.dtype = dtype;
  result.bytes = bytes;
  return result;
}

std::string headerOf(const ModelInterface &model, const std::string &prefix) {
  std::string text;
  llvm::raw_string_ostream os(text);
  writeHeader(model, prefix, os);
  return text;
}

class HeaderTest : public ArtifactTest {
protected:
  /// Compiles sources that include the header first, last, twice and after every other standard header.
  void compiles(const std::string &header) {
    write("m.h", header);
    const std::string flags = " -Wall -Wextra -Wpedantic -Werror -fsyntax-only ";
    write("alone.c", "#include \"m.h\"\n#include \"m.h\"\n");
    write("late.c",
          "#include <complex.h>\n#include <errno.h>\n#include <float.h>\n#include <limits.h>\n#include "
          "<inttypes.h>\n#include <math.h>\n#include <signal.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include "
          "<string.h>\n#include <time.h>\n#include <wchar.h>\n#include \"m.h\"\n");
    for (const char *compiler : {"gcc -std=c99", "gcc -std=gnu17", "clang-22 -std=c99", "clang-22 -std=c23",
                                 "g++ -x c++ -std=c++17", "g++ -x c++ -std=gnu++20", "clang++-22 -x c++ -std=c++11"})
      for (const char *source : {"alone.c", "late.c"})
        EXPECT_EQ(shell(compiler + flags + source), 0) << compiler << "\n"
                                                       << log << header.substr(header.size() - 2500);
  }
};

TEST_F(HeaderTest, HasTheContractsForm) {
  ModelInterface model;
  model.inputs = {tensor("image", {1, 1, 28, 28}, 1, 3136)};
  model.outputs = {tensor("logits", {1, 10}, 1, 40)};
  model.arenaBytes = 12544;
  std::string header = headerOf(model, "mnist");
  EXPECT_THAT(header, HasSubstr("#define MNIST_ARENA_BYTES 12544u"));
  EXPECT_THAT(header, HasSubstr("#define MNIST_ARENA_ALIGN 64u\n"));
  EXPECT_THAT(header, HasSubstr("#define MNIST_INPUT_IMAGE_DIMS {1, 1, 28, 28}\n"));
  EXPECT_THAT(header, HasSubstr("#define MNIST_OUTPUT_LOGITS_DIMS {1, 10}\n"));
  EXPECT_THAT(header, HasSubstr("image: float[1][1][28][28]"));
  EXPECT_THAT(header, HasSubstr("logits: float[1][10]"));
  EXPECT_THAT(header, HasSubstr("arena may be reused between calls, one per thread"));
  EXPECT_THAT(header, HasSubstr("\nonnx_aot_status mnist_run(const float *image, float *logits, void *arena);\n"));
  EXPECT_THAT(header, HasSubstr("\nextern const onnx_aot_model mnist_model;\n"));
  compiles(header);
}

TEST_F(HeaderTest, HasTheRuntimesText) {
  std::string runtime = readFile(ONNX_AOT_TEST_DIR "/../include/onnx_aot/runtime.h");
  ASSERT_FALSE(runtime.empty());
  EXPECT_THAT(headerOf(ModelInterface(), "m"), HasSubstr(llvm::StringRef(runtime).trim().str()));
}

TEST_F(HeaderTest, TakesAnyName) {
  ModelInterface model;
  const char *names[] = {"int",
                         "class",
                         "arena",
                         "arena",
                         "",
                         "1x",
                         "x:0",
                         "x_0",
                         "x/0",
                         "\xe5\x9b\xbe",
                         "*/ int y; /*",
                         "a\nb",
                         "a\\\n",
                         "?\?/",
                         "NULL",
                         "int64_t",
                         "uint8_t",
                         "INT64_MAX",
                         "linux",
                         "m_run",
                         "m_model",
                         "_Bool",
                         "__x",
                         "M_ARENA_BYTES",
                         "ONNX_AOT_FLOAT",
                         "I",
                         "errno",
                         "//",
                         "float",
                         "A",
                         "a",
                         "size_t",
                         "onnx_aot_status",
                         "M_INPUT_A_DIMS",
                         "restrict",
                         "BUFSIZ",
                         "SIGINT",
                         "PATH_MAX",
                         "PRId64",
                         "M_2_PI",
                         "%s%n",
                         "\"quoted\"",
                         "a very long name that goes on and on and on and on"};
  for (const char *name : names)
    model.inputs.push_back(tensor(name, {2, 3}, 7, 48));
  for (const char *name : names)
    model.outputs.push_back(tensor(name, {2, 3}, 7, 48));
  model.graphName = "graph */ ?\?/ \n";
  compiles(headerOf(model, "m"));
}

TEST_F(HeaderTest, TakesAnyTypeAndRank) {
  ModelInterface model;
  for (int32_t dtype = 1; dtype <= 24; ++dtype) {
    model.inputs.push_back(tensor("s" + std::to_string(dtype), {}, dtype, 8));
    model.outputs.push_back(tensor("t" + std::to_string(dtype), {0, 3, 1, 1, 1, 1, 1, 1, 1}, dtype, 0));
  }
  model.inputs.push_back(tensor("big", {3000000000, 4}, 1, 48000000000));
  std::string header = headerOf(model, "Types9");
  EXPECT_THAT(header, HasSubstr("const uint8_t *s9,\n"));   // bool
  EXPECT_THAT(header, HasSubstr("const uint16_t *s10,\n")); // float16
  EXPECT_THAT(header, HasSubstr("const uint16_t *s16,"));   // bfloat16
  EXPECT_THAT(header, HasSubstr("const int64_t *s7,"));
  EXPECT_THAT(header, HasSubstr("s14: float[2] (complex)"));
  // A scalar has no dims to list, and C no empty initializer.
  EXPECT_THAT(header, Not(HasSubstr("_S1_DIMS")));
  EXPECT_THAT(header, HasSubstr("TYPES9_INPUT_S1_RANK 0u"));
  EXPECT_THAT(header, HasSubstr("TYPES9_OUTPUT_T1_RANK 9u"));
  EXPECT_THAT(header, HasSubstr("TYPES9_OUTPUT_T1_DIMS {0, 3, 1, 1, 1, 1, 1, 1, 1}"));
  EXPECT_THAT(header, HasSubstr("TYPES9_ARENA_BYTES 0u"));
  compiles(header);
  compiles(headerOf(ModelInterface(), "none"));
}

TEST(Identifiers, AreDifferentAndReadable) {
  IdentifierSet set;
  EXPECT_EQ(set.make("image"), "image");
  EXPECT_EQ(set.make("image"), "image_2");
  EXPECT_EQ(set.make("image_2"), "image_2_2");
  EXPECT_EQ(set.make("x:0"), "x_0");
  EXPECT_EQ(set.make("1x"), "t1x");
  EXPECT_EQ(set.make("int"), "int_");
  EXPECT_EQ(set.make("int"), "int_2");
  EXPECT_EQ(set.make("BUFSIZ"), "BUFSIZ_");
  EXPECT_EQ(set.make("X"), "X");
  EXPECT_EQ(set.make(""), "t");
  EXPECT_EQ(set.make("__a__b__"), "a_b");
  EXPECT_EQ(set.makeMacroPart("0"), "0");
  EXPECT_EQ(set.makeMacroPart("int"), "INT");
}

TEST(Identifiers, CommentsStayComments) {
  EXPECT_EQ(commentText("a*/b"), "a* /b");
  EXPECT_EQ(commentText("?\?/"), "? ?/");
  EXPECT_EQ(commentText("a\nb\\"), "a\\x0ab\\x5c");
}

} // namespace
