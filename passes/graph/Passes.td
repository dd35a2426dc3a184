//===- Passes.td - passes of the graph stage ------------------------------===//
include "mlir/Pass/PassBase.td"

def InferShapes : Pass<"aot-infer-shapes", "::mlir::func::FuncOp"> {
  let summary = "Fold constants and refine result types in one forward walk";
  let dependentDialects = ["::onnx_aot::onnx::OnnxDialect"];
}

def VerifyGraphContract : Pass<"aot-verify-graph-contract", "::mlir::func::FuncOp"> {
  let summary = "Every tensor is ranked and static; anything else is reported as unsupported";
}
