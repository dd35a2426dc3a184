//===- artifact_interface_test.cpp - What is read from the buffer stage's module -===//

#include "compiler/artifact/WeightsWriter.h"
#include "test/unit/artifact_fixture.h"
#include <gmock/gmock.h>

using namespace onnx_aot;
using namespace onnx_aot::test;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

class InterfaceTest : public ArtifactTest {
protected:
  /// The message that the module is refused with.
  std::string refused(const std::string &text) {
    std::string message;
    mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &diagnostic) {
      message += diagnostic.str();
      return mlir::success();
    });
    EXPECT_TRUE(mlir::failed(interface(text)));
    return message;
  }
  std::string entry(const std::string &arguments, const std::string &result = "i32") {
    return "func.func @main(" + arguments + ") -> " + result + " { %0 = \"x.y\"() : () -> " + result +
           "\n return %0 : " + result + "}";
  }
  std::string weights(const std::string &bytes, const std::string &slices) {
    return "memref.global \"private\" @weights : memref<" + bytes + "xi8> {aot.slices = [" + slices + "]}\n" +
           entry("%a: memref<0xi8>");
  }
  std::vector<unsigned char> image(const std::string &bytes, const std::string &slices, bool bigEndian = false) {
    auto model = interface(weights(bytes, slices));
    EXPECT_TRUE(mlir::succeeded(model));
    if (mlir::failed(model))
      return {};
    std::vector<char> result(model->weightBytes);
    writeWeights(*model, result, bigEndian);
    return {result.begin(), result.end()};
  }
};

TEST_F(InterfaceTest, ReadsEverything) {
  auto model = interface();
  ASSERT_TRUE(mlir::succeeded(model));
  ASSERT_EQ(model->inputs.size(), 1u);
  ASSERT_EQ(model->outputs.size(), 1u);
  EXPECT_EQ(model->inputs[0].name, "x");
  EXPECT_THAT(model->inputs[0].dims, ElementsAre(2, 2));
  EXPECT_EQ(model->inputs[0].bytes, 16u);
  EXPECT_EQ(model->outputs[0].name, "y");
  EXPECT_EQ(model->arenaBytes, 64u);
  EXPECT_EQ(model->weightBytes, 80u);
  EXPECT_EQ(model->slices.size(), 2u);
  EXPECT_EQ(model->graphName, "tiny");
  EXPECT_EQ(model->modelVersion, 7);
  EXPECT_THAT(model->nodeNames, ElementsAre("conv1", "relu"));
  EXPECT_EQ(model->metadata.size(), 2u);
}

TEST_F(InterfaceTest, DtypesFollowTheBuffersWhenNotGiven) {
  auto model = interface(entry("%a: memref<f16>, %b: memref<3xbf16>, %c: memref<2xi64>, %d: memref<5xi4>, "
                               "%e: memref<2xcomplex<f32>> {aot.output}, %f: memref<0xi8>"));
  ASSERT_TRUE(mlir::succeeded(model));
  std::vector<int> dtypes, bytes;
  for (auto &tensor : model->inputs) {
    dtypes.push_back(tensor.dtype);
    bytes.push_back(int(tensor.bytes));
  }
  EXPECT_THAT(dtypes, ElementsAre(10, 16, 7, 22));
  EXPECT_THAT(bytes, ElementsAre(2, 6, 16, 3));
  EXPECT_EQ(model->outputs[0].dtype, 14);
  EXPECT_EQ(model->outputs[0].bytes, 16u);
}

TEST_F(InterfaceTest, RefusesWhatIsNotAnEntry) {
  EXPECT_THAT(refused(""), HasSubstr("no entry"));
  EXPECT_THAT(refused("func.func private @main() -> i32"), HasSubstr("no body"));
  EXPECT_THAT(refused(entry("%a: memref<4xi8>", "f32")), HasSubstr("status"));
  EXPECT_THAT(refused(entry("")), HasSubstr("arena"));
  EXPECT_THAT(refused(entry("%a: memref<?xi8>")), HasSubstr("arena"));
  EXPECT_THAT(refused(entry("%a: memref<?xf32>, %b: memref<4xi8>")), HasSubstr("static"));
  EXPECT_THAT(refused(entry("%a: memref<4xf32, strided<[2]>>, %b: memref<4xi8>")), HasSubstr("dense"));
  EXPECT_THAT(refused(entry("%a: memref<4xf32> {aot.output}, %b: memref<4xf32>, %c: memref<4xi8>")),
              HasSubstr("follows"));
  EXPECT_THAT(refused(entry("%a: memref<9223372036854775807x9223372036854775807xf32>, %b: memref<4xi8>")),
              HasSubstr("overflows"));
}

TEST_F(InterfaceTest, RefusesWeightsThatDoNotFit) {
  EXPECT_THAT(refused(weights("8", "{offset = 4 : i64, value = dense<1.0> : tensor<2xf32>}")), HasSubstr("outside"));
  EXPECT_THAT(refused(weights("8", "{offset = -4 : i64, value = dense<1.0> : tensor<1xf32>}")), HasSubstr("outside"));
  EXPECT_THAT(refused(weights("8", "{offset = 0 : i64, value = dense<1> : tensor<2xi1>}")), HasSubstr("no form"));
  EXPECT_THAT(refused(weights("8", "{offset = 0 : i64}")), HasSubstr("needs"));
  EXPECT_THAT(refused(weights("8", "7 : i32")), HasSubstr("needs"));
  EXPECT_THAT(refused(weights("8", "{offset = 0 : i64, value = dense_resource<none> : tensor<2xf32>}")),
              HasSubstr("no data"));
  EXPECT_THAT(refused(weights("8", "{offset = 0 : i64, value = dense_resource<r> : tensor<2xf32>}") +
                      "\n{-# dialect_resources: {builtin: {r: \"0x040000000000803f\"}} #-}"),
              HasSubstr("holds 4 bytes"));
}

TEST_F(InterfaceTest, WritesWeightsOfEveryForm) {
  EXPECT_THAT(image("8", "{offset = 2 : i64, value = dense<[1, 515]> : tensor<2xi16>}"),
              ElementsAre(0, 0, 1, 0, 3, 2, 0, 0));
  EXPECT_THAT(image("4", "{offset = 0 : i64, value = dense<[1, 515]> : tensor<2xi16>}", true), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(image("6", "{offset = 0 : i64, value = dense<258> : tensor<3xi16>}"), ElementsAre(2, 1, 2, 1, 2, 1));
  EXPECT_THAT(image("6", "{offset = 0 : i64, value = dense<258> : tensor<3xi16>}", true),
              ElementsAre(1, 2, 1, 2, 1, 2));
  EXPECT_THAT(image("3", "{offset = 0 : i64, value = dense<7> : tensor<3xi8>}"), ElementsAre(7, 7, 7));
  // Two in a byte, the first in the low half.
  EXPECT_THAT(image("3", "{offset = 0 : i64, value = dense<[1, 2, -1, 3, 5]> : tensor<5xi4>}"),
              ElementsAre(0x21, 0x3f, 0x05));
  EXPECT_THAT(image("2", "{offset = 0 : i64, value = dense<3> : tensor<4xi4>}"), ElementsAre(0x33, 0x33));
  // Each part of a complex number by itself.
  EXPECT_THAT(image("8", "{offset = 0 : i64, value = dense<[(1.0, 2.0)]> : tensor<1xcomplex<f32>>}", true),
              ElementsAre(0x3f, 0x80, 0, 0, 0x40, 0, 0, 0));
  EXPECT_THAT(image("4", "{offset = 0 : i64, value = dense<> : tensor<0xf32>}"), ElementsAre(0, 0, 0, 0));
}

TEST_F(InterfaceTest, WritesWeightsFromResources) {
  auto model = interface(weights("8", "{offset = 0 : i64, value = dense_resource<r> : tensor<2xf32>}") +
                         "\n{-# dialect_resources: {builtin: {r: \"0x040000000000803f00000040\"}} #-}");
  ASSERT_TRUE(mlir::succeeded(model));
  float values[2] = {};
  writeWeights(*model, llvm::MutableArrayRef<char>(reinterpret_cast<char *>(values), 8), false);
  EXPECT_EQ(values[0], 1.0f);
  EXPECT_EQ(values[1], 2.0f);
}

} // namespace
