//===- Options.cpp - The only place where flags are declared --------------===//
//
// How it works: a `FlagTable` builds rows that write into the structs of Options.h; `onnx-aot` and `onnx-aot-run` share
// the rows that say how to compile. A flag whose capability is not there yet has a row too, which refuses every value
// but the default. What can only be judged when all flags are known is checked by `completeOptions`.
//
//===----------------------------------------------------------------------===//

#include "compiler/Options.h"
#include "codegen/cpu/TargetMachine.h"
#include "compiler/CommandLine.h"
#include "compiler/Diagnostics.h"
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

static std::optional<Stage> parseStage(StringRef text) {
  for (Stage stage : {Stage::Import, Stage::Graph, Stage::Tensor, Stage::Schedule, Stage::Buffer, Stage::Codegen})
    if (stageName(stage) == text)
      return stage;
  return std::nullopt;
}

/// The words of --emit, which are also the suffixes of -o.
static std::optional<OutputKind> parseKind(StringRef word) {
  return llvm::StringSwitch<std::optional<OutputKind>>(word)
      .Case("o", OutputKind::Object)
      .Case("a", OutputKind::StaticLibrary)
      .Case("so", OutputKind::SharedLibrary)
      .Case("s", OutputKind::Assembly)
      .Case("ll", OutputKind::LLVMIR)
      .Case("mlir", OutputKind::MLIR)
      .Default(std::nullopt);
}

/// Kinds of the contract that no generator makes yet.
static bool isComingKind(StringRef word) { return word == "c" || word == "ptx"; }

//===----------------------------------------------------------------------===//
// C identifiers
//===----------------------------------------------------------------------===//

bool onnx_aot::isCIdentifier(StringRef text) {
  return !text.empty() && !llvm::isDigit(text.front()) &&
         llvm::all_of(text, [](char c) { return llvm::isAlnum(c) || c == '_'; });
}

std::string onnx_aot::toCIdentifier(StringRef text) {
  std::string name;
  for (char c : text)
    name += llvm::isAlnum(c) ? c : '_';
  if (name.find_first_not_of('_') == std::string::npos)
    return "model";
  // A leading underscore would belong to the C implementation.
  return llvm::isAlpha(name.front()) ? name : "model_" + name.substr(name.find_first_not_of('_'));
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

namespace {

/// What the command line says beyond the structs; judged by `finish`.
struct Raw {
  std::string emit;
  std::string name;
  bool help = false, version = false, check = false, listOps = false, json = false;
};

class FlagTable {
public:
  FlagTable(CompilerOptions &options, Raw &raw, Diagnostics &diagnostics)
      : options(options), raw(raw), diagnostics(diagnostics) {}

  void addOutput();
  void addRun(RunCommand &command);
  void addModel();
  void addTarget();
  void addOptimisation();
  void addComing();
  void addGeneral();

  std::vector<Flag> flags;

private:
  using Apply = std::function<void(StringRef, const std::string &)>;

  void group(StringRef title) { heading = title; }
  void flag(StringRef spelling, StringRef value, StringRef help, Apply apply) {
    flags.push_back({spelling, value, heading, help, std::move(apply)});
  }
  void text(StringRef spelling, StringRef value, StringRef help, std::string &out) {
    flag(spelling, value, help, [&](StringRef given, const std::string &spelled) {
      if (given.empty())
        diagnostics.fault(spelled + ": the value is empty");
      out = given.str();
    });
  }
  void toggle(StringRef spelling, StringRef help, bool &out) {
    flag(spelling, "", help, [&](StringRef, const std::string &) { out = true; });
  }
  void number(StringRef spelling, StringRef help, int64_t &out, int64_t least) {
    flag(spelling, "N", help, [&, least](StringRef given, const std::string &spelled) {
      if (given.getAsInteger(10, out) || out < least)
        diagnostics.fault(spelled + ": expected a whole number from " + Twine(least));
    });
  }
  /// A flag of a capability that is not there; `accepted` values ask for what happens anyway.
  void coming(StringRef spelling, StringRef value, StringRef help, std::vector<std::string> accepted = {}) {
    flag(spelling, value, help, [this, accepted](StringRef given, const std::string &spelled) {
      if (!llvm::is_contained(accepted, given.str()))
        notYet(spelled);
    });
  }
  void notYet(const std::string &spelled) { diagnostics.unsupported(spelled + " is not supported yet"); }

  void applyDim(StringRef given, const std::string &spelled);
  void applyShape(StringRef given, const std::string &spelled);
  void applyLevel(StringRef given, const std::string &spelled);
  void applyCpu(StringRef given, const std::string &spelled);

  CompilerOptions &options;
  Raw &raw;
  Diagnostics &diagnostics;
  StringRef heading;
};

} // namespace

void FlagTable::applyDim(StringRef given, const std::string &spelled) {
  auto [name, value] = given.rsplit('=');
  int64_t extent = 0;
  if (name.empty() || value.empty())
    return diagnostics.fault(spelled + ": expected NAME=N, such as batch=1");
  if (value.contains(".."))
    return notYet(spelled);
  if (value.getAsInteger(10, extent) || extent < 0)
    return diagnostics.fault(spelled + ": '" + value + "' is not a dimension");
  options.import.dims[name.str()] = extent;
}

void FlagTable::applyShape(StringRef given, const std::string &spelled) {
  auto [name, value] = given.rsplit('=');
  if (name.empty() || name.size() == given.size())
    return diagnostics.fault(spelled + ": expected INPUT=1x3x224x224");
  std::vector<int64_t> shape;
  llvm::SmallVector<StringRef> parts;
  if (!value.empty()) // nothing after '=': a scalar
    value.split(parts, 'x');
  for (StringRef part : parts) {
    int64_t extent = 0;
    if (part.getAsInteger(10, extent) || extent < 0)
      return diagnostics.fault(spelled + ": '" + part + "' is not a dimension");
    shape.push_back(extent);
  }
  options.import.shapes[name.str()] = std::move(shape);
}

void FlagTable::applyLevel(StringRef given, const std::string &spelled) {
  if (given == "s")
    return notYet("-Os");
  if (given.size() != 1 || given[0] < '0' || given[0] > '3')
    return diagnostics.fault(spelled + ": the optimisation levels are -O0, -O1, -O2 and -O3");
  options.codegen.optLevel = given[0] - '0';
}

void FlagTable::applyCpu(StringRef given, const std::string &spelled) {
  if (given.empty())
    return diagnostics.fault(spelled + ": the value is empty");
  if (given.contains(','))
    return notYet(spelled);
  options.codegen.cpu = given.str();
}

void FlagTable::addOutput() {
  group("Output");
  text("-o", "OUT",
       "what to write; the suffix decides the kind:\n"
       ".o object, with its .h beside it  .a static library  .so shared library\n"
       ".s assembly  .ll LLVM IR  .mlir the IR after --stop-after\n"
       "'-' writes .s, .ll and .mlir to standard output",
       options.artifact.output);
  text("--emit", "KIND", "o, a, so, s, ll or mlir; overrides the suffix", raw.emit);
  flag("--stop-after", "STAGE", "import, graph, tensor, schedule, buffer or codegen; writes MLIR",
       [this](StringRef given, const std::string &spelled) {
         options.stopAfter = parseStage(given);
         if (!options.stopAfter)
           diagnostics.fault(spelled + ": the stages are import, graph, tensor, schedule, buffer and codegen");
       });
  text("--name", "PREFIX", "C prefix of every symbol (default: the model file's stem, made an identifier)", raw.name);
  coming("--weights", "embed", "weights go into the object", {"embed"});
  text("--depfile", "FILE", "write a Makefile rule that lists every file that was read", options.depfile);

  group("Information");
  toggle("--check", "only validate: print what is wrong, or the graph and what it needs", raw.check);
  toggle("--list-ops", "print every operator and opset that is supported", raw.listOps);
  toggle("--json", "with --list-ops: as JSON", raw.json);
}

void FlagTable::addRun(RunCommand &command) {
  group("Inputs and outputs");
  flag("--input", "NAME=FILE", "an input's value, from a .npy or .pb file; may be repeated",
       [this, &command](StringRef given, const std::string &spelled) {
         auto [name, file] = given.split('=');
         if (name.empty() || file.empty())
           diagnostics.fault(spelled + ": expected NAME=FILE");
         else
           command.inputs.emplace_back(name.str(), file.str());
       });
  text("--inputs", "DIR", "inputs from a folder: io.txt with .npy files, or input_0.pb, input_1.pb ...",
       command.inputsDir);
  text("--expect", "DIR", "compare the outputs with those of a folder of the same forms", command.expectDir);
  text("--out", "DIR", "write inputs and outputs there as .npy files with an io.txt", command.outDir);
  flag("--seed", "N", "of the values drawn for inputs that are not given (default: 1)",
       [this, &command](StringRef given, const std::string &spelled) {
         if (given.getAsInteger(10, command.seed))
           diagnostics.fault(spelled + ": expected a whole number");
       });
  for (auto [spelling, tolerance] : {std::pair("--rtol", &command.rtol), std::pair("--atol", &command.atol)})
    flag(spelling, "X",
         spelling == StringRef("--rtol")
             ? "tolerance |d| <= atol + rtol*|ref| instead of the default,\n|d| <= 1e-4*max|ref| + 1e-3*|ref|"
             : "see --rtol; the one that is not given is 0",
         [this, tolerance = tolerance](StringRef given, const std::string &spelled) {
           double value = 0;
           if (given.getAsDouble(value) || !(value >= 0))
             diagnostics.fault(spelled + ": expected a number from 0");
           *tolerance = value;
         });

  group("Timing");
  toggle("--bench", "measure the time of a run", command.bench);
  number("--runs", "how often it runs for --bench (default: 100)", command.runs, 1);
  toggle("--json", "print the result as one line of JSON", command.json);
}

void FlagTable::addModel() {
  group("Model");
  flag("--dim", "NAME=N", "fix a symbolic dimension; may be repeated",
       [this](StringRef given, const std::string &spelled) { applyDim(given, spelled); });
  flag("--shape", "INPUT=AxBxC", "fix the whole shape of an input; may be repeated",
       [this](StringRef given, const std::string &spelled) { applyShape(given, spelled); });
  coming("--precision", "fp32", "arithmetic and stored weights", {"fp32"});
}

void FlagTable::addTarget() {
  group("Target");
  text("--target", "TRIPLE", "any triple LLVM knows (default: this machine's)", options.codegen.triple);
  flag("--mcpu", "CPU", "native, or a CPU of the target (default on x86-64: x86-64-v3; elsewhere: generic)",
       [this](StringRef given, const std::string &spelled) { applyCpu(given, spelled); });
  text("--mattr", "+F,-F", "CPU features to add or take away", options.codegen.features);
  flag("--float-abi", "soft|hard", "how floating point arguments are passed",
       [this](StringRef given, const std::string &spelled) {
         if (given != "soft" && given != "hard")
           diagnostics.fault(spelled + ": expected soft or hard");
         options.codegen.floatAbi = given.str();
       });
}

void FlagTable::addOptimisation() {
  group("Optimisation");
  flag("-O", "0..3", "optimisation level (default: 3)",
       [this](StringRef given, const std::string &spelled) { applyLevel(given, spelled); });
  coming("--kernels", "auto|mlir", "which generator makes the heavy kernels", {"auto", "mlir"});
  coming("--threads", "1", "code for at most so many threads", {"1"});
}

void FlagTable::addComing() {
  group("Not supported yet");
  coming("--fast-math", "", "relaxed floating point");
  coming("--device", "cuda[,cpu]", "run on an NVIDIA GPU");
  coming("--gpu-arch", "sm_80", "the GPUs to make code for");
  coming("--io", "host|device", "where inputs and outputs lie");
  coming("--max-ram", "SIZE", "fail when the model needs more RAM");
  coming("--max-flash", "SIZE", "fail when the model needs more flash");
  coming("--report", "FILE", "what was built, as .html or .json");
}

void FlagTable::addGeneral() {
  group("Developer");
  toggle("--verify-contracts", "check what must hold after every stage", options.verifyContracts);
  flag("--sanitize", "address|thread", "instrument the emitted code",
       [this](StringRef given, const std::string &spelled) {
         if (given == "address")
           options.codegen.sanitize = CodegenOptions::Sanitize::Address;
         else if (given == "thread")
           options.codegen.sanitize = CodegenOptions::Sanitize::Thread;
         else
           diagnostics.fault(spelled + ": expected address or thread");
       });

  group("General");
  toggle("--quiet", "no progress and no warnings", options.quiet);
  toggle("--version", "print the versions of this program, LLVM and the kernel providers", raw.version);
  toggle("--help", "print this", raw.help);
  toggle("-h", "the same", raw.help);
}

//===----------------------------------------------------------------------===//
// After the flags
//===----------------------------------------------------------------------===//

static void printVersion(StringRef tool) {
  llvm::outs() << tool << " " << ONNX_AOT_VERSION << "\n"
               << "LLVM and MLIR " << LLVM_VERSION_STRING << "\n"
               << "default target: " << llvm::sys::getDefaultTargetTriple() << "\n"
               << "kernel providers: mlir\n";
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
  if (isComingKind(word))
    return diagnostics.unsupported(spelled + " is not supported yet");
  std::optional<OutputKind> kind = parseKind(word);
  if (!kind)
    return diagnostics.fault(spelled + ": the kinds of output are o, a, so, s, ll and mlir" +
                             (emit.empty() ? "; --emit=KIND chooses one for any file name" : ""));
  artifact.kind = *kind;

  bool isText = *kind == OutputKind::Assembly || *kind == OutputKind::LLVMIR || *kind == OutputKind::MLIR;
  if (toStdout && !isText)
    diagnostics.fault(spelled + ": only s, ll and mlir can be written to standard output");
  if (options.stopAfter && *kind != OutputKind::MLIR)
    diagnostics.fault("--stop-after=" + stageName(*options.stopAfter) + " writes MLIR, but the output is " + spelled);
  if (!options.stopAfter && *kind == OutputKind::MLIR)
    options.stopAfter = Stage::Codegen;
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

bool onnx_aot::completeOptions(CompilerOptions &options, StringRef modelPath, Diagnostics &diagnostics) {
  size_t before = diagnostics.errors().size();
  ArtifactOptions &artifact = options.artifact;
  if (artifact.prefix.empty())
    artifact.prefix = toCIdentifier(llvm::sys::path::stem(modelPath));
  else if (!isCIdentifier(artifact.prefix))
    diagnostics.fault("--name=" + artifact.prefix + ": not a C identifier");
  options.import.name = artifact.prefix;

  resolveTarget(options.codegen, diagnostics);
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
  Raw raw;
  FlagTable table(command.options, raw, diagnostics);
  table.addOutput();
  table.addModel();
  table.addTarget();
  table.addOptimisation();
  table.addComing();
  table.addGeneral();

  std::vector<std::string> positional;
  parseFlags(argv, table.flags, positional, diagnostics);
  if (raw.help) {
    llvm::outs() << "onnx-aot compiles an ONNX model ahead of time to an object file and a C header.\n\n"
                    "usage: onnx-aot MODEL.onnx -o OUT [flags]\n"
                    "       onnx-aot MODEL.onnx --check\n"
                    "       onnx-aot --list-ops [--json]\n";
    printFlags(llvm::outs(), table.flags);
    llvm::outs() << "\nExit status: 0 done; 1 the model or a flag is at fault; 2 internal error.\n";
    return ParseResult::Done;
  }
  if (raw.version) {
    printVersion("onnx-aot");
    return ParseResult::Done;
  }

  CompilerOptions &options = command.options;
  command.json = raw.json;
  command.action = raw.listOps ? CompileCommand::Action::ListOps
                   : raw.check ? CompileCommand::Action::Check
                               : CompileCommand::Action::Compile;
  if (raw.json && !raw.listOps)
    diagnostics.fault("--json belongs to --list-ops");
  if (command.action == CompileCommand::Action::ListOps) {
    if (!positional.empty())
      diagnostics.fault("--list-ops takes no model, but '" + positional.front() + "' was given");
  } else {
    takeModel(positional, "onnx-aot MODEL.onnx -o OUT", command.model, diagnostics);
    if (command.action == CompileCommand::Action::Compile)
      resolveKind(options, raw.emit, diagnostics);
    options.artifact.prefix = raw.name;
    completeOptions(options, command.model, diagnostics);
  }
  diagnostics.setQuiet(options.quiet);
  return diagnostics.hasErrors() ? ParseResult::Failed : ParseResult::Proceed;
}

ParseResult onnx_aot::parseRunCommand(llvm::ArrayRef<const char *> argv, RunCommand &command,
                                      Diagnostics &diagnostics) {
  Raw raw;
  FlagTable table(command.options, raw, diagnostics);
  table.addRun(command);
  table.addModel();
  table.addTarget();
  table.addOptimisation();
  table.addComing();
  table.addGeneral();

  std::vector<std::string> positional;
  parseFlags(argv, table.flags, positional, diagnostics);
  if (raw.help) {
    llvm::outs() << "onnx-aot-run runs a model once, and prints or compares its outputs, or measures its time.\n"
                    "An .onnx file is compiled first; an .so was made by onnx-aot. Inputs that are not given are\n"
                    "drawn from a fixed seed.\n\n"
                    "usage: onnx-aot-run MODEL.onnx|MODEL.so [flags]\n";
    printFlags(llvm::outs(), table.flags);
    llvm::outs() << "\nExit status: 0 done, and equal where --expect is given; 1 different, or the model, a file or a\n"
                    "flag is at fault; 2 internal error.\n";
    return ParseResult::Done;
  }
  if (raw.version) {
    printVersion("onnx-aot-run");
    return ParseResult::Done;
  }
  if (command.json && !command.bench)
    diagnostics.fault("--json belongs to --bench");
  takeModel(positional, "onnx-aot-run MODEL.onnx", command.model, diagnostics);
  command.options.artifact.kind = OutputKind::SharedLibrary;
  completeOptions(command.options, command.model, diagnostics);
  diagnostics.setQuiet(command.options.quiet);
  return diagnostics.hasErrors() ? ParseResult::Failed : ParseResult::Proceed;
}
