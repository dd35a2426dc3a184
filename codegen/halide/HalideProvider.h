//===- HalideProvider.h - kernels made by Halide ------------------------------------------------------------------===//
//
// The provider "halide": hands specifications, with the target that they are for, to Halide's plugin, keeps what comes
// back by its specification, and links the kernels that a module calls into it. Kernels that are asked for together are
// compiled in parallel, as many at once as there are cores; what is made does not depend on that.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_HALIDE_HALIDEPROVIDER_H
#define ONNX_AOT_CODEGEN_HALIDE_HALIDEPROVIDER_H

#include "codegen/halide/Importer.h"
#include "codegen/halide/Plugin.h"
#include "dialects/aot/KernelProvider.h"
#include "llvm/ADT/StringSet.h"
#include <functional>
#include <map>

namespace llvm {
class TargetMachine;
}

namespace onnx_aot {

/// Halide's word for a machine, and the floats of its vectors; a name without text where Halide has none.
struct HalideTarget {
  std::string name;
  int lanes = 1;
  bool hasRoots = true; // a square root is an instruction
};
HalideTarget halideTargetOf(const llvm::TargetMachine &machine);

/// Why a kernel of the node at `location` was not made by Halide.
struct KernelRefusal {
  mlir::Location location;
  std::string reason;
};

class HalideProvider : public aot::KernelProvider {
public:
  /// With `isForced` all kernels that it can make are wanted, else those that are faster than the compiler's own.
  /// `missing` is told once that the plugin is, when a kernel is first wanted.
  HalideProvider(const llvm::TargetMachine &machine, bool isForced, std::function<void(const std::string &)> missing);

  llvm::StringRef name() const override { return "halide"; }
  bool wants(aot::KernelFamily family, int64_t results) const override;
  bool isReady(mlir::Location loc) override;
  std::vector<std::optional<aot::PreparedKernel>> prepare(llvm::ArrayRef<aot::KernelRequest> requests) override;
  void refuse(mlir::Location loc, llvm::StringRef reason) override;

  llvm::ArrayRef<KernelRefusal> refusals() const { return refused; }

  /// Links the kernels that `module` declares; they become internal. To be called when it has been optimised.
  llvm::Error linkInto(llvm::Module &module) const;

private:
  struct Entry {
    aot::PreparedKernel kernel;
    std::string bitcode;
    std::string refusal; // no kernel
  };
  Entry make(const std::string &text) const;
  void makeAll(llvm::ArrayRef<std::string> texts);
  std::string symbolFor(llvm::StringRef text);
  HalidePlugin *loadPlugin();

  ImportTarget importTarget;
  HalideTarget target;
  bool isForced;
  std::function<void(const std::string &)> missing;
  std::unique_ptr<HalidePlugin> plugin;
  bool isTried = false;
  std::map<std::string, Entry> entries; // by specification
  llvm::StringSet<> symbols;
  std::vector<KernelRefusal> refused;
};

} // namespace onnx_aot

#endif
