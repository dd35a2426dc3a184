//===- Expressions.cpp - operations without effects as C expressions ----------------------------------------------===//
//
// See Expressions.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/c/Expressions.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace onnx_aot::c {

bool Expressions::isExpression(Operation *op) {
  if (op->getNumResults() != 1 || op->hasTrait<OpTrait::ConstantLike>())
    return false;
  if (auto call = dyn_cast<func::CallOp>(op))
    return call.getCallee().starts_with("onnx_aot_math_");
  return isa<arith::ArithDialect, math::MathDialect>(op->getDialect());
}

bool Expressions::repeats(OpOperand &operand) {
  return TypeSwitch<Operation *, bool>(operand.getOwner())
      .Case<arith::MinSIOp, arith::MaxSIOp, arith::MinUIOp, arith::MaxUIOp, math::AbsIOp, math::IsNaNOp, math::IsInfOp,
            math::IsFiniteOp>([](auto) { return true; })
      .Case<arith::CmpFOp>([](arith::CmpFOp compare) {
        using P = arith::CmpFPredicate;
        return llvm::is_contained({P::ONE, P::UEQ, P::ORD, P::UNO}, compare.getPredicate());
      })
      .Default([](Operation *) { return false; });
}

Expr Expressions::constant(Attribute value) {
  if (auto real = dyn_cast<FloatAttr>(value))
    return floatLiteral(real.getValue(), needs.mathMacros);
  auto integer = cast<IntegerAttr>(value);
  needs.bits128 |= integer.getType().isInteger(128);
  if (isa<IndexType>(integer.getType())) {
    int64_t number = integer.getInt();
    needs.largestIndex = std::max(needs.largestIndex, number == INT64_MIN ? INT64_MAX : std::abs(number));
    return indexLiteral(number);
  }
  return integerLiteral(integer.getValue(), integer.getType());
}

Expr Expressions::helper(StringRef name, ArrayRef<Expr> arguments) {
  needs.helpers.insert(name.str());
  needs.memoryFunctions = true;
  std::string text = name.str() + "(";
  for (auto [index, argument] : llvm::enumerate(arguments))
    text += (index ? ", " : "") + argument.text;
  return Expr(text + ")");
}

/// Compilers warn where they think that `a | b ? c : d` was meant to be `a | (b ? c : d)`.
static std::string conditionText(const Expr &condition) {
  bool isBitwise = condition.precedence >= BitOr && condition.precedence <= BitAnd;
  return isBitwise ? condition.at(Primary) : condition.at(LogicalOr);
}

std::optional<Expr> Expressions::print(Operation *op, Operand operand) {
  if (auto select = dyn_cast<arith::SelectOp>(op))
    return Expr(conditionText(operand(select.getCondition())) + " ? " + operand(select.getTrueValue()).at(LogicalOr) +
                    " : " + operand(select.getFalseValue()).text,
                Conditional);
  if (auto call = dyn_cast<func::CallOp>(op)) {
    needs.runtime.insert(call.getCallee().str());
    std::string text = call.getCallee().str() + "(";
    for (auto [index, argument] : llvm::enumerate(call.getOperands()))
      text += (index ? ", " : "") + operand(argument).text;
    return Expr(text + ")");
  }
  if (std::optional<Expr> result = printInteger(op, operand))
    return result;
  if (std::optional<Expr> result = printFloat(op, operand))
    return result;
  if (std::optional<Expr> result = printConversion(op, operand))
    return result;
  return printMath(op, operand);
}

//===-- Integers --------------------------------------------------------------------------------------------------===//

Expr Expressions::asUnsigned(Value value, Operand operand) const {
  return castTo(unsignedType(value.getType()), operand(value));
}

/// What integers of `type` wrap around in: int is not wide enough for products of 16 bits.
static std::string wrappingType(Type type) {
  return isa<IndexType>(type) || type.getIntOrFloatBitWidth() > 32 ? unsignedType(type) : "uint32_t";
}

Expr Expressions::sum(Operation *op, StringRef symbol, Precedence precedence, Operand operand) {
  Expr left = operand(op->getOperand(0)), right = operand(op->getOperand(1));
  Type type = op->getResult(0).getType();
  if (type.isInteger(1)) // modulo 2
    return isa<arith::MulIOp>(op) ? binary(left, "&", right, BitAnd) : binary(left, "!=", right, Equality);
  if (ranges.fits(op))
    return binary(left, symbol, right, precedence);
  std::string wide = wrappingType(type);
  return castTo(valueType(type), binary(castTo(wide, left), symbol, castTo(wide, right), precedence));
}

Expr Expressions::shift(Operation *op, bool isLeft, bool isSigned, Operand operand) {
  Type type = op->getResult(0).getType();
  unsigned width = isa<IndexType>(type) ? 64 : type.getIntOrFloatBitWidth();
  Value distance = op->getOperand(1);
  Expr by = operand(distance);
  // A distance that is too large gives any value in MLIR, and undefined behaviour in C.
  if (!ranges.isShiftInRange(distance, isa<IndexType>(type) ? 16 : width))
    by = isa<IndexType>(type) ? Expr("(" + by.at(Unary) + " & (ptrdiff_t)(8 * sizeof(size_t) - 1))")
                              : binary(by, "&", Expr(std::to_string(width - 1)), BitAnd);
  // To the right of a negative number, every compiler that matters copies the sign.
  if (!isLeft && isSigned)
    return binary(operand(op->getOperand(0)), ">>", by, Shift);
  Expr value = isLeft ? castTo(wrappingType(type), operand(op->getOperand(0))) : asUnsigned(op->getOperand(0), operand);
  return castTo(valueType(type), binary(value, isLeft ? "<<" : ">>", by, Shift));
}

Expr Expressions::compareIntegers(Operation *op, Operand operand) {
  auto compare = cast<arith::CmpIOp>(op);
  using P = arith::CmpIPredicate;
  StringRef symbol;
  bool isUnsigned = false;
  switch (compare.getPredicate()) {
  case P::eq:
    symbol = "==";
    break;
  case P::ne:
    symbol = "!=";
    break;
  case P::ult:
    isUnsigned = true;
    [[fallthrough]];
  case P::slt:
    symbol = "<";
    break;
  case P::ule:
    isUnsigned = true;
    [[fallthrough]];
  case P::sle:
    symbol = "<=";
    break;
  case P::ugt:
    isUnsigned = true;
    [[fallthrough]];
  case P::sgt:
    symbol = ">";
    break;
  case P::uge:
    isUnsigned = true;
    [[fallthrough]];
  case P::sge:
    symbol = ">=";
    break;
  }
  Value left = compare.getLhs(), right = compare.getRhs();
  bool isEquality = compare.getPredicate() == P::eq || compare.getPredicate() == P::ne;
  Precedence precedence = isEquality ? Equality : Relational;
  bool isBool = left.getType().isInteger(1);
  bool bothPlain = isBool || !isUnsigned || (ranges.isNonNegative(left) && ranges.isNonNegative(right));
  if (isBool && !isUnsigned && !isEquality) // true is -1
    std::swap(left, right);
  if (bothPlain)
    return binary(operand(left), symbol, operand(right), precedence);
  return binary(asUnsigned(left, operand), symbol, asUnsigned(right, operand), precedence);
}

std::optional<Expr> Expressions::printInteger(Operation *op, Operand operand) {
  auto plain = [&](StringRef symbol, Precedence precedence) {
    Expr result = binary(operand(op->getOperand(0)), symbol, operand(op->getOperand(1)), precedence);
    Type type = op->getResult(0).getType();
    return type.isInteger(8) || type.isInteger(16) ? castTo(valueType(type), result) : result;
  };
  auto ofUnsigned = [&](StringRef symbol, Precedence precedence) {
    Value left = op->getOperand(0), right = op->getOperand(1);
    if (ranges.isNonNegative(left) && ranges.isNonNegative(right))
      return plain(symbol, precedence);
    return castTo(valueType(left.getType()),
                  binary(asUnsigned(left, operand), symbol, asUnsigned(right, operand), precedence));
  };
  auto choose = [&](StringRef symbol, bool isUnsigned) {
    Value left = op->getOperand(0), right = op->getOperand(1);
    bool isPlain = !isUnsigned || (ranges.isNonNegative(left) && ranges.isNonNegative(right));
    Expr a = operand(left), b = operand(right);
    Expr condition = isPlain ? binary(a, symbol, b, Relational)
                             : binary(asUnsigned(left, operand), symbol, asUnsigned(right, operand), Relational);
    return Expr(condition.text + " ? " + a.at(LogicalOr) + " : " + b.at(LogicalOr), Conditional);
  };
  return TypeSwitch<Operation *, std::optional<Expr>>(op)
      .Case<arith::AddIOp>([&](auto) { return sum(op, "+", Additive, operand); })
      .Case<arith::SubIOp>([&](auto) { return sum(op, "-", Additive, operand); })
      .Case<arith::MulIOp>([&](auto) { return sum(op, "*", Multiplicative, operand); })
      .Case<arith::DivSIOp>([&](auto) { return plain("/", Multiplicative); })
      .Case<arith::RemSIOp>([&](auto) { return plain("%", Multiplicative); })
      .Case<arith::DivUIOp>([&](auto) { return ofUnsigned("/", Multiplicative); })
      .Case<arith::RemUIOp>([&](auto) { return ofUnsigned("%", Multiplicative); })
      .Case<arith::AndIOp>([&](auto) { return plain("&", BitAnd); })
      .Case<arith::OrIOp>([&](auto) { return plain("|", BitOr); })
      .Case<arith::XOrIOp>([&](auto) -> Expr {
        if (op->getResult(0).getType().isInteger(1))
          return binary(operand(op->getOperand(0)), "!=", operand(op->getOperand(1)), Equality);
        return plain("^", BitXor);
      })
      .Case<arith::ShLIOp>([&](auto) { return shift(op, true, false, operand); })
      .Case<arith::ShRSIOp>([&](auto) { return shift(op, false, true, operand); })
      .Case<arith::ShRUIOp>([&](auto) { return shift(op, false, false, operand); })
      .Case<arith::MinSIOp>([&](auto) { return choose("<", false); })
      .Case<arith::MaxSIOp>([&](auto) { return choose(">", false); })
      .Case<arith::MinUIOp>([&](auto) { return choose("<", true); })
      .Case<arith::MaxUIOp>([&](auto) { return choose(">", true); })
      .Case<arith::CmpIOp>([&](auto) { return compareIntegers(op, operand); })
      .Default([](Operation *) { return std::nullopt; });
}

//===-- Floats ----------------------------------------------------------------------------------------------------===//

Expr Expressions::compareFloats(Operation *op, Operand operand) {
  auto compare = cast<arith::CmpFOp>(op);
  Expr a = operand(compare.getLhs()), b = operand(compare.getRhs());
  auto relation = [&](StringRef symbol) {
    return binary(a, symbol, b, symbol == "==" || symbol == "!=" ? Equality : Relational);
  };
  auto negated = [](const Expr &expr) { return Expr("!(" + expr.text + ")", Unary); };
  auto differ = [&] { return binary(relation("<"), "||", relation(">"), LogicalOr); };
  auto isNan = [](const Expr &x) { return binary(x, "!=", x, Equality); };
  auto anyNan = [&] { return a.text == b.text ? isNan(a) : binary(isNan(a), "||", isNan(b), LogicalOr); };
  using P = arith::CmpFPredicate;
  switch (compare.getPredicate()) {
  case P::AlwaysFalse:
    return Expr("false");
  case P::AlwaysTrue:
    return Expr("true");
  case P::OEQ:
    return relation("==");
  case P::OGT:
    return relation(">");
  case P::OGE:
    return relation(">=");
  case P::OLT:
    return relation("<");
  case P::OLE:
    return relation("<=");
  case P::ONE:
    return differ();
  case P::ORD:
    return negated(anyNan());
  case P::UEQ:
    return negated(differ());
  case P::UGT:
    return negated(relation("<="));
  case P::UGE:
    return negated(relation("<"));
  case P::ULT:
    return negated(relation(">="));
  case P::ULE:
    return negated(relation(">"));
  case P::UNE:
    return relation("!=");
  case P::UNO:
    return anyNan();
  }
  llvm_unreachable("a predicate of arith.cmpf");
}

std::optional<Expr> Expressions::printFloat(Operation *op, Operand operand) {
  auto plain = [&](StringRef symbol, Precedence precedence) {
    return binary(operand(op->getOperand(0)), symbol, operand(op->getOperand(1)), precedence);
  };
  return TypeSwitch<Operation *, std::optional<Expr>>(op)
      .Case<arith::AddFOp>([&](auto) { return plain("+", Additive); })
      .Case<arith::SubFOp>([&](auto) { return plain("-", Additive); })
      .Case<arith::MulFOp>([&](auto) { return plain("*", Multiplicative); })
      .Case<arith::DivFOp>([&](auto) { return plain("/", Multiplicative); })
      .Case<arith::NegFOp>([&](auto) { return Expr("-" + operand(op->getOperand(0)).at(Primary), Unary); })
      .Case<arith::CmpFOp>([&](auto) { return compareFloats(op, operand); })
      .Default([](Operation *) { return std::nullopt; });
}

//===-- Conversions -----------------------------------------------------------------------------------------------===//

std::optional<Expr> Expressions::printConversion(Operation *op, Operand operand) {
  if (op->getNumOperands() != 1)
    return std::nullopt;
  Value source = op->getOperand(0);
  Type from = source.getType(), to = op->getResult(0).getType();
  auto value = [&] { return operand(source); };
  bool fromBool = from.isInteger(1);
  // A bool that is read as a signed number is 0 or -1.
  auto signedBool = [&] { return Expr("-" + castTo("int8_t", value()).text, Unary); };
  return TypeSwitch<Operation *, std::optional<Expr>>(op)
      .Case<arith::IndexCastOp, arith::ExtSIOp, arith::SIToFPOp>(
          [&](auto) { return castTo(valueType(to), fromBool ? signedBool() : value()); })
      .Case<arith::IndexCastUIOp, arith::ExtUIOp, arith::UIToFPOp>([&](auto) {
        return castTo(valueType(to), fromBool || ranges.isNonNegative(source) ? value() : asUnsigned(source, operand));
      })
      .Case<arith::TruncIOp>([&](auto) -> Expr {
        if (to.isInteger(1))
          return binary(binary(value(), "&", Expr("1"), BitAnd), "!=", Expr("0"), Equality);
        return castTo(valueType(to), value());
      })
      .Case<arith::ExtFOp, arith::TruncFOp>([&](auto) { return castTo(valueType(to), value()); })
      .Case<arith::FPToSIOp>([&](auto) -> Expr {
        if (to.isInteger(1))
          return binary(value(), "!=", Expr("0"), Equality);
        return castTo(valueType(to), value());
      })
      .Case<arith::FPToUIOp>([&](auto) -> Expr {
        if (to.isInteger(1))
          return binary(value(), "!=", Expr("0"), Equality);
        return castTo(valueType(to), castTo(unsignedType(to), value()));
      })
      .Case<arith::BitcastOp>([&](auto) -> std::optional<Expr> {
        bool fromFloat = isa<FloatType>(from), toFloat = isa<FloatType>(to);
        if (fromFloat == toFloat)
          return value();
        std::string type = "f" + std::to_string(from.getIntOrFloatBitWidth());
        return helper(fromFloat ? "bits_of_" + type : type + "_of_bits", {value()});
      })
      .Default([](Operation *) { return std::nullopt; });
}

//===-- Math ------------------------------------------------------------------------------------------------------===//

std::optional<Expr> Expressions::printMath(Operation *op, Operand operand) {
  Type type = op->getOperand(0).getType();
  std::string suffix = type.isF64() ? "f64" : "f32";
  auto value = [&] { return operand(op->getOperand(0)); };
  auto count = [&](StringRef name, bool takesWidth) {
    SmallVector<Expr> arguments = {asUnsigned(op->getOperand(0), operand)};
    if (takesWidth)
      arguments.push_back(Expr(std::to_string(type.getIntOrFloatBitWidth())));
    return castTo(valueType(type), helper(name, arguments));
  };
  return TypeSwitch<Operation *, std::optional<Expr>>(op)
      .Case<math::AbsFOp>([&](auto) { return helper("abs_" + suffix, {value()}); })
      .Case<math::CopySignOp>([&](auto) { return helper("copysign_" + suffix, {value(), operand(op->getOperand(1))}); })
      .Case<math::AbsIOp>([&](auto) {
        std::string wide = wrappingType(type);
        Expr negative = binary(castTo(wide, Expr("0")), "-", castTo(wide, value()), Additive);
        return Expr(binary(value(), "<", Expr("0"), Relational).text + " ? " + castTo(valueType(type), negative).text +
                        " : " + value().at(LogicalOr),
                    Conditional);
      })
      .Case<math::IsNaNOp>([&](auto) { return binary(value(), "!=", value(), Equality); })
      // Infinity minus itself is NaN, and so is NaN.
      .Case<math::IsFiniteOp>(
          [&](auto) { return binary(binary(value(), "-", value(), Additive), "==", Expr("0"), Equality); })
      .Case<math::IsInfOp>([&](auto) {
        needs.mathMacros = true;
        return binary(binary(value(), "==", Expr("INFINITY"), Equality), "||",
                      binary(value(), "==", Expr("-INFINITY", Unary), Equality), LogicalOr);
      })
      .Case<math::CountLeadingZerosOp>([&](auto) { return count("leading_zeros", true); })
      .Case<math::CountTrailingZerosOp>([&](auto) { return count("trailing_zeros", true); })
      .Case<math::CtPopOp>([&](auto) { return count("count_ones", false); })
      .Default([](Operation *) { return std::nullopt; });
}

} // namespace onnx_aot::c
