//===- TargetMachine.cpp - LLVM's target, configured for freestanding code -------===//
//
// See TargetMachine.h.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/TargetMachine.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Target/TargetOptions.h"
#include "llvm/TargetParser/ARMTargetParser.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"
#include "llvm/Transforms/Instrumentation/AddressSanitizer.h"
#include "llvm/Transforms/Instrumentation/ThreadSanitizer.h"
#include <mutex>

using namespace llvm;

namespace onnx_aot {

static void initializeTargets() {
  static std::once_flag once;
  std::call_once(once, [] {
    InitializeAllTargetInfos();
    InitializeAllTargets();
    InitializeAllTargetMCs();
    InitializeAllAsmPrinters();
  });
}

/// The architectures that tests compile for. LLVM has more, but for those nobody knows which helper functions emitted
/// code needs, or what their code generators refuse.
static bool isSupported(Triple::ArchType architecture) {
  switch (architecture) {
  case Triple::x86:
  case Triple::x86_64:
  case Triple::aarch64:
  case Triple::aarch64_be:
  case Triple::arm:
  case Triple::armeb:
  case Triple::thumb:
  case Triple::thumbeb:
  case Triple::riscv32:
  case Triple::riscv64:
  case Triple::ppc64:
  case Triple::ppc64le:
  case Triple::wasm32:
    return true;
  default:
    return false;
  }
}

static bool isBareMetal(const Triple &triple) { return triple.getOS() == Triple::UnknownOS; }

std::string defaultCpu(const Triple &triple) {
  switch (triple.getArch()) {
  case Triple::x86_64:
    return "x86-64-v3";
  case Triple::x86:
    return "pentium4";
  case Triple::arm:
  case Triple::armeb:
  case Triple::thumb:
  case Triple::thumbeb: {
    // "generic" of an ARM triple has no FPU; the hard-float ABI needs one.
    if (triple.getEnvironment() != Triple::EABIHF && triple.getEnvironment() != Triple::GNUEABIHF &&
        triple.getEnvironment() != Triple::MuslEABIHF)
      return "generic";
    // A bare "arm" says nothing of the CPU; distributions with the hard-float ABI start at ARMv7-A.
    if (triple.getArchName() == "arm" && !isBareMetal(triple))
      return "cortex-a7";
    return ARM::getARMCPUForArch(triple).str();
  }
  case Triple::riscv64:
    return "generic-rv64";
  case Triple::riscv32:
    return "generic-rv32";
  default:
    return "generic";
  }
}

/// Features that a hosted target of this architecture always has though its generic CPU lacks them.
static StringRef defaultFeatures(const Triple &triple, StringRef cpu) {
  if (triple.isRISCV() && cpu.starts_with("generic") && !isBareMetal(triple))
    return "+m,+a,+f,+d,+c,+zicsr,+zifencei";
  return "";
}

/// "; known are ...", or of a long table the names nearest to `name`.
template <typename Table> static std::string suggest(StringRef name, const Table &table) {
  constexpr size_t most = 10;
  std::vector<StringRef> names;
  for (const auto &row : table)
    names.push_back(row.Key);
  bool isLong = names.size() > most;
  if (isLong) {
    stable_sort(names, [&](StringRef a, StringRef b) { return name.edit_distance(a) < name.edit_distance(b); });
    names.resize(most);
  }
  return (isLong ? "; the nearest are " : "; known are ") + join(names, ", ");
}

static bool checkFloatAbi(const Triple &triple, StringRef floatAbi, std::string &error) {
  if (floatAbi.empty())
    return true;
  if (floatAbi != "soft" && floatAbi != "hard") {
    error = "unknown float ABI '" + floatAbi.str() + "': soft and hard are known";
    return false;
  }
  if (!triple.isARM() && !triple.isThumb() && !triple.isRISCV()) {
    error = "the float ABI of " + triple.str() + " is fixed: it can be chosen for ARM and RISC-V only";
    return false;
  }
  return true;
}

bool completeTargetSpec(TargetSpec &spec, std::string &error) {
  initializeTargets();
  if (spec.triple.empty())
    spec.triple = sys::getDefaultTargetTriple();
  spec.triple = Triple::normalize(spec.triple);
  Triple triple(spec.triple);

  const Target *target = TargetRegistry::lookupTarget(triple, error);
  if (!target || !target->hasTargetMachine()) {
    error = "unknown target '" + spec.triple + "': " + (target ? "it makes no code" : error);
    return false;
  }
  if (!isSupported(triple.getArch())) {
    error = "unsupported target '" + spec.triple +
            "'; supported are x86, x86-64, ARM, AArch64, RISC-V, 64-bit PowerPC and 32-bit WebAssembly";
    return false;
  }

  if (spec.cpu == "native") {
    Triple host(sys::getProcessTriple());
    if (host.getArch() != triple.getArch()) {
      error = "the CPU 'native' is a " + host.getArchName().str() + ", not a CPU of " + spec.triple;
      return false;
    }
    spec.cpu = sys::getHostCPUName().str();
    std::vector<std::string> features;
    for (const auto &feature : sys::getHostCPUFeatures())
      features.push_back((feature.second ? "+" : "-") + feature.first().str());
    // The host's map is a hash table: its order is no order.
    sort(features, [](StringRef a, StringRef b) { return a.drop_front() < b.drop_front(); });
    std::string own = std::move(spec.features);
    spec.features = join(features, ",");
    if (!own.empty())
      spec.features += (spec.features.empty() ? "" : ",") + own;
  } else if (spec.cpu.empty()) {
    spec.cpu = defaultCpu(triple);
  }
  std::string base = defaultFeatures(triple, spec.cpu).str();
  if (!StringRef(spec.features).starts_with(base))
    spec.features = base + (spec.features.empty() ? "" : "," + spec.features);
  if (!checkFloatAbi(triple, spec.floatAbi, error))
    return false;

  // Built without a CPU and features: LLVM would warn about unknown ones on stderr.
  std::unique_ptr<MCSubtargetInfo> subtarget(target->createMCSubtargetInfo(triple, "", ""));
  if (!subtarget) {
    error = "unknown target '" + spec.triple + "'";
    return false;
  }
  auto cpus = subtarget->getAllProcessorDescriptions();
  if (!subtarget->isCPUStringValid(spec.cpu)) {
    // Some targets have no CPU table at all; they take only "generic".
    if (cpus.empty() && spec.cpu == "generic")
      spec.cpu = "";
    else {
      error = "unknown CPU '" + spec.cpu + "' of " + spec.triple + suggest(spec.cpu, cpus);
      return false;
    }
  }
  auto known = subtarget->getAllProcessorFeatures();
  for (StringRef feature : split(spec.features, ',')) {
    if (feature.empty())
      continue;
    if (feature.front() != '+' && feature.front() != '-') {
      error = "the feature '" + feature.str() + "' must begin with + or -";
      return false;
    }
    StringRef name = feature.drop_front();
    if (none_of(known, [&](const SubtargetFeatureKV &row) { return name == row.Key; })) {
      error = "unknown feature '" + name.str() + "' of " + spec.triple + suggest(name, known);
      return false;
    }
  }
  return true;
}

static CodeGenOptLevel codeGenLevel(OptLevel level) {
  switch (level) {
  case OptLevel::O0:
    return CodeGenOptLevel::None;
  case OptLevel::O1:
    return CodeGenOptLevel::Less;
  case OptLevel::O2:
  case OptLevel::Os:
    return CodeGenOptLevel::Default;
  case OptLevel::O3:
    break;
  }
  return CodeGenOptLevel::Aggressive;
}

std::unique_ptr<TargetMachine> createTargetMachine(const TargetSpec &requested, std::string &error, OptLevel level) {
  TargetSpec spec = requested;
  if (!completeTargetSpec(spec, error))
    return nullptr;
  Triple triple(spec.triple);
  const Target *target = TargetRegistry::lookupTarget(triple, error);

  TargetOptions options;
  options.FunctionSections = true;
  options.DataSections = true;
  options.UniqueSectionNames = true;
  std::string features = spec.features;
  if (triple.isRISCV()) {
    // The ABI is a choice of its own on RISC-V: without a name LLVM takes the soft one whatever the hardware.
    bool is64 = triple.isArch64Bit();
    bool hard = spec.floatAbi == "hard" || (spec.floatAbi.empty() && StringRef(features).contains("+d"));
    bool hasDouble = StringRef(features).contains("+d") || !StringRef(spec.cpu).starts_with("generic");
    options.MCOptions.ABIName = is64 ? "lp64" : "ilp32";
    if (hard)
      options.MCOptions.ABIName += hasDouble ? "d" : "f";
  } else if (spec.floatAbi == "hard") {
    options.FloatABIType = FloatABI::Hard;
  } else if (spec.floatAbi == "soft") {
    // As C compilers read it: no floating point registers in calls, and no floating point instructions.
    options.FloatABIType = FloatABI::Soft;
    features += features.empty() ? "+soft-float" : ",+soft-float";
  }

  Reloc::Model relocation = isBareMetal(triple) ? Reloc::Static : Reloc::PIC_;
  std::unique_ptr<TargetMachine> machine(
      target->createTargetMachine(triple, spec.cpu, features, options, relocation, std::nullopt, codeGenLevel(level)));
  if (!machine)
    error = "LLVM makes no code for the target '" + spec.triple + "'";
  return machine;
}

void prepareModule(Module &module, const TargetMachine &machine) {
  module.setTargetTriple(machine.getTargetTriple());
  module.setDataLayout(machine.createDataLayout());
  if (!isBareMetal(machine.getTargetTriple()) && module.getPICLevel() == PICLevel::NotPIC)
    module.setPICLevel(PICLevel::BigPIC);
  StringRef cpu = machine.getTargetCPU(), features = machine.getTargetFeatureString();
  for (Function &function : module) {
    if (function.isDeclaration())
      continue;
    // Functions with different target attributes are not inlined into each other.
    if (!cpu.empty())
      function.addFnAttr("target-cpu", cpu);
    if (!features.empty())
      function.addFnAttr("target-features", features);
    function.removeFnAttr("tune-cpu");
    function.removeFnAttr(Attribute::UWTable);
    function.addFnAttr(Attribute::NoUnwind);
    function.addFnAttr("frame-pointer", "none");
    // Where flags on operations allow them: they make NaN of 0 and of infinity.
    function.addFnAttr("reciprocal-estimates", "none");
  }
}

TargetLibraryInfoImpl freestandingLibraryInfo(const Triple &triple) {
  TargetLibraryInfoImpl info(triple);
  info.disableAllFunctions();
  for (LibFunc function : {LibFunc_memcpy, LibFunc_memmove, LibFunc_memset, LibFunc_memcmp})
    info.setAvailable(function);
  return info;
}

static OptimizationLevel passLevel(OptLevel level) {
  switch (level) {
  case OptLevel::O0:
    return OptimizationLevel::O0;
  case OptLevel::O1:
    return OptimizationLevel::O1;
  case OptLevel::O2:
    return OptimizationLevel::O2;
  case OptLevel::Os:
    return OptimizationLevel::Os;
  case OptLevel::O3:
    break;
  }
  return OptimizationLevel::O3;
}

void optimizeModule(Module &module, TargetMachine &machine, OptOptions options) {
  for (Function &function : module) {
    if (function.isDeclaration())
      continue;
    if (options.level == OptLevel::Os)
      function.addFnAttr(Attribute::OptimizeForSize);
    // Set before the pipeline: some optimisations would hide from the sanitizer what it is to see.
    if (options.sanitize == Sanitizer::Address)
      function.addFnAttr(Attribute::SanitizeAddress);
    if (options.sanitize == Sanitizer::Thread)
      function.addFnAttr(Attribute::SanitizeThread);
  }

  PipelineTuningOptions tuning;
  tuning.LoopVectorization = true;
  tuning.SLPVectorization = true;
  tuning.LoopInterleaving = true;

  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager callGraph;
  ModuleAnalysisManager modules;
  PassBuilder builder(&machine, tuning);
  // Registered first, so that it wins over the default one.
  functions.registerPass([&] { return TargetLibraryAnalysis(freestandingLibraryInfo(machine.getTargetTriple())); });
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(callGraph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, callGraph, modules);

  ModulePassManager passes = options.level == OptLevel::O0
                                 ? builder.buildO0DefaultPipeline(OptimizationLevel::O0)
                                 : builder.buildPerModuleDefaultPipeline(passLevel(options.level));
  if (options.sanitize == Sanitizer::Address)
    passes.addPass(AddressSanitizerPass(AddressSanitizerOptions()));
  if (options.sanitize == Sanitizer::Thread) {
    passes.addPass(ModuleThreadSanitizerPass());
    passes.addPass(createModuleToFunctionPassAdaptor(ThreadSanitizerPass()));
  }
  passes.run(module, modules);
}

} // namespace onnx_aot
