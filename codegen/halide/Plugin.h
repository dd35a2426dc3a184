//===- Plugin.h - Halide's plugin as the compiler sees it ---------------------------------------------------------===//
//
// Finds the plugin (see plugin/PluginInterface.h) beside the program, or where it is installed, and loads it so that no
// symbol of its LLVM meets one of ours. A compiler under a sanitizer cannot do that; it runs the same code as a
// program.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_HALIDE_PLUGIN_H
#define ONNX_AOT_CODEGEN_HALIDE_PLUGIN_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>

namespace onnx_aot {

class HalidePlugin {
public:
  virtual ~HalidePlugin() = default;

  /// Says why there is none.
  static llvm::Expected<std::unique_ptr<HalidePlugin>> load();

  /// Halide's version.
  llvm::StringRef version() const { return halideVersion; }

  /// The bitcode of `specification`; fails with the reason why Halide refuses it. For several threads at once.
  virtual llvm::Expected<std::string> compile(llvm::StringRef specification) = 0;

protected:
  std::string halideVersion;
};

} // namespace onnx_aot

#endif
