//===- Architecture.h - generations of NVIDIA GPUs ----------------------------------------------------------------===//
//
// What it is for: `--gpu-arch` names them; PTX for one runs on every later one, but for those whose name ends with "a":
// their PTX is for exactly that one.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_NVPTX_ARCHITECTURE_H
#define ONNX_AOT_CODEGEN_NVPTX_ARCHITECTURE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <memory>
#include <optional>
#include <string>

namespace llvm {
class TargetMachine;
}

namespace onnx_aot::nvptx {

struct Architecture {
  llvm::StringRef name; // "sm_90a"
  int capability;       // 90: compute capability 9.0
  bool isSpecific;
  /// The version of PTX that is asked for: the oldest that has what kernels for it use, so that old drivers do.
  llvm::StringRef feature;

  /// Nothing where kernels are not made for it.
  static std::optional<Architecture> named(llvm::StringRef name);
  /// "sm_75, sm_80, ..."
  static std::string known();

  std::unique_ptr<llvm::TargetMachine> createTargetMachine() const;
};

/// Whether all of them multiply matrices by mma.sync and copy to shared memory by cp.async.
bool haveMatrixUnits(llvm::ArrayRef<std::string> names);
/// Whether one of them multiplies matrices by groups of four warps, from shared memory (wgmma), and copies boxes of
/// tensors there (TMA).
bool haveWarpgroups(llvm::ArrayRef<std::string> names);

} // namespace onnx_aot::nvptx

#endif // ONNX_AOT_CODEGEN_NVPTX_ARCHITECTURE_H
