//===- Generate.cpp - results computed element by element from positions ------------------------------------------===//
#include "dialects/onnx/support/Generate.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace onnx_aot::onnx;

Value onnx_aot::onnx::buildGenerated(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> sizes, Type element,
                                     llvm::function_ref<Value(ImplicitLocOpBuilder &, ValueRange)> body) {
  Value empty = emptyTensor(builder, loc, sizes, storageType(element));
  SmallVector<utils::IteratorType> iterators(sizes.size(), utils::IteratorType::parallel);
  return linalg::GenericOp::create(builder, loc, empty.getType(), ValueRange(), empty,
                                   builder.getMultiDimIdentityMap(sizes.size()), iterators,
                                   [&](OpBuilder &nested, Location bodyLoc, ValueRange) {
                                     ImplicitLocOpBuilder b(bodyLoc, nested);
                                     SmallVector<Value> position;
                                     for (size_t dim = 0; dim < sizes.size(); ++dim)
                                       position.push_back(linalg::IndexOp::create(b, dim));
                                     Value value = toStorage(b, bodyLoc, body(b, position), element);
                                     linalg::YieldOp::create(b, value);
                                   })
      .getResult(0);
}

Value onnx_aot::onnx::buildFold(ImplicitLocOpBuilder &b, Value count, Value initial,
                                llvm::function_ref<Value(ImplicitLocOpBuilder &, Value, Value)> body) {
  auto loop = scf::ForOp::create(b, indexConstant(b, 0), count, indexConstant(b, 1), ValueRange{initial},
                                 [&](OpBuilder &nested, Location loc, Value index, ValueRange carried) {
                                   ImplicitLocOpBuilder inner(loc, nested);
                                   Value next = body(inner, index, carried[0]);
                                   scf::YieldOp::create(inner, next);
                                 });
  return loop.getResult(0);
}

Value onnx_aot::onnx::indexConstant(ImplicitLocOpBuilder &b, int64_t value) {
  return arith::ConstantIndexOp::create(b, value);
}

Value onnx_aot::onnx::extentOf(ImplicitLocOpBuilder &b, Value tensor, int64_t dim) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (!type.isDynamicDim(dim))
    return indexConstant(b, type.getDimSize(dim));
  return tensor::DimOp::create(b, tensor, dim);
}

//===-- Arithmetic ------------------------------------------------------------------------------------------------===//

static bool isReal(Value value) { return isa<FloatType>(value.getType()); }

Value Arithmetic::number(double value) { return scalarConstant(b, b.getLoc(), real, value); }
Value Arithmetic::add(Value left, Value right) {
  return isReal(left) ? Value(arith::AddFOp::create(b, left, right)) : arith::AddIOp::create(b, left, right);
}
Value Arithmetic::sub(Value left, Value right) {
  return isReal(left) ? Value(arith::SubFOp::create(b, left, right)) : arith::SubIOp::create(b, left, right);
}
Value Arithmetic::mul(Value left, Value right) {
  return isReal(left) ? Value(arith::MulFOp::create(b, left, right)) : arith::MulIOp::create(b, left, right);
}
Value Arithmetic::div(Value left, Value right) {
  return isReal(left) ? Value(arith::DivFOp::create(b, left, right)) : arith::DivSIOp::create(b, left, right);
}
Value Arithmetic::select(Value condition, Value left, Value right) {
  return arith::SelectOp::create(b, condition, left, right);
}
Value Arithmetic::less(Value left, Value right) {
  return isReal(left) ? Value(arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, left, right))
                      : arith::CmpIOp::create(b, arith::CmpIPredicate::slt, left, right);
}
Value Arithmetic::lessOrEqual(Value left, Value right) {
  return isReal(left) ? Value(arith::CmpFOp::create(b, arith::CmpFPredicate::OLE, left, right))
                      : arith::CmpIOp::create(b, arith::CmpIPredicate::sle, left, right);
}
Value Arithmetic::both(Value left, Value right) { return arith::AndIOp::create(b, left, right); }
Value Arithmetic::floor(Value value) { return math::FloorOp::create(b, value); }
Value Arithmetic::ceil(Value value) { return math::CeilOp::create(b, value); }
Value Arithmetic::clamp(Value value, Value low, Value high) {
  value = select(lessOrEqual(low, value), value, low);
  return select(lessOrEqual(value, high), value, high);
}
Value Arithmetic::toReal(Value index) {
  return arith::SIToFPOp::create(b, real, arith::IndexCastOp::create(b, b.getI64Type(), index).getResult());
}
Value Arithmetic::toIndex(Value value) {
  Value integer = arith::FPToSIOp::create(b, b.getI64Type(), value);
  return arith::IndexCastOp::create(b, b.getIndexType(), integer);
}

//===-- Between elements ------------------------------------------------------------------------------------------===//

namespace {
/// One of the two neighbours along a dim.
struct Neighbour {
  Value index;  // inside of the data
  Value weight; // 0 where the neighbour is outside
};
} // namespace

/// Sums over the neighbours along the dims that are left.
static Value sumNeighbours(Arithmetic &a, Value data, Type element, SmallVector<Value> at, Value weight,
                           ArrayRef<std::array<Neighbour, 2>> dims) {
  if (dims.empty()) {
    Value stored = tensor::ExtractOp::create(a.b, data, at);
    Value value = castScalar(a.b, a.b.getLoc(), toCompute(a.b, a.b.getLoc(), stored, element), element, a.real);
    // A weight of 0 stands for an element that is not there: what was read does not count, infinities neither.
    Value isThere = arith::CmpFOp::create(a.b, arith::CmpFPredicate::UNE, weight, a.number(0));
    return a.select(isThere, a.mul(weight, value), a.number(0));
  }
  Value sum;
  for (const Neighbour &neighbour : dims.front()) {
    SmallVector<Value> next = at;
    next.push_back(neighbour.index);
    Value product = weight ? a.mul(weight, neighbour.weight) : neighbour.weight;
    Value part = sumNeighbours(a, data, element, next, product, dims.drop_front());
    sum = sum ? a.add(sum, part) : part;
  }
  return sum;
}

Value onnx_aot::onnx::readBetween(Arithmetic &a, Value data, Type element, ArrayRef<Value> leading,
                                  ArrayRef<Value> positions) {
  SmallVector<std::array<Neighbour, 2>> dims;
  Value zero = a.number(0), one = a.number(1);
  for (auto [dim, position] : llvm::enumerate(positions)) {
    Value last = a.sub(a.toReal(extentOf(a.b, data, leading.size() + dim)), one);
    Value low = a.floor(position), rest = a.sub(position, low), high = a.add(low, one);
    auto neighbour = [&](Value at, Value weight) {
      Value isInside = a.both(a.lessOrEqual(zero, at), a.lessOrEqual(at, last));
      return Neighbour{a.toIndex(a.clamp(at, zero, last)), a.select(isInside, weight, zero)};
    };
    dims.push_back({neighbour(low, a.sub(one, rest)), neighbour(high, rest)});
  }
  return sumNeighbours(a, data, element, SmallVector<Value>(leading), Value(), dims);
}
