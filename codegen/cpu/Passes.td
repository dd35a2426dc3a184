//===- Passes.td - passes of code generation for CPUs ---------------------===//
include "mlir/Pass/PassBase.td"

def EmitLoops : Pass<"aot-emit-loops", "::mlir::func::FuncOp"> {
  let summary = "Turn kernels and structured operations on memrefs into vectorised loops";
  let dependentDialects = ["::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect", "::mlir::memref::MemRefDialect",
      "::mlir::arith::ArithDialect", "::mlir::affine::AffineDialect"];
}
