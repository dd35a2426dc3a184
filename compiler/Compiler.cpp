//===- Compiler.cpp - the whole way from a model to its files -----------------------------------------------------===//
//
//   read the model -> import -> graph -> tensor -> schedule -> buffer -> codegen -> LLVM IR -> files
//
// Each stage runs as a pass manager of its own, so that --stop-after can end behind any of them.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "compiler/Compiler.h"
#include "codegen/cpu/CpuTargetModel.h"
#include "codegen/cpu/TargetMachine.h"
#include "codegen/halide/HalideProvider.h"
#include "compiler/Diagnostics.h"
#include "compiler/Pipeline.h"
#include "compiler/TargetLimits.h"
#include "compiler/artifact/Artifact.h"
#include "compiler/artifact/Fallback.h"
#include "compiler/import/GraphImporter.h"
#include "compiler/import/ModelReader.h"
#include "dialects/onnx/OnnxDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "onnx_aot/runtime.h"
#include "passes/buffer/DescribeLayers.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace onnx_aot;
using llvm::StringRef;

//===--------------------------------------------------------------------------------------------------------------===//
// Compilation
//===--------------------------------------------------------------------------------------------------------------===//

static constexpr Stage kStages[] = {Stage::Import,   Stage::Graph,  Stage::Tensor,
                                    Stage::Schedule, Stage::Buffer, Stage::Codegen};

static DialectRegistry allDialects() {
  DialectRegistry registry;
  registerAllOnnxAotDialects(registry);
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  registerNVVMDialectTranslation(registry); // kernels of a device
  return registry;
}

namespace {
/// The model on its way through the stages.
struct Version {
  CompilerOptions options;
  OwningOpRef<ModuleOp> module;
  std::optional<Stage> done = {}; // the last stage that ran
  std::optional<ModelInterface> interface = {};
  ModelFacts facts = {};
};
} // namespace

struct Compilation::State {
  State(const CompilerOptions &options, Diagnostics &diagnostics) : options(options), diagnostics(diagnostics) {}

  bool createTarget();
  bool createProvider(const llvm::TargetMachine &machine);
  bool runTo(Version &version, Stage last);
  bool runStage(Version &version, Stage stage);
  bool fitArena(Version &version);
  void beginFallback();
  bool joinFallback();
  bool failed(const llvm::Twine &what);
  void reportRefusals(ModuleOp rest);
  static void nameFunctions(Version &version);
  void showProgress(StringRef text) const;

  const CompilerOptions &options;
  Diagnostics &diagnostics;
  std::optional<CpuTargetModel> target;
  std::unique_ptr<HalideProvider> provider; // null: all kernels are the compiler's own
  std::unique_ptr<LoadedModel> model;       // constants of the module point into it
  MLIRContext context{allDialects(), MLIRContext::Threading::DISABLED};
  DiagnosticCapture capture{context, diagnostics};
  Version main{options, nullptr};
  std::optional<Version> fallback; // for the CPU, where the main one is for a device and the object holds both
};

bool Compilation::State::createTarget() {
  if (options.artifact.kind == OutputKind::C) {
    target.emplace(
        CpuTargetModel::Unknown{/*registerTiles=*/options.codegen.optLevel >= 2 && !options.codegen.forSize});
    return true;
  }
  std::string error;
  std::unique_ptr<llvm::TargetMachine> machine = createTargetMachine(targetSpec(options.codegen), error);
  if (!machine) {
    diagnostics.fault(error);
    return false;
  }
  target.emplace(*machine, options.codegen.forSize);
  if (options.kernels == KernelChoice::Reference)
    target->forgetRegisters();
  return createProvider(*machine);
}

bool Compilation::State::createProvider(const llvm::TargetMachine &machine) {
  if (options.device.isUsed && !options.device.hasFallback)
    return true;
  if (options.kernels == KernelChoice::Halide) {
    if (auto plugin = HalidePlugin::load(); !plugin) {
      diagnostics.fault("--kernels=halide: there is no Halide: " + llvm::toString(plugin.takeError()));
      return false;
    }
  } else if (options.kernels != KernelChoice::Auto) {
    return true;
  }
  provider = std::make_unique<HalideProvider>(
      machine, options.kernels == KernelChoice::Halide, [this](const std::string &reason) {
        diagnostics.warning("kernels that Halide would make are made without it: " + reason);
      });
  return true;
}

/// Whoever fails says why; where nobody did, that is a fault of ours.
bool Compilation::State::failed(const llvm::Twine &what) {
  if (!diagnostics.hasErrors())
    diagnostics.internal(what + " failed without saying why");
  return false;
}

/// Adds what the lowering refuses in `rest`, all that is left of a model at fault, to the errors: every unsupported
/// node is reported in one run. Errors of ours that a broken module may lead to are not the user's to see.
void Compilation::State::reportRefusals(ModuleOp rest) {
  size_t known = diagnostics.errors().size();
  auto run = [&](void (*build)(OpPassManager &)) {
    PassManager passes(&context);
    passes.enableVerifier(false);
    build(passes);
    return passes.run(rest);
  };
  // A lowering decides by shapes: where the fault has left some of them open, it has no say.
  auto hasStaticTypes = [](Operation *op) {
    return llvm::all_of(op->getResultTypes(), [](Type type) {
      auto ranked = dyn_cast<RankedTensorType>(type);
      return ranked && ranked.hasStaticShape();
    });
  };
  if (succeeded(run(buildShapeInference)) && !rest.walk([&](onnx::OnnxOpInterface op) {
                                                    return hasStaticTypes(op) ? WalkResult::advance()
                                                                              : WalkResult::interrupt();
                                                  })
                                                  .wasInterrupted())
    (void)run(buildLowering);
  diagnostics.dropInternal(known);
}

/// Tells the layers which functions they became.
void Compilation::State::nameFunctions(Version &version) {
  version.module->walk([&](LLVM::LLVMFuncOp function) {
    auto layers = dyn_cast_or_null<ArrayAttr>(function->removeDiscardableAttr(kLayersAttr));
    for (Attribute layer : layers ? layers.getValue() : llvm::ArrayRef<Attribute>())
      version.facts.layers[cast<IntegerAttr>(layer).getInt()].function = function.getName().str();
  });
}

/// Replaces the line of a terminal.
void Compilation::State::showProgress(StringRef text) const {
  if (!options.quiet && llvm::sys::Process::StandardErrIsDisplayed())
    llvm::errs() << "\r\033[K" << text;
}

bool Compilation::State::runStage(Version &version, Stage stage) {
  showProgress((stageName(stage) + " stage" + (&version == &main ? "" : " for the CPU")).str());
  PassManager passes(&context);
  bool isForDevice = version.options.device.isUsed;
  buildStage(passes, stage, version.options,
             {*target, isForDevice ? nullptr : provider.get(), options.isMeasured() ? &version.facts : nullptr});
  LogicalResult result = passes.run(*version.module);
  showProgress("");
  if (mlir::failed(result)) {
    if (stage == Stage::Graph)
      reportRefusals(*version.module);
    return failed("the " + stageName(stage) + " stage");
  }
  version.done = stage;
  if (stage == Stage::Codegen)
    nameFunctions(version);
  if (stage != Stage::Buffer)
    return true;
  FailureOr<ModelInterface> described = ModelInterface::fromModule(*version.module);
  if (mlir::failed(described))
    return failed("the description of the model");
  version.interface = std::move(*described);
  return checkTargetLimits(*version.module, *version.interface, options, diagnostics);
}

/// The schedule and buffer stages with --max-ram. What is fastest may need too much memory: then chains of kernels run
/// in strips. Their memory is estimated before buffers are planned, so that what the plan is above the limit is taken
/// from the next try's budget. Whether the model fits is judged when the stack is known.
bool Compilation::State::fitArena(Version &version) {
  constexpr int kTries = 4;
  constexpr int64_t kStack = 2048; // which the arena leaves for stack and variables
  int64_t most = *options.artifact.maxRam, allowed = std::max(most / 2, most - kStack), budget = allowed;
  OwningOpRef<ModuleOp> start = version.module->clone(), best;
  std::optional<ModelInterface> &interface = version.interface;
  std::optional<std::tuple<ModelInterface, ModelFacts>> bestFacts;
  for (int attempt = 0;; ++attempt) {
    if (!runStage(version, Stage::Schedule) || !runStage(version, Stage::Buffer))
      return false;
    bool isSmallest = !bestFacts || interface->arenaBytes < std::get<0>(*bestFacts).arenaBytes;
    if (isSmallest) {
      bestFacts = {*interface, version.facts};
      best = std::move(version.module);
    }
    bool isKnown = interface->arenaBytes != TensorInterface::unbounded;
    int64_t excess = isKnown ? int64_t(interface->arenaBytes) - allowed : 0;
    if (excess <= 0 || attempt == kTries || budget <= 0)
      break;
    if (attempt > 0)
      budget -= excess;
    version.options.schedule.arenaBytes = std::max<int64_t>(budget, 0);
    version.module = start->clone();
  }
  version.module = std::move(best);
  std::tie(*interface, version.facts) = std::move(*bestFacts);
  return true;
}

bool Compilation::State::runTo(Version &version, Stage last) {
  for (Stage stage : kStages) {
    if (stage > last || (version.done && stage <= *version.done))
      continue;
    bool fits = stage == Stage::Schedule && last >= Stage::Buffer && options.artifact.maxRam;
    if (fits ? !fitArena(version) : !runStage(version, stage))
      return false;
  }
  return true;
}

/// From the import on the model goes two ways. The CPU's products keep their 32 bits: narrow ones are a device's.
void Compilation::State::beginFallback() {
  CompilerOptions chosen = options;
  chosen.device = DeviceOptions();
  chosen.graph.precision = Precision::Single;
  fallback = Version{std::move(chosen), main.module->clone()};
}

/// Brings the fallback to its end, with weights that begin as the device's do, and makes one interface of both.
bool Compilation::State::joinFallback() {
  noteWeights(*main.interface, *fallback->module);
  if (!runTo(*fallback, Stage::Codegen))
    return false;
  if (main.interface->join(*fallback->interface))
    return true;
  diagnostics.internal("the versions for the device and for the CPU have different inputs or outputs");
  return false;
}

Compilation::Compilation(const CompilerOptions &options, Diagnostics &diagnostics)
    : state(std::make_unique<State>(options, diagnostics)) {}
Compilation::~Compilation() = default;

bool Compilation::load(StringRef path) {
  Diagnostics &diagnostics = state->diagnostics;
  if (!state->createTarget())
    return false;
  state->model = readModel(path, diagnostics);
  if (!state->model)
    return false;
  OwningOpRef<ModuleOp> partial;
  OwningOpRef<ModuleOp> &module = state->main.module;
  module = importModel(*state->model, state->options.import, state->context, diagnostics, &partial);
  if (partial)
    state->reportRefusals(*partial);
  if (!module || diagnostics.hasErrors())
    return state->failed("the import");
  if (state->options.device.hasFallback && !state->options.stopAfter)
    state->beginFallback();
  return runTo(Stage::Import);
}

bool Compilation::runTo(Stage last) {
  bool isDone = state->main.done == Stage::Codegen;
  if (!state->runTo(state->main, last))
    return false;
  return isDone || last != Stage::Codegen || !state->fallback || state->joinFallback();
}

LoadedModel &Compilation::model() { return *state->model; }
ModuleOp Compilation::module() { return *state->main.module; }
ModuleOp Compilation::fallback() { return state->fallback ? *state->fallback->module : ModuleOp(); }
const ModelInterface *Compilation::interface() const {
  return state->main.interface ? &*state->main.interface : nullptr;
}
const ModelFacts &Compilation::facts() const { return state->main.facts; }
const ModelFacts *Compilation::fallbackFacts() const { return state->fallback ? &state->fallback->facts : nullptr; }
const HalideProvider *Compilation::provider() const { return state->provider.get(); }

//===--------------------------------------------------------------------------------------------------------------===//
// The files
//===--------------------------------------------------------------------------------------------------------------===//

int onnx_aot::compileModel(StringRef path, const CompilerOptions &options, Diagnostics &diagnostics) {
  diagnostics.setQuiet(options.quiet);
  Compilation compilation(options, diagnostics);
  if (!compilation.load(path) || !compilation.runTo(options.stopAfter.value_or(Stage::Codegen)))
    return diagnostics.exitStatus();

  llvm::LLVMContext llvmContext; // outlives the module that `input` owns
  ArtifactInput input;
  input.module = compilation.module();
  input.inputFiles = compilation.model().filesRead();
  if (const ModelInterface *interface = compilation.interface())
    input.interface = *interface;
  input.modelPath = path.str();
  input.facts = &compilation.facts();
  input.fallbackFacts = compilation.fallbackFacts();
  input.provider = compilation.provider();
  if (options.artifact.kind == OutputKind::C) {
    auto isComplex = [](const TensorInterface &tensor) {
      return tensor.dtype == ONNX_AOT_COMPLEX64 || tensor.dtype == ONNX_AOT_COMPLEX128;
    };
    const ModelInterface &interface = input.interface;
    bool movesComplex = llvm::any_of(interface.inputs, isComplex) || llvm::any_of(interface.outputs, isComplex);
    FailureOr<c::Program> program = c::printProgram(input.module, options.artifact.prefix, movesComplex);
    if (mlir::failed(program))
      return diagnostics.exitStatus();
    input.program = std::move(*program);
  } else if (options.artifact.kind != OutputKind::MLIR && options.artifact.kind != OutputKind::PTX) {
    auto translate = [&](ModuleOp module) {
      // What the arguments stand for is in the interface by now; LLVM has no word for it.
      module.walk([](LLVM::LLVMFuncOp function) { function.removeArgAttrsAttr(); });
      auto translated = translateModuleToLLVMIR(module, llvmContext, options.artifact.prefix);
      if (!translated)
        diagnostics.internal("translation to LLVM IR failed");
      return translated;
    };
    input.llvmModule = translate(input.module);
    if (ModuleOp fallback = compilation.fallback())
      input.fallback = translate(fallback);
    if (diagnostics.hasErrors())
      return diagnostics.exitStatus();
  }
  (void)writeArtifact(input, options, diagnostics);
  return diagnostics.exitStatus();
}
