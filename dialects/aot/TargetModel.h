//===- TargetModel.h - what strategies ask about the target -------------------------------------------------------===//
//
// Passes choose strategies through this interface; a target's folder in codegen/ implements it and the driver injects
// it, so that passes do not depend on code generation.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_AOT_TARGETMODEL_H
#define ONNX_AOT_DIALECTS_AOT_TARGETMODEL_H

#include <cstdint>

namespace onnx_aot::aot {

/// Which signs an instruction that adds the products of four pairs of bytes takes (aot.dot).
enum class DotProduct { None, AnySigns, SameSigns, UnsignedBySigned };

class TargetModel {
public:
  virtual ~TargetModel() = default;
  /// Bits of one vector register; 0 where the target has no vectors of this kind.
  virtual int64_t vectorBits(bool floatingPoint) const = 0;
  /// Vector registers that a tile of a product may fill, with its sums, a row of weights and one value.
  virtual int64_t vectorRegisters() const = 0;
  /// Registers for a tile of scalars, where there are no vectors of this kind; 0: kernels are loops over single
  /// results.
  virtual int64_t scalarRegisters(bool /*floatingPoint*/) const { return 0; }
  /// Whether code is to be small rather than fast.
  virtual bool isForSize() const { return false; }
  /// Whether rounding (floor, ceil, trunc, nearest-even) of floats is one instruction.
  virtual bool hasRounding() const = 0;
  virtual bool hasFusedMultiplyAdd() const = 0;
  /// The first-level data cache: its bytes, and how many lines a set holds.
  virtual int64_t firstLevelBytes() const { return 32 << 10; }
  virtual int64_t firstLevelWays() const { return 8; }
  /// Bytes of the second-level cache, which is what a block of data should fit; of all that is near where there is
  /// none.
  virtual int64_t secondLevelBytes() const { return 1 << 20; }
  /// Whether bytes of weights and buffers are dearer than cycles: a microcontroller.
  virtual bool hasLittleMemory() const { return false; }
  virtual DotProduct dotProduct() const { return DotProduct::None; }
  /// Whether products of 8-bit integers are to be computed as such: not where floats have wider vectors for them.
  virtual bool prefersIntegerProducts() const { return hasLittleMemory() || vectorBits(true) == 0; }
  /// Of the memory that a model works in, in bytes: a line of the cache, so that few vectors lie in two; without
  /// vectors, what the largest element needs.
  int64_t bufferAlignment() const { return vectorBits(true) != 0 || vectorBits(false) != 0 ? 64 : 8; }
};

} // namespace onnx_aot::aot

#endif
