//===- Passes.td - passes of the buffer stage -----------------------------===//
include "mlir/Pass/PassBase.td"

def PrepareEntry : Pass<"aot-prepare-entry", "::mlir::ModuleOp"> {
  let summary = "Give the entry its ABI: results as destination arguments, an arena, a status";
  let dependentDialects = ["::mlir::memref::MemRefDialect", "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect"];
}

def UnshareFills : Pass<"aot-unshare-fills", "::mlir::func::FuncOp"> {
  let summary = "Give every user of a filled tensor a fill of its own";
  let dependentDialects = ["::mlir::tensor::TensorDialect"];
}

def PlaceRegionResults : Pass<"aot-place-region-results", "::mlir::func::FuncOp"> {
  let summary = "Make the copies explicit by which branches and loops pass tensors on";
}

def PlanArena : Pass<"aot-plan-arena", "::mlir::func::FuncOp"> {
  let summary = "Replace every allocation by a slice of one caller-owned arena";
  let dependentDialects = ["::mlir::memref::MemRefDialect", "::mlir::arith::ArithDialect"];
}

def PlaceWeights : Pass<"aot-place-weights", "::mlir::ModuleOp"> {
  let summary = "Lay all constants out in one weights section";
  let dependentDialects = ["::mlir::memref::MemRefDialect", "::mlir::arith::ArithDialect"];
}
