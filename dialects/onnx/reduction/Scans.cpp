//===- Scans.cpp - lowering of CumSum, CumProd and TopK -----------------------------------------------------------===//
//
// Loops over single elements that carry the result as a tensor, which bufferises in place.
//
//   TopK, per row: best[0..K-1] is kept sorted. An element that beats best[K-1] passes the elements that it
//   does not beat and takes the place of the first that it beats; that one and all behind it move on by one place.
//   Equal elements so keep their order.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/reduction/ReductionAxes.h"
#include "dialects/onnx/support/Axes.h"
#include "dialects/onnx/support/Checks.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/support/Generate.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace onnx_aot;
using namespace onnx_aot::onnx;

using Sizes = SmallVector<OpFoldResult>;

/// Loops over all dims of extents `sizes` but `axis`; the body gets the indices, with a null at `axis`, and the carried
/// tensors.
static SmallVector<Value>
loopOverRows(ImplicitLocOpBuilder &b, ArrayRef<OpFoldResult> sizes, int64_t axis, ValueRange carried,
             llvm::function_ref<SmallVector<Value>(ImplicitLocOpBuilder &, SmallVector<Value>, ValueRange)> body) {
  SmallVector<Value> low, high, step;
  for (auto [dim, extent] : llvm::enumerate(sizes)) {
    if (int64_t(dim) == axis)
      continue;
    low.push_back(arith::ConstantIndexOp::create(b, 0));
    high.push_back(asIndex(b, b.getLoc(), extent));
    step.push_back(arith::ConstantIndexOp::create(b, 1));
  }
  auto insertAxis = [&](ValueRange outer) {
    SmallVector<Value> index(outer);
    index.insert(index.begin() + axis, Value());
    return index;
  };
  if (low.empty())
    return body(b, insertAxis({}), carried);
  scf::LoopNest nest = scf::buildLoopNest(b, b.getLoc(), low, high, step, carried,
                                          [&](OpBuilder &nested, Location loc, ValueRange outer, ValueRange tensors) {
                                            ImplicitLocOpBuilder inner(loc, nested);
                                            return scf::ValueVector(body(inner, insertAxis(outer), tensors));
                                          });
  return SmallVector<Value>(nest.results);
}

namespace {
template <typename OpTy> struct LowerCumulative : OnnxLowering<OpTy> {
  using OnnxLowering<OpTy>::OnnxLowering;
  LogicalResult matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    int64_t rank = this->type(op.getX()).getRank();
    ImplicitLocOpBuilder builder(op.getLoc(), rewriter);
    if (std::optional<SmallVector<int64_t>> list = getConstantIntegers(op.getAxis())) {
      Value result = scan(builder, op, adaptor.getX(), wrapAxis(list->front(), rank));
      rewriter.replaceOp(op, fitTensor(rewriter, op.getLoc(), result, this->stored(op.getY())));
      return success();
    }
    // An axis that is data chooses among the loops over each.
    SmallVector<Value> zeros(this->type(op.getAxis()).getRank(), indexConstant(builder, 0));
    Value axis = tensor::ExtractOp::create(builder, adaptor.getAxis(), zeros);
    axis = arith::IndexCastOp::create(builder, builder.getIndexType(), axis);
    Value fromFront = arith::AddIOp::create(builder, axis, indexConstant(builder, rank));
    Value isNegative = arith::CmpIOp::create(builder, arith::CmpIPredicate::slt, axis, indexConstant(builder, 0));
    axis = arith::SelectOp::create(builder, isNegative, fromFront, axis);
    Value result = scanOneOf(builder, op, adaptor.getX(), axis, 0);
    rewriter.replaceOp(op, fitTensor(rewriter, op.getLoc(), result, this->stored(op.getY())));
    return success();
  }

  /// The scan along `axis`, which is `first` or a later one.
  static Value scanOneOf(ImplicitLocOpBuilder &b, OpTy op, Value source, Value axis, int64_t first) {
    if (first + 1 >= OnnxLowering<OpTy>::type(op.getX()).getRank())
      return scan(b, op, source, first);
    Value isFirst = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, axis, indexConstant(b, first));
    auto yield = [](OpBuilder &nested, Location loc, Value value) { scf::YieldOp::create(nested, loc, value); };
    return scf::IfOp::create(
               b, isFirst,
               [&](OpBuilder &nested, Location loc) {
                 ImplicitLocOpBuilder inner(loc, nested);
                 yield(inner, loc, scan(inner, op, source, first));
               },
               [&](OpBuilder &nested, Location loc) {
                 ImplicitLocOpBuilder inner(loc, nested);
                 yield(inner, loc, scanOneOf(inner, op, source, axis, first + 1));
               })
        .getResult(0);
  }

  static Value scan(ImplicitLocOpBuilder &builder, OpTy op, Value source, int64_t axis) {
    constexpr bool isSum = std::is_same_v<OpTy, CumSumOp>;
    Type element = OnnxLowering<OpTy>::type(op.getX()).getElementType();
    Sizes sizes = sizesOf(builder, op.getLoc(), source);
    Value empty = emptyTensor(builder, op.getLoc(), sizes, storageType(element));
    Value extent = asIndex(builder, op.getLoc(), sizes[axis]);
    Value end =
        asIndex(builder, op.getLoc(), subtractSizes(builder, op.getLoc(), sizes[axis], builder.getIndexAttr(1)));
    auto row = [&](ImplicitLocOpBuilder &b, SmallVector<Value> index, ValueRange tensors) {
      Value first = scalarConstant(b, b.getLoc(), element, isSum ? 0 : 1);
      auto body = [&](OpBuilder &nested, Location loc, Value counter, ValueRange carried) {
        ImplicitLocOpBuilder inner(loc, nested);
        index[axis] = op.getReverse() ? arith::SubIOp::create(inner, end, counter) : counter;
        Value x = toCompute(inner, loc, tensor::ExtractOp::create(inner, source, index), element);
        Value next = combine(inner, carried[1], x, isSum);
        Value out = toStorage(inner, loc, op.getExclusive() ? carried[1] : next, element);
        Value filled = tensor::InsertOp::create(inner, out, carried[0], index);
        scf::YieldOp::create(inner, ValueRange{filled, next});
      };
      auto loop =
          scf::ForOp::create(b, indexConstant(b, 0), extent, indexConstant(b, 1), ValueRange{tensors[0], first}, body);
      return SmallVector<Value>{loop.getResult(0)};
    };
    return loopOverRows(builder, sizes, axis, empty, row)[0];
  }

  static Value combine(ImplicitLocOpBuilder &b, Value left, Value right, bool isSum) {
    if (isa<FloatType>(left.getType()))
      return isSum ? Value(arith::AddFOp::create(b, left, right)) : Value(arith::MulFOp::create(b, left, right));
    return isSum ? Value(arith::AddIOp::create(b, left, right)) : Value(arith::MulIOp::create(b, left, right));
  }
};

struct LowerTopK : OnnxLowering<TopKOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(TopKOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    RankedTensorType in = type(op.getX());
    Type element = in.getElementType();
    Location loc = op.getLoc();
    int64_t axis = wrapAxis(op.getAxis(), in.getRank());
    bool largest = op.getLargest() != 0;
    ImplicitLocOpBuilder builder(loc, rewriter);
    if (type(op.getK()).getRank() == 1)
      requireEqual(rewriter, loc, sizeOf(rewriter, loc, adaptor.getK(), 0), rewriter.getIndexAttr(1),
                   aot::Code::k_out_of_range);
    FailureOr<Sizes> sizes = resultSizes(op, adaptor, axis, rewriter);
    if (failed(sizes))
      return failure();
    Value source = adaptor.getX(), count = asIndex(rewriter, loc, (*sizes)[axis]);
    Value end = asIndex(rewriter, loc, subtractSizes(rewriter, loc, (*sizes)[axis], rewriter.getIndexAttr(1)));
    Sizes rows = sizesOf(rewriter, loc, source);
    // With K = 0 no element is looked at.
    Value visited = asIndex(rewriter, loc, rows[axis]);
    if (!shape(op.getValues())[axis].isAtLeast(1)) {
      Value none = arith::CmpIOp::create(builder, arith::CmpIPredicate::eq, count, indexConstant(builder, 0));
      visited = arith::SelectOp::create(builder, none, indexConstant(builder, 0), visited);
    }
    SmallVector<Value> empty = {emptyTensor(rewriter, loc, *sizes, storageType(element)),
                                emptyTensor(rewriter, loc, *sizes, rewriter.getI64Type())};
    auto row = [&](ImplicitLocOpBuilder &b, SmallVector<Value> index, ValueRange tensors) {
      auto at = [&](Value position) {
        SmallVector<Value> full = index;
        full[axis] = position;
        return full;
      };
      auto visit = [&](OpBuilder &nested, Location loc, Value number, ValueRange best) {
        ImplicitLocOpBuilder inner(loc, nested);
        Value x = tensor::ExtractOp::create(inner, source, at(number));
        // The list has min(number, K) elements; the new one makes it one longer, or must beat the last.
        Value last = tensor::ExtractOp::create(inner, best[0], at(end));
        Value grows = arith::CmpIOp::create(inner, arith::CmpIPredicate::ult, number, count);
        Value enters = arith::OrIOp::create(inner, grows, beats(inner, x, last, element, largest));
        Value length =
            arith::SelectOp::create(inner, grows, arith::AddIOp::create(inner, number, indexConstant(inner, 1)), count);
        Value steps = arith::SelectOp::create(inner, enters, length, indexConstant(inner, 0));
        Value label = arith::IndexCastOp::create(inner, inner.getI64Type(), number);
        auto move = [&](OpBuilder &deepest, Location moveLoc, Value place, ValueRange carried) {
          ImplicitLocOpBuilder m(moveLoc, deepest);
          Value present = tensor::ExtractOp::create(m, carried[0], at(place));
          Value presentLabel = tensor::ExtractOp::create(m, carried[1], at(place));
          Value isNew = arith::CmpIOp::create(m, arith::CmpIPredicate::eq, place, number);
          Value takes = arith::OrIOp::create(m, isNew, beats(m, carried[2], present, element, largest));
          // What was displaced moves on by one place, also past its equals.
          Value isDisplaced = arith::CmpIOp::create(m, arith::CmpIPredicate::ne, carried[3], label);
          takes = arith::OrIOp::create(m, takes, isDisplaced);
          Value stays = arith::SelectOp::create(m, takes, carried[2], present);
          Value staysLabel = arith::SelectOp::create(m, takes, carried[3], presentLabel);
          Value leaves = arith::SelectOp::create(m, takes, present, carried[2]);
          Value leavesLabel = arith::SelectOp::create(m, takes, presentLabel, carried[3]);
          Value newValues = tensor::InsertOp::create(m, stays, carried[0], at(place));
          Value newLabels = tensor::InsertOp::create(m, staysLabel, carried[1], at(place));
          scf::YieldOp::create(m, ValueRange{newValues, newLabels, leaves, leavesLabel});
        };
        auto insertion = scf::ForOp::create(inner, indexConstant(inner, 0), steps, indexConstant(inner, 1),
                                            ValueRange{best[0], best[1], x, label}, move);
        scf::YieldOp::create(inner, insertion.getResults().take_front(2));
      };
      auto loop = scf::ForOp::create(b, indexConstant(b, 0), visited, indexConstant(b, 1), tensors, visit);
      return SmallVector<Value>(loop.getResults());
    };
    SmallVector<Value> best = constantSize((*sizes)[axis]) == 0 ? empty : loopOverRows(builder, rows, axis, empty, row);
    best.resize(op->getNumResults());
    for (auto [value, result] : llvm::zip(best, op->getResults()))
      value = fitTensor(rewriter, loc, value, stored(result));
    rewriter.replaceOp(op, best);
    return success();
  }

  FailureOr<Sizes> resultSizes(TopKOp op, OpAdaptor adaptor, int64_t axis, ConversionPatternRewriter &rewriter) const {
    if (isKnownBefore(op, op.getValues()))
      return sizes(rewriter, op, op.getValues());
    // K has been checked; a bound is stated where the extent has one.
    Location loc = op.getLoc();
    Sizes result = sizesOf(rewriter, loc, adaptor.getX());
    OpFoldResult k = getAsOpFoldResult(listEntry(rewriter, loc, adaptor.getK(), 0));
    result[axis] = maxSize(rewriter, loc, minSize(rewriter, loc, k, result[axis]), rewriter.getIndexAttr(0));
    return result;
  }

  static Value beats(ImplicitLocOpBuilder &b, Value left, Value right, Type element, bool largest) {
    left = toCompute(b, b.getLoc(), left, element);
    right = toCompute(b, b.getLoc(), right, element);
    if (isa<FloatType>(left.getType()))
      return arith::CmpFOp::create(b, largest ? arith::CmpFPredicate::OGT : arith::CmpFPredicate::OLT, left, right);
    if (isUnsigned(element))
      return arith::CmpIOp::create(b, largest ? arith::CmpIPredicate::ugt : arith::CmpIPredicate::ult, left, right);
    return arith::CmpIOp::create(b, largest ? arith::CmpIPredicate::sgt : arith::CmpIPredicate::slt, left, right);
  }
};
} // namespace

void onnx_aot::onnx::populateScansToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerCumulative<CumSumOp>, LowerCumulative<CumProdOp>, LowerTopK>(converter, patterns.getContext());
}
