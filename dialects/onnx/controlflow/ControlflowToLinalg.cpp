//===- ControlflowToLinalg.cpp - lowering of the operators with bodies --------------------------------------------===//
//
// Bodies move into scf operations. What branches or iterations give different extents has an open one in the result.
//
//   %y = "onnx.If"(%c) ({ onnx.Yield %a }, { onnx.Yield %b })
// becomes
//   %y = scf.if %bit -> tensor<4xf32> { scf.yield %a } else { scf.yield %b }
//
// A loop whose condition never changes becomes scf.for, any other scf.while, which carries the tensors, the iteration's
// number and the condition. Slices are collected in tensors that are carried, too.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/controlflow/Controlflow.h"
#include "dialects/onnx/support/Checks.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/support/Lowering.h"
#include "dialects/onnx/support/Sizes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace onnx_aot::onnx;

/// Marks the loop of a Scan whose body is not lowered yet with the states whose shapes are checked.
static constexpr StringLiteral kKeptStates = "onnx.kept_states";

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

/// A region's result under the type that the operation around it gives; null where they contradict each other.
Value adapt(OpBuilder &builder, Location loc, Value value, Type type) {
  auto from = dyn_cast<RankedTensorType>(value.getType()), to = dyn_cast<RankedTensorType>(type);
  if (!from || !to || failed(verifyCompatibleShape(from, to)))
    return Value();
  return fitTensor(builder, loc, value, type);
}

struct LowerIf : OnnxLowering<IfOp> {
  using OnnxLowering::OnnxLowering;
  LogicalResult matchAndRewrite(IfOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    SmallVector<Type> types;
    for (auto [index, result] : llvm::enumerate(op.getResults())) {
      if (!isa<RankedTensorType>(result.getType()))
        return op.emitError("unsupported: the branches give output ")
               << index << " different ranks, and the condition is known at run time only";
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

/// What Loop and Scan have in common: values that are carried and slices that are collected.
template <typename OpTy> struct LowerRepeated : OnnxLowering<OpTy> {
  using Base = OnnxLowering<OpTy>;
  using Base::Base;

  /// The initial values under the types of the body's inputs, which hold for all iterations.
  static FailureOr<SmallVector<Value>> startValues(OpTy op, ValueRange values, ArrayRef<BlockArgument> arguments,
                                                   ConversionPatternRewriter &rewriter) {
    SmallVector<Value> initial;
    for (auto [index, value, argument] : llvm::enumerate(values, arguments)) {
      Value adapted = isa<RankedTensorType>(argument.getType())
                          ? adapt(rewriter, op.getLoc(), value, Base::stored(argument))
                          : Value();
      if (!adapted) {
        op.emitError("unsupported: carried value ") << index << " changes its rank from iteration to iteration";
        return failure();
      }
      initial.push_back(adapted);
    }
    return initial;
  }

  /// A tensor for the slices that `value` is in all iterations, collected along `axis`.
  FailureOr<Value> collected(OpTy op, Value value, int64_t axis, OpFoldResult trips,
                             ConversionPatternRewriter &rewriter) const {
    SmallVector<OpFoldResult> sizes;
    for (Dim dim : Base::shape(value)) {
      ShapeAnalysis *analysis = static_cast<const TensorTypeConverter *>(this->getTypeConverter())->getShapes();
      if (!dim.isKnown() && !(analysis && !dim.isUnknown() && analysis->isKnownBefore(op, dim))) {
        op.emitError("unsupported: a collected value whose shape is known in the iteration only");
        return failure();
      }
      FailureOr<OpFoldResult> size = lowerSize(this->getTypeConverter(), rewriter, op, dim);
      if (failed(size))
        return failure();
      sizes.push_back(*size);
    }
    sizes.insert(sizes.begin() + axis, trips);
    return emptyTensor(rewriter, op.getLoc(), sizes, Base::stored(value).getElementType());
  }

  /// Replaces `op` by what its loop gives.
  static LogicalResult replaceByLoop(OpTy op, ValueRange values, ConversionPatternRewriter &rewriter) {
    SmallVector<Value> results;
    for (auto [result, value] : llvm::zip(op->getResults(), values)) {
      Value adapted =
          isa<RankedTensorType>(result.getType()) ? adapt(rewriter, op.getLoc(), value, Base::stored(result)) : Value();
      if (!adapted)
        return op.emitError("unsupported: the rank of a result is not known");
      results.push_back(adapted);
    }
    rewriter.replaceOp(op, results);
    return success();
  }
};

struct LowerLoop : LowerRepeated<LoopOp> {
  using LowerRepeated::LowerRepeated;

  /// A loop whose end is data and that no trip count bounds runs at most so often; then the run fails.
  static constexpr int64_t kMostTrips = std::numeric_limits<int32_t>::max();
  /// Where it collects slices, it makes room before the first of them: for about so many bytes, and so many slices
  /// where their size is not known.
  static constexpr int64_t kReservedBytes = int64_t(1) << 26, kReservedSlices = int64_t(1) << 16;
  /// A trip count up to this is taken as it is.
  static constexpr int64_t kMostReserved = int64_t(1) << 24;

  LogicalResult matchAndRewrite(LoopOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    YieldOp yield = yieldOf(op.getBody());
    ValueRange carried = adaptor.getVInitial();
    std::optional<int64_t> trips = op.getTripCount();
    bool isFor = op.keepsCondition() || trips;
    if (isFor && !op.getM() && !trips)
      return op.emitError("unsupported: a loop without an end");
    if (trips == 0)
      return replaceByInitial(op, carried, rewriter);
    Block &body = op.getBody().front();
    ValueRange scanned = yield.getValues().drop_front(carried.size() + 1);

    Value bound, limit;
    if (trips)
      bound = arith::ConstantIndexOp::create(rewriter, loc, *trips);
    else if (op.getM())
      bound = runTimeBound(op, adaptor, isFor, rewriter);
    if (!isFor && !isBounded(op, scanned)) {
      limit = arith::ConstantIndexOp::create(rewriter, loc, mostTrips(scanned));
      bound = bound ? arith::MinSIOp::create(rewriter, loc, bound, limit) : limit;
    } else if (isFor && !trips && !scanned.empty()) {
      Value most = arith::ConstantIndexOp::create(rewriter, loc, kMostTrips);
      require(rewriter, loc, arith::CmpIOp::create(rewriter, loc, arith::CmpIPredicate::sle, bound, most),
              onnx_aot::aot::Code::loop_bound);
    }
    FailureOr<SmallVector<Value>> initial =
        startValues(op, carried, llvm::to_vector(body.getArguments().drop_front(2)), rewriter);
    if (failed(initial))
      return failure();
    OpFoldResult room = trips ? OpFoldResult(rewriter.getIndexAttr(*trips)) : OpFoldResult(bound);
    for (Value value : scanned) {
      FailureOr<Value> all = collected(op, value, 0, room, rewriter);
      if (failed(all))
        return failure();
      initial->push_back(*all);
    }
    SmallVector<int64_t> zeros(scanned.size(), 0);
    rewriter.modifyOpInPlace(yield, [&] {
      yield.setSkipped(1);
      yield.setScanAxes(zeros);
      yield.setScanReversed(zeros);
    });
    return isFor ? lowerToFor(op, bound, *initial, rewriter)
                 : lowerToWhile(op, adaptor, bound, limit, *initial, rewriter);
  }

  /// Whether there is a trip count that a loop may reach.
  static bool isBounded(LoopOp op, ValueRange scanned) {
    std::optional<SmallVector<int64_t>> bound = getConstantIntegers(op.getM());
    return bound && bound->size() == 1 && bound->front() <= (scanned.empty() ? kMostTrips : kMostReserved);
  }

  /// What bounds a loop that has no such trip count.
  static int64_t mostTrips(ValueRange scanned) {
    int64_t most = scanned.empty() ? kMostTrips : kMostReserved;
    for (Value value : scanned) {
      RankedTensorType slice = stored(value);
      if (!slice.hasStaticShape()) {
        most = std::min(most, kReservedSlices);
        continue;
      }
      int64_t bytes = llvm::divideCeil(slice.getElementType().getIntOrFloatBitWidth(), 8) * slice.getNumElements();
      most = std::min(most, std::max<int64_t>(kReservedBytes / std::max<int64_t>(bytes, 1), 1024));
    }
    return most;
  }

  /// The number of iterations that M allows: not below 0, and 0 where the condition of a for loop does not hold.
  static Value runTimeBound(LoopOp op, OpAdaptor adaptor, bool isFor, ConversionPatternRewriter &rewriter) {
    Location loc = op.getLoc();
    Value zero = arith::ConstantIndexOp::create(rewriter, loc, 0);
    Value bound = arith::IndexCastOp::create(rewriter, loc, rewriter.getIndexType(),
                                             extractScalar(rewriter, loc, adaptor.getM()));
    bound = arith::MaxSIOp::create(rewriter, loc, bound, zero);
    if (!isFor || !op.getCond() || op.isAlwaysTrue())
      return bound;
    return arith::SelectOp::create(rewriter, loc, extractBool(rewriter, loc, adaptor.getCond()), bound, zero);
  }

  /// What a body sees of the loop itself.
  static SmallVector<Value> loopArguments(LoopOp op, Value number, OpBuilder &builder) {
    Block &body = op.getBody().front();
    auto conditionType = RankedTensorType::get(type(body.getArgument(1)).getShape(), builder.getI8Type());
    return {iterationTensor(builder, op.getLoc(), number, body.getArgument(0).getType()),
            // Inside, the condition holds.
            arith::ConstantOp::create(builder, op.getLoc(), DenseElementsAttr::get(conditionType, int8_t(1)))};
  }

  static LogicalResult lowerToFor(LoopOp op, Value bound, ValueRange initial, ConversionPatternRewriter &rewriter) {
    Location loc = op.getLoc();
    Value zero = arith::ConstantIndexOp::create(rewriter, loc, 0),
          one = arith::ConstantIndexOp::create(rewriter, loc, 1);
    auto loop = scf::ForOp::create(rewriter, loc, zero, bound, one, initial);
    {
      OpBuilder::InsertionGuard guard(rewriter);
      if (initial.empty())
        rewriter.eraseOp(loop.getBody()->getTerminator());
      rewriter.setInsertionPointToStart(loop.getBody());
      SmallVector<Value> arguments = loopArguments(op, loop.getInductionVar(), rewriter);
      llvm::append_range(arguments, loop.getRegionIterArgs().take_front(op.getVInitial().size()));
      inlineBody(op.getBody(), loop.getBody(), arguments, rewriter);
    }
    return replaceByLoop(op, loop.getResults(), rewriter);
  }

  /// What a loop without an iteration gives, whatever its body does to shapes.
  static LogicalResult replaceByInitial(LoopOp op, ValueRange carried, ConversionPatternRewriter &rewriter) {
    SmallVector<Value> results(carried);
    for (Value result : op.getResults().drop_front(std::min<size_t>(carried.size(), op.getNumResults()))) {
      if (!isa<RankedTensorType>(result.getType()) || !stored(result).hasStaticShape())
        return op.emitError("unsupported: a loop without an iteration that collects values of an open shape");
      results.push_back(emptyTensor(rewriter, op.getLoc(), stored(result)));
    }
    results.resize(op.getNumResults());
    return replaceByLoop(op, results, rewriter);
  }

  /// The loop has not ended because of `limit`: after `number` iterations its condition does not hold, or the trip
  /// count of the model is reached.
  static void requireEnd(LoopOp op, OpAdaptor adaptor, Value limit, Value number, Value condition, OpBuilder &builder) {
    ImplicitLocOpBuilder b(op.getLoc(), builder);
    Value isWithin = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, number, limit);
    Value hasEnded = arith::XOrIOp::create(b, condition, arith::ConstantIntOp::create(b, 1, 1));
    Value isGood = arith::OrIOp::create(b, isWithin, hasEnded);
    if (op.getM()) {
      Value trips = arith::IndexCastOp::create(b, b.getIndexType(), extractScalar(b, b.getLoc(), adaptor.getM()));
      isGood = arith::OrIOp::create(b, isGood, arith::CmpIOp::create(b, arith::CmpIPredicate::sle, trips, number));
    }
    require(b, b.getLoc(), isGood, onnx_aot::aot::Code::loop_bound);
  }

  /// `limit` is the part of `bound` that is not the model's.
  static LogicalResult lowerToWhile(LoopOp op, OpAdaptor adaptor, Value bound, Value limit, SmallVector<Value> initial,
                                    ConversionPatternRewriter &rewriter) {
    Location loc = op.getLoc();
    size_t values = initial.size(), carried = op.getVInitial().size();
    Value condition = op.getCond() ? extractBool(rewriter, loc, adaptor.getCond())
                                   : Value(arith::ConstantIntOp::create(rewriter, loc, 1, 1));
    initial.push_back(arith::ConstantIndexOp::create(rewriter, loc, 0));
    initial.push_back(condition);
    auto types = llvm::to_vector(ValueRange(initial).getTypes());
    SmallVector<Location> locations(types.size(), loc);
    auto loop = scf::WhileOp::create(rewriter, loc, types, initial);
    {
      OpBuilder::InsertionGuard guard(rewriter);
      Block *before = rewriter.createBlock(&loop.getBefore(), {}, types, locations);
      Value again = before->getArgument(values + 1);
      if (bound) {
        Value isLeft =
            arith::CmpIOp::create(rewriter, loc, arith::CmpIPredicate::slt, before->getArgument(values), bound);
        again = arith::AndIOp::create(rewriter, loc, again, isLeft);
      }
      scf::ConditionOp::create(rewriter, loc, again, before->getArguments());
      Block *after = rewriter.createBlock(&loop.getAfter(), {}, types, locations);
      SmallVector<Value> arguments = loopArguments(op, after->getArgument(values), rewriter);
      llvm::append_range(arguments, after->getArguments().take_front(carried));
      inlineBody(op.getBody(), after, arguments, rewriter);
    }
    if (limit)
      requireEnd(op, adaptor, limit, loop.getResult(values), loop.getResult(values + 1), rewriter);
    // There is room for more slices than there may be.
    SmallVector<Value> results(loop.getResults().take_front(values));
    for (Value &all : MutableArrayRef<Value>(results).drop_front(carried)) {
      SmallVector<OpFoldResult> sizes = sizesOf(rewriter, loc, all);
      sizes.front() = loop.getResult(values);
      SmallVector<OpFoldResult> offsets(sizes.size(), rewriter.getIndexAttr(0)),
          strides(sizes.size(), rewriter.getIndexAttr(1));
      all = tensor::ExtractSliceOp::create(rewriter, loc, all, offsets, sizes, strides);
    }
    return replaceByLoop(op, results, rewriter);
  }
};

struct LowerScan : LowerRepeated<ScanOp> {
  using LowerRepeated::LowerRepeated;
  LogicalResult matchAndRewrite(ScanOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    unsigned states = op.getNumStates();
    YieldOp yield = yieldOf(op.getBody());
    Block &body = op.getBody().front();
    ValueRange inputs = adaptor.getInitialStateAndScanInputs();
    RankedTensorType first = type(op.getInitialStateAndScanInputs()[states]);
    OpFoldResult trips = sizeOf(rewriter, loc, inputs[states], *op.getInputAxis(0, first.getRank()));
    FailureOr<SmallVector<Value>> initial =
        startValues(op, inputs.take_front(states), llvm::to_vector(body.getArguments().take_front(states)), rewriter);
    if (failed(initial))
      return failure();
    SmallVector<int64_t> axes, reversed;
    for (auto [index, value] : llvm::enumerate(yield.getValues().drop_front(states))) {
      axes.push_back(*op.getOutputAxis(index, type(value).getRank() + 1));
      reversed.push_back(op.isOutputReversed(index));
      FailureOr<Value> all = collected(op, value, axes.back(), trips, rewriter);
      if (failed(all))
        return failure();
      initial->push_back(*all);
    }
    SmallVector<int64_t> kept = uncertainStates(op);
    rewriter.modifyOpInPlace(yield, [&] {
      yield.setScanAxes(axes);
      yield.setScanReversed(reversed);
    });
    Value zero = arith::ConstantIndexOp::create(rewriter, loc, 0);
    Value one = arith::ConstantIndexOp::create(rewriter, loc, 1);
    Value bound = asIndex(rewriter, loc, trips);
    auto loop = scf::ForOp::create(rewriter, loc, zero, bound, one, *initial);
    if (!kept.empty())
      loop->setAttr(kKeptStates, rewriter.getDenseI64ArrayAttr(kept));
    {
      OpBuilder::InsertionGuard guard(rewriter);
      if (initial->empty())
        rewriter.eraseOp(loop.getBody()->getTerminator());
      rewriter.setInsertionPointToStart(loop.getBody());
      SmallVector<Value> arguments(loop.getRegionIterArgs().take_front(states));
      for (auto [index, input] : llvm::enumerate(inputs.drop_front(states)))
        arguments.push_back(sliceOf(op, index, input, body.getArgument(states + index), loop, rewriter));
      inlineBody(op.getBody(), loop.getBody(), arguments, rewriter);
    }
    return replaceByLoop(op, loop.getResults(), rewriter);
  }

  /// The states of which only the run tells that an iteration keeps their shapes.
  SmallVector<int64_t> uncertainStates(ScanOp op) const {
    SmallVector<int64_t> states;
    for (auto [index, argument] : llvm::enumerate(op.getBody().getArguments().take_front(op.getNumStates()))) {
      Value next = yieldOf(op.getBody()).getValues()[index];
      Shape before = shape(op.getInitialStateAndScanInputs()[index]), inside = shape(argument), after = shape(next);
      // The graph stage has seen that an extent changes where the body's input leaves it open.
      bool isKept = llvm::all_of_zip(before, inside, [](Dim a, Dim b) { return a.equals(b); });
      if (isKept && !llvm::all_of_zip(before, after, [](Dim a, Dim b) { return a.equals(b); }))
        states.push_back(index);
    }
    return states;
  }

  /// What scan input `index` is in the present iteration.
  static Value sliceOf(ScanOp op, unsigned index, Value input, BlockArgument argument, scf::ForOp loop,
                       OpBuilder &builder) {
    Location loc = op.getLoc();
    auto whole = cast<RankedTensorType>(input.getType());
    int64_t axis = *op.getInputAxis(index, whole.getRank());
    Value place = loop.getInductionVar();
    if (op.isInputReversed(index)) {
      Value one = arith::ConstantIndexOp::create(builder, loc, 1);
      Value last = arith::SubIOp::create(builder, loc, loop.getUpperBound(), one);
      place = arith::SubIOp::create(builder, loc, last, place);
    }
    SmallVector<OpFoldResult> offsets(whole.getRank(), builder.getIndexAttr(0)),
        strides(whole.getRank(), builder.getIndexAttr(1)), sizes = sizesOf(builder, loc, input);
    offsets[axis] = place;
    sizes[axis] = builder.getIndexAttr(1);
    SmallVector<int64_t> shape(whole.getShape());
    shape.erase(shape.begin() + axis);
    Value slice = tensor::ExtractSliceOp::create(builder, loc, RankedTensorType::get(shape, whole.getElementType()),
                                                 input, offsets, sizes, strides);
    return fitTensor(builder, loc, slice, stored(argument));
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
    Operation *parent = op->getParentOp();
    ValueRange values = adaptor.getValues();
    if (auto branches = dyn_cast<scf::IfOp>(parent))
      return yield(op, llvm::to_vector(values.take_front(branches.getNumResults())), branches.getResultTypes(),
                   rewriter);
    SmallVector<Value> next(values.drop_front(op.getSkipped().value_or(0)));
    if (auto loop = dyn_cast<scf::ForOp>(parent)) {
      requireKept(loop, op.getLoc(), next, rewriter);
      collect(op, next, loop.getRegionIterArgs(), loop.getInductionVar(), rewriter);
      return yield(op, next, loop.getResultTypes(), rewriter);
    }
    auto loop = dyn_cast<scf::WhileOp>(parent);
    if (!loop)
      return rewriter.notifyMatchFailure(op, "the operator around it is not lowered");
    // Carried tensors, the number of the next iteration, whether it takes place.
    Value number = op->getBlock()->getArgument(next.size());
    collect(op, next, op->getBlock()->getArguments(), number, rewriter);
    Value one = arith::ConstantIndexOp::create(rewriter, op.getLoc(), 1);
    next.push_back(arith::AddIOp::create(rewriter, op.getLoc(), number, one));
    next.push_back(extractBool(rewriter, op.getLoc(), values.front()));
    return yield(op, next, loop.getResultTypes(), rewriter);
  }

  /// States that have to keep their shapes do so.
  static void requireKept(scf::ForOp loop, Location loc, ValueRange next, ConversionPatternRewriter &rewriter) {
    auto kept = loop->getAttrOfType<DenseI64ArrayAttr>(kKeptStates);
    if (!kept)
      return;
    for (int64_t state : kept.asArrayRef())
      for (auto [size, before] :
           llvm::zip(sizesOf(rewriter, loc, next[state]), sizesOf(rewriter, loc, loop.getRegionIterArgs()[state])))
        requireEqual(rewriter, loc, size, before, onnx_aot::aot::Code::shape_mismatch);
    rewriter.modifyOpInPlace(loop, [&] { loop->removeAttr(kKeptStates); });
  }

  static LogicalResult yield(YieldOp op, SmallVector<Value> values, TypeRange types,
                             ConversionPatternRewriter &rewriter) {
    for (auto [value, type] : llvm::zip(values, types)) {
      if (value.getType() == type)
        continue;
      value = adapt(rewriter, op.getLoc(), value, type);
      if (!value)
        return op.emitError("unsupported: a value that bodies or iterations give different ranks");
    }
    rewriter.replaceOpWithNewOp<scf::YieldOp>(op, values);
    return success();
  }

  /// Puts collected values at the place of iteration `number` in what `carried` holds of them.
  static void collect(YieldOp op, MutableArrayRef<Value> next, ValueRange carried, Value number, OpBuilder &builder) {
    Location loc = op.getLoc();
    ArrayRef<int64_t> axes = op.getScanAxes().value_or(ArrayRef<int64_t>());
    size_t first = next.size() - axes.size();
    for (auto [index, axis] : llvm::enumerate(axes)) {
      Value all = carried[first + index];
      SmallVector<OpFoldResult> sizes = sizesOf(builder, loc, all);
      SmallVector<OpFoldResult> offsets(sizes.size(), builder.getIndexAttr(0)),
          strides(sizes.size(), builder.getIndexAttr(1));
      offsets[axis] = number;
      if ((*op.getScanReversed())[index]) {
        Value one = arith::ConstantIndexOp::create(builder, loc, 1);
        Value last = arith::SubIOp::create(builder, loc, asIndex(builder, loc, sizes[axis]), one);
        offsets[axis] = arith::SubIOp::create(builder, loc, last, number).getResult();
      }
      sizes[axis] = builder.getIndexAttr(1);
      next[first + index] =
          tensor::InsertSliceOp::create(builder, loc, next[first + index], all, offsets, sizes, strides);
    }
  }
};
} // namespace

namespace onnx_aot::onnx {
void populateControlflowToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<LowerIf, LowerLoop, LowerScan, LowerRequire, LowerYield>(converter, patterns.getContext());
}
} // namespace onnx_aot::onnx
