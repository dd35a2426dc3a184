//===- HalideTarget.cpp - Halide's word for a machine -------------------------------------------------------------===//
//
// Halide 14 knows the machines of its time. What its vector code is made of - loads, stores and arithmetic on vectors
// of a fixed length - is no machine's in particular, so that a target that it does not know takes the code for another
// one with pointers as wide: Cortex-M with Helium that for a 32-bit ARM without NEON. The lanes are those of our
// target's vectors, but not more than the vectors have that Halide believes in.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/halide/HalideProvider.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/Target/TargetMachine.h"

using namespace llvm;
using namespace onnx_aot;

HalideTarget onnx_aot::halideTargetOf(const TargetMachine &machine) {
  const Triple &triple = machine.getTargetTriple();
  const MCSubtargetInfo &subtarget = *machine.getMCSubtargetInfo();
  auto has = [&](StringRef feature) { return subtarget.checkFeatures(("+" + feature).str()); };
  if (!machine.createDataLayout().isLittleEndian())
    return {};
  if (triple.isX86()) {
    std::string name = triple.isArch64Bit() ? "x86-64-linux" : "x86-32-linux";
    if (has("avx512f") && has("avx512vl") && has("avx512bw") && has("avx512dq") && has("avx512cd"))
      return {name + "-sse41-avx-avx2-fma-f16c-avx512-avx512_skylake", 16};
    if (has("avx2") && has("fma") && has("f16c"))
      return {name + "-sse41-avx-avx2-fma-f16c", 8};
    if (has("avx"))
      return {name + "-sse41-avx", 8};
    return {name + (has("sse4.1") ? "-sse41" : ""), has("sse2") ? 4 : 1};
  }
  if (triple.isAArch64())
    return {"arm-64-linux", has("neon") ? 4 : 1};
  if (triple.isARM() || triple.isThumb()) {
    // Halide's own code for NEON has strided loads as inline assembly, which the importer does not take: it would be
    // neither placed nor checked. LLVM finds NEON's instructions for vectors itself.
    bool hasFpu = has("fpregs") && !has("soft-float"), hasVectors = hasFpu && (has("neon") || has("mve.fp"));
    return {"arm-32-noos-no_neon", hasVectors ? 4 : 1, hasFpu && has("vfp2sp")};
  }
  if (triple.isWasm())
    return {has("simd128") ? "wasm-32-wasmrt-wasm_simd128" : "wasm-32-wasmrt", has("simd128") ? 4 : 1};
  if (triple.isRISCV()) {
    bool hasVectors = has("zve32f") && has("zvl128b");
    return {triple.isArch64Bit() ? "riscv-64-linux" : "riscv-32-noos", hasVectors ? 4 : 1, has("f")};
  }
  if (triple.isArch64Bit())
    return {"riscv-64-linux", triple.isPPC64() ? 4 : 1, /*hasRoots=*/false};
  return {};
}
