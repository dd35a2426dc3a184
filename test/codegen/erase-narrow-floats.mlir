// RUN: onnx-aot-opt %s --aot-erase-narrow-floats | FileCheck %s --check-prefixes=CHECK,F16
// RUN: onnx-aot-opt %s --aot-erase-narrow-floats=hardware-f16=false | FileCheck %s --check-prefixes=CHECK,NOF16

// bf16 is moved as an integer, in operations, types and constants; f16 only where the target does not know it.
// CHECK-LABEL: llvm.func @select(
// CHECK-SAME: %{{.*}}: i1, %{{.*}}: !llvm.ptr) -> i16
// CHECK: llvm.load %{{.*}} : !llvm.ptr -> i16
// CHECK: llvm.mlir.constant(16256 : i16) : i16
// CHECK: llvm.select %{{.*}} : i1, i16
llvm.func @select(%c: i1, %p: !llvm.ptr) -> bf16 {
  %x = llvm.load %p : !llvm.ptr -> bf16
  %one = llvm.mlir.constant(1.0 : bf16) : bf16
  %y = llvm.select %c, %x, %one : i1, bf16
  llvm.return %y : bf16
}

// CHECK-LABEL: llvm.func @vector
// CHECK: llvm.mlir.constant(dense<16256> : vector<4xi16>) : vector<4xi16>
llvm.func @vector() -> vector<4xbf16> {
  %ones = llvm.mlir.constant(dense<1.0> : vector<4xbf16>) : vector<4xbf16>
  llvm.return %ones : vector<4xbf16>
}

// CHECK-LABEL: llvm.func @half
// F16: llvm.load %{{.*}} : !llvm.ptr -> f16
// NOF16: llvm.load %{{.*}} : !llvm.ptr -> i16
llvm.func @half(%p: !llvm.ptr) -> f16 {
  %x = llvm.load %p : !llvm.ptr -> f16
  llvm.return %x : f16
}
