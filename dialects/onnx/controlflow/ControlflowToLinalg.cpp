//===- ControlflowToLinalg.cpp - lowering of the operators with bodies --------------------------------------------===//
//
// Bodies move into scf operations, whose results have static shapes: every way through gives the same ones.
//
//   %y = "onnx.If"(%c) ({ onnx.Yield %a }, { onnx.Yield %b })
// becomes
//   %y = scf.if %bit -> tensor<4xf32> { scf.yield %a } else { scf.yield %b }
//
// A loop whose condition never ends it becomes scf.for, any other scf.while, which carries the tensors, the iteration's
// number and the condition. Slices are collected in tensors that scf.for carries.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/controlflow/Controlflow.h"
#include "dialects/onnx/support/Checks.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/support/Lowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace onnx_aot::onnx;

namespace {
YieldOp yieldOf(Region &body) { return cast<YieldOp>(body.front().getTerminator()); }

/// The element of a tensor that has one.
Value extractScalar(OpBuilder &builder, Location loc, Value tensor) {
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  SmallVector<Value> indices(cast<RankedTensorType>(tensor.getType()).getRank(), zero);
  return tensor::ExtractOp::create(builder, loc, tensor, indices);
}

/// The element of a bool tensor (stored as i8) as i1.
Value extractBool(OpBuilder &builder, Location loc, Value tensor) {
  Value stored = extractScalar(builder, loc, tensor);
  Value zero = arith::ConstantOp::create(builder, loc, builder.getIntegerAttr(stored.getType(), 0));
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, stored, zero);
}

struct LowerIf : OnnxLowering<IfOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(IfOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    SmallVector<Type> types;
    for (auto [index, result] : llvm::enumerate(op.getResults())) {
      for (Region *branch : {&op.getThenBranch(), &op.getElseBranch()})
        if (yieldOf(*branch).getValues()[index].getType() != result.getType())
          return op.emitError("unsupported: the branches give output ") << index << " different shapes";
      types.push_back(stored(result));
    }
    Value condition = extractBool(rewriter, op.getLoc(), adaptor.getCond());
    auto branches = scf::IfOp::create(rewriter, op.getLoc(), types, condition, /*addThenBlock=*/false,
                                      /*addElseBlock=*/false);
    rewriter.inlineRegionBefore(op.getThenBranch(), branches.getThenRegion(), branches.getThenRegion().end());
    rewriter.inlineRegionBefore(op.getElseBranch(), branches.getElseRegion(), branches.getElseRegion().end());
    rewriter.replaceOp(op, branches.getResults());
    return success();
  }
};

/// The index `number` as the body of a loop sees it: an int64 tensor of one element.
Value iterationTensor(OpBuilder &builder, Location loc, Value number, Type type) {
  Value wide = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), number);
  return tensor::FromElementsOp::create(builder, loc, type, wide);
}

/// Moves a body to the end of `block`, where its inputs are `arguments`.
void inlineBody(Region &body, Block *block, ValueRange arguments, ConversionPatternRewriter &rewriter) {
  rewriter.inlineBlockBefore(&body.front(), block, block->end(), arguments);
}

struct LowerLoop : OnnxLowering<LoopOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(LoopOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    YieldOp yield = yieldOf(op.getBody());
    ValueRange carried = adaptor.getVInitial();
    ValueRange values = yield.getValues().drop_front();
    std::optional<int64_t> trips = op.getTripCount();
    bool isFor = op.isAlwaysTrue() || trips;
    if (isFor && !op.getM() && !trips)
      return op.emitError("unsupported: a loop without an end");
    if (trips == 0)
      return replaceByInitial(op, carried, rewriter);
    Block &body = op.getBody().front();
    for (auto [index, value] : llvm::enumerate(values.take_front(carried.size())))
      if (value.getType() != op.getVInitial()[index].getType() ||
          value.getType() != body.getArgument(index + 2).getType())
        return op.emitError("unsupported: carried value ") << index << " changes its shape from iteration to iteration";
    ValueRange scanned = values.drop_front(carried.size());
    if (!trips && !scanned.empty())
      return op.emitError(
          "unsupported: outputs that collect the values of a number of iterations that is not constant");
    for (Value value : scanned)
      if (!cast<ShapedType>(value.getType()).hasStaticShape())
        return op.emitError("unsupported: a collected value whose shape depends on data");

    Value zero = arith::ConstantIndexOp::create(rewriter, loc, 0),
          one = arith::ConstantIndexOp::create(rewriter, loc, 1);
    Value bound;
    if (trips)
      bound = arith::ConstantIndexOp::create(rewriter, loc, *trips);
    else if (op.getM())
      bound = arith::IndexCastOp::create(rewriter, loc, rewriter.getIndexType(),
                                         extractScalar(rewriter, loc, adaptor.getM()));
    Type iterationType = body.getArgument(0).getType();
    SmallVector<Value> initial(carried);
    if (!isFor)
      return lowerToWhile(op, adaptor, bound, initial, rewriter);

    SmallVector<int64_t> axes(scanned.size(), 0), reversed(scanned.size(), 0);
    for (Value value : scanned) {
      SmallVector<int64_t> shape(type(value).getShape());
      shape.insert(shape.begin(), *trips);
      initial.push_back(emptyTensor(rewriter, loc, RankedTensorType::get(shape, stored(value).getElementType())));
    }
    rewriter.modifyOpInPlace(yield, [&] {
      yield.setSkipped(1);
      yield.setScanAxes(axes);
      yield.setScanReversed(reversed);
    });
    auto loop = scf::ForOp::create(rewriter, loc, zero, bound, one, initial);
    if (initial.empty())
      rewriter.eraseOp(loop.getBody()->getTerminator());
    rewriter.setInsertionPointToStart(loop.getBody());
    // Inside, the condition holds.
    auto conditionType = RankedTensorType::get(type(body.getArgument(1)).getShape(), rewriter.getI8Type());
    SmallVector<Value> arguments = {
        iterationTensor(rewriter, loc, loop.getInductionVar(), iterationType),
        arith::ConstantOp::create(rewriter, loc, DenseElementsAttr::get(conditionType, int8_t(1)))};
    llvm::append_range(arguments, loop.getRegionIterArgs().take_front(carried.size()));
    inlineBody(op.getBody(), loop.getBody(), arguments, rewriter);
    rewriter.replaceOp(op, loop.getResults().take_front(op.getNumResults()));
    return success();
  }

  /// What a loop without an iteration gives, whatever its body does to shapes.
  static LogicalResult replaceByInitial(LoopOp op, ValueRange carried, ConversionPatternRewriter &rewriter) {
    SmallVector<Value> results(carried);
    for (Value result : op.getResults().drop_front(std::min<size_t>(carried.size(), op.getNumResults())))
      results.push_back(emptyTensor(rewriter, op.getLoc(), stored(result)));
    results.resize(op.getNumResults());
    rewriter.replaceOp(op, results);
    return success();
  }

  LogicalResult lowerToWhile(LoopOp op, OpAdaptor adaptor, Value bound, SmallVector<Value> initial,
                             ConversionPatternRewriter &rewriter) const {
    Location loc = op.getLoc();
    Block &body = op.getBody().front();
    size_t carried = initial.size();
    Value condition = op.getCond() ? extractBool(rewriter, loc, adaptor.getCond())
                                   : Value(arith::ConstantIntOp::create(rewriter, loc, 1, 1));
    initial.push_back(arith::ConstantIndexOp::create(rewriter, loc, 0));
    initial.push_back(condition);
    auto types = llvm::to_vector(ValueRange(initial).getTypes());
    SmallVector<Location> locations(types.size(), loc);
    rewriter.modifyOpInPlace(yieldOf(op.getBody()), [&] { yieldOf(op.getBody()).setSkipped(1); });
    auto loop = scf::WhileOp::create(rewriter, loc, types, initial);
    Block *before = rewriter.createBlock(&loop.getBefore(), {}, types, locations);
    Value again = before->getArgument(carried + 1);
    if (bound) {
      Value isLeft =
          arith::CmpIOp::create(rewriter, loc, arith::CmpIPredicate::slt, before->getArgument(carried), bound);
      again = arith::AndIOp::create(rewriter, loc, again, isLeft);
    }
    scf::ConditionOp::create(rewriter, loc, again, before->getArguments());
    Block *after = rewriter.createBlock(&loop.getAfter(), {}, types, locations);
    auto conditionType = RankedTensorType::get(type(body.getArgument(1)).getShape(), rewriter.getI8Type());
    SmallVector<Value> arguments = {
        iterationTensor(rewriter, loc, after->getArgument(carried), body.getArgument(0).getType()),
        arith::ConstantOp::create(rewriter, loc, DenseElementsAttr::get(conditionType, int8_t(1)))};
    llvm::append_range(arguments, after->getArguments().take_front(carried));
    inlineBody(op.getBody(), after, arguments, rewriter);
    rewriter.replaceOp(op, loop.getResults().take_front(op.getNumResults()));
    return success();
  }
};

struct LowerScan : OnnxLowering<ScanOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(ScanOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    unsigned states = op.getNumStates();
    OperandRange operands = op.getInitialStateAndScanInputs();
    YieldOp yield = yieldOf(op.getBody());
    Block &body = op.getBody().front();
    for (auto [index, value] : llvm::enumerate(yield.getValues().take_front(states)))
      if (value.getType() != operands[index].getType() || value.getType() != body.getArgument(index).getType())
        return op.emitError("unsupported: state ") << index << " changes its shape from iteration to iteration";
    RankedTensorType first = type(operands[states]);
    int64_t trips = first.getDimSize(*op.getInputAxis(0, first.getRank()));

    ValueRange inputs = adaptor.getInitialStateAndScanInputs();
    SmallVector<Value> initial(inputs.take_front(states));
    SmallVector<int64_t> axes, reversed;
    for (auto [index, value] : llvm::enumerate(yield.getValues().drop_front(states))) {
      auto slice = cast<RankedTensorType>(value.getType());
      if (!slice.hasStaticShape())
        return op.emitError("unsupported: a collected value whose shape depends on data");
      axes.push_back(*op.getOutputAxis(index, slice.getRank() + 1));
      reversed.push_back(op.isOutputReversed(index));
      SmallVector<int64_t> shape(slice.getShape());
      shape.insert(shape.begin() + axes.back(), trips);
      initial.push_back(emptyTensor(rewriter, loc, RankedTensorType::get(shape, stored(value).getElementType())));
    }
    rewriter.modifyOpInPlace(yield, [&] {
      yield.setScanAxes(axes);
      yield.setScanReversed(reversed);
    });
    Value zero = arith::ConstantIndexOp::create(rewriter, loc, 0);
    Value one = arith::ConstantIndexOp::create(rewriter, loc, 1);
    Value bound = arith::ConstantIndexOp::create(rewriter, loc, trips);
    auto loop = scf::ForOp::create(rewriter, loc, zero, bound, one, initial);
    if (initial.empty())
      rewriter.eraseOp(loop.getBody()->getTerminator());
    rewriter.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> arguments(loop.getRegionIterArgs().take_front(states));
    for (auto [index, input] : llvm::enumerate(inputs.drop_front(states))) {
      auto whole = cast<RankedTensorType>(input.getType());
      int64_t axis = *op.getInputAxis(index, whole.getRank());
      Value place = loop.getInductionVar();
      if (op.isInputReversed(index)) {
        Value last = arith::ConstantIndexOp::create(rewriter, loc, trips - 1);
        place = arith::SubIOp::create(rewriter, loc, last, place);
      }
      SmallVector<OpFoldResult> offsets(whole.getRank(), rewriter.getIndexAttr(0)),
          strides(whole.getRank(), rewriter.getIndexAttr(1)), sizes;
      for (int64_t extent : whole.getShape())
        sizes.push_back(rewriter.getIndexAttr(extent));
      offsets[axis] = place;
      sizes[axis] = rewriter.getIndexAttr(1);
      SmallVector<int64_t> shape(whole.getShape());
      shape.erase(shape.begin() + axis);
      arguments.push_back(tensor::ExtractSliceOp::create(
          rewriter, loc, RankedTensorType::get(shape, whole.getElementType()), input, offsets, sizes, strides));
    }
    inlineBody(op.getBody(), loop.getBody(), arguments, rewriter);
    rewriter.replaceOp(op, loop.getResults().take_front(op.getNumResults()));
    return success();
  }
};

struct LowerRequire : OpConversionPattern<RequireOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(RequireOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Value holds = extractBool(rewriter, op.getLoc(), adaptor.getCondition());
    if (!op.getExpected())
      holds = arith::XOrIOp::create(rewriter, op.getLoc(), holds,
                                    arith::ConstantIntOp::create(rewriter, op.getLoc(), 1, 1));
    std::optional<onnx_aot::aot::Code> code = onnx_aot::aot::symbolizeCode(op.getCode());
    if (!code)
      return op.emitError("no code of a check is called ") << op.getCode();
    require(rewriter, op.getLoc(), holds, *code);
    rewriter.eraseOp(op);
    return success();
  }
};

/// The terminator of a body that has moved into an scf operation.
struct LowerYield : OpConversionPattern<YieldOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(YieldOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    if (auto branches = dyn_cast<scf::IfOp>(op->getParentOp())) {
      rewriter.replaceOpWithNewOp<scf::YieldOp>(op, adaptor.getValues().take_front(branches.getNumResults()));
      return success();
    }
    ValueRange values = adaptor.getValues();
    if (isa<scf::WhileOp>(op->getParentOp())) {
      // Carried tensors, the number of the next iteration, whether it takes place.
      SmallVector<Value> next(values.drop_front(op.getSkipped().value_or(0)));
      Value one = arith::ConstantIndexOp::create(rewriter, op.getLoc(), 1);
      next.push_back(arith::AddIOp::create(rewriter, op.getLoc(), op->getBlock()->getArgument(next.size()), one));
      next.push_back(extractBool(rewriter, op.getLoc(), values.front()));
      rewriter.replaceOpWithNewOp<scf::YieldOp>(op, next);
      return success();
    }
    if (auto loop = dyn_cast<scf::ForOp>(op->getParentOp())) {
      rewriter.replaceOpWithNewOp<scf::YieldOp>(op, collect(op, values, loop, rewriter));
      return success();
    }
    return rewriter.notifyMatchFailure(op, "the operator around it is not lowered");
  }

  /// What the next iteration starts with: carried values, and collected ones at their place.
  static SmallVector<Value> collect(YieldOp op, ValueRange values, scf::ForOp loop, OpBuilder &builder) {
    Location loc = op.getLoc();
    SmallVector<Value> next(values.drop_front(op.getSkipped().value_or(0)));
    ArrayRef<int64_t> axes = op.getScanAxes().value_or(ArrayRef<int64_t>());
    size_t carried = next.size() - axes.size();
    for (auto [index, axis] : llvm::enumerate(axes)) {
      Value all = loop.getRegionIterArg(carried + index);
      auto type = cast<RankedTensorType>(all.getType());
      Value place = loop.getInductionVar();
      if ((*op.getScanReversed())[index]) {
        Value last = arith::ConstantIndexOp::create(builder, loc, type.getDimSize(axis) - 1);
        place = arith::SubIOp::create(builder, loc, last, place);
      }
      SmallVector<OpFoldResult> offsets(type.getRank(), builder.getIndexAttr(0)),
          strides(type.getRank(), builder.getIndexAttr(1)), sizes;
      for (int64_t extent : type.getShape())
        sizes.push_back(builder.getIndexAttr(extent));
      offsets[axis] = place;
      sizes[axis] = builder.getIndexAttr(1);
      next[carried + index] =
          tensor::InsertSliceOp::create(builder, loc, next[carried + index], all, offsets, sizes, strides);
    }
    return next;
  }
};
} // namespace

namespace onnx_aot::onnx {
void populateControlflowToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerIf, LowerLoop, LowerScan, LowerRequire, LowerYield>(converter, patterns.getContext());
}
} // namespace onnx_aot::onnx
