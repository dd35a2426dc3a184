//===- Architecture.cpp - generations of NVIDIA GPUs --------------------------------------------------------------===//
//
// See Architecture.h. The oldest version of PTX for each is in the table of releases of the PTX ISA manual.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/nvptx/Architecture.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Target/TargetOptions.h"
#include "llvm/TargetParser/Triple.h"

using namespace onnx_aot::nvptx;

static constexpr Architecture kArchitectures[] = {
    {"sm_75", 75, false, "+ptx65"}, {"sm_80", 80, false, "+ptx70"}, {"sm_86", 86, false, "+ptx71"},
    {"sm_89", 89, false, "+ptx78"}, {"sm_90", 90, false, "+ptx78"}, {"sm_90a", 90, true, "+ptx80"},
};

std::optional<Architecture> Architecture::named(llvm::StringRef name) {
  const auto *found = llvm::find_if(kArchitectures, [&](const Architecture &row) { return row.name == name; });
  return found == std::end(kArchitectures) ? std::nullopt : std::optional(*found);
}

std::string Architecture::known() {
  return llvm::join(llvm::map_range(kArchitectures, [](const Architecture &row) { return row.name; }), ", ");
}

std::unique_ptr<llvm::TargetMachine> Architecture::createTargetMachine() const {
  LLVMInitializeNVPTXTargetInfo();
  LLVMInitializeNVPTXTarget();
  LLVMInitializeNVPTXTargetMC();
  LLVMInitializeNVPTXAsmPrinter();
  llvm::Triple triple("nvptx64-nvidia-cuda");
  std::string error;
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      triple, name, feature, options, std::nullopt, std::nullopt, llvm::CodeGenOptLevel::Aggressive));
}

bool onnx_aot::nvptx::haveWarpgroups(llvm::ArrayRef<std::string> names) { return llvm::is_contained(names, "sm_90a"); }

bool onnx_aot::nvptx::haveMatrixUnits(llvm::ArrayRef<std::string> names) {
  return llvm::all_of(names, [](llvm::StringRef name) {
    std::optional<Architecture> architecture = Architecture::named(name);
    return architecture && architecture->capability >= 80;
  });
}
