//===- GraphImporter.h - ModelProto -> MLIR -----------------------------------------------------------------------===//
//
// What it is for: the import stage. How it works, in order:
//   1. the opsets that the model imports are checked, symbolic dimensions are bound by --dim and --shape;
//   2. run-time inputs become the arguments of @main; initializers become constants where they are used first;
//   3. nodes are taken in dependency order: attributes become MLIR attributes, the node is brought to the newest opset
//      (OpsetUpgrade.h), checked against the operator's signature, made, and its result types are inferred and compared
//      with what the model declares;
//   4. model-local functions are inlined, subgraphs become regions.
//
// Holds after: only newest-opset operators; every operation has the location "conv1" (Conv) in model.onnx:NUMBER, with
// NUMBER the node's index + 1; no errors were reported, or the module is null.
//
//   module attributes {onnx.model = {...}, onnx.opset_imports = {"ai.onnx" = 13 : i64}, onnx.node_names = ["conv1"]} {
//     func.func @main(%arg0: tensor<1x3xf32> {onnx.name = "x", onnx.dtype = 1 : i32, onnx.dim_names = ["N", ""]})
//         -> (tensor<1x3xf32> {onnx.name = "y", onnx.dtype = 1 : i32, onnx.dim_names = ["N", ""]})
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_COMPILER_IMPORT_GRAPHIMPORTER_H
#define ONNX_AOT_COMPILER_IMPORT_GRAPHIMPORTER_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace onnx_aot {

class Diagnostics;
struct ImportOptions;
struct LoadedModel;

/// Null when errors were reported; then `partial`, where given, takes what could be imported, a module that lacks the
/// nodes at fault and what follows from them. Attributes of the module point into `model`, which must outlive it. Loads the
/// dialects that it needs into `context`.
mlir::OwningOpRef<mlir::ModuleOp> importModel(LoadedModel &model, const ImportOptions &options,
                                              mlir::MLIRContext &context, Diagnostics &diagnostics,
                                              mlir::OwningOpRef<mlir::ModuleOp> *partial = nullptr);

} // namespace onnx_aot

#endif // ONNX_AOT_COMPILER_IMPORT_GRAPHIMPORTER_H
