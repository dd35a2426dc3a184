//===- Passes.td - passes of code generation for CPUs ---------------------===//
include "mlir/Pass/PassBase.td"

def RetypeEmptyArguments : Pass<"aot-retype-empty-arguments", "::mlir::func::FuncOp"> {
  let summary = "Pass empty buffers of several dims as memref<0xi8>";
  let dependentDialects = ["::mlir::memref::MemRefDialect", "::mlir::arith::ArithDialect"];
}

def OutlineKernels : Pass<"aot-outline-kernels", "::mlir::ModuleOp"> {
  let summary = "Move structured operations into functions, one per distinct kernel";
  let dependentDialects = ["::mlir::func::FuncDialect", "::mlir::LLVM::LLVMDialect",
      "::mlir::memref::MemRefDialect", "::mlir::arith::ArithDialect"];
}

def EmitWinograd : Pass<"aot-emit-winograd", "::mlir::ModuleOp"> {
  let summary = "Turn aot.winograd into loops over tiles around matrix products";
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::LLVM::LLVMDialect",
      "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
      "::mlir::vector::VectorDialect", "::onnx_aot::aot::AotDialect"];
}

def EmitResample : Pass<"aot-emit-resample", "::mlir::func::FuncOp"> {
  let summary = "Turn aot.resample into loops over rows, with vectors along them";
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
      "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect", "::mlir::LLVM::LLVMDialect",
      "::onnx_aot::aot::AotDialect"];
}

def CallGeneratedKernels : Pass<"aot-call-generated-kernels", "::mlir::ModuleOp"> {
  let summary = "Turn kernels that a provider made into calls";
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect", "::mlir::LLVM::LLVMDialect",
      "::mlir::memref::MemRefDialect"];
}

def EmitLoops : Pass<"aot-emit-loops", "::mlir::func::FuncOp"> {
  let summary = "Turn kernels and structured operations on memrefs into vectorised loops";
  let dependentDialects = ["::onnx_aot::aot::AotDialect", "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect",
      "::mlir::memref::MemRefDialect", "::mlir::arith::ArithDialect", "::mlir::affine::AffineDialect", "::mlir::LLVM::LLVMDialect"];
}

def LowerDots : Pass<"aot-lower-dots", "::mlir::func::FuncOp"> {
  let summary = "Turn sums of products of bytes into the target's instructions";
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect", "::mlir::vector::VectorDialect"];
  let options = [Option<"instructions", "instructions", "std::string", "\"\"", "vnni, madd, neon or dsp">];
}

def RelaxFloats : Pass<"aot-relax-floats", "::mlir::ModuleOp"> {
  let summary = "Allow LLVM to round otherwise, but for what becomes an integer";
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def LowerMath : Pass<"aot-lower-math", "::mlir::ModuleOp"> {
  let summary = "Turn math operations into vector code and calls of the runtime's math functions";
  let description = [{
    After this pass no operation becomes a call of libm. Runs before control flow is lowered: the large arguments of
    sin, cos and tan are an scf.if.
  }];
  let options = [
    Option<"hardwareRounding", "hardware-rounding", "bool", "true",
           "The target rounds f32 to integers in one instruction">,
    Option<"hardwareFma", "hardware-fma", "bool", "true", "The target has a fused multiply-add of f32">,
    Option<"hardwareSqrt", "hardware-sqrt", "bool", "true", "The target has a square root of f32">,
    Option<"hardwareMinMax", "hardware-minmax", "bool", "true",
           "The target takes minima and maxima of f32, of all four kinds, without a call">,
    Option<"hardwareF64", "hardware-f64", "bool", "true", "What holds for f32 holds for f64">,
    Option<"hardwareF16", "hardware-f16", "bool", "true", "The target converts between f16 and f32">,
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect", "::mlir::func::FuncDialect",
      "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def EraseNarrowFloats : Pass<"aot-erase-narrow-floats", "::mlir::ModuleOp"> {
  let summary = "Make integers of the 16-bit floats that the target does not know";
  let options = [
    Option<"hardwareF16", "hardware-f16", "bool", "true", "The target converts between f16 and f32">,
  ];
}

def LowerRequire : Pass<"aot-lower-require", "::mlir::func::FuncOp"> {
  let summary = "Turn checks into branches to an early return of a status";
  let dependentDialects = ["::mlir::cf::ControlFlowDialect", "::mlir::arith::ArithDialect"];
}

def NarrowIndex : Pass<"aot-narrow-index", "::mlir::ModuleOp"> {
  let summary = "Give indices 32 bits: what becomes one saturates";
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::DLTIDialect"];
}

def LowerSlots : Pass<"aot-lower-slots", "::mlir::ModuleOp"> {
  let summary = "Turn slots of the context into calls of the runtime";
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect"];
}

def ConvertToLLVM : Pass<"aot-convert-to-llvm", "::mlir::ModuleOp"> {
  let summary = "Convert all that is left to the LLVM dialect, with indices of the data layout's width";
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect"];
}
