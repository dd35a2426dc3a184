//===- Prelude.cpp - small functions that printed C calls ---------------------------------------------------------===//
//
// See Prelude.h. Bits are taken by memcpy, which every compiler turns into a move between registers.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/c/Prelude.h"

namespace onnx_aot::c {

namespace {
struct Helper {
  llvm::StringRef name, text;
};
} // namespace

static const Helper helpers[] = {
    {"bits_of_f32", R"(
static inline int32_t bits_of_f32(float value) {
  int32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}
)"},
    {"f32_of_bits", R"(
static inline float f32_of_bits(int32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}
)"},
    {"bits_of_f64", R"(
static inline int64_t bits_of_f64(double value) {
  int64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}
)"},
    {"f64_of_bits", R"(
static inline double f64_of_bits(int64_t bits) {
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}
)"},
    {"abs_f32", R"(
static inline float abs_f32(float value) {
#ifdef __GNUC__
  return __builtin_fabsf(value);
#else
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  bits &= 0x7fffffffu;
  memcpy(&value, &bits, sizeof value);
  return value;
#endif
}
)"},
    {"abs_f64", R"(
static inline double abs_f64(double value) {
#ifdef __GNUC__
  return __builtin_fabs(value);
#else
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  bits &= UINT64_C(0x7fffffffffffffff);
  memcpy(&value, &bits, sizeof value);
  return value;
#endif
}
)"},
    {"copysign_f32", R"(
static inline float copysign_f32(float magnitude, float sign) {
  uint32_t bits, other;
  memcpy(&bits, &magnitude, sizeof bits);
  memcpy(&other, &sign, sizeof other);
  bits = (bits & 0x7fffffffu) | (other & 0x80000000u);
  memcpy(&magnitude, &bits, sizeof magnitude);
  return magnitude;
}
)"},
    {"copysign_f64", R"(
static inline double copysign_f64(double magnitude, double sign) {
  uint64_t bits, other;
  memcpy(&bits, &magnitude, sizeof bits);
  memcpy(&other, &sign, sizeof other);
  bits = (bits & UINT64_C(0x7fffffffffffffff)) | (other & UINT64_C(0x8000000000000000));
  memcpy(&magnitude, &bits, sizeof magnitude);
  return magnitude;
}
)"},
    {"load_bits64", R"(
/* A complex number is moved as an integer, which is not the type that the caller stored. */
static inline int64_t load_bits64(const void *place) {
  int64_t bits;
  memcpy(&bits, place, sizeof bits);
  return bits;
}
)"},
    {"store_bits64", R"(
static inline void store_bits64(void *place, int64_t bits) { memcpy(place, &bits, sizeof bits); }
)"},
    {"load_bits128", R"(
static inline onnx_aot_bits128 load_bits128(const void *place) {
  onnx_aot_bits128 bits;
  memcpy(&bits, place, sizeof bits);
  return bits;
}
)"},
    {"store_bits128", R"(
static inline void store_bits128(void *place, onnx_aot_bits128 bits) { memcpy(place, &bits, sizeof bits); }
)"},
    {"leading_zeros", R"(
static inline int leading_zeros(uint64_t value, int width) {
  int count = 0;
  while (count < width && !(value >> (width - 1 - count) & 1u))
    ++count;
  return count;
}
)"},
    {"trailing_zeros", R"(
static inline int trailing_zeros(uint64_t value, int width) {
  int count = 0;
  while (count < width && !(value >> count & 1u))
    ++count;
  return count;
}
)"},
    {"count_ones", R"(
static inline int count_ones(uint64_t value) {
  int count = 0;
  for (; value != 0u; value &= value - 1u)
    ++count;
  return count;
}
)"},
    {"high_of_product", R"(
/* The upper half of the 128 bits of a product. */
static inline uint64_t high_of_product(uint64_t a, uint64_t b) {
  uint64_t low = (a & 0xffffffffu) * (b & 0xffffffffu);
  uint64_t left = (a >> 32) * (b & 0xffffffffu) + (low >> 32);
  uint64_t right = (a & 0xffffffffu) * (b >> 32) + (left & 0xffffffffu);
  return (a >> 32) * (b >> 32) + (left >> 32) + (right >> 32);
}
)"},
};

std::string preludeText(const Needs &needs) {
  std::string text;
  if (needs.bits128)
    text += "\ntypedef struct {\n  uint64_t low, high;\n} onnx_aot_bits128;\n";
  for (const Helper &helper : helpers)
    if (needs.helpers.count(helper.name.str()))
      text += helper.text;
  return text;
}

} // namespace onnx_aot::c
