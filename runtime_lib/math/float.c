/*
 * float.c: the float versions, each one rounding of the double result.
 *
 * A double result is within one unit of its last place, so the rounding to float is the correct one unless the true
 * value lies within 2^-28 of a tie: the error is 0.5 ulp plus a trace. The exact functions (sqrt, fmod, the roundings)
 * stay exact: their double results round innocuously (Figueroa, "When is double rounding innocuous?", 1995).
 */
#include "functions.h"

#define UNARY(NAME)                                                                                                   \
  float onnx_aot_math_##NAME##f(float x) { return (float)onnx_aot_math_##NAME(x); }
ONNX_AOT_MATH_UNARY(UNARY)

#define BINARY(NAME)                                                                                                  \
  float onnx_aot_math_##NAME##f(float x, float y) { return (float)onnx_aot_math_##NAME(x, y); }
ONNX_AOT_MATH_BINARY(BINARY)
