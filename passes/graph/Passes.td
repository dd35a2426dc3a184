//===- Passes.td - passes of the graph stage ------------------------------===//
include "mlir/Pass/PassBase.td"

def InferShapes : Pass<"aot-infer-shapes", "::mlir::func::FuncOp"> {
  let summary = "Fold constants and refine result types in one forward walk";
  let dependentDialects = ["::onnx_aot::onnx::OnnxDialect"];
}

def FoldBatchNormalization : Pass<"aot-fold-batch-normalization", "::mlir::func::FuncOp"> {
  let summary = "Fold batch normalisation into the weights before it, or into one multiplication and addition";
  let dependentDialects = ["::onnx_aot::onnx::OnnxDialect"];
}

def ExpandFunctions : Pass<"aot-expand-functions", "::mlir::func::FuncOp"> {
  let summary = "Replace operators that are graphs of others by these";
  let dependentDialects = ["::onnx_aot::onnx::OnnxDialect"];
}
