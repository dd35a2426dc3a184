//===- Expressions.h - operations without effects as C expressions ------------------------------------------------===//
//
// What it is for: the arithmetic of arith and math, and calls of the runtime's math functions, as expressions of C that
// mean the same on every compiler: nothing in them is undefined or depends on the width of int.
//
//   %2 = arith.addi %a, %b : i32                 (int32_t)((uint32_t)a + (uint32_t)b)
//   %3 = arith.cmpf ult, %x, %y : f32            !(x >= y)
//
// Holds before: scalars, no 16-bit floats, math functions lowered (aot-lower-math).
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_CODEGEN_C_EXPRESSIONS_H
#define ONNX_AOT_CODEGEN_C_EXPRESSIONS_H

#include "codegen/c/CText.h"
#include "codegen/c/Prelude.h"
#include "codegen/c/Ranges.h"
#include "mlir/IR/Operation.h"

namespace onnx_aot::c {

class Expressions {
public:
  using Operand = llvm::function_ref<Expr(mlir::Value)>;

  Expressions(Ranges &ranges, Needs &needs) : ranges(ranges), needs(needs) {}

  /// Whether the operation, of one result, has no effect and is not a constant.
  static bool isExpression(mlir::Operation *op);
  /// Whether the operation's expression has this operand more than once.
  static bool repeats(mlir::OpOperand &operand);

  /// Nothing where there is no expression for the operation.
  std::optional<Expr> print(mlir::Operation *op, Operand operand);
  Expr constant(mlir::Attribute value);
  /// An integer as an unsigned number: the operand of what reads it so.
  Expr asUnsigned(mlir::Value value, Operand operand) const;

private:
  std::optional<Expr> printInteger(mlir::Operation *op, Operand operand);
  std::optional<Expr> printFloat(mlir::Operation *op, Operand operand);
  std::optional<Expr> printConversion(mlir::Operation *op, Operand operand);
  std::optional<Expr> printMath(mlir::Operation *op, Operand operand);
  Expr sum(mlir::Operation *op, llvm::StringRef symbol, Precedence precedence, Operand operand);
  Expr shift(mlir::Operation *op, bool isLeft, bool isSigned, Operand operand);
  Expr compareFloats(mlir::Operation *op, Operand operand);
  Expr compareIntegers(mlir::Operation *op, Operand operand);
  Expr helper(llvm::StringRef name, llvm::ArrayRef<Expr> arguments);

  Ranges &ranges;
  Needs &needs;
};

} // namespace onnx_aot::c

#endif // ONNX_AOT_CODEGEN_C_EXPRESSIONS_H
