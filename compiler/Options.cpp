//===- Options.cpp - What the flags mean ----------------------------------===//
//
// How it works: Options.td declares the flags; `FlagReader` writes what is given into the structs of Options.h, for
// `onnx-aot` and for `onnx-aot-run`, which share the flags that say how to compile. Here is what can only be judged
// when all flags are known.
//
//===----------------------------------------------------------------------===//

#include "compiler/Options.h"
#include "codegen/cpu/TargetMachine.h"
#include "codegen/halide/Plugin.h"
#include "codegen/nvptx/Architecture.h"
#include "codegen/nvptx/Assembler.h"
#include "compiler/CommandLine.h"
#include "compiler/Diagnostics.h"
#include "compiler/FlagReader.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

using namespace onnx_aot;
using llvm::StringRef;
using llvm::Twine;

StringRef onnx_aot::stageName(Stage stage) {
  static const StringRef names[] = {"import", "graph", "tensor", "schedule", "buffer", "codegen"};
  return names[static_cast<int>(stage)];
}

/// The words of --emit, which are also the suffixes of -o.
static std::optional<OutputKind> parseKind(StringRef word) {
  return llvm::StringSwitch<std::optional<OutputKind>>(word)
      .Case("o", OutputKind::Object)
      .Case("a", OutputKind::StaticLibrary)
      .Case("so", OutputKind::SharedLibrary)
      .Case("s", OutputKind::Assembly)
      .Case("ll", OutputKind::LLVMIR)
      .Case("c", OutputKind::C)
      .Case("ptx", OutputKind::PTX)
      .Case("mlir", OutputKind::MLIR)
      .Default(std::nullopt);
}

//===----------------------------------------------------------------------===//
// C identifiers
//===----------------------------------------------------------------------===//

bool onnx_aot::isCIdentifier(StringRef text) {
  // A leading underscore would belong to the C implementation.
  return !text.empty() && llvm::isAlpha(text.front()) &&
         llvm::all_of(text, [](char c) { return llvm::isAlnum(c) || c == '_'; });
}

std::string onnx_aot::toCIdentifier(StringRef text) {
  std::string name;
  for (char c : text)
    name += llvm::isAlnum(c) ? c : '_';
  if (name.find_first_not_of('_') == std::string::npos)
    return "model";
  return llvm::isAlpha(name.front()) ? name : "model_" + name.substr(name.find_first_not_of('_'));
}

//===----------------------------------------------------------------------===//
// After the flags
//===----------------------------------------------------------------------===//

/// What there is of Halide.
static std::string describeHalide() {
  auto plugin = HalidePlugin::load();
  if (plugin)
    return ("halide (Halide " + (*plugin)->version() + ")").str();
  return "no halide (" + llvm::toString(plugin.takeError()) + ")";
}

static void printVersion(StringRef tool) {
  llvm::outs() << tool << " " << ONNX_AOT_VERSION << "\n"
               << "LLVM and MLIR " << LLVM_VERSION_STRING << "\n"
               << "default target: " << llvm::sys::getDefaultTargetTriple() << "\n"
               << "kernel providers: mlir, " << describeHalide() << "\n";
}

/// C is for any target: the one who compiles it chooses.
static void refuseTargetFlags(const CodegenOptions &codegen, StringRef spelled, Diagnostics &diagnostics) {
  const std::pair<StringRef, bool> flags[] = {{"--target", !codegen.triple.empty()},
                                              {"--mcpu", !codegen.cpu.empty()},
                                              {"--mattr", !codegen.features.empty()},
                                              {"--float-abi", !codegen.floatAbi.empty()},
                                              {"--sanitize", codegen.sanitize != CodegenOptions::Sanitize::None}};
  for (auto [flag, isGiven] : flags)
    if (isGiven)
      diagnostics.fault(flag + " has no meaning for " + spelled + ": give it to the compiler of the C file");
}

/// Settles the output kind from --emit, the suffix of -o and --stop-after.
static void resolveKind(CompilerOptions &options, StringRef emit, Diagnostics &diagnostics) {
  ArtifactOptions &artifact = options.artifact;
  if (artifact.output.empty())
    return diagnostics.fault("no output given: -o OUT");

  bool toStdout = artifact.output == "-";
  StringRef suffix = llvm::sys::path::extension(artifact.output);
  std::string word = !emit.empty() ? emit.str() : toStdout ? "" : suffix.drop_front(!suffix.empty()).str();
  std::string spelled = !emit.empty() ? "--emit=" + emit.str() : "-o " + artifact.output;
  if (word.empty() && options.stopAfter)
    word = "mlir";
  std::optional<OutputKind> kind = parseKind(word);
  if (!kind)
    return diagnostics.fault(spelled + ": the kinds of output are o, a, so, s, ll, ptx, c and mlir" +
                             (emit.empty() ? "; --emit=KIND chooses one for any file name" : ""));
  artifact.kind = *kind;

  bool isBinary =
      *kind == OutputKind::Object || *kind == OutputKind::StaticLibrary || *kind == OutputKind::SharedLibrary;
  if (toStdout && isBinary)
    diagnostics.fault(spelled + ": only s, ll, ptx, c and mlir can be written to standard output");
  if (*kind == OutputKind::C)
    refuseTargetFlags(options.codegen, spelled, diagnostics);
  if (options.stopAfter && *kind != OutputKind::MLIR)
    diagnostics.fault("--stop-after=" + stageName(*options.stopAfter) + " writes MLIR, but the output is " + spelled);
  if (!options.stopAfter && *kind == OutputKind::MLIR)
    options.stopAfter = Stage::Codegen;
}

/// What a model takes is measured in the object.
static void checkLimits(const ArtifactOptions &artifact, Diagnostics &diagnostics) {
  bool hasObject = artifact.kind == OutputKind::Object || artifact.kind == OutputKind::StaticLibrary ||
                   artifact.kind == OutputKind::SharedLibrary;
  if (hasObject || artifact.output.empty())
    return;
  for (auto [limit, flag] : {std::pair(artifact.maxRam, "--max-ram"), std::pair(artifact.maxFlash, "--max-flash")})
    if (limit)
      diagnostics.fault(flag + Twine(" is measured in an object, but the output is ") + artifact.output +
                        "; write .o, .a or .so");
}

/// The suffix decides the form of a report too.
static void checkReport(StringRef path, const CompilerOptions &options, Diagnostics &diagnostics) {
  std::string spelled = "--report=" + path.str();
  StringRef suffix = llvm::sys::path::extension(path);
  if (suffix != ".html" && suffix != ".json")
    diagnostics.fault(spelled + ": the report is a .html or a .json file");
  if (options.stopAfter && *options.stopAfter < Stage::Buffer)
    diagnostics.fault(spelled + ": what it tells is known from the buffer stage on, but --stop-after=" +
                      stageName(*options.stopAfter) + " ends before");
}

/// Fills in the target; v1 to v4 are short for LLVM's x86-64-v1 to x86-64-v4.
static void resolveTarget(CodegenOptions &codegen, Diagnostics &diagnostics) {
  llvm::Triple triple(codegen.triple.empty() ? llvm::sys::getDefaultTargetTriple() : codegen.triple);
  if (triple.getArch() == llvm::Triple::x86_64 && codegen.cpu.size() == 2 && codegen.cpu[0] == 'v')
    codegen.cpu = codegen.cpu == "v1" ? "x86-64" : "x86-64-" + codegen.cpu;
  TargetSpec spec = {codegen.triple, codegen.cpu, codegen.features, codegen.floatAbi};
  std::string error;
  if (!completeTargetSpec(spec, error))
    return diagnostics.fault(error);
  codegen.triple = spec.triple;
  codegen.cpu = spec.cpu;
  codegen.features = spec.features;
}

/// Flags that only have a meaning with others.
static void completeDevice(CompilerOptions &options, Diagnostics &diagnostics) {
  DeviceOptions &device = options.device;
  OutputKind kind = options.artifact.kind;
  if (!device.isUsed) {
    for (auto [flag, isGiven] :
         {std::pair("--io=device", device.hasBuffers), std::pair("--cubin", device.hasMachineCode),
          std::pair("--gpu-arch", !device.architectures.empty())})
      if (isGiven)
        diagnostics.fault(flag + Twine(" has no meaning without --device=cuda"));
    if (options.graph.precision != Precision::Single)
      diagnostics.unsupported("--precision other than fp32 is not supported yet without --device=cuda");
    if (kind == OutputKind::PTX)
      diagnostics.fault("the output is PTX, which is made with --device=cuda");
    return;
  }
  if (device.architectures.empty())
    device.architectures = {"sm_80"};
  if (kind == OutputKind::PTX && device.architectures.size() > 1)
    diagnostics.fault("--gpu-arch names several GPUs, but a .ptx file holds the code for one");
  if (kind == OutputKind::C)
    diagnostics.fault("--device=cuda: C output holds no code for a device");
  if (device.hasFallback && device.hasBuffers)
    diagnostics.fault("--io=device: inputs and outputs lie on the GPU, where the CPU of --device=cuda,cpu cannot read "
                      "them; leave one of the two out");
  if (device.hasMachineCode && (kind == OutputKind::PTX || kind == OutputKind::MLIR))
    diagnostics.fault("--cubin: machine code goes into an object, but the output is " + options.artifact.output);
  if (device.hasMachineCode && (device.ptxas = nvptx::findAssembler()).empty())
    diagnostics.fault(
        "--cubin: there is no ptxas in PATH, in the CUDA Toolkit that CUDA_HOME or CUDA_PATH names, or in "
        "/usr/local/cuda; without --cubin the GPU's driver compiles the PTX");
  if (options.kernels == KernelChoice::Halide)
    diagnostics.fault("--kernels=halide: Halide makes no kernels for a device");
  if (options.artifact.maxRam || options.artifact.maxFlash)
    diagnostics.fault("--max-ram and --max-flash are for the memory of microcontrollers, not of a device");
  llvm::Triple triple(options.codegen.triple);
  if (!triple.isArch64Bit() || !triple.isLittleEndian() || isBareMetal(triple))
    diagnostics.fault("--device=cuda: the driver runs on 64-bit hosts with an operating system, not on " +
                      triple.str());
}

bool onnx_aot::completeOptions(CompilerOptions &options, StringRef modelPath, Diagnostics &diagnostics) {
  size_t before = diagnostics.errors().size();
  ArtifactOptions &artifact = options.artifact;
  if (artifact.prefix.empty())
    artifact.prefix = toCIdentifier(llvm::sys::path::stem(modelPath));
  else if (!isCIdentifier(artifact.prefix))
    diagnostics.fault("--name=" + artifact.prefix + ": not a C identifier that begins with a letter");
  options.import.name = artifact.prefix;

  if (options.kernels == KernelChoice::Halide && artifact.kind == OutputKind::C)
    diagnostics.fault("--kernels=halide: Halide's kernels are machine code, which C output cannot hold");
  resolveTarget(options.codegen, diagnostics);
  if (diagnostics.errors().size() == before)
    completeDevice(options, diagnostics);
  options.buffer.hasAllocator = options.buffer.allocates.value_or(!isBareMetal(llvm::Triple(options.codegen.triple)));
  return diagnostics.errors().size() == before;
}

/// The one positional argument.
static void takeModel(const std::vector<std::string> &positional, StringRef what, std::string &model,
                      Diagnostics &diagnostics) {
  if (positional.empty())
    return diagnostics.fault("no model given: " + what + " (see --help)");
  model = positional.front();
  for (const std::string &extra : llvm::ArrayRef(positional).drop_front())
    diagnostics.fault("unexpected argument '" + extra + "'; the model is " + model);
}

//===----------------------------------------------------------------------===//
// The command lines
//===----------------------------------------------------------------------===//

ParseResult onnx_aot::parseCompileCommand(llvm::ArrayRef<const char *> argv, CompileCommand &command,
                                          Diagnostics &diagnostics) {
  CompilerOptions &options = command.options;
  FlagReader reader(options, /*run=*/nullptr, diagnostics);
  parseFlags(CompileTool, argv, diagnostics, [&](const GivenFlag &flag) { reader.apply(flag); });
  if (reader.help) {
    printHelp(CompileTool,
              "onnx-aot MODEL.onnx -o OUT [flags]\n"
              "       onnx-aot MODEL.onnx --check\n"
              "       onnx-aot --list-ops [--json]",
              "compiles an ONNX model ahead of time to an object file and a C header");
    llvm::outs() << "\nExit status: 0 done; 1 the model or a flag is at fault; 2 internal error.\n";
    return ParseResult::Done;
  }
  if (reader.version) {
    printVersion("onnx-aot");
    return ParseResult::Done;
  }

  command.json = reader.json;
  command.action = reader.listOps ? CompileCommand::Action::ListOps
                   : reader.check ? CompileCommand::Action::Check
                                  : CompileCommand::Action::Compile;
  if (reader.json && !reader.listOps)
    diagnostics.fault("--json belongs to --list-ops");
  if (command.action == CompileCommand::Action::ListOps) {
    if (!reader.positional.empty())
      diagnostics.fault("--list-ops takes no model, but '" + reader.positional.front() + "' was given");
  } else {
    takeModel(reader.positional, "onnx-aot MODEL.onnx -o OUT", command.model, diagnostics);
    if (command.action == CompileCommand::Action::Compile) {
      resolveKind(options, reader.emit, diagnostics);
      for (const std::string &report : options.reports)
        checkReport(report, options, diagnostics);
      checkLimits(options.artifact, diagnostics);
    } else {
      for (const std::string &report : options.reports)
        diagnostics.fault("--report=" + report + " tells what was built, and --check builds nothing");
    }
    options.artifact.prefix = reader.name;
    completeOptions(options, command.model, diagnostics);
  }
  diagnostics.setQuiet(options.quiet);
  return diagnostics.hasErrors() ? ParseResult::Failed : ParseResult::Proceed;
}

ParseResult onnx_aot::parseRunCommand(llvm::ArrayRef<const char *> argv, RunCommand &command,
                                      Diagnostics &diagnostics) {
  FlagReader reader(command.options, &command, diagnostics);
  parseFlags(RunTool, argv, diagnostics, [&](const GivenFlag &flag) { reader.apply(flag); });
  if (reader.help) {
    printHelp(RunTool, "onnx-aot-run MODEL.onnx|MODEL.so [flags]",
              "runs a model once, and prints or compares its outputs, or measures its time\n\n"
              "An .onnx file is compiled first; an .so was made by onnx-aot. Inputs that are not given are\n"
              "drawn from a fixed seed.");
    llvm::outs() << "\nExit status: 0 done, and equal where --expect is given; 1 different, or the model, a file or a\n"
                    "flag is at fault; 2 internal error.\n";
    return ParseResult::Done;
  }
  if (reader.version) {
    printVersion("onnx-aot-run");
    return ParseResult::Done;
  }
  command.json = reader.json;
  if (command.json && !command.bench)
    diagnostics.fault("--json belongs to --bench");
  if (!command.inputsDirs.empty() && !command.expectDirs.empty() &&
      command.inputsDirs.size() != command.expectDirs.size())
    diagnostics.fault("--inputs is given " + Twine(command.inputsDirs.size()) + " times and --expect " +
                      Twine(command.expectDirs.size()) + " times; they go together");
  if (!command.outDir.empty() && std::max(command.inputsDirs.size(), command.expectDirs.size()) > 1)
    diagnostics.fault("--out takes the tensors of one data set");
  if (command.options.device.hasBuffers)
    diagnostics.fault("--io=device: onnx-aot-run has its tensors on the host");
  takeModel(reader.positional, "onnx-aot-run MODEL.onnx", command.model, diagnostics);
  command.options.artifact.kind = command.emitC.empty() ? OutputKind::SharedLibrary : OutputKind::C;
  if (!command.emitC.empty()) {
    if (llvm::sys::path::extension(command.emitC) != ".c")
      diagnostics.fault("--emit-c=" + command.emitC + ": C goes to a .c file");
    if (!StringRef(command.model).ends_with(".onnx"))
      diagnostics.fault("--emit-c=" + command.emitC + ": C is made of .onnx files");
    refuseTargetFlags(command.options.codegen, "--emit-c", diagnostics);
  }
  completeOptions(command.options, command.model, diagnostics);
  diagnostics.setQuiet(command.options.quiet);
  return diagnostics.hasErrors() ? ParseResult::Failed : ParseResult::Proceed;
}
