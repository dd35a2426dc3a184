//===- Pipeline.h - the stages and their passes, in order ---------------------------------------------------------===//
#ifndef ONNX_AOT_COMPILER_PIPELINE_H
#define ONNX_AOT_COMPILER_PIPELINE_H

#include "compiler/Options.h"

namespace mlir {
class DialectRegistry;
class OpPassManager;
} // namespace mlir

namespace onnx_aot {

namespace aot {
class KernelProvider;
}
class CpuTargetModel;
struct ModelFacts;

/// What the passes of the stages ask.
struct StageServices {
  const CpuTargetModel &target;
  aot::KernelProvider *provider = nullptr; // of generated kernels; null: there is none
  ModelFacts *facts = nullptr;             // the buffer stage tells there what the model does, if that is not null
};

/// Appends the passes of `stage` to `passes`, a pass manager on builtin.module. Import has none: the importer makes its
/// result.
void buildStage(mlir::OpPassManager &passes, Stage stage, const CompilerOptions &options,
                const StageServices &services);

/// The two steps of the graph and tensor stages that refuse what is not supported, for a model that has no way through
/// the stages themselves.
void buildShapeInference(mlir::OpPassManager &passes);
void buildLowering(mlir::OpPassManager &passes);

/// Dialects and interfaces that the stages use.
void registerAllOnnxAotDialects(mlir::DialectRegistry &registry);

/// Every pass of ours, and one pipeline per stage (`--aot-graph-stage` ...), for onnx-aot-opt.
void registerAllOnnxAotPasses();

} // namespace onnx_aot

#endif
