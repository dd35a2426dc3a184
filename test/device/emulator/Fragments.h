// Elements of matrix products: which numbers a 32-bit register holds, and where those of a lane lie in a matrix ("PTX
// ISA", matrix fragments of mma). With E elements to a register, a register of A or B covers E of 4 E columns (rows) of
// a slab along K: lane 4 g + t holds those from t E on, of row (column) g.
#ifndef ONNX_AOT_TEST_DEVICE_EMULATOR_FRAGMENTS_H
#define ONNX_AOT_TEST_DEVICE_EMULATOR_FRAGMENTS_H

#include "Numbers.h"
#include "Types.h"

namespace onnx_aot::ptx {

inline uint32_t elementsPerRegister(Type type) { return 32 / bitsOf(type); }

/// Of the lowest bits. Elements of tf32 lose what lies below 10 bits of the mantissa.
inline float floatElement(uint32_t bits, Type type) {
  switch (type) {
  case Type::F16:
    return halfToFloat(uint16_t(bits));
  case Type::BF16:
    return bfloatToFloat(uint16_t(bits));
  case Type::E4M3:
    return float(toDouble(bits & 0xff, kE4M3));
  case Type::E5M2:
    return float(toDouble(bits & 0xff, kE5M2));
  default:
    return std::bit_cast<float>(bits & ~uint32_t(0x1fff));
  }
}

inline int32_t integerElement(uint32_t bits, Type type) {
  return type == Type::S8 ? int32_t(int8_t(bits)) : int32_t(uint8_t(bits));
}

/// Of a register with E elements, the one numbered `index`.
template <class Number> Number element(uint32_t bits, uint32_t index, Type type) {
  bits >>= index * (bitsOf(type) % 32);
  if constexpr (std::is_same_v<Number, float>)
    return floatElement(bits, type);
  else
    return integerElement(bits, type);
}

/// Whether products of the type are summed as integers.
inline bool sumsIntegers(Type type) { return type == Type::S8 || type == Type::U8; }

/// sum[16][8] += a[16][k] * b[k][8].
template <class Number>
void multiplyTile(Number (&sum)[16][8], const Number (*a)[64], const Number (*b)[8], uint32_t k) {
  for (uint32_t row = 0; row < 16; ++row)
    for (uint32_t inner = 0; inner < k; ++inner)
      for (uint32_t column = 0; column < 8; ++column)
        if constexpr (std::is_same_v<Number, float>)
          sum[row][column] += a[row][inner] * b[inner][column];
        else
          sum[row][column] = Number(uint32_t(sum[row][column]) + uint32_t(a[row][inner] * b[inner][column]));
}

} // namespace onnx_aot::ptx

#endif // ONNX_AOT_TEST_DEVICE_EMULATOR_FRAGMENTS_H
