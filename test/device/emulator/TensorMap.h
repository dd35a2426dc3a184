// What stands in the 128 bytes of a CUtensorMap for this emulator, whose makers are free to fill it: NVIDIA's own
// layout is not public. cuTensorMapEncodeTiled writes one, the copies cp.async.bulk.tensor read it.
#ifndef ONNX_AOT_TEST_DEVICE_EMULATOR_TENSORMAP_H
#define ONNX_AOT_TEST_DEVICE_EMULATOR_TENSORMAP_H

#include <cstdint>

namespace onnx_aot::ptx {

/// Dimension 0 varies fastest. Interleaved layouts and element strides other than 1 are not supported.
struct alignas(64) TensorMap {
  static constexpr uint64_t kMagic = 0x70616d5f726e7374; ///< "tsnr_map"
  uint64_t magic = kMagic;
  uint64_t address = 0;     ///< In global memory, a multiple of 16.
  uint64_t strides[4] = {}; ///< In bytes, of dimensions 1 and up; multiples of 16.
  uint32_t extents[5] = {}; ///< In elements.
  uint16_t box[5] = {};     ///< Elements that one copy moves, at most 256 in each dimension.
  uint8_t rank = 0;         ///< 1 to 5.
  uint8_t elementBytes = 0; ///< 1, 2, 4 or 8.
  /// As CUtensorMapSwizzle: 0 none, 1 for rows of 32 bytes, 2 for 64, 3 for 128.
  uint8_t swizzle = 0;
  /// What lies outside of the tensor: 0 zeros, 1 NaNs (all ones).
  uint8_t fill = 0;
};
static_assert(sizeof(TensorMap) == 128);

/// Where the byte at an address of shared memory lies when rows are swizzled: bits 4 and up, as many as the mode says,
/// are flipped by those from 7 on.
inline uint32_t swizzled(uint32_t address, uint32_t mode) {
  return address ^ (((address >> 7) & ((1u << mode) - 1)) << 4);
}

} // namespace onnx_aot::ptx

#endif // ONNX_AOT_TEST_DEVICE_EMULATOR_TENSORMAP_H
