//===- Passes.td - passes of code generation for NVIDIA GPUs --------------===//
include "mlir/Pass/PassBase.td"

def MapToDevice : Pass<"aot-map-to-device", "::mlir::ModuleOp"> {
  let summary = "Turn the entry's structured operations into launches of kernels, its buffers into the device's";
  let options = [Option<"deviceBuffers", "device-buffers", "bool", "false", "Inputs and outputs lie on the device">,
      Option<"matrixUnits", "matrix-units", "bool", "false", "Every GPU that code is made for has mma.sync and cp.async (sm_80)">,
      Option<"roundProducts", "round-products", "bool", "false", "The matrix units multiply 32-bit floats, rounded to tf32">,
      Option<"warpgroups", "warpgroups", "bool", "false", "One of the GPUs that code is made for has wgmma (sm_90a)">];
  let dependentDialects = ["::onnx_aot::aot::AotDialect", "::mlir::nvgpu::NVGPUDialect", "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
      "::mlir::LLVM::LLVMDialect", "::mlir::memref::MemRefDialect", "::mlir::NVVM::NVVMDialect", "::mlir::scf::SCFDialect",
      "::mlir::vector::VectorDialect"];
}

def CompileKernels : Pass<"aot-compile-kernels", "::mlir::ModuleOp"> {
  let summary = "Compile the kernels of @device to PTX, one text per architecture";
  let options = [ListOption<"architectures", "architectures", "std::string", "sm_80, sm_90 ...">,
      Option<"ptxas", "ptxas", "std::string", "", "The assembler that makes machine code beside the PTX; empty: none is made">];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect", "::mlir::func::FuncDialect",
      "::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
      "::mlir::cf::ControlFlowDialect", "::mlir::vector::VectorDialect", "::mlir::DLTIDialect", "::mlir::affine::AffineDialect"];
}

def LowerDevice : Pass<"aot-lower-device", "::mlir::ModuleOp"> {
  let summary = "Turn what a run asks of the device into calls of the runtime";
  let options = [Option<"fallback", "fallback", "bool", "false", "Where there is no device @main_of_host runs">];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
      "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
}
