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
#include "llvm/TargetParser/AArch64TargetParser.h"
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
  case Triple::xtensa:
    return true;
  default:
    return false;
  }
}

bool isBareMetal(const Triple &triple) { return triple.getOS() == Triple::UnknownOS; }

/// Whether code and data lie where the linker puts them.
static bool isStatic(const Triple &triple) { return isBareMetal(triple) || triple.isWasm(); }

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
    if (!triple.isHardFloatABI())
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

/// Features that a target has though LLVM's table of CPUs does not say so: those that a hosted one of this architecture
/// always has, and NEON, which compilers add to most 32-bit CPUs.
static StringRef defaultFeatures(const Triple &triple, StringRef cpu) {
  if (triple.isARM() || triple.isThumb()) {
    ARM::FPUKind fpu = ARM::getDefaultFPU(cpu, ARM::parseCPUArch(cpu));
    return ARM::getFPUNeonSupportLevel(fpu) != ARM::NeonSupportLevel::None ? "+neon" : "";
  }
  if (triple.isRISCV() && cpu.starts_with("generic") && !isBareMetal(triple))
    return "+m,+a,+f,+d,+c,+zicsr,+zifencei";
  return "";
}

/// Moves what follows the CPU's name, as in GCC's cortex-m33+nodsp, to the front of the features.
static bool splitCpuExtensions(TargetSpec &spec, const Triple &triple, std::string &error) {
  SmallVector<StringRef> parts;
  std::string whole = spec.cpu;
  StringRef(whole).split(parts, '+');
  if (parts.size() < 2)
    return true;
  StringRef name = parts.front();
  std::vector<std::string> features;
  if (triple.isARM() || triple.isThumb()) {
    // The extensions of a generic CPU are those that the triple's architecture has.
    ARM::ArchKind arch = name == "generic" ? ARM::parseArch(triple.getArchName()) : ARM::parseCPUArch(name);
    ARM::FPUKind fpu = ARM::FK_INVALID; // the one that an extension chose
    std::vector<StringRef> chosen;
    for (StringRef extension : drop_begin(parts))
      if (!ARM::appendArchExtFeatures(name, arch, extension, chosen, fpu)) {
        error = "unknown extension '" + extension.str() + "' of the CPU " + name.str();
        return false;
      }
    features.assign(chosen.begin(), chosen.end());
  } else if (triple.isAArch64()) {
    for (StringRef extension : drop_begin(parts)) {
      bool isOff = extension.starts_with("no");
      auto info = AArch64::parseArchExtension(isOff ? extension.drop_front(2) : extension);
      if (!info) {
        error = "unknown extension '" + extension.str() + "' of the CPU " + name.str();
        return false;
      }
      features.push_back((isOff ? info->NegTargetFeature : info->PosTargetFeature).str());
    }
  } else {
    return true; // no such names there; the CPU is not known then
  }
  spec.cpu = name.str();
  if (!spec.features.empty())
    features.push_back(spec.features);
  spec.features = join(features, ",");
  return true;
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

/// Whether the CPU has floating point registers to pass arguments in.
static bool hasFloatRegisters(const Target &target, const Triple &triple, const TargetSpec &spec) {
  std::unique_ptr<MCSubtargetInfo> subtarget(target.createMCSubtargetInfo(triple, spec.cpu, spec.features));
  if (triple.isRISCV())
    return subtarget->checkFeatures("+f") && !subtarget->checkFeatures("+e");
  return subtarget->checkFeatures("+fpregs");
}

/// The CPU and the features of `spec` must be known.
static bool checkFloatAbi(const Target &target, const Triple &triple, const TargetSpec &spec, std::string &error) {
  bool isArm = triple.isARM() || triple.isThumb();
  if (!spec.floatAbi.empty() && spec.floatAbi != "soft" && spec.floatAbi != "hard") {
    error = "unknown float ABI '" + spec.floatAbi + "': soft and hard are known";
    return false;
  }
  if (!spec.floatAbi.empty() && !isArm && !triple.isRISCV()) {
    error = "the float ABI of " + triple.str() + " is fixed: it can be chosen for ARM and RISC-V only";
    return false;
  }
  bool isHard = spec.floatAbi == "hard" || (spec.floatAbi.empty() && isArm && triple.isHardFloatABI());
  if (isHard && !hasFloatRegisters(target, triple, spec)) {
    error = "the hard float ABI needs floating point registers, and the CPU '" + spec.cpu + "' of " + triple.str() +
            " has none: choose --float-abi=soft" + (isArm ? " and a triple that ends with eabi" : "") +
            ", or another CPU (--mcpu, --mattr)";
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
            "'; supported are x86, x86-64, ARM, AArch64, RISC-V, 64-bit PowerPC, Xtensa and 32-bit WebAssembly";
    if (triple.isArch16Bit() || triple.getArch() == Triple::avr)
      error +=
          ". Its integers and addresses are too narrow for the sizes of tensors: take a target of at least 32 bits";
    return false;
  }

  if (!splitCpuExtensions(spec, triple, error))
    return false;
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
  return checkFloatAbi(*target, triple, spec, error);
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

/// The ABI's name on RISC-V, where it is a choice of its own: without one LLVM takes the soft one whatever the
/// hardware. As in C compilers the floating point registers decide, unless the float ABI is given.
static std::string riscvAbi(const Target &target, const Triple &triple, const TargetSpec &spec) {
  std::unique_ptr<MCSubtargetInfo> subtarget(target.createMCSubtargetInfo(triple, spec.cpu, spec.features));
  std::string base = triple.isArch64Bit() ? "lp64" : "ilp32";
  if (subtarget->checkFeatures("+e"))
    return base + "e";
  if (spec.floatAbi == "soft")
    return base;
  return base + (subtarget->checkFeatures("+d") ? "d" : subtarget->checkFeatures("+f") ? "f" : "");
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
    options.MCOptions.ABIName = riscvAbi(*target, triple, spec);
  } else if (spec.floatAbi == "hard") {
    options.FloatABIType = FloatABI::Hard;
  } else if (spec.floatAbi == "soft") {
    // As C compilers read it: no floating point registers in calls, and no floating point instructions.
    options.FloatABIType = FloatABI::Soft;
    features += features.empty() ? "+soft-float" : ",+soft-float";
  }

  Reloc::Model relocation = isStatic(triple) ? Reloc::Static : Reloc::PIC_;
  // 64-bit RISC-V's small model reaches the lowest and the highest 2 GB alone, where boards rarely have their memory.
  std::optional<CodeModel::Model> codeModel;
  if (triple.isRISCV64())
    codeModel = CodeModel::Medium;
  std::unique_ptr<TargetMachine> machine(
      target->createTargetMachine(triple, spec.cpu, features, options, relocation, codeModel, codeGenLevel(level)));
  if (!machine)
    error = "LLVM makes no code for the target '" + spec.triple + "'";
  return machine;
}

void prepareModule(Module &module, const TargetMachine &machine) {
  module.setTargetTriple(machine.getTargetTriple());
  module.setDataLayout(machine.createDataLayout());
  if (!isStatic(machine.getTargetTriple()) && module.getPICLevel() == PICLevel::NotPIC)
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
