//===- Passes.td - what holds at the end of each stage --------------------===//
include "mlir/Pass/PassBase.td"

def VerifyImportContract : Pass<"aot-verify-import-contract", "::mlir::ModuleOp"> {
  let summary = "Only onnx operations, each located at its node; large constants are resources";
}

def VerifyGraphContract : Pass<"aot-verify-graph-contract", "::mlir::func::FuncOp"> {
  let summary = "Every tensor is ranked; anything else is reported as unsupported";
}

def VerifyTensorContract : Pass<"aot-verify-tensor-contract", "::mlir::ModuleOp"> {
  let summary = "No onnx operation is left";
}

def VerifyScheduleContract : Pass<"aot-verify-schedule-contract", "::mlir::ModuleOp"> {
  let summary = "Every kernel has a strategy over dims that it has";
}

def VerifyBufferContract : Pass<"aot-verify-buffer-contract", "::mlir::ModuleOp"> {
  let summary = "No tensors, nothing allocates, every buffer lies inside the arena or the weights";
}

def VerifyCodegenContract : Pass<"aot-verify-codegen-contract", "::mlir::ModuleOp"> {
  let summary = "Only operations that translate to LLVM IR";
}
