/*
 * functions.h: the mathematical functions that emitted objects carry instead of referencing libm.
 *
 * How it works: each function is freestanding C11 (no libc, no libm, no errno, no state) and is compiled to LLVM
 * bitcode that the compiler embeds and links, as internal functions, into the objects which need it. The double
 * functions are accurate to about one unit in the last place: they carry the leading part of a result as an
 * unevaluated sum of two doubles (Dekker, "A floating-point technique for extending the available precision", 1971).
 * The float functions round the double result once more, which makes them correctly rounded in all but very rare cases.
 *
 * Holds throughout: NaN in gives NaN out, infinities, signed zeros and subnormal numbers follow IEEE 754 / C Annex F;
 * rounding is to nearest. Nothing here may be compiled with fast-math or contraction, and nothing may become a call
 * to libm, so that sqrt, floor and friends are written out for targets which have no instruction for them.
 */
#ifndef ONNX_AOT_RUNTIME_MATH_FUNCTIONS_H
#define ONNX_AOT_RUNTIME_MATH_FUNCTIONS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ONNX_AOT_MATH_UNARY(X)                                                                                        \
  X(exp) X(exp2) X(expm1) X(log) X(log2) X(log10) X(log1p) X(sin) X(cos) X(tan) X(asin) X(acos) X(atan) X(sinh)       \
  X(cosh) X(tanh) X(asinh) X(acosh) X(atanh) X(erf) X(erfc) X(cbrt) X(sqrt) X(floor) X(ceil) X(trunc) X(round)        \
  X(roundeven)
#define ONNX_AOT_MATH_BINARY(X) X(pow) X(atan2) X(fmod)

#define ONNX_AOT_MATH_DECLARE(NAME)                                                                                   \
  double onnx_aot_math_##NAME(double x);                                                                              \
  float onnx_aot_math_##NAME##f(float x);
ONNX_AOT_MATH_UNARY(ONNX_AOT_MATH_DECLARE)
#undef ONNX_AOT_MATH_DECLARE

#define ONNX_AOT_MATH_DECLARE(NAME)                                                                                   \
  double onnx_aot_math_##NAME(double x, double y);                                                                    \
  float onnx_aot_math_##NAME##f(float x, float y);
ONNX_AOT_MATH_BINARY(ONNX_AOT_MATH_DECLARE)
#undef ONNX_AOT_MATH_DECLARE

/* base to the power of exponent, modulo 2^64; a negative exponent gives the truncated reciprocal, 0 for base 0. */
int64_t onnx_aot_math_ipow(int64_t base, int64_t exponent);

/* Conversions between float and the two 16-bit formats, which travel as their bits; to nearest, ties to even. */
float onnx_aot_f16_to_f32(uint16_t bits);
uint16_t onnx_aot_f32_to_f16(float value);
float onnx_aot_bf16_to_f32(uint16_t bits);
uint16_t onnx_aot_f32_to_bf16(float value);

#ifdef __cplusplus
}
#endif

#endif /* ONNX_AOT_RUNTIME_MATH_FUNCTIONS_H */
