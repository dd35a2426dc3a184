//===- Sort.cpp - sorting lists, and what else loops over lists are made of ---------------------------------------===//
//
// A merge sort from the bottom up: pass p merges runs of 2^p entries of one row of a table into runs of twice the
// length in the other row. A pass is one loop over the entries that it makes; both runs start anew at each multiple of
// their common length.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/indexing/Choosing.h"
#include "dialects/onnx/support/Generate.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace onnx_aot::onnx {

Value clampCount(ImplicitLocOpBuilder &b, Value count, OpFoldResult bound) {
  Value notNegative = arith::MaxSIOp::create(b, count, indexConstant(b, 0));
  return arith::MinSIOp::create(b, notNegative, asIndex(b, b.getLoc(), bound));
}

SmallVector<Value>
buildCarrying(ImplicitLocOpBuilder &b, Value count, ValueRange initial,
              llvm::function_ref<SmallVector<Value>(ImplicitLocOpBuilder &, Value, ValueRange)> body) {
  auto loop = scf::ForOp::create(b, indexConstant(b, 0), count, indexConstant(b, 1), initial,
                                 [&](OpBuilder &nested, Location loc, Value index, ValueRange carried) {
                                   ImplicitLocOpBuilder inner(loc, nested);
                                   scf::YieldOp::create(inner, body(inner, index, carried));
                                 });
  return SmallVector<Value>(loop.getResults());
}

Value buildEither(ImplicitLocOpBuilder &b, Value condition, llvm::function_ref<Value(ImplicitLocOpBuilder &)> yes,
                  llvm::function_ref<Value(ImplicitLocOpBuilder &)> no) {
  auto branch = [](llvm::function_ref<Value(ImplicitLocOpBuilder &)> make) {
    return [make](OpBuilder &nested, Location loc) {
      ImplicitLocOpBuilder inner(loc, nested);
      scf::YieldOp::create(inner, make(inner));
    };
  };
  return scf::IfOp::create(b, condition, branch(yes), branch(no)).getResult(0);
}

Value buildFind(ImplicitLocOpBuilder &b, Value count, llvm::function_ref<Value(ImplicitLocOpBuilder &, Value)> holds) {
  auto loop = scf::WhileOp::create(
      b, TypeRange{b.getIndexType()}, ValueRange{indexConstant(b, 0)},
      [&](OpBuilder &nested, Location loc, ValueRange at) {
        ImplicitLocOpBuilder inner(loc, nested);
        Value isInside = arith::CmpIOp::create(inner, arith::CmpIPredicate::slt, at[0], count);
        Value goesOn = buildEither(
            inner, isInside,
            [&](ImplicitLocOpBuilder &i) -> Value {
              Value one = arith::ConstantIntOp::create(i, 1, 1);
              return arith::XOrIOp::create(i, holds(i, at[0]), one);
            },
            [&](ImplicitLocOpBuilder &i) -> Value { return arith::ConstantIntOp::create(i, 0, 1); });
        scf::ConditionOp::create(inner, goesOn, at);
      },
      [&](OpBuilder &nested, Location loc, ValueRange at) {
        ImplicitLocOpBuilder inner(loc, nested);
        scf::YieldOp::create(inner, arith::AddIOp::create(inner, at[0], indexConstant(inner, 1)).getResult());
      });
  return loop.getResult(0);
}

Value loadIndex(ImplicitLocOpBuilder &b, Value list, ValueRange at) {
  return arith::IndexCastOp::create(b, b.getIndexType(), tensor::ExtractOp::create(b, list, at).getResult());
}

Value storeIndex(ImplicitLocOpBuilder &b, Value index, Value list, ValueRange at) {
  return tensor::InsertOp::create(b, arith::IndexCastOp::create(b, b.getI64Type(), index).getResult(), list, at);
}

Value buildTaken(ImplicitLocOpBuilder &b, Value data, int64_t axis, Value list) {
  SmallVector<OpFoldResult> sizes = sizesOf(b, b.getLoc(), data);
  int64_t rank = sizes.size();
  sizes[axis] = sizeOf(b, b.getLoc(), list, 0);
  Value empty = emptyTensor(b, b.getLoc(), sizes, getElementTypeOrSelf(data.getType()));
  AffineMap along = AffineMap::get(rank, 0, b.getAffineDimExpr(axis), b.getContext());
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             b, empty.getType(), list, empty, ArrayRef<AffineMap>{along, b.getMultiDimIdentityMap(rank)}, iterators,
             [&](OpBuilder &nested, Location loc, ValueRange elements) {
               ImplicitLocOpBuilder inner(loc, nested);
               SmallVector<Value> at;
               for (int64_t dim = 0; dim < rank; ++dim)
                 at.push_back(dim == axis ? Value(arith::IndexCastOp::create(inner, inner.getIndexType(), elements[0]))
                                          : Value(linalg::IndexOp::create(inner, dim)));
               Value element = tensor::ExtractOp::create(inner, data, at);
               linalg::YieldOp::create(inner, element);
             })
      .getResult(0);
}

/// The smallest p with 2^p >= count.
static Value passesFor(ImplicitLocOpBuilder &b, Value count) {
  Value most = indexConstant(b, 62);
  return buildFind(b, most, [&](ImplicitLocOpBuilder &inner, Value pass) -> Value {
    Value length = arith::ShLIOp::create(inner, indexConstant(inner, 1), pass);
    return arith::CmpIOp::create(inner, arith::CmpIPredicate::sge, length, count);
  });
}

SortedList buildSort(ImplicitLocOpBuilder &b, Value table, Value count, EntryOrder isBefore) {
  Value passes = passesFor(b, count);
  auto merge = [&](ImplicitLocOpBuilder &outer, Value pass, ValueRange carried) {
    Value one = indexConstant(outer, 1);
    Value width = arith::ShLIOp::create(outer, one, pass), span = arith::AddIOp::create(outer, width, width);
    Value rest = arith::SubIOp::create(outer, span, one), last = arith::SubIOp::create(outer, count, one);
    Value from = arith::AndIOp::create(outer, pass, one), to = arith::XOrIOp::create(outer, from, one);
    Value zero = indexConstant(outer, 0);
    auto step = [&](ImplicitLocOpBuilder &i, Value place, ValueRange state) {
      auto less = [&](Value left, Value right) -> Value {
        return arith::CmpIOp::create(i, arith::CmpIPredicate::slt, left, right);
      };
      auto least = [&](Value left, Value right) -> Value { return arith::MinSIOp::create(i, left, right); };
      Value inRun = arith::AndIOp::create(i, place, rest), start = arith::SubIOp::create(i, place, inRun);
      Value middle = least(arith::AddIOp::create(i, start, width), count);
      Value end = least(arith::AddIOp::create(i, start, span), count);
      Value isStart = arith::CmpIOp::create(i, arith::CmpIPredicate::eq, inRun, zero);
      Value left = arith::SelectOp::create(i, isStart, start, state[1]);
      Value right = arith::SelectOp::create(i, isStart, middle, state[2]);
      // A run that has ended shows an entry that does not count.
      Value leftEntry = loadIndex(i, state[0], {from, least(left, last)});
      Value rightEntry = loadIndex(i, state[0], {from, least(right, last)});
      Value isLeftOver = arith::CmpIOp::create(i, arith::CmpIPredicate::sge, left, middle);
      Value isFirst = arith::OrIOp::create(i, isLeftOver, isBefore(i, rightEntry, leftEntry));
      Value takesRight = arith::AndIOp::create(i, less(right, end), isFirst);
      Value taken = arith::SelectOp::create(i, takesRight, rightEntry, leftEntry);
      Value moved = arith::IndexCastUIOp::create(i, i.getIndexType(), takesRight);
      Value filled = storeIndex(i, taken, state[0], {to, place});
      return SmallVector<Value>{filled,
                                arith::AddIOp::create(i, left, arith::SubIOp::create(i, one, moved).getResult()),
                                arith::AddIOp::create(i, right, moved)};
    };
    return SmallVector<Value>{buildCarrying(outer, count, {carried[0], zero, zero}, step)[0]};
  };
  Value sorted = buildCarrying(b, passes, table, merge)[0];
  return {sorted, arith::AndIOp::create(b, passes, indexConstant(b, 1))};
}

} // namespace onnx_aot::onnx
