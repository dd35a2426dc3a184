// Kernels that differ in constants become one function with parameters, only where that is sound and saves code.

#include "codegen/cpu/MergeKernels.h"

#include "llvm/AsmParser/Parser.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Support/SourceMgr.h"
#include "gtest/gtest.h"

using namespace llvm;
using namespace onnx_aot;

namespace {

class MergeKernels : public testing::Test {
protected:
  /// Two kernels, `differing` being the line in which @second has `b` where @first has `a`, in a body that is worth it.
  void parse(const std::string &a, const std::string &b, const std::string &rest = "") {
    std::string text = "@table = external constant [64 x i8]\n"
                       "declare void @llvm.memcpy.p0.p0.i32(ptr, ptr, i32, i1)\n" +
                       kernel("first", a) + kernel("second", b) +
                       "define void @run(ptr %x) {\n  call void @first(ptr %x)\n  call void @second(ptr %x)\n"
                       "  ret void\n}\n" +
                       rest;
    SMDiagnostic problem;
    module = parseAssemblyString(text, problem, context);
    ASSERT_TRUE(module) << problem.getMessage().str() << "\n" << text;
    names = mergeKernels(*module);
    EXPECT_FALSE(verifyModule(*module, &errs()));
  }

  static std::string kernel(const std::string &name, const std::string &line) {
    std::string body = "define internal void @" + name + "(ptr %x) {\n  %v0 = load i32, ptr %x\n  " + line + "\n";
    for (int i = 0; i < 40; ++i)
      body += "  %v" + std::to_string(i + 1) + " = xor i32 %v" + std::to_string(i) + ", %y\n";
    return body + "  store i32 %v40, ptr %x\n  ret void\n}\n";
  }

  /// The constants that the calls of @first pass behind %x.
  std::vector<std::vector<Value *>> passed() {
    std::vector<std::vector<Value *>> result;
    for (User *user : module->getFunction("first")->users()) {
      auto *call = cast<CallInst>(user);
      result.emplace_back(std::next(call->arg_begin()), call->arg_end());
    }
    return result;
  }

  bool isMerged() { return module->getFunction("second") == nullptr; }

  LLVMContext context;
  std::unique_ptr<Module> module;
  MergedKernels names;
};

TEST_F(MergeKernels, NumbersBecomeParameters) {
  parse("%y = mul i32 %v0, 3", "%y = mul i32 %v0, 5");
  ASSERT_TRUE(isMerged());
  EXPECT_EQ(names, (MergedKernels{{"second", "first"}}));
  std::vector<int64_t> numbers;
  for (auto &constants : passed()) {
    ASSERT_EQ(constants.size(), 1u);
    numbers.push_back(cast<ConstantInt>(constants[0])->getSExtValue());
  }
  sort(numbers);
  EXPECT_EQ(numbers, (std::vector<int64_t>{3, 5}));
}

TEST_F(MergeKernels, WhatChangesTogetherIsOneParameter) {
  parse("%w = mul i32 %v0, 3\n  %y = add i32 %w, 3", "%w = mul i32 %v0, 5\n  %y = add i32 %w, 5");
  ASSERT_TRUE(isMerged());
  EXPECT_EQ(passed().front().size(), 1u);
}

TEST_F(MergeKernels, AddressesOfConstantsBecomeParameters) {
  parse("%y = load i32, ptr @table", "%y = load i32, ptr getelementptr (i8, ptr @table, i32 4)");
  EXPECT_TRUE(isMerged());
}

// The sum of the second does not overflow; that of the first may.
TEST_F(MergeKernels, OnlyWhatHoldsForAllIsKept) {
  parse("%y = add i32 %v0, 3", "%y = add nsw i32 %v0, 5");
  ASSERT_TRUE(isMerged());
  for (Instruction &instruction : module->getFunction("first")->front())
    if (instruction.getOpcode() == Instruction::Add)
      EXPECT_FALSE(instruction.hasNoSignedWrap());
}

TEST_F(MergeKernels, EqualKernelsNeedNoParameter) {
  parse("%y = mul i32 %v0, 3", "%y = mul i32 %v0, 3");
  ASSERT_TRUE(isMerged());
  EXPECT_TRUE(passed().front().empty());
}

TEST_F(MergeKernels, DivisorsStayConstant) {
  parse("%y = udiv i32 %v0, 3", "%y = udiv i32 %v0, 5");
  EXPECT_FALSE(isMerged());
}

TEST_F(MergeKernels, LengthsOfCopiesStayConstant) {
  std::string copy = "%y = add i32 %v0, 1\n  call void @llvm.memcpy.p0.p0.i32(ptr %x, ptr @table, i32 ";
  parse(copy + "4, i1 false)", copy + "8, i1 false)");
  EXPECT_FALSE(isMerged());
}

TEST_F(MergeKernels, OtherOperationsAreNotAlike) {
  parse("%y = mul i32 %v0, 3", "%y = add i32 %v0, 3");
  EXPECT_FALSE(isMerged());
}

TEST_F(MergeKernels, OtherOperandsAreNotAlike) {
  parse("%w = add i32 %v0, 1\n  %y = mul i32 %w, 3", "%w = add i32 %v0, 1\n  %y = mul i32 %v0, 5");
  EXPECT_FALSE(isMerged());
}

TEST_F(MergeKernels, AFunctionWhoseAddressIsTakenStays) {
  parse("%y = mul i32 %v0, 3", "%y = mul i32 %v0, 5", "@pointer = global ptr @second\n");
  EXPECT_FALSE(isMerged());
}

// As many parameters as operations: the calls would be longer than the function.
TEST_F(MergeKernels, WhatSavesNothingStays) {
  auto line = [](int base) {
    std::string text = "%w0 = add i32 %v0, " + std::to_string(base);
    for (int i = 1; i < 30; ++i)
      text +=
          "\n  %w" + std::to_string(i) + " = mul i32 %w" + std::to_string(i - 1) + ", " + std::to_string(base + i * i);
    return text + "\n  %y = add i32 %w29, 1";
  };
  parse(line(100), line(2000));
  EXPECT_FALSE(isMerged());
}

} // namespace
