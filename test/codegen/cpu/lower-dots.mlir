// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-lower-dots{instructions=vnni}))' | FileCheck --check-prefix=VNNI %s
// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-lower-dots{instructions=madd}))' | FileCheck --check-prefix=MADD %s
// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-lower-dots{instructions=neon}))' | FileCheck --check-prefix=NEON %s
// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-lower-dots{instructions=dsp}))' | FileCheck --check-prefix=DSP %s
// RUN: onnx-aot-opt %s --pass-pipeline='builtin.module(func.func(aot-lower-dots))' | FileCheck --check-prefix=NONE %s
// Sums of products of bytes as the target's instructions, or as plain arithmetic where none fits.

// VNNI-LABEL: @unsigned_by_signed
// VNNI: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.128"
// MADD-LABEL: @unsigned_by_signed
// MADD: arith.andi {{.*}} : vector<8xi16>
// MADD: arith.shrui {{.*}} : vector<8xi16>
// MADD: arith.shli {{.*}} : vector<8xi16>
// MADD-COUNT-2: llvm.call_intrinsic "llvm.x86.sse2.pmadd.wd"
// NEON-LABEL: @unsigned_by_signed
// NEON-NOT: llvm.call_intrinsic
// NEON: return
// NONE-LABEL: @unsigned_by_signed
// NONE: arith.extui {{.*}} : vector<16xi8> to vector<16xi32>
// NONE: arith.muli
// NONE: vector.shuffle {{.*}} [0, 4, 8, 12]
func.func @unsigned_by_signed(%s: vector<4xi32>, %a: vector<16xi8>, %b: vector<16xi8>) -> vector<4xi32> {
  %0 = aot.dot %s, %a, %b {a_unsigned} : vector<4xi32>, vector<16xi8>
  return %0 : vector<4xi32>
}

// NEON-LABEL: @signed
// NEON: arith.xori
// NEON: llvm.call_intrinsic "llvm.aarch64.neon.sdot.v4i32.v16i8"
// VNNI-LABEL: @signed
// VNNI-NOT: llvm.call_intrinsic
// VNNI: return
func.func @signed(%s: vector<4xi32>, %a: vector<16xi8>, %b: vector<16xi8>) -> vector<4xi32> {
  %0 = aot.dot %s, %a, %b {flips_a} : vector<4xi32>, vector<16xi8>
  return %0 : vector<4xi32>
}

// DSP-LABEL: @word
// DSP: llvm.call_intrinsic "llvm.arm.uxtb16"
// DSP: llvm.call_intrinsic "llvm.arm.sxtb16"
// DSP-COUNT-2: llvm.call_intrinsic "llvm.arm.smlad"
func.func @word(%s: i32, %a: vector<4xi8>, %b: vector<4xi8>) -> i32 {
  %0 = aot.dot %s, %a, %b {a_unsigned} : i32, vector<4xi8>
  return %0 : i32
}
