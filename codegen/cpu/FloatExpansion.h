//===- FloatExpansion.h - Float operations for targets that lack them ------===//
//
// What it is for: roundings, minima and 16-bit formats as plain arith operations, where the target has no instruction
// and LLVM would call libm or a compiler builtin per element. How it works: rounding adds and subtracts 2^23 (2^52 for
// f64), the conversions work on the bits. All are exact and work on vectors of any shape.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_CODEGEN_CPU_FLOATEXPANSION_H
#define ONNX_AOT_CODEGEN_CPU_FLOATEXPANSION_H

#include "codegen/cpu/VectorExpr.h"

namespace onnx_aot {

// Rounding of f32 and f64 to an integer.
Expr expandRoundEven(Expr x);
Expr expandFloor(Expr x);
Expr expandCeil(Expr x);
Expr expandTrunc(Expr x);
/// Ties away from zero; `truncated` is trunc(|x|).
Expr expandRound(Expr x, Expr truncated);

// maximumf, minimumf: NaN if either is, -0 < +0. maxnumf, minnumf: the other one if one is NaN.
Expr expandMaximum(Expr a, Expr b);
Expr expandMinimum(Expr a, Expr b);
Expr expandMaxNum(Expr a, Expr b);
Expr expandMinNum(Expr a, Expr b);

// f32 from and to the 16-bit formats, to nearest, ties to even.
Expr expandF16ToF32(Expr x);
Expr expandF32ToF16(Expr x);
Expr expandBF16ToF32(Expr x);
Expr expandF32ToBF16(Expr x);
/// f64 to f32 rounded to odd, so that a second rounding to 16 bits gives what one rounding would have given.
Expr truncateToOddF32(Expr x);

} // namespace onnx_aot

#endif // ONNX_AOT_CODEGEN_CPU_FLOATEXPANSION_H
