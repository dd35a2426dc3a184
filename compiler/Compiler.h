//===- Compiler.h - the whole way from a model to its files -------------------------------------------------------===//
//
// What it is for: `compileModel` makes the files of one model. `Compilation` is the way there, for whoever wants to
// stop on it: it owns the model that was read, the MLIR context, the module and the target, and takes the module from
// stage to stage.
//
//     Compilation compilation(options, diagnostics);
//     if (compilation.load("mnist.onnx") && compilation.runTo(Stage::Buffer))
//       use(*compilation.interface(), compilation.module());
//
// What goes wrong is in the diagnostics; then a step returns false, and no further step may be taken.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_COMPILER_COMPILER_H
#define ONNX_AOT_COMPILER_COMPILER_H

#include "compiler/Options.h"
#include "llvm/ADT/StringRef.h"
#include <memory>

namespace mlir {
class ModuleOp;
} // namespace mlir

namespace onnx_aot {

class Diagnostics;
class HalideProvider;
struct LoadedModel;
struct ModelFacts;
struct ModelInterface;

class Compilation {
public:
  /// Both must outlive the compilation; `options` are complete (see completeOptions).
  Compilation(const CompilerOptions &options, Diagnostics &diagnostics);
  ~Compilation();
  Compilation(const Compilation &) = delete;
  Compilation &operator=(const Compilation &) = delete;

  /// Reads the model in the file `path` and imports it: the import stage's result.
  bool load(llvm::StringRef path);
  /// Runs the stages that have not run yet, up to and with `last`.
  bool runTo(Stage last);

  LoadedModel &model();
  mlir::ModuleOp module();
  /// The same for the CPU at the end of the codegen stage, where the object holds both (--device=cuda,cpu); else null.
  mlir::ModuleOp fallback();
  /// What the module says at the end of the buffer stage; null before.
  const ModelInterface *interface() const;
  /// What it does, from the end of the buffer stage on; empty unless the options want a report.
  const ModelFacts &facts() const;
  /// The same of the fallback; null where there is none.
  const ModelFacts *fallbackFacts() const;
  /// Of the generated kernels that the module calls; null where there are none.
  const HalideProvider *provider() const;

private:
  struct State;
  std::unique_ptr<State> state;
};

/// Compiles the model in the file `path` to what `options` (complete, see completeOptions) ask for. What goes wrong is
/// in `diagnostics`; returns the exit status, 0 on success. No output is left behind on failure. One process, no state
/// but the result: calls may run one after another or in several threads.
int compileModel(llvm::StringRef path, const CompilerOptions &options, Diagnostics &diagnostics);

} // namespace onnx_aot

#endif
