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

def SinkDequantization : Pass<"aot-sink-dequantization", "::mlir::func::FuncOp"> {
  let summary = "Move dequantizations behind what moves elements or takes their maximum";
  let dependentDialects = ["::onnx_aot::onnx::OnnxDialect"];
}

def UseIntegerProducts : Pass<"aot-use-integer-products", "::mlir::func::FuncOp"> {
  let summary = "Multiply quantized data and weights as integers";
  let dependentDialects = ["::onnx_aot::onnx::OnnxDialect"];
}

def FoldDequantization : Pass<"aot-fold-dequantization", "::mlir::func::FuncOp"> {
  let summary = "Dequantize constants at compile time";
  let dependentDialects = ["::onnx_aot::onnx::OnnxDialect"];
  let options = [Option<"weights", "weights", "bool", "true", "Those of rank 2 and more too">];
}

def NarrowProducts : Pass<"aot-narrow-products", "::mlir::func::FuncOp"> {
  let summary = "Let matrix products and convolutions take 16-bit floats";
  let dependentDialects = ["::onnx_aot::onnx::OnnxDialect"];
  let options = [Option<"brain", "bf16", "bool", "false", "bfloat16 rather than float16">];
}

def ExpandFunctions : Pass<"aot-expand-functions", "::mlir::func::FuncOp"> {
  let summary = "Replace operators that are graphs of others by these";
  let dependentDialects = ["::onnx_aot::onnx::OnnxDialect"];
}
