//===- Generate.h - results computed element by element from positions
//---------------------------------------------===//
//
// For operators that read other elements than those of their own position: a loop over the result whose body is given
// the position and reads what it likes. Extents may be values.
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_SUPPORT_GENERATE_H
#define ONNX_AOT_DIALECTS_ONNX_SUPPORT_GENERATE_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace onnx_aot::onnx {

/// A tensor of `sizes` whose element at a position is `body(builder, position)`, in compute form; `element` is its ONNX
/// type.
mlir::Value buildGenerated(mlir::OpBuilder &builder, mlir::Location loc, llvm::ArrayRef<mlir::OpFoldResult> sizes,
                           mlir::Type element,
                           llvm::function_ref<mlir::Value(mlir::ImplicitLocOpBuilder &, mlir::ValueRange)> body);

/// body(.. body(body(initial, 0), 1) .., count - 1)
mlir::Value buildFold(mlir::ImplicitLocOpBuilder &b, mlir::Value count, mlir::Value initial,
                      llvm::function_ref<mlir::Value(mlir::ImplicitLocOpBuilder &, mlir::Value, mlir::Value)> body);

/// The extent of a dim, a constant where the type tells it.
mlir::Value extentOf(mlir::ImplicitLocOpBuilder &b, mlir::Value tensor, int64_t dim);
mlir::Value indexConstant(mlir::ImplicitLocOpBuilder &b, int64_t value);

/// Arithmetic on floats of one type and on indices, in words.
struct Arithmetic {
  mlir::ImplicitLocOpBuilder &b;
  mlir::Type real;
  mlir::Value number(double value);
  mlir::Value add(mlir::Value left, mlir::Value right);
  mlir::Value sub(mlir::Value left, mlir::Value right);
  mlir::Value mul(mlir::Value left, mlir::Value right);
  mlir::Value div(mlir::Value left, mlir::Value right);
  mlir::Value select(mlir::Value condition, mlir::Value left, mlir::Value right);
  mlir::Value less(mlir::Value left, mlir::Value right);        // ordered, signed
  mlir::Value lessOrEqual(mlir::Value left, mlir::Value right); // ordered, signed
  mlir::Value both(mlir::Value left, mlir::Value right);
  mlir::Value floor(mlir::Value value);
  mlir::Value ceil(mlir::Value value);
  /// Into low..high; NaN becomes low.
  mlir::Value clamp(mlir::Value value, mlir::Value low, mlir::Value high);
  mlir::Value toReal(mlir::Value index);
  /// Toward zero; the value lies in the range of 64 bits.
  mlir::Value toIndex(mlir::Value value);
};

/// What lies at `positions` (reals) between the elements of `data` [leading..., spatial dims...] of ONNX type
/// `element`, weighted linearly. Elements outside of the data count as 0.
mlir::Value readBetween(Arithmetic &a, mlir::Value data, mlir::Type element, llvm::ArrayRef<mlir::Value> leading,
                        llvm::ArrayRef<mlir::Value> positions);

} // namespace onnx_aot::onnx

#endif
