/*
 * half.c: conversions between float and the 16-bit formats f16 (5 exponent bits) and bf16 (8), on the bits.
 *
 * To 16 bits: to nearest, ties to even, subnormals exact, overflow to infinity, NaN to a quiet NaN.
 * From 16 bits: exact.
 */
#include "functions.h"

static uint32_t toBits32(float x) {
  union {
    float value;
    uint32_t bits;
  } u;
  u.value = x;
  return u.bits;
}

static float fromBits32(uint32_t bits) {
  union {
    uint32_t bits;
    float value;
  } u;
  u.bits = bits;
  return u.value;
}

float onnx_aot_f16_to_f32(uint16_t bits) {
  uint32_t sign = (uint32_t)(bits & 0x8000u) << 16;
  uint32_t magnitude = bits & 0x7fffu;
  float value;
  if (magnitude >= 0x7c00u) /* infinity or NaN, made quiet */
    return fromBits32(sign | 0x7f800000u | (magnitude & 0x3ffu ? 0x400000u : 0u) | (magnitude & 0x3ffu) << 13);
  if (magnitude < 0x400u)
    value = (float)magnitude * 0x1p-24f; /* subnormal */
  else
    value = fromBits32((magnitude << 13) + ((127u - 15u) << 23));
  return fromBits32(sign | toBits32(value));
}

uint16_t onnx_aot_f32_to_f16(float value) {
  uint32_t bits = toBits32(value);
  uint32_t sign = (bits >> 16) & 0x8000u;
  uint32_t magnitude = bits & 0x7fffffffu;
  uint32_t result;
  if (magnitude > 0x7f800000u)
    return (uint16_t)(sign | 0x7e00u | ((magnitude >> 13) & 0x3ffu));
  if (magnitude >= 0x477ff000u) /* rounds past 65504 */
    return (uint16_t)(sign | 0x7c00u);
  if (magnitude < 0x38800000u) {
    /* A subnormal result is a multiple of 2^-24, which is the last place of a float near 0.5: the sum rounds. */
    result = toBits32(fromBits32(magnitude) + 0.5f) - 0x3f000000u;
  } else {
    result = magnitude - ((127u - 15u) << 23);
    result = (result + 0xfffu + ((result >> 13) & 1u)) >> 13;
  }
  return (uint16_t)(sign | result);
}

float onnx_aot_bf16_to_f32(uint16_t bits) { return fromBits32((uint32_t)bits << 16); }

uint16_t onnx_aot_f32_to_bf16(float value) {
  uint32_t bits = toBits32(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u)
    return (uint16_t)((bits >> 16) | 0x40u);
  return (uint16_t)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}
