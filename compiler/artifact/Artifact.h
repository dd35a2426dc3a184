//===- Artifact.h - The last stage: output files --------------------------===//
//
// What it is for: turns what the other stages made into the files that the user asked for. How it works: one table of
// output kinds says, for each, the suffix and the function that writes it; all files of a run are published together.
//
//   ArtifactInput input;
//   input.module = module;                       // .mlir needs no more
//   input.interface = ModelInterface::fromModule(module);   // after the buffer stage
//   input.llvmModule = ...;                      // after the codegen stage, not optimised
//   writeArtifact(input, options, diagnostics);
//
// Holds after: on success all outputs are there, on failure none; stdout is written for "-" and text kinds only.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_COMPILER_ARTIFACT_ARTIFACT_H
#define ONNX_AOT_COMPILER_ARTIFACT_ARTIFACT_H

#include "codegen/c/Program.h"
#include "codegen/cpu/TargetMachine.h"
#include "compiler/Options.h"
#include "compiler/artifact/ModelInterface.h"
#include "llvm/IR/Module.h"
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace onnx_aot {

class Diagnostics;
class HalideProvider;
struct ModelFacts;

struct ArtifactInput {
  mlir::ModuleOp module;                    // for .mlir
  ModelInterface interface;                 // for all other kinds
  std::optional<c::Program> program;        // for .c
  std::unique_ptr<llvm::Module> llvmModule; // for all other kinds: @main and @weights as the codegen stage leaves them
  std::unique_ptr<llvm::Module> fallback;   // the same for the CPU; null: there is none
  std::vector<std::string> inputFiles;      // read by this run, for the depfile
  std::string modelPath;                    // for the report
  const ModelFacts *facts = nullptr;        // for the report and for what does not fit
  const ModelFacts *fallbackFacts = nullptr;
  const HalideProvider *provider = nullptr; // of kernels that the module calls
};

/// The target that the options name; its triple, CPU, features and float ABI.
TargetSpec targetSpec(const CodegenOptions &options);

/// Adds the entry points, links the runtime, optimises and writes. Reports what went wrong to `diagnostics`.
mlir::LogicalResult writeArtifact(ArtifactInput &input, const CompilerOptions &options, Diagnostics &diagnostics);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_ARTIFACT_ARTIFACT_H
