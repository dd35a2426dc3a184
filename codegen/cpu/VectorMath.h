//===- VectorMath.h - Elementary functions of f32 as vector code -----------===//
//
// What it is for: exp, log, tanh, erf, sin and the like on f32, scalar or fixed vectors of any shape, as straight-line
// arith operations, so that a whole vector is computed at once and no library is called.
//
// How it works: per function, reduction of the argument (Cody & Waite, "Software manual for the elementary functions",
// 1980), a polynomial (interpolation of the function's remainder in Chebyshev points, coefficients rounded to f32) and
// reconstruction from the exponent's bits. Only sin, cos and tan have a branch: when a lane is too large for the fast
// reduction, the whole vector goes through `VectorMath::large`.
//
// Holds: errors of at most 4 ulp (most below 2); NaN propagates, because clamps are comparisons that are false for NaN;
// infinities, signed zeros and subnormal arguments and results are right. Round to nearest and no fast-math flags are
// assumed; fused multiply-adds are used only when `fusedMultiplyAdd` says that they are one instruction.
//
//===----------------------------------------------------------------------===//

#ifndef ONNX_AOT_CODEGEN_CPU_VECTORMATH_H
#define ONNX_AOT_CODEGEN_CPU_VECTORMATH_H

#include "codegen/cpu/VectorExpr.h"
#include "llvm/ADT/ArrayRef.h"
#include <functional>

namespace onnx_aot {

class VectorMath {
public:
  bool fusedMultiplyAdd = true;
  /// Square root of an f32 value: an instruction or a runtime call.
  std::function<Expr(Expr)> sqrt;
  /// sin, cos or tan of arguments of any size.
  std::function<Expr(llvm::StringRef function, Expr)> large;

  Expr exp(Expr x) const;
  Expr exp2(Expr x) const;
  Expr expm1(Expr x) const;
  Expr log(Expr x) const;
  Expr log2(Expr x) const;
  Expr log10(Expr x) const;
  Expr log1p(Expr x) const;
  Expr sin(Expr x) const;
  Expr cos(Expr x) const;
  Expr tan(Expr x) const;
  Expr asin(Expr x) const;
  Expr acos(Expr x) const;
  Expr atan(Expr x) const;
  Expr sinh(Expr x) const;
  Expr cosh(Expr x) const;
  Expr tanh(Expr x) const;
  Expr erf(Expr x) const;

  /// a * b + c, fused where that is an instruction.
  Expr multiplyAdd(Expr a, Expr b, Expr c) const;

private:
  Expr multiplyAdd(Expr a, double b, Expr c) const { return multiplyAdd(a, a.constant(b), c); }
  Expr polynomial(Expr x, llvm::ArrayRef<float> coefficients) const;

  struct Exponential {
    Expr r; // exp(x) = 2^n exp(r), |r| <= ln2 / 2
    Expr n; // i32
  };
  Exponential reduceExp(Expr x) const;
  Expr quarterExpm1(Expr x) const;

  struct Logarithm {
    Expr f; // x = 2^k (1 + f), sqrt(1/2) <= 1 + f < sqrt(2)
    Expr k; // as f32
  };
  Logarithm reduceLog(Expr x) const;
  Expr logTail(Expr f) const;

  struct Angle {
    Expr r; // x = n pi/2 + r
    Expr n; // i32
  };
  Angle reduceAngle(Expr x) const;
  Expr sineKernel(Expr r) const;
  Expr cosineKernel(Expr r) const;
  Expr withLargeAngles(llvm::StringRef function, Expr x, Expr fast) const;
  Expr asinKernel(Expr z, Expr square) const;
};

} // namespace onnx_aot

#endif // ONNX_AOT_CODEGEN_CPU_VECTORMATH_H
