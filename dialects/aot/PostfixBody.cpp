//===- PostfixBody.cpp - what is computed of single elements, in words --------------------------------------------===//
//
// See PostfixBody.h. Types are f32, i32 and bytes, which words of their own turn into each other.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/aot/PostfixBody.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace onnx_aot::aot;

std::string onnx_aot::aot::floatWord(float value) {
  std::string digits = llvm::utohexstr(llvm::APFloat(value).bitcastToAPInt().getZExtValue(), /*LowerCase=*/true);
  return std::string(8 - digits.size(), '0') + digits;
}

bool onnx_aot::aot::isWordType(Type element) { return element.isF32() || element.isInteger(8); }

namespace {
class PostfixWriter {
public:
  PostfixWriter(Block &block, ArrayRef<std::string> arguments) : block(block), arguments(arguments) {}

  /// False, and `unknown`, where an operation has no word.
  bool write(Value value, llvm::raw_ostream &os) {
    constexpr int kMostWords = 256; // what is used several times is written several times
    if (++words > kMostWords)
      return fail("its body is long");
    if (!value.getType().isF32() && !value.getType().isInteger(32) && !value.getType().isInteger(8))
      return fail("it computes on other types than f32, i32 and bytes");
    if (auto argument = dyn_cast<BlockArgument>(value); argument && argument.getOwner() == &block) {
      os << " " << arguments[argument.getArgNumber()];
      return true;
    }
    Operation *op = value.getDefiningOp();
    if (!op)
      return fail("its body reads a value from outside");
    Attribute constant;
    if (matchPattern(value, m_Constant(&constant)))
      return writeConstant(constant, os);
    if (auto fma = dyn_cast<math::FmaOp>(op))
      return writeAll({fma.getA(), fma.getB()}, "mul", os) && writeAll({fma.getC()}, "add", os);
    if (auto select = dyn_cast<arith::SelectOp>(op))
      return writeCondition(select.getCondition(), os) &&
             writeAll({select.getTrueValue(), select.getFalseValue()}, "select", os);
    StringRef word = wordOf(op);
    if (word.empty())
      return fail("its body computes " + op->getName().getStringRef());
    return writeAll(op->getOperands(), word, os);
  }

  std::string unknown;

private:
  bool fail(const Twine &reason) {
    unknown = reason.str();
    return false;
  }

  bool writeAll(ValueRange operands, StringRef word, llvm::raw_ostream &os) {
    for (Value operand : operands)
      if (!write(operand, os))
        return false;
    os << " " << word;
    return true;
  }

  bool writeConstant(Attribute constant, llvm::raw_ostream &os) {
    if (auto number = dyn_cast<FloatAttr>(constant))
      os << " c" << floatWord(number.getValue().convertToFloat());
    else if (auto integer = dyn_cast<IntegerAttr>(constant); integer && integer.getType().isInteger(32))
      os << " n" << integer.getInt();
    else
      return fail("it has a constant of another type than f32 and i32");
    return true;
  }

  /// What it makes of `from`, in the letters of words.
  static StringRef conversionOf(Operation *op) {
    Type from = op->getOperand(0).getType(), to = op->getResult(0).getType();
    auto is = [&](auto isFrom, auto isTo) { return isFrom(from) && isTo(to); };
    auto byte = [](Type type) { return type.isInteger(8); };
    auto integer = [](Type type) { return type.isInteger(32); };
    auto real = [](Type type) { return type.isF32(); };
    return llvm::TypeSwitch<Operation *, StringRef>(op)
        .Case<arith::ExtUIOp>([&](auto) { return is(byte, integer) ? "u2i" : ""; })
        .Case<arith::ExtSIOp>([&](auto) { return is(byte, integer) ? "s2i" : ""; })
        .Case<arith::UIToFPOp>([&](auto) { return is(byte, real) ? "u2f" : ""; })
        .Case<arith::SIToFPOp>([&](auto) { return is(byte, real)      ? "s2f"
                                                  : is(integer, real) ? "i2f"
                                                                      : ""; })
        .Case<arith::FPToSIOp>([&](auto) { return is(real, integer) ? "f2i" : ""; })
        .Case<arith::TruncIOp>([&](auto) { return is(integer, byte) ? "i2byte" : ""; })
        .Case<arith::BitcastOp>([&](auto) { return is(real, integer) ? "bits" : ""; })
        .Default(StringRef());
  }

  static StringRef wordOf(Operation *op) {
    StringRef arithmetic = llvm::TypeSwitch<Operation *, StringRef>(op)
                               .Case<arith::AddFOp>([](auto) { return "add"; })
                               .Case<arith::SubFOp>([](auto) { return "sub"; })
                               .Case<arith::MulFOp>([](auto) { return "mul"; })
                               .Case<arith::DivFOp>([](auto) { return "div"; })
                               .Case<arith::MaximumFOp>([](auto) { return "max"; })
                               .Case<arith::MinimumFOp>([](auto) { return "min"; })
                               .Case<arith::NegFOp>([](auto) { return "neg"; })
                               .Case<math::AbsFOp>([](auto) { return "abs"; })
                               .Case<math::SqrtOp>([](auto) { return "sqrt"; })
                               .Default(StringRef());
    if (!arithmetic.empty())
      return arithmetic;
    if (op->getNumOperands() == 2 && op->getResult(0).getType().isInteger(32))
      return llvm::TypeSwitch<Operation *, StringRef>(op)
          .Case<arith::AddIOp>([](auto) { return "add"; })
          .Case<arith::SubIOp>([](auto) { return "sub"; })
          .Case<arith::MulIOp>([](auto) { return "mul"; })
          .Case<arith::MaxSIOp>([](auto) { return "max"; })
          .Case<arith::MinSIOp>([](auto) { return "min"; })
          .Default(StringRef());
    return op->getNumOperands() == 1 ? conversionOf(op) : StringRef();
  }

  bool writeCondition(Value condition, llvm::raw_ostream &os) {
    auto compare = condition.getDefiningOp<arith::CmpFOp>();
    StringRef word;
    if (compare)
      switch (compare.getPredicate()) {
      case arith::CmpFPredicate::OLT:
        word = "lt";
        break;
      case arith::CmpFPredicate::OLE:
        word = "le";
        break;
      case arith::CmpFPredicate::OGT:
        word = "gt";
        break;
      case arith::CmpFPredicate::OGE:
        word = "ge";
        break;
      default:
        break;
      }
    if (word.empty())
      return fail("its body chooses by something else than an order");
    return writeAll({compare.getLhs(), compare.getRhs()}, word, os);
  }

  Block &block;
  ArrayRef<std::string> arguments;
  int words = 0;
};
} // namespace

std::optional<std::string> onnx_aot::aot::writePostfix(Block &block, ArrayRef<std::string> arguments,
                                                       std::string &reason) {
  PostfixWriter writer(block, arguments);
  std::string text;
  llvm::raw_string_ostream os(text);
  if (writer.write(block.getTerminator()->getOperand(0), os))
    return text;
  reason = writer.unknown;
  return std::nullopt;
}
