// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-emit-loops),expand-strided-metadata,lower-affine,convert-scf-to-cf,convert-to-llvm,reconcile-unrealized-casts)' -o %t.mlir
// RUN: mlir-translate --mlir-to-llvmir %t.mlir -o %t.ll
// RUN: opt -O2 -mtriple=x86_64-linux-gnu -mcpu=haswell %t.ll -o %t.bc
// RUN: llc -O3 -mtriple=x86_64-linux-gnu -mcpu=haswell %t.bc -o %t.s
// RUN: %python %S/Inputs/fma_loops.py < %t.s | FileCheck %s
// That the tests of loops without spills can fail: sixteen sums leave none of sixteen registers for what is multiplied.
// Twelve do.

#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: spills: 16 multiply-adds
// CHECK: spill: vmovups %ymm{{[0-9]+}}, {{.*}}(%rsp)
// CHECK: spill: vmovups {{.*}}(%rsp), %ymm
func.func @spills(%a: memref<64x256xf32>, %b: memref<256x64xf32>, %c: memref<64x64xf32>) {
  aot.kernel "matmul" ins(%a, %b : memref<64x256xf32>, memref<256x64xf32>) outs(%c : memref<64x64xf32>)
      maps [#a, #b, #c] iterators ["parallel", "parallel", "reduction"] identity 0.000000e+00 : f32
      strategy <provider = "loops", vector = 1, width = 8, vectors = 2, row = 0, rows = 8> compute {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    %0 = math.fma %l, %r, %acc : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    aot.yield %acc : f32
  }
  return
}

// CHECK-LABEL: fits: 12 multiply-adds
// CHECK-NOT: spill
func.func @fits(%a: memref<60x256xf32>, %b: memref<256x64xf32>, %c: memref<60x64xf32>) {
  aot.kernel "matmul" ins(%a, %b : memref<60x256xf32>, memref<256x64xf32>) outs(%c : memref<60x64xf32>)
      maps [#a, #b, #c] iterators ["parallel", "parallel", "reduction"] identity 0.000000e+00 : f32
      strategy <provider = "loops", vector = 1, width = 8, vectors = 2, row = 0, rows = 6> compute {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    %0 = math.fma %l, %r, %acc : f32
    aot.yield %0 : f32
  } epilogue {
  ^bb0(%l: f32, %r: f32, %acc: f32):
    aot.yield %acc : f32
  }
  return
}
