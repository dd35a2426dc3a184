//===- CpuTargetModel.cpp - vectors and registers of a CPU --------------------------------------------------------===//
#include "codegen/cpu/CpuTargetModel.h"
#include "codegen/cpu/TargetMachine.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Triple.h"

using namespace llvm;
using namespace onnx_aot;

/// Second-level caches that differ from the usual megabyte (without vectors of 256 bits half of it, on 32 bits a
/// quarter).
static int64_t secondLevelOf(StringRef cpu, int64_t floatBits, bool has64Bits) {
  constexpr int64_t kKilo = 1024;
  return StringSwitch<int64_t>(cpu)
      .Cases({"sapphirerapids", "emeraldrapids", "graniterapids", "graniterapids-d"}, 2048 * kKilo)
      .Cases({"icelake-server"}, 1280 * kKilo)
      .Cases({"haswell", "broadwell", "skylake", "cannonlake"}, 256 * kKilo)
      .Cases({"znver1", "znver2", "znver3", "icelake-client"}, 512 * kKilo)
      .Default(floatBits >= 256 ? 1024 * kKilo
               : has64Bits      ? 512 * kKilo
                                : 256 * kKilo);
}

/// Whether the first-level cache has 48 KB in 12 ways rather than the usual 32 KB in 8.
static bool hasLargeFirstLevel(StringRef cpu) {
  return StringSwitch<bool>(cpu)
      .Cases({"sapphirerapids", "emeraldrapids", "graniterapids", "graniterapids-d", "icelake-server"}, true)
      .Cases({"icelake-client", "tigerlake", "rocketlake", "alderlake", "raptorlake", "znver5"}, true)
      .Default(false);
}

/// Bits that RISC-V's vector registers have at least. Below 128 LLVM makes vectors of no fixed length.
template <typename HasFeature> static int64_t leastVectorBits(HasFeature has) {
  for (int64_t bits : {1024, 512, 256, 128})
    if (has("zvl" + std::to_string(bits) + "b"))
      return bits;
  return 0;
}

CpuTargetModel::CpuTargetModel(Unknown cpu) : math({false, false, false, false, false, false}) {
  // As a Cortex-M4F has them; of 13 registers for integers, addresses take the other half.
  scalarFloats = cpu.registerTiles ? 32 : 0;
  scalarIntegers = cpu.registerTiles ? 8 : 0;
}

CpuTargetModel::CpuTargetModel(const TargetMachine &machine, bool forSize)
    : forSize(forSize), pointerBits(machine.getPointerSizeInBits(0)), math(lowerMathOptionsFor(machine)) {
  const MCSubtargetInfo &subtarget = *machine.getMCSubtargetInfo();
  auto has = [&](StringRef feature) { return subtarget.checkFeatures(("+" + feature).str()); };
  const Triple &triple = machine.getTargetTriple();
  if (triple.isX86()) {
    bool avx512 = has("avx512f") && has("avx512vl");
    floatBits = avx512 ? 512 : has("avx") ? 256 : has("sse2") ? 128 : 0;
    integerBits = avx512 && has("avx512bw") ? 512 : has("avx2") ? 256 : has("sse2") ? 128 : 0;
    registers = avx512 ? 32 : triple.isArch64Bit() ? 16 : 8;
    dots = (avx512 && has("avx512vnni")) || has("avxvnni") ? "vnni" : integerBits > 0 ? "madd" : "";
  } else if (triple.isAArch64()) {
    floatBits = integerBits = has("neon") ? 128 : 0;
    // Of 32: multiply-adds by element read their scalars from registers, which LLVM loads several rows ahead.
    registers = 29;
    dots = has("dotprod") ? "neon" : "";
  } else if (triple.isARM() || triple.isThumb()) {
    bool hasFpu = has("fpregs") && !has("soft-float"), neon = hasFpu && has("neon"), helium = hasFpu && has("mve.fp");
    floatBits = neon || helium ? 128 : 0;
    integerBits = neon || (hasFpu && has("mve")) ? 128 : 0;
    registers = neon ? 16 : 8;
    // Every result of a tile is code of its own: half the registers make two thirds of the code.
    scalarFloats = !hasFpu ? 8 : forSize ? 16 : 32;
    dots = has("dsp") && floatBits == 0 && integerBits == 0 ? "dsp" : "";
  } else if (triple.isRISCV()) {
    // Vectors of a fixed length, the least that the V extension has: their code runs on longer registers as well.
    floatBits = has("zve32f") ? leastVectorBits(has) : 0;
    integerBits = has("zve32x") ? leastVectorBits(has) : 0;
    scalarFloats = !has("f") ? 8 : forSize ? 16 : 32;
    registers = 32;
  } else if (triple.isWasm()) {
    floatBits = integerBits = has("simd128") ? 128 : 0;
    registers = 16;
  } else {
    registers = 16;
  }
  if (isBareMetal(triple) && triple.isArch32Bit()) {
    // Memories that answer within a few cycles, and at most a small cache in front of flash.
    littleMemory = true;
    firstLevel = {16 << 10, 4};
  }
  if (hasLargeFirstLevel(machine.getTargetCPU()))
    firstLevel = {48 << 10, 12};
  cacheBytes = secondLevelOf(machine.getTargetCPU(), floatBits, triple.isArch64Bit());
}

aot::DotProduct CpuTargetModel::dotProduct() const {
  return StringSwitch<aot::DotProduct>(dots)
      .Case("vnni", aot::DotProduct::UnsignedBySigned)
      .Case("neon", aot::DotProduct::SameSigns)
      .Cases({"dsp", "madd"}, aot::DotProduct::AnySigns)
      .Default(aot::DotProduct::None);
}
