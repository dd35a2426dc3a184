//===- VectorMath.cpp - Elementary functions of f32 as vector code ---------===//
//
// See VectorMath.h.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/VectorMath.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include <limits>

using namespace mlir;

namespace onnx_aot {

static constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Adding and subtracting it rounds an f32 of moderate size to an integer, whose value is then in the low bits.
static constexpr double kRound = 0x1.8p23;
static constexpr int64_t kRoundBits = 0x4b400000;
static constexpr double kHalfPiHi = 0x1.921fb6p+0, kHalfPiLo = -0x1.777a5cp-25;

Expr VectorMath::multiplyAdd(Expr a, Expr b, Expr c) const {
  if (!fusedMultiplyAdd)
    return a * b + c;
  auto &builder = a.getBuilder();
  return Expr(builder, math::FmaOp::create(builder, a.value(), b.value(), c.value()));
}

/// coefficients[0] + coefficients[1] x + ..., by Horner's rule.
Expr VectorMath::polynomial(Expr x, llvm::ArrayRef<float> coefficients) const {
  Expr sum = x.constant(coefficients.back());
  for (float coefficient : llvm::reverse(coefficients.drop_back()))
    sum = multiplyAdd(sum, x, x.constant(coefficient));
  return sum;
}

/// x limited from above; a NaN stays.
static Expr atMost(Expr x, double hi) { return select(x > hi, x.constant(hi), x); }

/// x limited to [lo, hi]; a NaN stays.
static Expr clamp(Expr x, double lo, double hi) {
  x = atMost(x, hi);
  return select(x < lo, x.constant(lo), x);
}

/// The integer in the sum of a number and kRound.
static Expr roundedInteger(Expr sum) {
  Expr bits = sum.bits();
  return bits - bits.constant(kRoundBits);
}

static Expr powerOfTwo(Expr n) { return ((n + 127) << 23).bitcastTo(Float32Type::get(n.getBuilder().getContext())); }

/// value * 2^n, |n| <= 250, in two factors: 2^n itself may be subnormal or too large.
static Expr scale(Expr value, Expr n) {
  Expr half = n >> 1;
  return value * powerOfTwo(half) * powerOfTwo(n - half);
}

//===----------------------------------------------------------------------===//
// exp and its kin
//===----------------------------------------------------------------------===//

VectorMath::Exponential VectorMath::reduceExp(Expr x) const {
  Expr rounded = multiplyAdd(x, 0x1.715476p+0, x.constant(kRound));
  Expr count = rounded - kRound;
  // The first part of ln2 has 13 bits: its product with n is exact.
  Expr r = multiplyAdd(count, -0x1.62ep-1, x);
  r = multiplyAdd(count, -0x1.0bfbe8p-15, r);
  return {r, roundedInteger(rounded)};
}

Expr VectorMath::exp(Expr x) const {
  static const float tail[] = {0x1.000000p-1f, 0x1.5554dcp-3f, 0x1.555518p-5f, 0x1.120d72p-7f, 0x1.6d130ep-10f};
  auto [r, n] = reduceExp(clamp(x, -104, 89));
  return scale(multiplyAdd(r * r, polynomial(r, tail), r) + 1, n);
}

Expr VectorMath::exp2(Expr x) const {
  static const float tail[] = {0x1.62e430p-1f, 0x1.ebfbe0p-3f,  0x1.c6af6cp-5f,
                               0x1.3b2a54p-7f, 0x1.5f0890p-10f, 0x1.44138ap-13f};
  x = clamp(x, -151, 129);
  Expr rounded = x + kRound;
  Expr r = x - (rounded - kRound);
  return scale(multiplyAdd(r, polynomial(r, tail), r.constant(1)), roundedInteger(rounded));
}

static const float kExpm1Tail[] = {0x1.000000p-1f, 0x1.555556p-3f,  0x1.5554e8p-5f,
                                   0x1.1110e0p-7f, 0x1.6d4590p-10f, 0x1.a12718p-13f};

/// (exp(x) - 1) / 4 for -30 <= x <= 89.6. A quarter, so that 2^n never overflows before the result does.
Expr VectorMath::quarterExpm1(Expr x) const {
  auto [r, n] = reduceExp(x);
  Expr p = multiplyAdd(r * r, polynomial(r, kExpm1Tail), r);
  Expr power = powerOfTwo(n - 2);
  return multiplyAdd(power, p, power - 0.25);
}

Expr VectorMath::expm1(Expr x) const {
  Expr result = quarterExpm1(clamp(x, -18, 89)) * 4;
  return select(absolute(x) < 0x1p-25, x, result);
}

Expr VectorMath::sinh(Expr x) const {
  Expr quarter = quarterExpm1(atMost(absolute(x), 89.6));
  // (e + e / (e + 1)) / 2 for e = expm1(|x|); the quotient of quarters stays finite where e overflows.
  Expr result = multiplyAdd(quarter, 2, quarter / (quarter + 0.25) * 0.5);
  return select(absolute(x) < 0x1p-12, x, copySign(result, x));
}

Expr VectorMath::cosh(Expr x) const {
  auto [r, n] = reduceExp(atMost(absolute(x), 89.6));
  Expr quarter = (multiplyAdd(r * r, polynomial(r, kExpm1Tail), r) + 1) * powerOfTwo(n - 2);
  return multiplyAdd(quarter, 2, 0.125 / quarter);
}

Expr VectorMath::tanh(Expr x) const {
  Expr magnitude = atMost(absolute(x), 10);
  Expr quarter = quarterExpm1(magnitude + magnitude);
  return select(absolute(x) < 0x1p-12, x, copySign(quarter / (quarter + 0.5), x));
}

Expr VectorMath::erf(Expr x) const {
  static const float inner[] = {0x1.06eba8p-3f, -0x1.81273ep-2f,  0x1.ce2d10p-4f, -0x1.b7fabap-6f,
                                0x1.541270p-8f, -0x1.a45088p-11f, 0x1.4a5690p-14f};
  // log(erfc(1 + t)), 0 <= t <= 3
  static const float outer[] = {-0x1.d97fc0p+0f, -0x1.51c9b2p+1f, -0x1.afab6cp-1f,  -0x1.5496a6p-5f, 0x1.4a3ac8p-7f,
                                -0x1.0d42e6p-9f, 0x1.4fcba8p-12f, -0x1.147ed8p-15f, 0x1.b77830p-20f};
  Expr magnitude = atMost(absolute(x), 4);
  Expr small = multiplyAdd(magnitude, polynomial(magnitude * magnitude, inner), magnitude);
  auto [r, n] = reduceExp(polynomial(magnitude - 1, outer));
  Expr growth = multiplyAdd(r * r, polynomial(r, llvm::ArrayRef(kExpm1Tail).drop_back()), r);
  Expr power = powerOfTwo(n);
  Expr big = (1.0 - power) - power * growth; // 1 - exp(log(erfc))
  return copySign(select(magnitude > 1, big, small), x);
}

//===----------------------------------------------------------------------===//
// log and its kin
//===----------------------------------------------------------------------===//

VectorMath::Logarithm VectorMath::reduceLog(Expr x) const {
  auto &builder = x.getBuilder();
  Expr isSubnormal = x < 0x1p-126;
  Expr bits = select(isSubnormal, x * 0x1p23, x).bits();
  // Counting from sqrt(1/2) makes the exponent field of the difference the wanted k.
  Expr exponent = (bits - 0x3f3504f3) >> 23;
  Expr m = (bits - (exponent << 23)).bitcastTo(x.element());
  exponent = select(isSubnormal, exponent - 23, exponent);
  return {m - 1, Expr(builder, arith::SIToFPOp::create(builder, x.type(), exponent.value()))};
}

/// log(1 + f) - f + f^2 / 2
Expr VectorMath::logTail(Expr f) const {
  static const float tail[] = {0x1.555554p-2f,  -0x1.fffffcp-3f, 0x1.999d5cp-3f,  -0x1.555b52p-3f, 0x1.23d1d8p-3f,
                               -0x1.fcf2acp-4f, 0x1.dea5a6p-4f,  -0x1.d64804p-4f, 0x1.1d9df2p-4f};
  return f * f * f * polynomial(f, tail);
}

/// `result` where x has a logarithm, else log's value at infinity, 0, below 0 and NaN.
static Expr logOrSpecial(Expr x, Expr result) {
  Expr nan = x.constant(std::numeric_limits<double>::quiet_NaN());
  Expr special = select(x == 0, x.constant(-kInfinity), select(x < 0, nan, x));
  return select((x > 0) & (x < kInfinity), result, special);
}

Expr VectorMath::log(Expr x) const {
  auto [f, k] = reduceLog(x);
  Expr low = multiplyAdd(k, 0x1.0bfbe8p-15, logTail(f));
  Expr sum = multiplyAdd(f * -0.5, f, low) + f;
  return logOrSpecial(x, multiplyAdd(k, 0x1.62ep-1, sum));
}

Expr VectorMath::log2(Expr x) const {
  auto [f, k] = reduceLog(x);
  Expr sum = multiplyAdd(f * -0.5, f, logTail(f)) + f;
  return logOrSpecial(x, multiplyAdd(sum, 0x1.715476p+0, multiplyAdd(sum, 0x1.4ae0cp-26, k)));
}

Expr VectorMath::log10(Expr x) const {
  auto [f, k] = reduceLog(x);
  Expr sum = multiplyAdd(f * -0.5, f, logTail(f)) + f;
  Expr low = multiplyAdd(k, 0x1.3509f8p-18, sum * -0x1.5b235ep-27);
  return logOrSpecial(x, multiplyAdd(k, 0x1.344p-2, multiplyAdd(sum, 0x1.bcb7b2p-2, low)));
}

Expr VectorMath::log1p(Expr x) const {
  // 1 + x = u + lost exactly (Knuth's two-sum), and log(u + lost) = log(u) + lost / u.
  Expr u = x + 1;
  Expr xPart = u - 1;
  Expr lost = (1.0 - (u - xPart)) + (x - xPart);
  auto [f, k] = reduceLog(u);
  Expr low = multiplyAdd(k, 0x1.0bfbe8p-15, logTail(f)) + lost / u;
  Expr sum = multiplyAdd(f * -0.5, f, low) + f;
  Expr result = logOrSpecial(u, multiplyAdd(k, 0x1.62ep-1, sum));
  return select(absolute(x) < 0x1p-25, x, result);
}

//===----------------------------------------------------------------------===//
// Circular functions
//===----------------------------------------------------------------------===//

/// For |x| <= 65536; larger x give nonsense.
VectorMath::Angle VectorMath::reduceAngle(Expr x) const {
  auto &builder = x.getBuilder();
  if (fusedMultiplyAdd) {
    // Three full parts of pi/2: a fused product loses nothing where the difference cancels.
    Expr rounded = multiplyAdd(x, 0x1.45f306p-1, x.constant(kRound));
    Expr count = rounded - kRound;
    Expr r = multiplyAdd(count, -kHalfPiHi, x);
    r = multiplyAdd(count, -kHalfPiLo, r);
    r = multiplyAdd(count, 0x1.ee59dap-50, r);
    return {r, roundedInteger(rounded)};
  }
  // In f64, where n times the 33 bits of the first part is exact.
  Expr wide = x.extendTo(builder.getF64Type());
  Expr rounded = wide * 0x1.45f306dc9c883p-1 + 0x1.8p52;
  Expr count = rounded - 0x1.8p52;
  Expr r = wide - count * 0x1.921fb544p+0 - count * 0x1.0b4611a626331p-34;
  return {r.truncateTo(builder.getF32Type()), rounded.bits().truncateTo(builder.getI32Type())};
}

Expr VectorMath::sineKernel(Expr r) const {
  static const float tail[] = {-0x1.555552p-3f, 0x1.110c28p-7f, -0x1.9ac994p-13f};
  Expr square = r * r;
  return multiplyAdd(r * square, polynomial(square, tail), r);
}

Expr VectorMath::cosineKernel(Expr r) const {
  static const float tail[] = {0x1.555554p-5f, -0x1.6c12d2p-10f, 0x1.9bd886p-16f};
  Expr square = r * r;
  return multiplyAdd(square * square, polynomial(square, tail), multiplyAdd(square, -0.5, r.constant(1)));
}

/// `fast`, or the slow path for the whole vector when a lane is beyond the fast reduction.
Expr VectorMath::withLargeAngles(StringRef function, Expr x, Expr fast) const {
  auto &builder = x.getBuilder();
  Value any = (absolute(x) > 65536).value();
  if (auto vector = dyn_cast<VectorType>(any.getType())) {
    auto flat = VectorType::get({vector.getNumElements()}, vector.getElementType());
    if (flat != vector)
      any = vector::ShapeCastOp::create(builder, flat, any);
    any = vector::ReductionOp::create(builder, vector::CombiningKind::OR, any);
  }
  auto branch = scf::IfOp::create(builder, TypeRange{x.type()}, any, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(builder, large(function, x).value());
  builder.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(builder, fast.value());
  return Expr(builder, branch.getResult(0));
}

/// `value` with its sign changed where `flag`'s bit 1 is set.
static Expr negateWhereBit1(Expr flag, Expr value) {
  return (value.bits() ^ ((flag & 2) << 30)).bitcastTo(value.element());
}

Expr VectorMath::sin(Expr x) const {
  auto [r, n] = reduceAngle(x);
  Expr value = select((n & 1) == 0, sineKernel(r), cosineKernel(r));
  value = select(absolute(x) < 0x1p-12, x, negateWhereBit1(n, value));
  return withLargeAngles("sin", x, value);
}

Expr VectorMath::cos(Expr x) const {
  auto [r, n] = reduceAngle(x);
  Expr value = select((n & 1) == 0, cosineKernel(r), sineKernel(r));
  return withLargeAngles("cos", x, negateWhereBit1(n + 1, value));
}

Expr VectorMath::tan(Expr x) const {
  auto [r, n] = reduceAngle(x);
  Expr sine = sineKernel(r), cosine = cosineKernel(r);
  Expr isEven = (n & 1) == 0;
  Expr value = select(isEven, sine, -cosine) / select(isEven, cosine, sine);
  return withLargeAngles("tan", x, select(absolute(x) < 0x1p-12, x, value));
}

/// asin(z) for square = z^2 <= 1/4.
Expr VectorMath::asinKernel(Expr z, Expr square) const {
  static const float tail[] = {0x1.555554p-3f, 0x1.333430p-4f, 0x1.6d5bbap-5f,
                               0x1.fd8da2p-6f, 0x1.18f91ep-6f, 0x1.13fed4p-5f};
  return multiplyAdd(z * square, polynomial(square, tail), z);
}

Expr VectorMath::asin(Expr x) const {
  // Above 1/2: asin(x) = pi/2 - 2 asin(sqrt((1 - x) / 2)).
  Expr magnitude = absolute(x);
  Expr isBig = magnitude > 0.5;
  Expr square = select(isBig, 0.5 - magnitude * 0.5, magnitude * magnitude);
  Expr angle = asinKernel(select(isBig, sqrt(square), magnitude), square);
  Expr big = kHalfPiHi - multiplyAdd(angle, 2, angle.constant(-kHalfPiLo));
  return copySign(select(isBig, big, angle), x);
}

Expr VectorMath::acos(Expr x) const {
  Expr magnitude = absolute(x);
  Expr isBig = magnitude > 0.5;
  Expr square = select(isBig, 0.5 - magnitude * 0.5, x * x);
  Expr angle = asinKernel(select(isBig, sqrt(square), x), square);
  Expr twice = angle + angle;
  Expr big = select(x < 0, 2 * kHalfPiHi - (twice - 2 * kHalfPiLo), twice);
  return select(isBig, big, kHalfPiHi - (angle - kHalfPiLo));
}

Expr VectorMath::atan(Expr x) const {
  static const float tail[] = {-0x1.555554p-2f, 0x1.99983cp-3f,  -0x1.246cd2p-3f, 0x1.c3f168p-4f, -0x1.6295f8p-4f,
                               0x1.0001c6p-4f,  -0x1.25dc12p-5f, 0x1.ba9f66p-7f,  -0x1.38de56p-9f};
  Expr magnitude = absolute(x);
  Expr isBig = magnitude > 1;
  Expr z = select(isBig, 1.0 / magnitude, magnitude);
  Expr square = z * z;
  Expr angle = multiplyAdd(z * square, polynomial(square, tail), z);
  return copySign(select(isBig, kHalfPiHi - (angle - kHalfPiLo), angle), x);
}

} // namespace onnx_aot
