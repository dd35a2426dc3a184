//===- options_test.cpp - The command lines -------------------------------===//

#include "compiler/CommandLine.h"
#include "compiler/Diagnostics.h"
#include "compiler/Options.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace onnx_aot;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

struct Parsed {
  CompileCommand command;
  ParseResult result;
  std::vector<std::string> errors;
};

Parsed parse(std::vector<const char *> arguments) {
  arguments.insert(arguments.begin(), "onnx-aot");
  Diagnostics diagnostics;
  Parsed parsed;
  parsed.result = parseCompileCommand(arguments, parsed.command, diagnostics);
  for (const ErrorEntry &entry : diagnostics.errors())
    parsed.errors.push_back(entry.text);
  return parsed;
}

OutputKind kindOf(const char *output) {
  Parsed parsed = parse({"m.onnx", "-o", output});
  EXPECT_EQ(parsed.result, ParseResult::Proceed) << output;
  return parsed.command.options.artifact.kind;
}

TEST(Options, SuffixChoosesTheKind) {
  EXPECT_EQ(kindOf("out/m.o"), OutputKind::Object);
  EXPECT_EQ(kindOf("libm.a"), OutputKind::StaticLibrary);
  EXPECT_EQ(kindOf("m.so"), OutputKind::SharedLibrary);
  EXPECT_EQ(kindOf("m.s"), OutputKind::Assembly);
  EXPECT_EQ(kindOf("m.ll"), OutputKind::LLVMIR);
  EXPECT_EQ(kindOf("m.mlir"), OutputKind::MLIR);
}

TEST(Options, EmitOverridesTheSuffix) {
  Parsed parsed = parse({"m.onnx", "-o", "m.bin", "--emit=ll"});
  EXPECT_EQ(parsed.command.options.artifact.kind, OutputKind::LLVMIR);
}

TEST(Options, UnknownSuffixIsAnError) {
  EXPECT_THAT(
      parse({"m.onnx", "-o", "m.bin"}).errors,
      ElementsAre("-o m.bin: the kinds of output are o, a, so, s, ll, ptx, c and mlir; --emit=KIND chooses one for any "
                  "file name"));
}

TEST(Options, StandardOutputTakesTextOnly) {
  EXPECT_THAT(parse({"m.onnx", "-o", "-", "--emit=s"}).errors, ElementsAre());
  EXPECT_THAT(parse({"m.onnx", "-o", "-", "--stop-after=graph"}).errors, ElementsAre());
  EXPECT_THAT(parse({"m.onnx", "-o", "-", "--emit=o"}).errors,
              ElementsAre("--emit=o: only s, ll, ptx, c and mlir can be written to standard output"));
}

TEST(Options, StopAfterWritesMlir) {
  Parsed parsed = parse({"m.onnx", "-o", "m.mlir", "--stop-after=tensor"});
  EXPECT_EQ(parsed.command.options.stopAfter, Stage::Tensor);
  EXPECT_EQ(parse({"m.onnx", "-o", "m.mlir"}).command.options.stopAfter, Stage::Codegen);
  EXPECT_EQ(parse({"m.onnx", "-o", "m.o"}).command.options.stopAfter, std::nullopt);
  EXPECT_THAT(parse({"m.onnx", "-o", "m.o", "--stop-after=tensor"}).errors,
              ElementsAre("--stop-after=tensor writes MLIR, but the output is -o m.o"));
}

TEST(Options, ValuesAfterEqualsOrBlank) {
  EXPECT_EQ(parse({"m.onnx", "-om.o", "--name", "net"}).command.options.artifact.prefix, "net");
  EXPECT_EQ(parse({"--name=net", "-o", "m.o", "m.onnx"}).command.options.artifact.prefix, "net");
  EXPECT_THAT(parse({"m.onnx", "-o", "m.o", "--name"}).errors, ElementsAre("--name needs a value: --name=PREFIX"));
  EXPECT_THAT(parse({"m.onnx", "-o", "m.o", "--quiet=1"}).errors, ElementsAre("--quiet takes no value"));
  EXPECT_THAT(parse({"m.onnx", "-o", "m.o", "--name", "--quiet"}).errors,
              ElementsAre("--name needs a value: --name=PREFIX"));
  EXPECT_THAT(parse({"m.onnx", "-o"}).errors, ElementsAre("-o needs a value: -o OUT", "no output given: -o OUT"));
}

TEST(Options, TwoDashesEndTheFlags) {
  EXPECT_EQ(parse({"-o", "m.o", "--", "--quiet.onnx"}).command.model, "--quiet.onnx");
}

TEST(Options, DimsAndShapesRepeat) {
  Parsed parsed =
      parse({"m.onnx", "-o", "m.o", "--dim", "N=4", "--dim=seq=16", "--shape", "x=1x3x224x224", "--shape=s="});
  EXPECT_THAT(parsed.errors, ElementsAre());
  const ImportOptions &import = parsed.command.options.import;
  EXPECT_EQ(import.dims.at("N"), 4);
  EXPECT_EQ(import.dims.at("seq"), 16);
  EXPECT_THAT(import.shapes.at("x"), ElementsAre(1, 3, 224, 224));
  EXPECT_THAT(import.shapes.at("s"), ElementsAre());
}

TEST(Options, BadDimsAndShapes) {
  EXPECT_THAT(parse({"m.onnx", "-o", "m.o", "--dim", "N=x", "--dim", "N", "--shape=x=1x-3"}).errors,
              ElementsAre("--dim=N=x: 'x' is not a dimension",
                          "--dim=N: expected NAME=N or NAME=LO..HI, such as batch=1",
                          "--shape=x=1x-3: '-3' is not a dimension"));
}

TEST(Options, EveryFaultAtOnce) {
  EXPECT_THAT(parse({"--fast-moth", "-O7", "--sanitize=heap"}).errors,
              ElementsAre("unknown flag --fast-moth; did you mean --fast-math?",
                          "-O7: the optimisation levels are -O0, -O1, -O2, -O3 and -Os",
                          "--sanitize=heap: expected address or thread",
                          "no model given: onnx-aot MODEL.onnx -o OUT (see --help)", "no output given: -o OUT"));
}

TEST(Options, UnknownFlags) {
  EXPECT_THAT(parse({"m.onnx", "-o", "m.o", "-name=x"}).errors,
              ElementsAre("unknown flag -name; did you mean --name?"));
  EXPECT_THAT(parse({"m.onnx", "-o", "m.o", "--frobnicate=1"}).errors,
              ElementsAre("unknown flag --frobnicate; see --help"));
  // Of the other tool.
  EXPECT_THAT(parse({"m.onnx", "-o", "m.o", "--bench"}).errors, ElementsAre("unknown flag --bench; see --help"));
}

class NotYet : public testing::TestWithParam<const char *> {};

TEST_P(NotYet, IsRefused) {
  Parsed parsed = parse({"m.onnx", "-o", "m.o", GetParam()});
  EXPECT_EQ(parsed.result, ParseResult::Failed);
  EXPECT_THAT(parsed.errors, ElementsAre(std::string(GetParam()) + " is not supported yet"));
}

INSTANTIATE_TEST_SUITE_P(Options, NotYet,
                         testing::Values("--threads=4", "--weights=w.bin", "--mcpu=v1,v3,v4"));

TEST(Options, Device) {
  CompilerOptions options =
      parse({"m.onnx", "-o", "m.o", "--device=cuda", "--gpu-arch=sm_80,sm_90a", "--precision=bf16"}).command.options;
  EXPECT_TRUE(options.device.isUsed);
  EXPECT_FALSE(options.device.hasBuffers);
  EXPECT_THAT(options.device.architectures, ElementsAre("sm_80", "sm_90a"));
  EXPECT_EQ(options.graph.precision, Precision::Brain);
  EXPECT_THAT(parse({"m.onnx", "-o", "m.o", "--device=cuda"}).command.options.device.architectures,
              ElementsAre("sm_80"));
  EXPECT_FALSE(parse({"m.onnx", "-o", "m.o"}).command.options.device.isUsed);
  EXPECT_FALSE(options.device.hasFallback);
  EXPECT_FALSE(options.device.hasMachineCode);
  DeviceOptions both = parse({"m.onnx", "-o", "m.o", "--device=cuda,cpu"}).command.options.device;
  EXPECT_TRUE(both.isUsed);
  EXPECT_TRUE(both.hasFallback);
  EXPECT_THAT(parse({"m.onnx", "-o", "m.o", "--io=device"}).errors,
              ElementsAre("--io=device has no meaning without --device=cuda"));
}

TEST(Options, Kernels) {
  auto kernels = [](const char *flag) { return parse({"m.onnx", "-o", "m.o", flag}).command.options.kernels; };
  EXPECT_EQ(parse({"m.onnx", "-o", "m.o"}).command.options.kernels, KernelChoice::Auto);
  EXPECT_EQ(kernels("--kernels=auto"), KernelChoice::Auto);
  EXPECT_EQ(kernels("--kernels=mlir"), KernelChoice::Mlir);
  EXPECT_EQ(kernels("--kernels=halide"), KernelChoice::Halide);
  EXPECT_EQ(kernels("--kernels=reference"), KernelChoice::Reference);
  EXPECT_THAT(parse({"m.onnx", "-o", "m.o", "--kernels=ptx"}).errors,
              ElementsAre("--kernels=ptx: expected auto, mlir, halide or reference"));
  EXPECT_THAT(parse({"m.onnx", "-o", "m.c", "--kernels=halide"}).errors,
              ElementsAre("--kernels=halide: Halide's kernels are machine code, which C output cannot hold"));
}

TEST(Options, LimitsAreBytes) {
  CompilerOptions options = parse({"m.onnx", "-o", "m.o", "--max-ram=65000", "--max-flash", "2M"}).command.options;
  EXPECT_EQ(options.artifact.maxRam, 65000u);
  EXPECT_EQ(options.artifact.maxFlash, 2u << 20);
  EXPECT_EQ(parse({"m.onnx", "-o", "m.a", "--max-ram=64k"}).command.options.artifact.maxRam, 64u << 10);
  for (const char *flag :
       {"--max-ram=", "--max-ram=-1", "--max-ram=64G", "--max-ram=1.5M", "--max-ram=99999999999999M"})
    EXPECT_THAT(parse({"m.onnx", "-o", "m.o", flag}).errors,
                ElementsAre(std::string(flag) + ": expected a number of bytes, such as 65536, 64K or 1M"));
  EXPECT_THAT(parse({"m.onnx", "-o", "m.ll", "--max-flash=1M"}).errors,
              ElementsAre("--max-flash is measured in an object, but the output is m.ll; write .o, .a or .so"));
}

TEST(Options, CIsForAnyTarget) {
  EXPECT_EQ(parse({"m.onnx", "-o", "m.c"}).command.options.artifact.kind, OutputKind::C);
  EXPECT_EQ(parse({"m.onnx", "-o", "-", "--emit=c"}).command.options.artifact.kind, OutputKind::C);
  EXPECT_THAT(parse({"m.onnx", "-o", "m.c", "--mcpu=cortex-m4", "--target=thumbv7em-none-eabi"}).errors,
              ElementsAre("--target has no meaning for -o m.c: give it to the compiler of the C file",
                          "--mcpu has no meaning for -o m.c: give it to the compiler of the C file"));
  EXPECT_THAT(parse({"m.onnx", "-o", "-", "--emit=c", "--sanitize=address"}).errors,
              ElementsAre("--sanitize has no meaning for --emit=c: give it to the compiler of the C file"));
}

TEST(Options, Report) {
  EXPECT_THAT(parse({"m.onnx", "-o", "m.o", "--report=r.json"}).command.options.reports, ElementsAre("r.json"));
  EXPECT_THAT(parse({"m.onnx", "-o", "m.o", "--report=r.html", "--report", "r.json"}).command.options.reports,
              ElementsAre("r.html", "r.json"));
  EXPECT_THAT(parse({"m.onnx", "-o", "m.o", "--report=r.xml"}).errors,
              ElementsAre("--report=r.xml: the report is a .html or a .json file"));
  EXPECT_THAT(parse({"m.onnx", "-o", "m.o", "--report", "json"}).errors,
              ElementsAre("--report=json: the report is a .html or a .json file"));
  EXPECT_THAT(parse({"m.onnx", "-o", "m.mlir", "--stop-after=tensor", "--report=r.json"}).errors,
              ElementsAre("--report=r.json: what it tells is known from the buffer stage on, but --stop-after=tensor "
                          "ends before"));
  EXPECT_THAT(parse({"m.onnx", "-o", "m.mlir", "--stop-after=buffer", "--report=r.json"}).errors, ElementsAre());
  EXPECT_THAT(parse({"m.onnx", "--check", "--report=r.html"}).errors,
              ElementsAre("--report=r.html tells what was built, and --check builds nothing"));
}

TEST(Options, FastMath) {
  EXPECT_FALSE(parse({"m.onnx", "-o", "m.o"}).command.options.codegen.fastMath);
  EXPECT_TRUE(parse({"m.onnx", "-o", "m.o", "--fast-math"}).command.options.codegen.fastMath);
}

TEST(Options, DefaultsOfComingFlagsAreAccepted) {
  EXPECT_THAT(parse({"m.onnx", "-o", "m.o", "--threads=1", "--weights=embed", "--precision=fp32"}).errors,
              ElementsAre());
}

TEST(Options, PrefixIsMadeFromTheStem) {
  EXPECT_EQ(parse({"dir/resnet-8.v2.onnx", "-o", "m.o"}).command.options.artifact.prefix, "resnet_8_v2");
  EXPECT_EQ(toCIdentifier("8bit"), "model_8bit");
  EXPECT_EQ(toCIdentifier("_x"), "model_x");
  EXPECT_EQ(toCIdentifier("---"), "model");
  EXPECT_THAT(parse({"m.onnx", "-o", "m.o", "--name=a-b"}).errors,
              ElementsAre("--name=a-b: not a C identifier that begins with a letter"));
}

TEST(Options, TargetIsFinal) {
  Parsed parsed = parse({"m.onnx", "-o", "m.o", "--target=x86_64-linux-gnu"});
  EXPECT_EQ(parsed.command.options.codegen.triple, "x86_64-unknown-linux-gnu");
  EXPECT_EQ(parsed.command.options.codegen.cpu, "x86-64-v3");
  parsed = parse({"m.onnx", "-o", "m.o", "--target=x86_64-linux-gnu", "--mcpu=v4", "-O1"});
  EXPECT_EQ(parsed.command.options.codegen.cpu, "x86-64-v4");
  EXPECT_EQ(parsed.command.options.codegen.optLevel, 1);
  EXPECT_THAT(parse({"m.onnx", "-o", "m.o", "--target=z80000-none"}).errors, ElementsAre(HasSubstr("z80000")));
  EXPECT_THAT(parse({"m.onnx", "-o", "m.o", "--target=x86_64-linux-gnu", "--mcpu=i80"}).errors,
              ElementsAre(HasSubstr("unknown CPU 'i80'")));
}

TEST(Options, OtherActions) {
  EXPECT_EQ(parse({"m.onnx", "--check"}).command.action, CompileCommand::Action::Check);
  Parsed parsed = parse({"--list-ops", "--json"});
  EXPECT_EQ(parsed.command.action, CompileCommand::Action::ListOps);
  EXPECT_TRUE(parsed.command.json);
  EXPECT_THAT(parse({"a.onnx", "b.onnx", "-o", "m.o"}).errors,
              ElementsAre("unexpected argument 'b.onnx'; the model is a.onnx"));
}

TEST(Options, RunCommand) {
  std::vector<const char *> arguments = {"onnx-aot-run", "m.onnx",    "--input", "x=a=b.npy", "--expect=ref", "--rtol",
                                         "1e-5",         "--dim=N=2", "--bench", "--runs=7",  "--json"};
  Diagnostics diagnostics;
  RunCommand command;
  EXPECT_EQ(parseRunCommand(arguments, command, diagnostics), ParseResult::Proceed);
  ASSERT_EQ(command.inputs.size(), 1u);
  EXPECT_EQ(command.inputs[0].first, "x");
  EXPECT_EQ(command.inputs[0].second, "a=b.npy");
  EXPECT_THAT(command.expectDirs, ElementsAre("ref"));
  EXPECT_EQ(command.rtol, 1e-5);
  EXPECT_EQ(command.atol, std::nullopt);
  EXPECT_EQ(command.runs, 7);
  EXPECT_TRUE(command.bench && command.json);
  EXPECT_EQ(command.options.import.dims.at("N"), 2);
  EXPECT_EQ(command.options.artifact.kind, OutputKind::SharedLibrary);
}

} // namespace
