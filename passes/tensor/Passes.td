//===- Passes.td - passes of the tensor stage -----------------------------===//
include "mlir/Pass/PassBase.td"

def OnnxToLinalg : Pass<"aot-onnx-to-linalg", "::mlir::ModuleOp"> {
  let summary = "Lower every ONNX operator through its family's patterns";
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect",
      "::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
      "::onnx_aot::aot::AotDialect", "::mlir::affine::AffineDialect"];
}
