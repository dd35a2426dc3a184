//===- compilation_test.cpp - The stages, one after the other -------------===//

#include "compiler/Compiler.h"
#include "compiler/Diagnostics.h"
#include "compiler/artifact/ModelInterface.h"
#include "compiler/import/ModelReader.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include <gtest/gtest.h>

using namespace onnx_aot;

namespace {

constexpr const char *kModel = ONNX_AOT_TEST_DIR "/tools/Inputs/affine.onnxtext";
/// One whose runs would all fail, which the tensor stage sees.
constexpr const char *kFailingModel = ONNX_AOT_TEST_DIR "/e2e/bad-input/divides-by-zero.onnxtext";

CompilerOptions optionsWith(std::map<std::string, int64_t> dims) {
  CompilerOptions options;
  options.import.dims = std::move(dims);
  Diagnostics diagnostics;
  EXPECT_TRUE(completeOptions(options, kModel, diagnostics));
  return options;
}

TEST(Compilation, RunsEachStageOnce) {
  CompilerOptions options = optionsWith({{"N", 2}});
  Diagnostics diagnostics;
  Compilation compilation(options, diagnostics);
  ASSERT_TRUE(compilation.load(kModel));
  EXPECT_EQ(compilation.model().path, kModel);
  EXPECT_TRUE(compilation.runTo(Stage::Graph));
  EXPECT_EQ(compilation.interface(), nullptr);
  EXPECT_TRUE(compilation.runTo(Stage::Buffer));
  ASSERT_NE(compilation.interface(), nullptr);
  ASSERT_EQ(compilation.interface()->inputs.size(), 1u);
  EXPECT_TRUE(compilation.runTo(Stage::Graph)); // has run
  EXPECT_TRUE(compilation.module().lookupSymbol<mlir::func::FuncOp>("main"));
  EXPECT_TRUE(compilation.runTo(Stage::Codegen));
  EXPECT_TRUE(compilation.module().lookupSymbol<mlir::LLVM::LLVMFuncOp>("main"));
  EXPECT_EQ(diagnostics.exitStatus(), 0);
}

TEST(Compilation, EndsWhereAStageFails) {
  CompilerOptions options = optionsWith({});
  Diagnostics diagnostics;
  Compilation compilation(options, diagnostics);
  ASSERT_TRUE(compilation.load(kFailingModel));
  EXPECT_TRUE(compilation.runTo(Stage::Graph));
  EXPECT_FALSE(compilation.runTo(Stage::Codegen));
  ASSERT_EQ(diagnostics.errors().size(), 1u);
  EXPECT_NE(diagnostics.errors()[0].text.find("every run would fail here"), std::string::npos) << diagnostics.errors()[0].text;
  EXPECT_EQ(diagnostics.exitStatus(), 1);
}

} // namespace
