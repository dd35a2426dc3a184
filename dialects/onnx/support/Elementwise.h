//===- Elementwise.h - operators that are a function of one element of each operand -------------------------------===//
//
// Such an operator is one row of a table: its name and its scalar body, a function that emits arith and math
// operations. The row serves lowering (the body of a linalg.generic) and constant folding (the same operations, folded
// for each element), so that a constant has the value that the compiled code would compute.
//
//   {"Add", binary<arith::AddFOp, arith::AddIOp>},
//
//===--------------------------------------------------------------------------------------------------------------===//
#ifndef ONNX_AOT_DIALECTS_ONNX_SUPPORT_ELEMENTWISE_H
#define ONNX_AOT_DIALECTS_ONNX_SUPPORT_ELEMENTWISE_H

#include "dialects/onnx/support/Lowering.h"
#include "mlir/IR/OpDefinition.h"

namespace onnx_aot::onnx {

/// Emits one element's computation. `op` is the ONNX operation, for its attributes and for which operands it has.
using ScalarFn = mlir::Value (*)(mlir::Operation *op, ScalarBody &s);

struct ScalarRow {
  llvm::StringRef op; // without the dialect's prefix
  ScalarFn body;
};

/// Computes `body` over the constants `operands`, broadcast; null where one is not constant, where the result exceeds
/// `maxBytes`, or where an operation of the body does not fold.
mlir::ElementsAttr foldElementwise(mlir::Operation *op, llvm::ArrayRef<mlir::Attribute> operands, ScalarFn body,
                                   int64_t maxBytes = 1024);

/// A pattern per row that lowers the operator to buildElementwise over all its operands.
void populateElementwiseRows(llvm::ArrayRef<ScalarRow> rows, mlir::TypeConverter &converter,
                             mlir::RewritePatternSet &patterns);

//===-- Bodies that many rows share -------------------------------------------------------------------------------===//

/// One operation per kind of number: floats, signed and unsigned integers; folds any number of operands from the left.
template <typename Float, typename Signed, typename Unsigned = Signed>
mlir::Value binaryBody(mlir::Operation *, ScalarBody &s) {
  mlir::Value result = s.x[0];
  for (mlir::Value next : s.x.drop_front()) {
    if (llvm::isa<mlir::FloatType>(result.getType()))
      result = Float::create(s.b, result, next);
    else if (isUnsigned(s.type[0]))
      result = Unsigned::create(s.b, result, next);
    else
      result = Signed::create(s.b, result, next);
  }
  return result;
}

/// One operation of floats.
template <typename Float> mlir::Value floatBody(mlir::Operation *, ScalarBody &s) { return Float::create(s.b, s.x[0]); }

} // namespace onnx_aot::onnx

#endif
