//===- halide_import_test.cpp - what is done to Halide's bitcode
//---------------------------------------------------===//
//
// The kernels are written by hand, with what Halide's have: one test for each thing that the importer must do.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/cpu/TargetMachine.h"
#include "codegen/halide/Importer.h"
#include "llvm/AsmParser/Parser.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include <gmock/gmock.h>

using namespace llvm;
using namespace onnx_aot;
using testing::HasSubstr;
using testing::Not;

namespace {
class HalideImport : public testing::Test {
protected:
  /// Imports a kernel of one input and one output with `body`, for `triple`.
  Expected<ImportedKernel> import(StringRef body, StringRef rest = "", StringRef triple = "x86_64-linux-gnu") {
    std::string text = R"(
      %struct.halide_buffer_t = type { i64, ptr, ptr, i64, [2 x i16], i32, ptr, ptr }
      declare ptr @halide_malloc(ptr, i64)
      declare void @halide_free(ptr, ptr)
      define i32 @onnx_aot_halide_kernel(ptr %in.buffer, ptr %out.buffer) #0 {
        %in.host = getelementptr %struct.halide_buffer_t, ptr %in.buffer, i64 0, i32 2
        %in = load ptr, ptr %in.host, align 8
        %out.host = getelementptr %struct.halide_buffer_t, ptr %out.buffer, i64 0, i32 2
        %out = load ptr, ptr %out.host, align 8
    )" + body.str() + R"(
        ret i32 0
      }
      define i32 @onnx_aot_halide_kernel_argv(ptr %all) { ret i32 0 }
      define ptr @onnx_aot_halide_kernel_metadata() { ret ptr null }
      attributes #0 = { "target-cpu"="skylake" "target-features"="+avx2" "reciprocal-estimates"="none" }
    )" + rest.str();
    LLVMContext other;
    SMDiagnostic error;
    std::unique_ptr<Module> module = parseAssemblyString(text, error, other);
    EXPECT_TRUE(module) << error.getMessage().str();
    SmallString<0> bitcode;
    raw_svector_ostream stream(bitcode);
    WriteBitcodeToFile(*module, stream);
    std::string reason;
    machine = createTargetMachine({triple.str(), "", "", ""}, reason);
    EXPECT_TRUE(machine) << reason;
    return importHalideKernel(bitcode, "hk_1", {machine->getTargetTriple(), machine->createDataLayout()}, context);
  }

  /// The text of an import that must be possible.
  std::string imported(StringRef body, StringRef rest = "") {
    auto kernel = import(body, rest);
    if (!kernel)
      return toString(kernel.takeError());
    scratchBytes = kernel->scratchBytes;
    std::string text;
    raw_string_ostream stream(text);
    kernel->module->print(stream, nullptr);
    return text;
  }

  LLVMContext context;
  std::unique_ptr<TargetMachine> machine;
  int64_t scratchBytes = 0;
};

TEST_F(HalideImport, TakesBarePointers) {
  std::string text = imported("%x = load float, ptr %in, align 4\nstore float %x, ptr %out, align 4");
  EXPECT_THAT(text, HasSubstr("define void @hk_1(ptr %0, ptr %1, ptr %2)"));
  EXPECT_THAT(text, HasSubstr("load float, ptr %0"));
  EXPECT_THAT(text, Not(HasSubstr("halide")));
  EXPECT_THAT(text, Not(HasSubstr("alloca")));
}

// 1
TEST_F(HalideImport, DropsAliasTags) {
  std::string text =
      imported("%x = load float, ptr %in, align 4, !tbaa !0\nstore float %x, ptr %out, align 4, !tbaa !0",
               "!0 = !{!1, !1, i64 0}\n!1 = !{!\"in\", !2}\n!2 = !{!\"root\"}");
  EXPECT_THAT(text, Not(HasSubstr("tbaa")));
}

// 2
TEST_F(HalideImport, ClaimsNoMoreAlignmentThanElementsHave) {
  std::string text = imported("%x = load <8 x float>, ptr %in, align 32\nstore <8 x float> %x, ptr %out, align 16");
  EXPECT_THAT(text, HasSubstr("load <8 x float>, ptr %0, align 4"));
  EXPECT_THAT(text, HasSubstr(", ptr %1, align 4"));
}

// 3
TEST_F(HalideImport, KeepsNaNAndInfinity) {
  std::string text = imported("%x = load float, ptr %in, align 4\n%p = fmul nnan ninf float %x, %x\n"
                              "%s = fadd fast float %p, %x\n%big = fcmp nnan ogt float %s, %x\n"
                              "%m = select nnan i1 %big, float %s, float %x\n"
                              "%n = call nnan float @llvm.maxnum.f32(float %m, float %p)\n"
                              "store float %n, ptr %out, align 4",
                              "declare float @llvm.maxnum.f32(float, float)");
  EXPECT_THAT(text, Not(HasSubstr("nnan")));
  EXPECT_THAT(text, Not(HasSubstr("ninf")));
  EXPECT_THAT(text, Not(HasSubstr("fast")));
  EXPECT_THAT(text, HasSubstr("fmul contract float"));
  EXPECT_THAT(text, HasSubstr("fadd contract float"));
  EXPECT_THAT(text, Not(HasSubstr("maxnum")));
  EXPECT_THAT(text, HasSubstr("fcmp uno float %s.i, %s.i"));
}

// 4
TEST_F(HalideImport, BelongsToOurTarget) {
  auto kernel = import("", "!llvm.module.flags = !{!0}\n!0 = !{i32 2, !\"halide_mattrs\", !\"+avx2\"}");
  ASSERT_TRUE(bool(kernel)) << toString(kernel.takeError());
  Module &module = *kernel->module;
  EXPECT_EQ(module.getTargetTriple(), machine->getTargetTriple());
  EXPECT_EQ(module.getDataLayout(), machine->createDataLayout());
  EXPECT_TRUE(module.named_metadata_empty());
  EXPECT_EQ(module.getFunctionList().size(), 1u); // no _argv, no _metadata
  for (StringRef attribute : {"target-cpu", "target-features", "reciprocal-estimates"})
    EXPECT_FALSE(module.getFunction("hk_1")->hasFnAttribute(attribute)) << attribute.str();
}

// 5
TEST_F(HalideImport, IsNotOptimisedAgain) {
  std::string text = imported("%x = load float, ptr %in, align 4\n%y = load float, ptr %in, align 4\n"
                              "%s = fadd float %x, %y\nstore float %s, ptr %out, align 4");
  EXPECT_NE(text.find("load float"), text.rfind("load float"));
}

// 6
TEST_F(HalideImport, NormalisesTriples) {
  auto kernel = import("", "", "thumbv6m-none-eabi");
  ASSERT_TRUE(bool(kernel)) << toString(kernel.takeError());
  EXPECT_EQ(kernel->module->getTargetTriple().str(), Triple::normalize("thumbv6m-none-eabi"));
  EXPECT_TRUE(kernel->module->getTargetTriple().isTargetAEABI());
}

TEST_F(HalideImport, TakesItsMemoryFromTheScratch) {
  std::string text = imported("%a = call ptr @halide_malloc(ptr null, i64 100)\n"
                              "%b = call ptr @halide_malloc(ptr null, i64 64)\nstore float 1.0, ptr %a, align 4\n"
                              "store float 2.0, ptr %b, align 4\ncall void @halide_free(ptr null, ptr %a)\n"
                              "call void @halide_free(ptr null, ptr %b)");
  EXPECT_THAT(text, Not(HasSubstr("halide")));
  EXPECT_THAT(text, HasSubstr("getelementptr inbounds i8, ptr %2, i64 128"));
  EXPECT_EQ(scratchBytes, 192);
}

TEST_F(HalideImport, RefusesWhatNobodyHas) {
  EXPECT_EQ(imported("%r = call i32 @halide_do_par_for(ptr null, ptr null, i32 0, i32 4, ptr null)",
                     "declare i32 @halide_do_par_for(ptr, ptr, i32, i32, ptr)"),
            "it needs the function halide_do_par_for");
  EXPECT_EQ(imported("%f = load float, ptr %in\n%r = call float @tanhf(float %f)\nstore float %r, ptr %out",
                     "declare float @tanhf(float)"),
            "it needs the function tanhf");
  EXPECT_EQ(imported("%n = load i64, ptr %in\n%m = call ptr @halide_malloc(ptr null, i64 %n)"),
            "its memory has a size that is not constant");
}

TEST_F(HalideImport, RefusesWhatIsNoBitcode) {
  auto kernel = importHalideKernel("BC nonsense", "hk_1", {Triple("x86_64-linux-gnu"), DataLayout("e")}, context);
  ASSERT_FALSE(bool(kernel));
  consumeError(kernel.takeError());
}
} // namespace
