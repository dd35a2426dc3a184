//===- CText.h - types, literals and expressions in C -------------------------------------------------------------===//
//
// What it is for: the words that the printer of C is made of. An expression carries the precedence of its outermost
// operator, so that whoever puts it into a larger one knows whether parentheses are needed.
//
// Values have the type that C computes with, buffers the one that lies in memory; they differ for i1 alone:
//
//   MLIR      f32    f64     i1             i8 ... i64           index      i128 (moved only)
//   C         float  double  bool, uint8_t  int8_t ... int64_t   ptrdiff_t  onnx_aot_bits128
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_C_CTEXT_H
#define ONNX_AOT_CODEGEN_C_CTEXT_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <string>

namespace onnx_aot::c {

/// From the weakest operators to the strongest, those of C's grammar.
enum Precedence {
  Conditional,
  LogicalOr,
  LogicalAnd,
  BitOr,
  BitXor,
  BitAnd,
  Equality,
  Relational,
  Shift,
  Additive,
  Multiplicative,
  Unary,
  Primary
};

struct Expr {
  Expr(std::string text, Precedence precedence = Primary) : text(std::move(text)), precedence(precedence) {}
  Expr(const char *text) : Expr(std::string(text)) {}

  /// The text, in parentheses where it binds weaker than `least`.
  std::string at(Precedence least) const { return precedence < least ? "(" + text + ")" : text; }

  std::string text;
  Precedence precedence;
};

/// Whether a value of this type can be printed.
bool isPrintable(mlir::Type type);
/// The type of a value, and that of an element in memory.
std::string valueType(mlir::Type type);
std::string elementType(mlir::Type type);
/// The unsigned type as wide as an integer or index.
std::string unsignedType(mlir::Type type);

Expr castTo(const std::string &type, const Expr &value);
/// `left op right`; bitwise operators and shifts get parentheses where compilers warn about their precedence.
Expr binary(const Expr &left, llvm::StringRef op, const Expr &right, Precedence precedence);

Expr integerLiteral(const llvm::APInt &value, mlir::Type type);
Expr indexLiteral(int64_t value);
/// Exact: a short decimal number where one is, otherwise a hexadecimal one. Infinities and NaN are macros of <math.h>,
/// which sets `usesMathMacros`.
Expr floatLiteral(const llvm::APFloat &value, bool &usesMathMacros);
/// A string literal, or the initialiser of an array of char where it is longer than C99 wants literals to be.
std::string stringLiteral(llvm::StringRef text);

/// Calls `see` with the words of `text`: names, keywords, numbers that begin with a letter.
void forEachWord(llvm::StringRef text, llvm::function_ref<void(llvm::StringRef)> see);
/// Whether `name` occurs in `text` as a word.
bool mentions(llvm::StringRef text, llvm::StringRef name);

} // namespace onnx_aot::c

#endif // ONNX_AOT_CODEGEN_C_CTEXT_H
