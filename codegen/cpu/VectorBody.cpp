//===- VectorBody.cpp - scalar bodies on vectors ------------------------------------------------------------------===//
#include "codegen/cpu/VectorBody.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

Value onnx_aot::asVector(ImplicitLocOpBuilder &b, Value value, int64_t lanes) {
  if (lanes == 1 || isa<VectorType>(value.getType()))
    return value;
  return vector::BroadcastOp::create(b, VectorType::get({lanes}, value.getType()), value);
}

static void cloneOperation(ImplicitLocOpBuilder &b, Operation &op, IRMapping &mapping, int64_t lanes) {
  if (lanes == 1 || op.hasTrait<OpTrait::ConstantLike>()) {
    // A constant stays scalar here; a user that is a vector broadcasts it.
    b.clone(op, mapping);
    return;
  }
  for (Value operand : op.getOperands())
    if (!isa<VectorType>(mapping.lookupOrDefault(operand).getType()))
      mapping.map(operand, onnx_aot::asVector(b, mapping.lookupOrDefault(operand), lanes));
  Operation *clone = b.clone(op, mapping);
  for (Value result : clone->getResults())
    result.setType(VectorType::get({lanes}, result.getType()));
}

Value onnx_aot::cloneOnVectors(ImplicitLocOpBuilder &b, Block &body, IRMapping &mapping, int64_t lanes,
                               llvm::function_ref<Value(uint64_t)> position) {
  for (Operation &op : body.without_terminator()) {
    if (auto index = dyn_cast<linalg::IndexOp>(op))
      mapping.map(index.getResult(), position(index.getDim()));
    else
      cloneOperation(b, op, mapping, lanes);
  }
  return asVector(b, mapping.lookupOrDefault(body.getTerminator()->getOperand(0)), lanes);
}
