//===- MatmulFunctions.cpp - products of float8 matrices as graphs ------------------------------------------------===//
//
// QLinearMatMul of integers has a lowering of its own (QuantizedMatmul.cpp). With float8 matrices there is nothing to
// sum in integers: the product is that of the real numbers that the matrices stand for.
//
//   QLinearMatMul(a, b)  ->  to y's type(dequantized a * dequantized b / y_scale + y_zero_point)
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/matmul/Matmul.h"
#include "dialects/onnx/support/Functions.h"

using namespace mlir;
using namespace onnx_aot::onnx;

/// A parameter of rows (columns) so that it broadcasts over a matrix: a vector of rows becomes a column.
static Value alignParameter(FunctionBuilder &f, Value parameter, bool ofRows, bool ofMatrices) {
  auto type = cast<RankedTensorType>(parameter.getType());
  bool isColumn = ofRows && ofMatrices && type.getRank() == 1 && type.getDimSize(0) != 1;
  return isColumn ? f.unsqueeze(parameter, {-1}) : parameter;
}

static LogicalResult expandQLinearMatMul(Operation *operation, FunctionBuilder &f, SmallVectorImpl<Value> &results) {
  auto op = cast<QLinearMatMulOp>(operation);
  Type element = elementOf(op.getYZeroPoint());
  bool isInteger = llvm::all_of(ArrayRef<Type>{elementOf(op.getA()), elementOf(op.getB()), element},
                                [](Type type) { return type.isInteger(); });
  bool isRanked = llvm::all_of(op->getOperandTypes(), llvm::IsaPred<RankedTensorType>);
  if (isInteger || !isRanked)
    return success();
  Type real = f.builder.getF32Type();
  int64_t rows = *rankOf(op.getA()), columns = *rankOf(op.getB());
  auto dequantize = [&](Value value, Value scale, Value zeroPoint, bool ofRows, bool ofMatrices) {
    Value zero = alignParameter(f, f.cast(zeroPoint, real), ofRows, ofMatrices);
    return f.mul(f.sub(f.cast(value, real), zero), alignParameter(f, f.cast(scale, real), ofRows, ofMatrices));
  };
  Value product = f.matmul(dequantize(op.getA(), op.getAScale(), op.getAZeroPoint(), true, rows > 1),
                           dequantize(op.getB(), op.getBScale(), op.getBZeroPoint(), false, columns > 1));
  bool isMatrix = rows > 1 && columns > 1;
  Value scaled = f.div(product, alignParameter(f, f.cast(op.getYScale(), real), true, isMatrix));
  Value zero = alignParameter(f, op.getYZeroPoint(), true, isMatrix);
  if (!element.isInteger()) {
    results.push_back(f.cast(f.add(scaled, f.cast(zero, real)), element)); // Cast saturates, as quantization does
    return success();
  }
  Value shifted = f.add(f.op("Round", {scaled}), f.cast(zero, real));
  unsigned bits = element.getIntOrFloatBitWidth();
  double low = element.isUnsignedInteger() ? 0 : -std::ldexp(1.0, bits - 1);
  Value bounded = f.op("Clip", {shifted, f.number(low, real), f.number(low + std::ldexp(1.0, bits) - 1, real)});
  results.push_back(f.cast(bounded, element));
  return success();
}

namespace onnx_aot::onnx {
ArrayRef<FunctionRow> getMatmulFunctions() {
  static const FunctionRow table[] = {{"QLinearMatMul", expandQLinearMatMul}};
  return table;
}
} // namespace onnx_aot::onnx
