// RUN: onnx-aot-opt %s --aot-verify-codegen-contract --split-input-file --verify-diagnostics
// After code generation: the LLVM dialect alone.

llvm.func @main(%x: i32) -> i32 {
  // expected-error @+1 {{internal error: contract of the codegen stage: 'arith.addi' must not exist here}}
  %y = arith.addi %x, %x : i32
  llvm.return %y : i32
}

// -----

llvm.func @main(%x: i32) -> i32 {
  %y = llvm.add %x, %x : i32
  llvm.return %y : i32
}
