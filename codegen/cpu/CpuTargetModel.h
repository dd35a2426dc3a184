//===- CpuTargetModel.h - vectors and registers of a CPU ----------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_CPU_CPUTARGETMODEL_H
#define ONNX_AOT_CODEGEN_CPU_CPUTARGETMODEL_H

#include "codegen/cpu/LowerMath.h"
#include "dialects/aot/TargetModel.h"

namespace llvm {
class TargetMachine;
}

namespace onnx_aot {

/// What LLVM's subtarget tells of a CPU: SSE, AVX2, AVX-512, NEON, Helium, WebAssembly's vectors, RISC-V's as those of
/// a fixed length; elsewhere scalar code in tiles of registers.
class CpuTargetModel : public aot::TargetModel {
public:
  explicit CpuTargetModel(const llvm::TargetMachine &machine, bool forSize = false);
  /// A CPU of which nothing is known, as that of a program in C: scalar code, no arithmetic that might be a call.
  struct Unknown {
    bool registerTiles; // whether kernels compute several results at once
  };
  explicit CpuTargetModel(Unknown cpu);
  int64_t vectorBits(bool floatingPoint) const override { return floatingPoint ? floatBits : integerBits; }
  int64_t vectorRegisters() const override { return registers; }
  int64_t scalarRegisters(bool floatingPoint) const override { return floatingPoint ? scalarFloats : scalarIntegers; }
  bool isForSize() const override { return forSize; }
  bool hasRounding() const override { return math.hardwareRounding; }
  bool hasFusedMultiplyAdd() const override { return math.hardwareFma; }
  int64_t firstLevelBytes() const override { return firstLevel.bytes; }
  int64_t firstLevelWays() const override { return firstLevel.ways; }
  int64_t secondLevelBytes() const override { return cacheBytes; }
  /// From now on code is plain loops over single results: as for a CPU without vectors, in no tiles.
  void forgetRegisters() { floatBits = integerBits = scalarFloats = scalarIntegers = 0; }
  unsigned addressBits() const { return pointerBits; }
  bool hasLittleMemory() const override { return littleMemory; }
  aot::DotProduct dotProduct() const override;
  bool prefersIntegerProducts() const override {
    return dotProduct() != aot::DotProduct::None || TargetModel::prefersIntegerProducts();
  }
  /// Its instructions for products of bytes, as aot-lower-dots calls them; empty where it has none.
  const char *dotIsa() const { return dots; }
  /// Which arithmetic is an instruction.
  const LowerMathOptions &mathOptions() const { return math; }

private:
  int64_t floatBits = 0, integerBits = 0, registers = 8, cacheBytes = 1 << 20;
  int64_t scalarFloats = 8, scalarIntegers = 8;
  bool forSize = false;
  unsigned pointerBits = 64;
  struct {
    int64_t bytes, ways;
  } firstLevel = {32 << 10, 8};
  bool littleMemory = false;
  const char *dots = "";
  LowerMathOptions math;
};

} // namespace onnx_aot

#endif
