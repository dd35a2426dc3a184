//===- NestKernel.cpp - an emitter of one nest's kernel -----------------------------------------------------------===//
//
// See NestKernel.h.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "codegen/nvptx/NestKernel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace onnx_aot;

Value NestKernel::add(Value left, Value right) { return b.createOrFold<arith::AddIOp>(left, right); }
Value NestKernel::times(Value left, Value right) { return b.createOrFold<arith::MulIOp>(left, right); }
Value NestKernel::divided(Value value, int64_t by) { return b.createOrFold<arith::DivUIOp>(value, kernel.index(by)); }
Value NestKernel::rest(Value value, int64_t by) { return b.createOrFold<arith::RemUIOp>(value, kernel.index(by)); }
Value NestKernel::isBelow(Value value, Value end) {
  return arith::CmpIOp::create(b, arith::CmpIPredicate::ult, value, end);
}
