//===- VectorBody.cpp - scalar bodies on vectors ------------------------------------------------------------------===//
#include "codegen/VectorBody.h"
#include "dialects/aot/AotDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace onnx_aot;

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
    // Its bytes are loaded four to a lane.
    if (isa<aot::DotOp>(op)) {
      Operation *clone = b.clone(op, mapping);
      clone->getResult(0).setType(clone->getOperand(0).getType());
      continue;
    }
    if (auto index = dyn_cast<linalg::IndexOp>(op))
      mapping.map(index.getResult(), position(index.getDim()));
    else
      cloneOperation(b, op, mapping, lanes);
  }
  return asVector(b, mapping.lookupOrDefault(body.getTerminator()->getOperand(0)), lanes);
}

bool onnx_aot::isLong(Block &body) {
  constexpr int64_t kLong = 8; // operations
  int64_t length = 0;
  for (Operation &op : body.without_terminator()) {
    bool isFunction = op.getName().getDialectNamespace() == "math" && !isa<math::FmaOp, math::AbsFOp>(op);
    length += op.hasTrait<OpTrait::ConstantLike>() ? 0 : isFunction ? kLong : 1;
  }
  return length >= kLong;
}

Value onnx_aot::laneMask(ImplicitLocOpBuilder &b, int64_t lanes, int64_t valid) {
  SmallVector<bool> mask(lanes, false);
  std::fill_n(mask.begin(), valid, true);
  return arith::ConstantOp::create(b, DenseElementsAttr::get(VectorType::get({lanes}, b.getI1Type()), mask));
}

Value onnx_aot::harmlessLanes(ImplicitLocOpBuilder &b, VectorType type) {
  return arith::ConstantOp::create(b,
                                   DenseElementsAttr::get(type, cast<Attribute>(b.getOneAttr(type.getElementType()))));
}
