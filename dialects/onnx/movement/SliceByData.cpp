//===- SliceByData.cpp - Slice whose starts, steps or axes are data -----------------------------------------------===//
//
// The shape of the result is known (a model may declare what it does not compute), the part that it shows is not. Each
// element is read at start + index * step, clamped into the input: wrong data gives wrong elements, never an access
// outside of the tensor.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/movement/MovementLowering.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace onnx_aot::onnx;

static Value constant(ImplicitLocOpBuilder &b, int64_t value) { return arith::ConstantIndexOp::create(b, value); }

static Value compare(ImplicitLocOpBuilder &b, arith::CmpIPredicate predicate, Value left, int64_t right) {
  return arith::CmpIOp::create(b, predicate, left, constant(b, right));
}

/// Entry `at` of a list of integers, as an index.
static Value entryOf(ImplicitLocOpBuilder &b, Value list, int64_t at) {
  Value entry = tensor::ExtractOp::create(b, list, ValueRange{constant(b, at)});
  return arith::IndexCastOp::create(b, b.getIndexType(), entry);
}

/// The first element of a dim of `extent`, as Slice counts and clamps it.
static Value firstOf(ImplicitLocOpBuilder &b, Value start, Value step, int64_t extent) {
  Value fromFront = arith::AddIOp::create(b, start, constant(b, extent));
  start = arith::SelectOp::create(b, compare(b, arith::CmpIPredicate::slt, start, 0), fromFront, start);
  Value isBackward = compare(b, arith::CmpIPredicate::slt, step, 0);
  Value last = arith::SelectOp::create(b, isBackward, constant(b, extent - 1), constant(b, extent));
  start = arith::MaxSIOp::create(b, start, constant(b, 0));
  return arith::MinSIOp::create(b, start, last);
}

Value onnx_aot::onnx::buildSliceByData(OpBuilder &builder, Location loc, SliceOp::Adaptor operands,
                                       RankedTensorType stored) {
  Value source = operands.getData();
  ArrayRef<int64_t> shape = cast<RankedTensorType>(source.getType()).getShape();
  if (stored.getNumElements() == 0 || llvm::is_contained(shape, 0))
    return emptyTensor(builder, loc, stored);
  ImplicitLocOpBuilder outer(loc, builder);
  SmallVector<Value> first(shape.size(), constant(outer, 0)), step(shape.size(), constant(outer, 1));
  int64_t count = cast<RankedTensorType>(operands.getStarts().getType()).getNumElements(), rank = shape.size();
  for (int64_t i = 0; i < count; ++i) {
    Value start = entryOf(outer, operands.getStarts(), i);
    Value stride = operands.getSteps() ? entryOf(outer, operands.getSteps(), i) : constant(outer, 1);
    if (!operands.getAxes()) {
      first[i] = firstOf(outer, start, stride, shape[i]);
      step[i] = stride;
      continue;
    }
    Value axis = entryOf(outer, operands.getAxes(), i);
    for (int64_t dim = 0; dim < rank; ++dim) {
      Value isDim = arith::OrIOp::create(outer, compare(outer, arith::CmpIPredicate::eq, axis, dim),
                                         compare(outer, arith::CmpIPredicate::eq, axis, dim - rank));
      first[dim] = arith::SelectOp::create(outer, isDim, firstOf(outer, start, stride, shape[dim]), first[dim]);
      step[dim] = arith::SelectOp::create(outer, isDim, stride, step[dim]);
    }
  }
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  return linalg::GenericOp::create(outer, stored, ValueRange(), emptyTensor(outer, loc, stored),
                                   outer.getMultiDimIdentityMap(rank), iterators,
                                   [&](OpBuilder &nested, Location bodyLoc, ValueRange) {
                                     ImplicitLocOpBuilder b(bodyLoc, nested);
                                     SmallVector<Value> from;
                                     for (int64_t dim = 0; dim < rank; ++dim) {
                                       Value distance =
                                           arith::MulIOp::create(b, linalg::IndexOp::create(b, dim), step[dim]);
                                       Value position = arith::AddIOp::create(b, first[dim], distance);
                                       position = arith::MaxSIOp::create(b, position, constant(b, 0));
                                       from.push_back(arith::MinSIOp::create(b, position, constant(b, shape[dim] - 1)));
                                     }
                                     linalg::YieldOp::create(b, tensor::ExtractOp::create(b, source, from).getResult());
                                   })
      .getResult(0);
}
