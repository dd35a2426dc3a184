//===- CText.cpp - types, literals and expressions in C -----------------------------------------------------------===//
//
// See CText.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/c/CText.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>

using namespace mlir;

namespace onnx_aot::c {

//===-- Types -----------------------------------------------------------------------------------------------------===//

bool isPrintable(Type type) {
  if (auto integer = dyn_cast<IntegerType>(type))
    return llvm::is_contained({1u, 8u, 16u, 32u, 64u, 128u}, integer.getWidth());
  return isa<IndexType>(type) || type.isF32() || type.isF64();
}

static std::string integerName(unsigned width, bool isSigned) {
  return (isSigned ? "int" : "uint") + std::to_string(width) + "_t";
}

std::string valueType(Type type) {
  if (type.isF32())
    return "float";
  if (type.isF64())
    return "double";
  if (isa<IndexType>(type))
    return "ptrdiff_t";
  if (type.isInteger(1))
    return "bool";
  if (type.isInteger(128))
    return "onnx_aot_bits128";
  return integerName(type.getIntOrFloatBitWidth(), /*isSigned=*/true);
}

std::string elementType(Type type) { return type.isInteger(1) ? "uint8_t" : valueType(type); }

std::string unsignedType(Type type) {
  return isa<IndexType>(type) ? "size_t" : integerName(std::max(8u, type.getIntOrFloatBitWidth()), false);
}

//===-- Expressions -----------------------------------------------------------------------------------------------===//

Expr castTo(const std::string &type, const Expr &value) { return Expr("(" + type + ")" + value.at(Unary), Unary); }

Expr binary(const Expr &left, llvm::StringRef op, const Expr &right, Precedence precedence) {
  bool isBitwise = precedence == BitOr || precedence == BitXor || precedence == BitAnd || precedence == Shift;
  bool isLogical = precedence == LogicalOr || precedence == LogicalAnd;
  auto chains = [&](const Expr &operand) { return operand.precedence == precedence && precedence != Shift; };
  // Relations do not chain: a < b < c asks for a warning.
  bool isRelation = precedence == Equality || precedence == Relational;
  Precedence leftLeast = isBitwise && !chains(left) ? Unary : isRelation ? Shift : precedence;
  if (isLogical)
    leftLeast = chains(left) ? precedence : Equality;
  Precedence rightLeast = isBitwise ? Unary : isLogical ? Equality : isRelation ? Shift : Precedence(precedence + 1);
  return Expr(left.at(leftLeast) + " " + op.str() + " " + right.at(rightLeast), precedence);
}

void forEachWord(llvm::StringRef text, llvm::function_ref<void(llvm::StringRef)> see) {
  auto isPart = [](char c) { return llvm::isAlnum(c) || c == '_'; };
  while (!(text = text.drop_until(isPart)).empty()) {
    llvm::StringRef word = text.take_while(isPart);
    text = text.drop_front(word.size());
    if (!llvm::isDigit(word.front()))
      see(word);
  }
}

bool mentions(llvm::StringRef text, llvm::StringRef name) {
  bool found = false;
  forEachWord(text, [&](llvm::StringRef word) { found |= word == name; });
  return found;
}

//===-- Literals --------------------------------------------------------------------------------------------------===//

Expr indexLiteral(int64_t value) {
  bool fits = value >= INT32_MIN + int64_t(1) && value <= INT32_MAX;
  std::string text = value == INT64_MIN ? "INT64_MIN" : std::to_string(value);
  if (!fits && value != INT64_MIN)
    text = "INT64_C(" + std::to_string(value) + ")";
  return Expr(text, fits && value < 0 ? Unary : Primary);
}

Expr integerLiteral(const llvm::APInt &value, Type type) {
  if (type.isInteger(1))
    return Expr(value.isZero() ? "false" : "true");
  if (type.isInteger(128)) {
    auto half = [&](unsigned at) { return "UINT64_C(" + std::to_string(value.extractBitsAsZExtValue(64, at)) + ")"; };
    return Expr("(onnx_aot_bits128){" + half(0) + ", " + half(64) + "}");
  }
  int64_t number = value.getSExtValue();
  if (type.isInteger(32) && number == INT32_MIN)
    return Expr("INT32_MIN");
  return indexLiteral(number);
}

/// A decimal number of at most five digits before the point and eight behind it, which is the value exactly; empty
/// where there is none.
static std::string shortDecimal(double value) {
  constexpr double kBinaryPlaces = 256;
  if (std::fabs(value) >= 65536 || std::trunc(value * kBinaryPlaces) != value * kBinaryPlaces)
    return "";
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.8f", value);
  text.erase(text.find_last_not_of('0') + 1);
  return text.back() == '.' ? text + "0" : text;
}

Expr floatLiteral(const llvm::APFloat &value, bool &usesMathMacros) {
  bool isSingle = &value.getSemantics() == &llvm::APFloat::IEEEsingle();
  if (value.isNaN() || value.isInfinity()) {
    usesMathMacros = true;
    std::string type = isSingle ? "" : "(double)";
    bool isMinus = value.isInfinity() && value.isNegative();
    std::string text = type + (isMinus ? "-" : "") + (value.isNaN() ? "NAN" : "INFINITY");
    return Expr(text, isMinus || !isSingle ? Unary : Primary);
  }
  std::string text = shortDecimal(value.convertToDouble());
  if (text.empty()) {
    char buffer[64];
    unsigned length = value.convertToHexString(buffer, 0, /*upperCase=*/false, llvm::APFloat::rmNearestTiesToEven);
    text.assign(buffer, length);
  }
  return Expr(text + (isSingle ? "f" : ""), value.isNegative() ? Unary : Primary);
}

std::string stringLiteral(llvm::StringRef text) {
  constexpr size_t kLongest = 4000; // C99 promises 4095
  if (text.size() > kLongest) {
    std::string list = "{";
    for (char c : text)
      list += std::to_string(int(static_cast<signed char>(c))) + ",";
    return list + "0}";
  }
  std::string result = "\"";
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    // A question mark might begin a trigraph. Octal escapes end after three digits whatever follows.
    if (c == '"' || c == '\\' || c == '?')
      result += {'\\', c};
    else if (byte < 0x20 || byte >= 0x7f)
      result += {'\\', char('0' + (byte >> 6)), char('0' + (byte >> 3 & 7)), char('0' + (byte & 7))};
    else
      result += c;
  }
  return result + "\"";
}

} // namespace onnx_aot::c
