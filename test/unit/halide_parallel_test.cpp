//===- halide_parallel_test.cpp - Halide called by several threads ------------------------------------------------===//
//
// A stress test of what HalideProvider relies on: whichever kernels are compiled before or beside it, a specification
// gives the same code. Names that a process counts up are the only difference, so modules are compared without them.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/halide/Importer.h"
#include "codegen/halide/Plugin.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/Support/ThreadPool.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

using namespace llvm;
using namespace onnx_aot;

namespace {
constexpr int kRounds = 2; // more: --gtest_repeat
constexpr int kThreads = 4;

std::string number(int value) { return std::to_string(value); }

/// A depthwise convolution 3x3 with a Relu, channels last.
std::string depthwise(int channels, int size, int rows) {
  std::string c = number(channels), row = number(channels * (size + 2)), out = number(channels * size),
              s = number(size);
  return "target x86-64-linux-sse41-avx-avx2-fma-f16c\nlanes 8\nfamily window\ndim " + c + " p\ndim " + s + " p\ndim " +
         s + " p\ndim 3 r\ndim 3 r\ninput 0 1 " + row + " " + c + " " + row + " " + c +
         "\ninput 0 9 0 0 3 1\noutput 0 1 " + out + " " + c +
         " 0 0\nidentity 00000000\ncompute x0 x1 mul acc add\nepilogue acc c00000000 max\ntile 0 1 2 " + number(rows) +
         "\n";
}

/// Linear, twice as large.
std::string resize(int height, int width) {
  std::string text = "target x86-64-linux-sse41-avx-avx2-fma-f16c\nlanes 8\nfamily resize\naxis 3 3 same\n";
  for (int extent : {height, width})
    text += "axis " + number(extent) + " " + number(2 * extent) +
            " phases 2 1\nphase -1 3e800000 0 3f400000\nphase 0 3f400000 1 3e800000\n";
  return text;
}

std::vector<std::string> specifications() {
  std::vector<std::string> all;
  for (int step = 0; step < 4; ++step) {
    all.push_back(depthwise(16 + 8 * step, 6 + step, 1 + step));
    all.push_back(resize(7 + step, 24 + 8 * step));
  }
  return all;
}

/// The code of the kernel, as text without names.
std::string made(HalidePlugin &plugin, StringRef specification) {
  Expected<std::string> bitcode = plugin.compile(specification);
  if (!bitcode)
    return toString(bitcode.takeError());
  LLVMContext context;
  context.setDiscardValueNames(true);
  Triple triple("x86_64-unknown-linux-gnu");
  DataLayout layout("e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128");
  auto kernel = importHalideKernel(*bitcode, "kernel", {triple, layout}, context);
  if (!kernel)
    return toString(kernel.takeError());
  std::string text;
  raw_string_ostream os(text);
  kernel->module->print(os, nullptr);
  return text;
}

TEST(HalideParallel, MakesTheSameCodeInSeveralThreads) {
  auto plugin = HalidePlugin::load();
  if (!plugin)
    GTEST_SKIP() << toString(plugin.takeError());
  std::vector<std::string> specs = specifications(), alone;
  for (const std::string &spec : specs)
    alone.push_back(made(**plugin, spec));
  EXPECT_NE(alone[0].find("define void @kernel"), std::string::npos) << alone[0];
  EXPECT_NE(alone[1].find("define void @kernel"), std::string::npos) << alone[1];
  for (int round = 0; round < kRounds; ++round) {
    std::vector<std::string> together(kThreads * specs.size());
    DefaultThreadPool pool(hardware_concurrency(kThreads));
    for (size_t index = 0; index < together.size(); ++index)
      pool.async([&, index] { together[index] = made(**plugin, specs[index % specs.size()]); });
    pool.wait();
    for (size_t index = 0; index < together.size(); ++index)
      EXPECT_EQ(together[index], alone[index % specs.size()]) << specs[index % specs.size()];
  }
}
} // namespace
