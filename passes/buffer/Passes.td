//===- Passes.td - passes of the buffer stage -----------------------------===//
include "mlir/Pass/PassBase.td"

def PrepareEntry : Pass<"aot-prepare-entry", "::mlir::ModuleOp"> {
  let summary = "Give the entry its ABI: results as destination arguments, an arena, a status";
  let dependentDialects = ["::mlir::memref::MemRefDialect", "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect"];
}

def UnshareDestinations : Pass<"aot-unshare-destinations", "::mlir::func::FuncOp"> {
  let summary = "Give every user of an empty or filled tensor one of its own";
  let dependentDialects = ["::mlir::tensor::TensorDialect"];
}

def PlaceRegionResults : Pass<"aot-place-region-results", "::mlir::func::FuncOp"> {
  let summary = "Make the copies explicit by which branches and loops pass tensors on";
  let dependentDialects = ["::mlir::tensor::TensorDialect", "::mlir::arith::ArithDialect"];
}

// What the artifact reads from the entry behind this pass:
//
// - Every buffer has a bound that the compiler knows: the last argument is the arena, `memref<Nxi8>`. It is aligned to 64
//   bytes, or to what its attribute `aot.alignment` says.
// - Some have a size that the dims of the entry (arguments with `aot.dim`) give: the argument is a `memref<i8>` with
//   `aot.arena` (a bare pointer), and the entry's attribute `aot.arena_function = @arena_bytes` names a function
//   `(index...) -> index` of all arguments with `aot.dim` in their order. It says how many bytes the arena must have,
//   and -1 where that cannot be said in 62 bits; the entry itself then returns dim_out_of_bounds.
// - Some have a size that only the run knows: behind the arena there is an argument `!llvm.ptr` with `aot.context`, and
//   the entry's attribute `aot.slots = N : i64` says how many slots of the context are used, from 0 on. A buffer whose
//   address is taken (memref.extract_aligned_pointer_as_index) outlives the run and is always a slot of its own.
// - An output in which buffers lie before it is written is bytes, `memref<Nxi8>`; its attribute `aot.buffer` has its type.
def PlanArena : Pass<"aot-plan-arena", "::mlir::ModuleOp"> {
  let summary = "Replace every allocation by a slice of one caller-owned arena, or a slot of the context";
  let dependentDialects = ["::mlir::memref::MemRefDialect", "::mlir::arith::ArithDialect",
      "::mlir::affine::AffineDialect", "::mlir::LLVM::LLVMDialect", "::onnx_aot::aot::AotDialect"];
  let options = [Option<"alignment", "alignment", "int64_t", "64", "Of the arena and of its buffers that are as large">,
      Option<"useOutputs", "use-outputs", "bool", "false", "Let buffers lie in outputs that are not written yet">];
}

def ResolveReshapes : Pass<"aot-resolve-reshapes", "::mlir::func::FuncOp"> {
  let summary = "Turn reshapes with several dynamic dims in a group into casts with strides";
  let dependentDialects = ["::mlir::memref::MemRefDialect", "::mlir::arith::ArithDialect"];
}

def ForwardCopies : Pass<"aot-forward-copies", "::mlir::func::FuncOp"> {
  let summary = "Copy a slice of a buffer onto another one at once where they lie apart";
}

def PlaceWeights : Pass<"aot-place-weights", "::mlir::ModuleOp"> {
  let summary = "Lay all constants out in one weights section";
  let dependentDialects = ["::mlir::memref::MemRefDialect", "::mlir::arith::ArithDialect"];
}

def PlaceScratch : Pass<"aot-place-scratch", "::mlir::func::FuncOp"> {
  let summary = "Give kernels the memory that they work in";
  let dependentDialects = ["::mlir::memref::MemRefDialect"];
}

def PrepareKernels : Pass<"aot-prepare-kernels", "::mlir::ModuleOp"> {
  let summary = "Have the provider make the kernels whose strategy names it; what it refuses becomes loops";
}

def OrderOperations : Pass<"aot-order-operations", "::mlir::func::FuncOp"> {
  let summary = "Order operations so that fewer bytes are in use at the same time";
}

def TrimFills : Pass<"aot-trim-fills", "::mlir::func::FuncOp"> {
  let summary = "Fill only the borders around what is inserted";
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}
