//===- Passes.td - passes of the tensor stage -----------------------------===//
include "mlir/Pass/PassBase.td"

def BindDims : Pass<"aot-bind-dims", "::mlir::ModuleOp"> {
  let summary = "Give the entry an argument for each named dimension, and check what is passed for it";
  let dependentDialects = ["::mlir::arith::ArithDialect", "::onnx_aot::aot::AotDialect"];
}

def GenerateResize : Pass<"aot-generate-resize", "::mlir::func::FuncOp"> {
  let summary = "Hand Resize of constant shape to the provider of kernels";
  let dependentDialects = ["::onnx_aot::aot::AotDialect", "::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
}

def OnnxToLinalg : Pass<"aot-onnx-to-linalg", "::mlir::ModuleOp"> {
  let summary = "Lower every ONNX operator through its family's patterns";
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect",
      "::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
      "::onnx_aot::aot::AotDialect", "::mlir::affine::AffineDialect"];
}

def ReportFailingChecks : Pass<"aot-report-failing-checks", "::mlir::ModuleOp"> {
  let summary = "Refuse a model of which every run would fail";
}
