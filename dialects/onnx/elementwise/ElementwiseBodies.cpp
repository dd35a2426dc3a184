//===- ElementwiseBodies.cpp - the table of scalar bodies of the elementwise operators ----------------------------===//
//
// Every body is straight-line code of arith and math operations on values in compute form (see Lowering.h), without a
// path to undefined behaviour: a division guards its divisor, a shift its amount, a conversion its range. Selections
// are written as compare and select, which become one min, max or blend instruction.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/elementwise/ElementwiseBodies.h"
#include "dialects/onnx/elementwise/Elementwise.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/support/NarrowFloats.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace onnx_aot::onnx;
using arith::CmpFPredicate;
using arith::CmpIPredicate;

static bool isReal(Value value) { return isa<FloatType>(value.getType()); }

/// A constant of `like`'s type.
static Value constant(ScalarBody &s, Value like, double value) {
  return scalarConstant(s.b, s.b.getLoc(), like.getType(), value);
}

static Value select(ScalarBody &s, Value condition, Value yes, Value no) {
  return arith::SelectOp::create(s.b, condition, yes, no);
}

//===-- Comparison ------------------------------------------------------------------------------------------------===//

static Value compare(ScalarBody &s, CmpFPredicate real, CmpIPredicate integer, Value a, Value b) {
  return isReal(a) ? Value(arith::CmpFOp::create(s.b, real, a, b)) : Value(arith::CmpIOp::create(s.b, integer, a, b));
}

/// a < b by the type of input 0; false for NaN.
static Value isLess(ScalarBody &s, Value a, Value b) {
  return compare(s, CmpFPredicate::OLT, isUnsigned(s.type[0]) ? CmpIPredicate::ult : CmpIPredicate::slt, a, b);
}

static Value isEqual(ScalarBody &s, Value a, Value b) {
  return compare(s, CmpFPredicate::OEQ, CmpIPredicate::eq, a, b);
}

template <CmpFPredicate Real, CmpIPredicate Signed, CmpIPredicate Unsigned = Signed>
static Value compareBody(Operation *, ScalarBody &s) {
  return compare(s, Real, isUnsigned(s.type[0]) ? Unsigned : Signed, s.x[0], s.x[1]);
}

static Value isNaNBody(Operation *, ScalarBody &s) {
  return arith::CmpFOp::create(s.b, CmpFPredicate::UNO, s.x[0], s.x[0]);
}

static Value isInfBody(Operation *op, ScalarBody &s) {
  auto isInf = cast<IsInfOp>(op);
  double infinity = std::numeric_limits<double>::infinity();
  Value x = s.x[0];
  if (isInf.getDetectNegative() && isInf.getDetectPositive())
    return isEqual(s, math::AbsFOp::create(s.b, x), s.constant(infinity));
  if (!isInf.getDetectNegative() && !isInf.getDetectPositive())
    return arith::ConstantIntOp::create(s.b, 0, 1);
  return isEqual(s, x, s.constant(isInf.getDetectPositive() ? infinity : -infinity));
}

static Value whereBody(Operation *, ScalarBody &s) { return select(s, s.x[0], s.x[1], s.x[2]); }

/// Comparisons with NaN are false, so NaN stays.
static Value clipBody(Operation *op, ScalarBody &s) {
  auto clip = cast<ClipOp>(op);
  Value result = s.x[0];
  unsigned next = 1;
  if (clip.getMin()) {
    Value low = s.x[next++];
    result = select(s, isLess(s, result, low), low, result);
  }
  if (clip.getMax()) {
    Value high = s.x[next];
    result = select(s, isLess(s, high, result), high, result);
  }
  return result;
}

//===-- Arithmetic ------------------------------------------------------------------------------------------------===//

/// For signed integers, divisors 0 and -1 (INT_MIN / -1 overflows) are replaced by 1 before dividing.
static Value divBody(Operation *, ScalarBody &s) {
  Value a = s.x[0], b = s.x[1];
  if (isReal(a))
    return arith::DivFOp::create(s.b, a, b);
  Value zero = s.constant(0), one = s.constant(1), minusOne = s.constant(-1);
  Value byZero = isEqual(s, b, zero);
  if (isUnsigned(s.type[0]))
    return select(s, byZero, zero, arith::DivUIOp::create(s.b, a, select(s, byZero, one, b)));
  Value byMinusOne = isEqual(s, b, minusOne);
  Value special = arith::OrIOp::create(s.b, byZero, byMinusOne);
  Value quotient = arith::DivSIOp::create(s.b, a, select(s, special, one, b));
  Value negated = arith::SubIOp::create(s.b, zero, a);
  return select(s, byMinusOne, negated, select(s, byZero, zero, quotient));
}

static Value modBody(Operation *op, ScalarBody &s) {
  Value a = s.x[0], b = s.x[1];
  if (isReal(a))
    return arith::RemFOp::create(s.b, a, b);
  Value zero = s.constant(0), one = s.constant(1);
  Value special = isEqual(s, b, zero);
  if (isUnsigned(s.type[0]))
    return select(s, special, zero, arith::RemUIOp::create(s.b, a, select(s, special, one, b)));
  // The remainder by 1 is 0, which is also right for -1.
  special = arith::OrIOp::create(s.b, special, isEqual(s, b, s.constant(-1)));
  Value remainder = arith::RemSIOp::create(s.b, a, select(s, special, one, b));
  if (cast<ModOp>(op).getFmod())
    return remainder;
  // A remainder whose sign is not the divisor's moves by one divisor.
  Value differs = arith::CmpIOp::create(s.b, CmpIPredicate::slt, arith::XOrIOp::create(s.b, remainder, b), zero);
  Value isNonzero = arith::CmpIOp::create(s.b, CmpIPredicate::ne, remainder, zero);
  Value moves = arith::AndIOp::create(s.b, differs, isNonzero);
  return select(s, moves, arith::AddIOp::create(s.b, remainder, b), remainder);
}

static Value meanBody(Operation *op, ScalarBody &s) {
  Value sum = binaryBody<arith::AddFOp, arith::AddIOp>(op, s);
  Value count = s.constant(s.x.size());
  if (isReal(sum))
    return arith::DivFOp::create(s.b, sum, count);
  return isUnsigned(s.type[0]) ? Value(arith::DivUIOp::create(s.b, sum, count))
                               : Value(arith::DivSIOp::create(s.b, sum, count));
}

/// base^exponent for integers by squaring, modulo the width; a negative exponent gives 1 / base^|exponent| toward zero.
static Value integerPower(ScalarBody &s, Value base, Value exponent) {
  Value one = s.constant(1), zero = s.constant(0), result = one, square = base;
  Type type = exponent.getType();
  bool isSigned = !isUnsigned(s.type[1]);
  Value zeroBits = constant(s, exponent, 0);
  unsigned bits = type.getIntOrFloatBitWidth() - isSigned;
  for (unsigned bit = 0; bit < bits; ++bit) {
    auto mask = arith::ConstantOp::create(s.b, s.b.getIntegerAttr(type, APInt::getOneBitSet(bits + isSigned, bit)));
    Value isSet = arith::CmpIOp::create(s.b, CmpIPredicate::ne, arith::AndIOp::create(s.b, exponent, mask), zeroBits);
    result = select(s, isSet, arith::MulIOp::create(s.b, result, square), result);
    square = arith::MulIOp::create(s.b, square, square);
  }
  if (!isSigned)
    return result;
  Value isNegative = arith::CmpIOp::create(s.b, CmpIPredicate::slt, exponent, zeroBits);
  Value isOdd = arith::CmpIOp::create(s.b, CmpIPredicate::ne,
                                      arith::AndIOp::create(s.b, exponent, constant(s, exponent, 1)), zeroBits);
  Value inverse = select(s, isEqual(s, base, one), one, zero);
  if (!isUnsigned(s.type[0])) {
    Value minusOne = s.constant(-1);
    inverse = select(s, isEqual(s, base, minusOne), select(s, isOdd, minusOne, one), inverse);
  }
  return select(s, isNegative, inverse, result);
}

/// The value of a constant operand with one element.
static std::optional<double> getScalar(Value value) {
  ElementsAttr elements = getConstant(value);
  if (!elements || elements.getShapedType().getNumElements() != 1)
    return std::nullopt;
  if (std::optional<SmallVector<double>> numbers = getConstantFloats(value))
    return numbers->front();
  std::optional<SmallVector<int64_t>> integers = getConstantIntegers(value);
  return integers ? std::optional<double>(integers->front()) : std::nullopt;
}

static Value powBody(Operation *op, ScalarBody &s) {
  Value base = s.x[0], exponent = s.x[1];
  bool realBase = isReal(base), realExponent = isReal(exponent);
  if (!realBase && !realExponent)
    return integerPower(s, base, exponent);
  // Integers go through double, floats stay in their own type.
  Type type = realBase ? base.getType() : Type(s.b.getF64Type());
  Location loc = s.b.getLoc();
  Value x = realBase ? base : castScalar(s.b, loc, base, s.type[0], type);
  Value result;
  std::optional<double> known = getScalar(op->getOperand(1));
  if (known == 1.0) {
    result = x;
  } else if (known == 2.0) {
    result = arith::MulFOp::create(s.b, x, x);
  } else if (known == 3.0) {
    result = arith::MulFOp::create(s.b, arith::MulFOp::create(s.b, x, x), x);
  } else if (known == -1.0) {
    result = arith::DivFOp::create(s.b, constant(s, x, 1), x);
  } else if (known == 0.5) {
    // pow(-0, 0.5) is +0 and pow(-inf, 0.5) is +inf, unlike sqrt.
    double infinity = std::numeric_limits<double>::infinity();
    Value root = math::SqrtOp::create(s.b, arith::AddFOp::create(s.b, x, constant(s, x, 0)));
    result = select(s, isEqual(s, x, constant(s, x, -infinity)), constant(s, x, infinity), root);
  } else {
    result = math::PowFOp::create(s.b, x, castScalar(s.b, loc, exponent, s.type[1], type));
  }
  return realBase ? result : castScalar(s.b, loc, result, type, s.type[0]);
}

//===-- Bits ------------------------------------------------------------------------------------------------------===//

template <typename Bits> static Value bitsBody(Operation *, ScalarBody &s) { return Bits::create(s.b, s.x[0], s.x[1]); }

/// Amounts at or above the width give 0; the amount that is used is kept below it.
static Value bitShiftBody(Operation *op, ScalarBody &s) {
  unsigned width = s.x[0].getType().getIntOrFloatBitWidth();
  Value amount = arith::MinUIOp::create(s.b, s.x[1], s.constant(width - 1));
  Value shifted = cast<BitShiftOp>(op).getDirection() == "LEFT" ? Value(arith::ShLIOp::create(s.b, s.x[0], amount))
                                                                : Value(arith::ShRUIOp::create(s.b, s.x[0], amount));
  return select(s, isEqual(s, amount, s.x[1]), shifted, s.constant(0));
}

static Value notBody(Operation *, ScalarBody &s) {
  auto ones = IntegerAttr::get(s.x[0].getType(), APInt::getAllOnes(s.x[0].getType().getIntOrFloatBitWidth()));
  return arith::XOrIOp::create(s.b, s.x[0], arith::ConstantOp::create(s.b, ones));
}

//===-- Functions -------------------------------------------------------------------------------------------------===//

static Value negBody(Operation *, ScalarBody &s) {
  return isReal(s.x[0]) ? Value(arith::NegFOp::create(s.b, s.x[0]))
                        : Value(arith::SubIOp::create(s.b, s.constant(0), s.x[0]));
}

static Value absBody(Operation *op, ScalarBody &s) {
  Value x = s.x[0];
  if (isReal(x))
    return math::AbsFOp::create(s.b, x);
  return isUnsigned(s.type[0]) ? x : select(s, isLess(s, x, s.constant(0)), negBody(op, s), x);
}

/// What is neither positive nor negative is its own sign: zeros and NaN.
static Value signBody(Operation *, ScalarBody &s) {
  Value x = s.x[0], zero = s.constant(0);
  Value result = select(s, isLess(s, zero, x), s.constant(1), x);
  return isUnsigned(s.type[0]) ? result : select(s, isLess(s, x, zero), s.constant(-1), result);
}

static Value reciprocalBody(Operation *, ScalarBody &s) { return arith::DivFOp::create(s.b, s.constant(1), s.x[0]); }

static Value erfBody(Operation *, ScalarBody &s) {
  if (isReal(s.x[0]))
    return math::ErfOp::create(s.b, s.x[0]);
  Type real = s.b.getF64Type();
  Location loc = s.b.getLoc();
  Value result = math::ErfOp::create(s.b, castScalar(s.b, loc, s.x[0], s.type[0], real));
  return castScalar(s.b, loc, result, real, s.type[0]);
}

Value onnx_aot::onnx::castBody(Operation *op, ScalarBody &s) {
  Value result = castScalar(s.b, s.b.getLoc(), s.x[0], s.type[0], s.resultType);
  if (!isNarrowFloat(s.resultType))
    return result;
  auto roundingOf = [](auto cast) {
    StringRef mode = cast.getRoundMode();
    return NarrowRounding{cast.getSaturate() != 0, mode == "down"      ? NarrowRounding::Down
                                                   : mode == "nearest" ? NarrowRounding::Nearest
                                                                       : NarrowRounding::Up};
  };
  auto cast = dyn_cast<CastOp>(op);
  NarrowRounding rounding = cast ? roundingOf(cast) : roundingOf(llvm::cast<CastLikeOp>(op));
  return encodeNarrowFloat(s.b, s.b.getLoc(), result, s.resultType, rounding);
}

//===-- The table -------------------------------------------------------------------------------------------------===//

ArrayRef<ScalarRow> onnx_aot::onnx::getElementwiseBodies() {
  static const ScalarRow table[] = {
      {"Add", binaryBody<arith::AddFOp, arith::AddIOp>},
      {"Sub", binaryBody<arith::SubFOp, arith::SubIOp>},
      {"Mul", binaryBody<arith::MulFOp, arith::MulIOp>},
      {"Div", divBody},
      {"Pow", powBody},
      {"Mod", modBody},
      {"Max", binaryBody<arith::MaximumFOp, arith::MaxSIOp, arith::MaxUIOp>},
      {"Min", binaryBody<arith::MinimumFOp, arith::MinSIOp, arith::MinUIOp>},
      {"Sum", binaryBody<arith::AddFOp, arith::AddIOp>},
      {"Mean", meanBody},
      {"Clip", clipBody},
      {"And", bitsBody<arith::AndIOp>},
      {"Or", bitsBody<arith::OrIOp>},
      {"Xor", bitsBody<arith::XOrIOp>},
      {"Not", notBody},
      {"BitwiseAnd", bitsBody<arith::AndIOp>},
      {"BitwiseOr", bitsBody<arith::OrIOp>},
      {"BitwiseXor", bitsBody<arith::XOrIOp>},
      {"BitwiseNot", notBody},
      {"BitShift", bitShiftBody},
      {"Equal", compareBody<CmpFPredicate::OEQ, CmpIPredicate::eq>},
      {"Less", compareBody<CmpFPredicate::OLT, CmpIPredicate::slt, CmpIPredicate::ult>},
      {"LessOrEqual", compareBody<CmpFPredicate::OLE, CmpIPredicate::sle, CmpIPredicate::ule>},
      {"Greater", compareBody<CmpFPredicate::OGT, CmpIPredicate::sgt, CmpIPredicate::ugt>},
      {"GreaterOrEqual", compareBody<CmpFPredicate::OGE, CmpIPredicate::sge, CmpIPredicate::uge>},
      {"IsNaN", isNaNBody},
      {"IsInf", isInfBody},
      {"Where", whereBody},
      {"Abs", absBody},
      {"Neg", negBody},
      {"Sign", signBody},
      {"Reciprocal", reciprocalBody},
      {"Ceil", floatBody<math::CeilOp>},
      {"Floor", floatBody<math::FloorOp>},
      {"Round", floatBody<math::RoundEvenOp>},
      {"Sqrt", floatBody<math::SqrtOp>},
      {"Exp", floatBody<math::ExpOp>},
      {"Log", floatBody<math::LogOp>},
      {"Sin", floatBody<math::SinOp>},
      {"Cos", floatBody<math::CosOp>},
      {"Tan", floatBody<math::TanOp>},
      {"Asin", floatBody<math::AsinOp>},
      {"Acos", floatBody<math::AcosOp>},
      {"Atan", floatBody<math::AtanOp>},
      {"Sinh", floatBody<math::SinhOp>},
      {"Cosh", floatBody<math::CoshOp>},
      {"Tanh", floatBody<math::TanhOp>},
      {"Asinh", floatBody<math::AsinhOp>},
      {"Acosh", floatBody<math::AcoshOp>},
      {"Atanh", floatBody<math::AtanhOp>},
      {"Erf", erfBody},
  };
  return table;
}
