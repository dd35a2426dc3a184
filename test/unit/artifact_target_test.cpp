//===- artifact_target_test.cpp - Triples, CPUs, features; what the optimiser may call ----===//

#include "codegen/RuntimeLink.h"
#include "codegen/cpu/CpuTargetModel.h"
#include "codegen/cpu/TargetMachine.h"
#include "llvm/AsmParser/Parser.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Target/TargetMachine.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace onnx_aot;
using testing::HasSubstr;

namespace {

std::string refused(TargetSpec spec) {
  std::string error;
  EXPECT_EQ(createTargetMachine(spec, error), nullptr);
  return error;
}

TEST(TargetMachine, HasDefaults) {
  std::string error;
  auto machine = createTargetMachine({"x86_64-linux-gnu", "", "", ""}, error);
  ASSERT_NE(machine, nullptr) << error;
  EXPECT_EQ(machine->getTargetCPU(), "x86-64-v3");
  EXPECT_EQ(machine->getRelocationModel(), llvm::Reloc::PIC_);
  machine = createTargetMachine({"thumbv7em-none-eabihf", "cortex-m4", "", "hard"}, error);
  ASSERT_NE(machine, nullptr) << error;
  EXPECT_EQ(machine->getRelocationModel(), llvm::Reloc::Static);
  TargetSpec spec = {"riscv64-linux-gnu", "", "+v", ""};
  ASSERT_TRUE(completeTargetSpec(spec, error)) << error;
  EXPECT_THAT(spec.features, HasSubstr("+d"));
  TargetSpec again = spec;
  ASSERT_TRUE(completeTargetSpec(again, error)) << error;
  EXPECT_EQ(again.features, spec.features);
  spec = {"", "native", "", ""};
  EXPECT_TRUE(completeTargetSpec(spec, error)) << error;
  EXPECT_NE(spec.cpu, "native");
}

TEST(TargetMachine, RefusesUnknownNames) {
  EXPECT_THAT(refused({"nonsense-cpu", "", "", ""}), HasSubstr("unknown target 'nonsense-"));
  std::string message = refused({"x86_64-linux-gnu", "pentium9000", "", ""});
  EXPECT_THAT(message, HasSubstr("unknown CPU 'pentium9000'"));
  EXPECT_THAT(message, HasSubstr("; the nearest are pentium"));
  EXPECT_EQ(std::count(message.begin(), message.end(), ','), 9) << message;
  for (const char *triple : {"bpf", "msp430", "mips-linux-gnu", "amdgcn-amd-amdhsa", "avr"})
    EXPECT_THAT(refused({triple, "", "", ""}), HasSubstr("unsupported target '")) << triple;
  EXPECT_THAT(refused({"x86_64-linux-gnu", "", "+avx2,+warp", ""}), HasSubstr("unknown feature 'warp'"));
  EXPECT_THAT(refused({"x86_64-linux-gnu", "", "avx2", ""}), HasSubstr("must begin with + or -"));
  EXPECT_THAT(refused({"x86_64-linux-gnu", "", "", "hard"}), HasSubstr("ARM and RISC-V only"));
  EXPECT_THAT(refused({"armv7-linux-gnueabihf", "", "", "softish"}), HasSubstr("soft and hard are known"));
  EXPECT_THAT(refused({"aarch64-linux-gnu", "native", "", ""}), HasSubstr("native"));
}

TEST(TargetMachine, TakesExtensionsBehindTheCpu) {
  std::string error;
  TargetSpec spec = {"thumbv8m.main-none-eabi", "cortex-m33+nodsp", "+lob", ""};
  // Helium builds on the DSP extension.
  ASSERT_TRUE(completeTargetSpec(spec, error)) << error;
  EXPECT_EQ(spec.cpu, "cortex-m33");
  EXPECT_EQ(spec.features, "-dsp,-mve,-mve.fp,+lob");
  spec = {"aarch64-linux-gnu", "cortex-a72+nocrypto", "", ""};
  ASSERT_TRUE(completeTargetSpec(spec, error)) << error;
  EXPECT_EQ(spec.cpu, "cortex-a72");
  EXPECT_THAT(refused({"aarch64-linux-gnu", "cortex-a72+warp", "", ""}), HasSubstr("unknown extension 'warp'"));
  EXPECT_THAT(refused({"x86_64-linux-gnu", "znver4+warp", "", ""}), HasSubstr("unknown CPU 'znver4+warp'"));
}

TEST(TargetMachine, ChoosesTheFloatAbiOfRiscv) {
  auto abi = [](TargetSpec spec) {
    std::string error;
    auto machine = createTargetMachine(spec, error);
    EXPECT_NE(machine, nullptr) << error;
    return machine ? machine->Options.MCOptions.ABIName : "";
  };
  EXPECT_EQ(abi({"riscv64-linux-gnu", "", "", ""}), "lp64d");
  EXPECT_EQ(abi({"riscv64-linux-gnu", "sifive-u74", "", ""}), "lp64d");
  EXPECT_EQ(abi({"riscv64-linux-gnu", "", "", "soft"}), "lp64");
  EXPECT_EQ(abi({"riscv32-unknown-elf", "", "+m,+f,+c", ""}), "ilp32f");
  EXPECT_EQ(abi({"riscv32-unknown-elf", "", "+m,+c", ""}), "ilp32");
  EXPECT_EQ(abi({"riscv32-unknown-elf", "", "+e", ""}), "ilp32e");
  EXPECT_THAT(refused({"riscv32-unknown-elf", "", "+m", "hard"}), HasSubstr("hard float ABI needs"));
  EXPECT_THAT(refused({"thumbv7m-none-eabihf", "cortex-m3", "", ""}), HasSubstr("the CPU 'cortex-m3'"));
}

struct Vectors {
  const char *triple, *cpu, *features;
  int64_t floatBits, integerBits, registers; // of scalars where there are no vectors
};

TEST(CpuTargetModel, KnowsTheVectorsOfEachTarget) {
  for (const Vectors &row : std::initializer_list<Vectors>{
           {"thumbv6m-none-eabi", "cortex-m0plus", "", 0, 0, 8},
           {"thumbv7em-none-eabihf", "cortex-m4", "", 0, 0, 32},
           {"thumbv7em-none-eabi", "cortex-m4", "+soft-float", 0, 0, 8},
           {"thumbv8.1m.main-none-eabihf", "cortex-m55", "", 128, 128, 8},
           {"thumbv8.1m.main-none-eabi", "cortex-m55", "-mve", 0, 0, 32},
           {"armv7a-linux-gnueabihf", "cortex-a7", "", 128, 128, 16},
           {"armv7a-linux-gnueabihf", "cortex-a9", "-neon", 0, 0, 32},
           {"aarch64-linux-gnu", "", "", 128, 128, 29},
           {"riscv64-linux-gnu", "", "", 0, 0, 32},
           {"riscv32-unknown-elf", "", "+m", 0, 0, 8},
           {"riscv64-linux-gnu", "", "+v", 128, 128, 32},
           {"riscv64-linux-gnu", "", "+v,+zvl256b", 256, 256, 32},
           {"wasm32-unknown-unknown", "", "+simd128", 128, 128, 16},
           {"xtensa-esp32-elf", "esp32", "", 0, 0, 8},
       }) {
    std::string error;
    auto machine = createTargetMachine({row.triple, row.cpu, row.features, ""}, error);
    ASSERT_NE(machine, nullptr) << error;
    CpuTargetModel model(*machine);
    EXPECT_EQ(model.vectorBits(true), row.floatBits) << row.triple << row.cpu << row.features;
    EXPECT_EQ(model.vectorBits(false), row.integerBits) << row.triple << row.cpu << row.features;
    int64_t registers = row.floatBits != 0 ? model.vectorRegisters() : model.scalarRegisters(true);
    EXPECT_EQ(registers, row.registers) << row.triple << row.cpu << row.features;
  }
}

struct Optimized {
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module;
  std::string text;

  Optimized(const char *source, const char *triple, OptOptions options = {}) {
    llvm::SMDiagnostic parseError;
    module = llvm::parseAssemblyString(source, parseError, context);
    EXPECT_TRUE(module) << parseError.getMessage().str();
    std::string error;
    auto machine = createTargetMachine({triple, "", "", ""}, error, options.level);
    EXPECT_TRUE(machine) << error;
    prepareModule(*module, *machine);
    llvm::Error linkError = linkRuntime(*module);
    EXPECT_FALSE(bool(linkError)) << toString(std::move(linkError));
    prepareModule(*module, *machine);
    optimizeModule(*module, *machine, options);
    llvm::raw_string_ostream os(text);
    module->print(os, nullptr);
  }
};

TEST(OptimizeModule, KnowsMemoryFunctionsOnly) {
  // A copy loop may become memcpy; printf and pow must stay what they are.
  Optimized result(R"llvm(
declare double @pow(double, double)
define double @f(double %x) { %y = call double @pow(double %x, double 2.0) ret double %y }
define void @copy(ptr noalias %to, ptr noalias %from) {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %n, %loop ]
  %p = getelementptr i8, ptr %from, i64 %i
  %v = load i8, ptr %p
  %q = getelementptr i8, ptr %to, i64 %i
  store i8 %v, ptr %q
  %n = add i64 %i, 1
  %c = icmp ult i64 %n, 100000
  br i1 %c, label %loop, label %exit
exit:
  ret void
}
)llvm",
                   "x86_64-linux-gnu");
  EXPECT_THAT(result.text, HasSubstr("call double @pow"));
  EXPECT_THAT(result.text, HasSubstr("@llvm.memcpy"));
}

TEST(OptimizeModule, Vectorises) {
  const char *source = R"llvm(
define void @f(ptr noalias %x, ptr noalias %y) {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %n, %loop ]
  %p = getelementptr float, ptr %x, i64 %i
  %v = load float, ptr %p
  %w = fadd float %v, 1.0
  %q = getelementptr float, ptr %y, i64 %i
  store float %w, ptr %q
  %n = add i64 %i, 1
  %c = icmp ult i64 %n, 1000
  br i1 %c, label %loop, label %exit
exit:
  ret void
}
)llvm";
  EXPECT_THAT(Optimized(source, "x86_64-linux-gnu").text, HasSubstr("fadd <8 x float>"));
  EXPECT_THAT(Optimized(source, "aarch64-linux-gnu").text, HasSubstr("fadd <4 x float>"));
}

TEST(RuntimeLink, TakesOnlyWhatIsNeeded) {
  const char *source = R"llvm(
declare i64 @onnx_aot_format_status(ptr, ptr, i32, ptr, i64)
define i64 @f(ptr %p) { %r = call i64 @onnx_aot_format_status(ptr null, ptr null, i32 0, ptr %p, i64 9) ret i64 %r }
)llvm";
  for (const char *triple : {"x86_64-linux-gnu", "thumbv7em-none-eabi", "wasm32-unknown-unknown"}) {
    Optimized result(source, triple, {OptLevel::O0});
    llvm::Function *function = result.module->getFunction("onnx_aot_format_status");
    ASSERT_NE(function, nullptr) << triple;
    EXPECT_TRUE(function->hasInternalLinkage());
    EXPECT_NE(function->getFnAttribute("target-cpu").getValueAsString(), "x86-64");
    EXPECT_EQ(result.module->getFunction("onnx_aot_status_text"), nullptr);
  }
  Optimized none("define void @f() { ret void }", "x86_64-linux-gnu", {OptLevel::O0});
  EXPECT_EQ(none.module->size(), 1u);
}

} // namespace
