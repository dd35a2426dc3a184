//===- Pipeline.h - the stages and their passes, in order ---------------------------------------------------------===//
#ifndef ONNX_AOT_COMPILER_PIPELINE_H
#define ONNX_AOT_COMPILER_PIPELINE_H

#include "compiler/Options.h"

namespace mlir {
class DialectRegistry;
class OpPassManager;
} // namespace mlir

namespace onnx_aot {

class CpuTargetModel;
struct ModelFacts;

/// Appends the passes of `stage` to `passes`, a pass manager on builtin.module. Import has none: the importer makes its
/// result. The buffer stage tells what the model does in `facts`, if that is not null.
void buildStage(mlir::OpPassManager &passes, Stage stage, const CompilerOptions &options, const CpuTargetModel &target,
                ModelFacts *facts = nullptr);

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
