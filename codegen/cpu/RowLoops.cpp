//===- RowLoops.cpp - loops along rows of buffers -----------------------------------------------------------------===//
#include "codegen/cpu/RowLoops.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace onnx_aot;

Value RowLoops::index(int64_t value) { return arith::ConstantIndexOp::create(b, value); }

Value RowLoops::extent(Value buffer, int64_t dim) { return b.createOrFold<memref::DimOp>(buffer, index(dim)); }

Value RowLoops::loop(Value low, Value high, int64_t step, Value carried, llvm::function_ref<Value(Value, Value)> body) {
  auto forOp = scf::ForOp::create(b, low, high, index(step), carried ? ValueRange(carried) : ValueRange());
  auto yes = b.getBoolAttr(true);
  auto vectorize = LLVM::LoopVectorizeAttr::get(b.getContext(), yes, {}, {}, {}, {}, {}, {});
  auto unroll = LLVM::LoopUnrollAttr::get(b.getContext(), yes, {}, {}, {}, {}, {}, {});
  forOp->setAttr("llvm.loop_annotation", LLVM::LoopAnnotationAttr::get(b.getContext(), {}, vectorize, {}, unroll, {},
                                                                       {}, {}, {}, {}, {}, {}, {}, {}, {}, {}));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(forOp.getBody());
  Value next = body(forOp.getInductionVar(), carried ? forOp.getRegionIterArg(0) : Value());
  if (!carried)
    return Value();
  scf::YieldOp::create(b, next);
  return forOp.getResult(0);
}

void RowLoops::loop(Value low, Value high, int64_t step, llvm::function_ref<void(Value)> body) {
  loop(low, high, step, Value(), [&](Value at, Value) {
    body(at);
    return Value();
  });
}

void onnx_aot::emitIf(ImplicitLocOpBuilder &b, Value condition, llvm::function_ref<void()> then,
                      llvm::function_ref<void()> otherwise) {
  auto ifOp = scf::IfOp::create(b, condition, /*withElseRegion=*/bool(otherwise));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(ifOp.thenBlock()->getTerminator());
  then();
  if (!otherwise)
    return;
  b.setInsertionPoint(ifOp.elseBlock()->getTerminator());
  otherwise();
}

void RowLoops::alongRow(Value count, int64_t lanes, llvm::function_ref<void(Value, int64_t)> body) {
  Value zero = index(0);
  if (lanes == 1)
    return loop(zero, count, 1, [&](Value at) { body(at, 1); });
  if (std::optional<int64_t> known = getConstantIntValue(count)) {
    if (*known < lanes)
      return alongRow(count, lanes / 2, body);
    loop(zero, index(*known / lanes * lanes), lanes, [&](Value at) { body(at, lanes); });
    if (*known % lanes != 0)
      body(index(*known - lanes), lanes);
    return;
  }
  auto vectors = [&] {
    Value last = plus(count, -lanes);
    loop(zero, count, lanes, [&](Value at) { body(smaller(at, last), lanes); });
  };
  emitIf(b, compare(arith::CmpIPredicate::sge, count, index(lanes)), vectors,
         [&] { loop(zero, count, 1, [&](Value at) { body(at, 1); }); });
}

bool RowLoops::hasUnitStride(Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  SmallVector<int64_t> strides;
  int64_t offset = 0;
  return type.getLayout().isIdentity() ||
         (succeeded(type.getStridesAndOffset(strides, offset)) && (strides.empty() || strides.back() == 1));
}

Value RowLoops::load(const Place &place, int64_t lanes) {
  if (lanes == 1)
    return memref::LoadOp::create(b, place.buffer, place.indices);
  auto type = VectorType::get({lanes}, getElementTypeOrSelf(place.buffer.getType()));
  return vector::LoadOp::create(b, type, place.buffer, place.indices);
}

void RowLoops::store(Value value, const Place &place) {
  if (isa<VectorType>(value.getType()))
    vector::StoreOp::create(b, value, place.buffer, place.indices);
  else
    memref::StoreOp::create(b, value, place.buffer, place.indices);
}
