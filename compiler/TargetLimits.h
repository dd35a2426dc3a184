//===- TargetLimits.h - whether a target can run the model at all -------------------------------------------------===//
#ifndef ONNX_AOT_COMPILER_TARGETLIMITS_H
#define ONNX_AOT_COMPILER_TARGETLIMITS_H

#include "mlir/IR/BuiltinOps.h"

namespace onnx_aot {

class Diagnostics;
struct CompilerOptions;
struct ModelInterface;

/// After the buffer stage: reports what the target of `options` lacks for the model. False when it did.
bool checkTargetLimits(mlir::ModuleOp module, const ModelInterface &model, const CompilerOptions &options,
                       Diagnostics &diagnostics);

} // namespace onnx_aot

#endif
