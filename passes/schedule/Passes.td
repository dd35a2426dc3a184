//===- Passes.td - passes of the schedule stage ---------------------------===//
include "mlir/Pass/PassBase.td"

def FuseElementwise : Pass<"aot-fuse-elementwise", "::mlir::func::FuncOp"> {
  let summary = "Fuse chains of elementwise operations into single loops";
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::affine::AffineDialect", "::mlir::tensor::TensorDialect",
      "::onnx_aot::aot::AotDialect"];
}

def ChooseLayout : Pass<"aot-choose-layout", "::mlir::func::FuncOp"> {
  let summary = "Store images with their channels last where kernels gain from it";
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect", "::onnx_aot::aot::AotDialect"];
}

def FuseEpilogue : Pass<"aot-fuse-epilogue", "::mlir::func::FuncOp"> {
  let summary = "Absorb elementwise consumers into the epilogue of the kernel before them";
  let dependentDialects = ["::onnx_aot::aot::AotDialect"];
}

def FusePrologue : Pass<"aot-fuse-prologue", "::mlir::func::FuncOp"> {
  let summary = "Let kernels of few reads widen elements themselves";
  let dependentDialects = ["::onnx_aot::aot::AotDialect"];
}

def FuseGenerated : Pass<"aot-fuse-generated", "::mlir::func::FuncOp"> {
  let summary = "Let a provider's kernels do what is elementwise before and behind them";
  let dependentDialects = ["::onnx_aot::aot::AotDialect"];
}

def SplitMaxima : Pass<"aot-split-maxima", "::mlir::func::FuncOp"> {
  let summary = "Take maxima over large windows one axis after the other";
  let dependentDialects = ["::onnx_aot::aot::AotDialect", "::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
}

def UseWinograd : Pass<"aot-use-winograd", "::mlir::func::FuncOp"> {
  let summary = "Compute 3x3 convolutions by minimal filtering where that is faster";
  let dependentDialects = ["::onnx_aot::aot::AotDialect", "::mlir::arith::ArithDialect"];
}

def UsePatches : Pass<"aot-use-patches", "::mlir::func::FuncOp"> {
  let summary = "Run chains of kernels some rows at a time, so that their memory stays within a budget";
  let dependentDialects = ["::onnx_aot::aot::AotDialect", "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
      "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
  let options = [Option<"bytes", "bytes", "int64_t", "0", "What the tensors of a chain may take at the same time">];
}

def FuseRows : Pass<"aot-fuse-rows", "::mlir::func::FuncOp"> {
  let summary = "Run neighbouring kernels some rows at a time where what lies between them outgrows the caches";
  let dependentDialects = ["::onnx_aot::aot::AotDialect", "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
      "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
}

def UseDotProducts : Pass<"aot-use-dot-products", "::mlir::func::FuncOp"> {
  let summary = "Multiply bytes four at a time where the target has an instruction for it";
  let options = [Option<"signs", "signs", "std::string", "\"\"",
                        "That the instruction takes: any, same, unsigned-by-signed; none: there is no instruction">];
  let dependentDialects = ["::onnx_aot::aot::AotDialect", "::mlir::arith::ArithDialect"];
}

def ChooseStrategy : Pass<"aot-choose-strategy", "::mlir::func::FuncOp"> {
  let summary = "Choose vector dim, register tile and provider of every kernel";
  let dependentDialects = ["::onnx_aot::aot::AotDialect"];
}

def PackOperands : Pass<"aot-pack-operands", "::mlir::func::FuncOp"> {
  let summary = "Lay inputs that a run computes out in panels before kernels that read them often";
  let dependentDialects = ["::onnx_aot::aot::AotDialect", "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
      "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

def PackWeights : Pass<"aot-pack-weights", "::mlir::func::FuncOp"> {
  let summary = "Permute constant kernel inputs so that vector lanes are contiguous";
  let dependentDialects = ["::onnx_aot::aot::AotDialect", "::mlir::arith::ArithDialect"];
}

def DetachMergedResults : Pass<"aot-detach-merged-results", "::mlir::func::FuncOp"> {
  let summary = "Keep a buffer for a kernel whose lanes a slice of its destination would cut short";
}

def UseRowKernels : Pass<"aot-use-row-kernels", "::mlir::func::FuncOp"> {
  let summary = "Make reductions of rows, and what is computed of them, one kernel of a device";
  let dependentDialects = ["::onnx_aot::aot::AotDialect"];
}

def UseFusedAttention : Pass<"aot-use-fused-attention", "::mlir::func::FuncOp"> {
  let summary = "Make both products of attention, and the softmax between them, one kernel of a device";
  let dependentDialects = ["::onnx_aot::aot::AotDialect"];
}

def NarrowEarly : Pass<"aot-narrow-early", "::mlir::func::FuncOp"> {
  let summary = "Round elements beside what makes them, before they are reshaped and transposed";
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect", "::mlir::arith::ArithDialect"];
}
