//===- RecurrentToLinalg.cpp - recurrent operators as loops over time ---------------------------------------------===//
//
// What does not depend on the state, the product of all time steps with W, is one kernel before the loop. The loop
// carries the states and the sequence of results as tensors that are updated in place:
//
//   %z = aot.kernel "matmul" ins(%x, %w, %b)                             all steps: step x batch x gates*hidden
//   scf.for %i iter_args(%h, %c, %y) {
//     %p = aot.kernel "matmul" ins(%h, %r)                               batch x gates*hidden
//     %c' = linalg.generic ins(%z[t], %p, %c) outs(%c)                   gates are slices of rows
//     %h' = linalg.generic ins(%z[t], %p, %c') outs(%h)
//     %y' = tensor.insert_slice %h' into %y[t]
//
// The reverse direction runs t from the last step to the first. Where sequences have lengths, a state changes only at
// the steps before its sequence's end, in either direction, and results behind the end are zero.
//
//===--------------------------------------------------------------------------------------------------------------===//
#include "dialects/onnx/recurrent/Recurrent.h"
#include "dialects/onnx/recurrent/RecurrentActivations.h"
#include "dialects/onnx/support/Constants.h"
#include "dialects/onnx/support/Extents.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace onnx_aot::onnx;

namespace {
/// An operand of the elementwise part: a state of batch x hidden, gate `gate` of a tensor of batch x gates*hidden, a
/// parameter of hidden elements for all batches, or a mask with one element per batch.
struct Term {
  Value tensor;
  int64_t gate = kWhole;
  static constexpr int64_t kWhole = -1;
};

/// One direction of a recurrent operation.
struct Direction {
  int64_t index, count, gates;
  OpFoldResult batch, hidden, steps;
  bool batchFirst, reverse;
  Type element, compute; // of tensors, and of products and scalars
  ArrayRef<CellActivation> activations;

  //===-- Reading parameters ------------------------------------------------------------------------------------===//

  /// `count` times `hidden`.
  OpFoldResult times(ImplicitLocOpBuilder &b, int64_t count) const {
    return multiplySizes(b, b.getLoc(), hidden, b.getIndexAttr(count));
  }

  /// `parts` blocks of `hidden` rows from block `first` on of this direction's part of a parameter: D x n x k as
  /// rows x k, D x n as rows.
  Value parameter(ImplicitLocOpBuilder &b, Value onnxValue, Value value, int64_t first, int64_t parts) const {
    auto type = cast<RankedTensorType>(value.getType());
    SmallVector<char> storage;
    ArrayRef<char> bytes;
    // A constant of its own can be packed for the kernel that reads it.
    std::optional<int64_t> block = constantSize(hidden);
    if (ElementsAttr constant = getConstant(onnxValue); constant && block && getRawBytes(constant, storage, bytes)) {
      SmallVector<int64_t> shape(type.getShape().drop_front());
      int64_t own = shape[0], row = ShapedType::getNumElements(ArrayRef(shape).drop_front());
      shape[0] = parts * *block;
      auto resultType = RankedTensorType::get(shape, element);
      int64_t size = row * bytesPerElement(element);
      ArrayRef<char> rows = bytes.slice((index * own + first * *block) * size, shape[0] * size);
      return arith::ConstantOp::create(b, resultType, makeConstant(resultType, rows, "recurrent"));
    }
    SmallVector<OpFoldResult> offsets(type.getRank(), b.getIndexAttr(0)), sizes = sizesOf(b, b.getLoc(), value),
                                                                          strides(type.getRank(), b.getIndexAttr(1));
    offsets[0] = b.getIndexAttr(index);
    offsets[1] = times(b, first);
    sizes[0] = b.getIndexAttr(1);
    sizes[1] = times(b, parts);
    auto resultType = RankedTensorType::get(staticShape(ArrayRef(sizes).drop_front()), element);
    return tensor::ExtractSliceOp::create(b, resultType, value, offsets, sizes, strides);
  }

  /// This direction's initial state, zeros where there is none.
  Value initialState(ImplicitLocOpBuilder &b, Value value) const {
    if (!value)
      return filledTensor(b, b.getLoc(), {batch, hidden},
                          arith::ConstantOp::create(b, cast<TypedAttr>(b.getZeroAttr(element))));
    auto type = RankedTensorType::get(staticShape({batch, hidden}), element);
    SmallVector<OpFoldResult> offsets(3, b.getIndexAttr(0)), strides(3, b.getIndexAttr(1));
    offsets[batchFirst ? 1 : 0] = b.getIndexAttr(index);
    return tensor::ExtractSliceOp::create(b, type, value, offsets, stateSizes(b), strides);
  }

  SmallVector<OpFoldResult> stateSizes(OpBuilder &b) const {
    SmallVector<OpFoldResult> sizes = {b.getIndexAttr(1), batch, hidden};
    if (batchFirst)
      std::swap(sizes[0], sizes[1]);
    return sizes;
  }

  //===-- Products ----------------------------------------------------------------------------------------------===//

  /// left * right' + biases, over (outer..., columns, k); `leftMap` reads left at (outer..., k).
  Value product(ImplicitLocOpBuilder &b, Value left, AffineMap leftMap, Value right, ArrayRef<Value> biases,
                ArrayRef<OpFoldResult> sizes) const {
    MLIRContext *context = b.getContext();
    unsigned loops = sizes.size() + 1;
    AffineExpr column = getAffineDimExpr(loops - 2, context), k = getAffineDimExpr(loops - 1, context);
    KernelSpec spec;
    spec.kind = "matmul";
    spec.inputs = {left, right};
    spec.maps = {leftMap, AffineMap::get(loops, 0, {column, k}, context)};
    for (Value bias : biases) {
      spec.inputs.push_back(bias);
      spec.maps.push_back(AffineMap::get(loops, 0, column));
    }
    spec.maps.push_back(AffineMap::getMultiDimIdentityMap(loops, context).getMajorSubMap(loops - 1));
    spec.isReduction.assign(loops, false);
    spec.isReduction.back() = true;
    spec.identity = cast<TypedAttr>(b.getZeroAttr(compute));
    spec.resultType = RankedTensorType::get(staticShape(sizes), compute);
    spec.resultSizes.assign(sizes.begin(), sizes.end());
    Type type = element;
    spec.compute = [type](ImplicitLocOpBuilder &inner, ValueRange x, Value accumulator) -> Value {
      Location loc = inner.getLoc();
      return math::FmaOp::create(inner, toCompute(inner, loc, x[0], type), toCompute(inner, loc, x[1], type),
                                 accumulator);
    };
    spec.epilogue = [type](ImplicitLocOpBuilder &inner, ValueRange x, Value accumulator) {
      for (Value bias : x.drop_front(2))
        accumulator = arith::AddFOp::create(inner, accumulator, toCompute(inner, inner.getLoc(), bias, type));
      return accumulator;
    };
    return buildKernel(b, b.getLoc(), spec);
  }

  /// X W' + biases for all steps: steps x batch x gates*hidden.
  Value inputProduct(ImplicitLocOpBuilder &b, Value x, Value w, ArrayRef<Value> biases) const {
    AffineExpr t, n, column, k;
    bindDims(b.getContext(), t, n, column, k);
    AffineMap map =
        batchFirst ? AffineMap::get(4, 0, {n, t, k}, b.getContext()) : AffineMap::get(4, 0, {t, n, k}, b.getContext());
    return product(b, x, map, w, biases, {steps, batch, times(b, gates)});
  }

  /// state R' + biases for some gates: batch x columns.
  Value stateProduct(ImplicitLocOpBuilder &b, Value state, Value r, ArrayRef<Value> biases) const {
    AffineExpr n, column, k;
    bindDims(b.getContext(), n, column, k);
    OpFoldResult columns = sizeOf(b, b.getLoc(), r, 0);
    return product(b, state, AffineMap::get(3, 0, {n, k}, b.getContext()), r, biases, {batch, columns});
  }

  //===-- Elementwise parts -------------------------------------------------------------------------------------===//

  static Term gate(Value tensor, int64_t gate) { return {tensor, gate}; }

  /// The part of `term` that is read, and how it is read at (batch, hidden).
  std::pair<Value, AffineMap> read(ImplicitLocOpBuilder &b, const Term &term) const {
    auto type = cast<RankedTensorType>(term.tensor.getType());
    if (type.getRank() == 1)
      return {term.tensor, AffineMap::get(2, 0, b.getAffineDimExpr(type.getElementType().isInteger(8) ? 0 : 1))};
    AffineMap identity = b.getMultiDimIdentityMap(2);
    if (term.gate == Term::kWhole)
      return {term.tensor, identity};
    SmallVector<OpFoldResult> offsets = {b.getIndexAttr(0), times(b, term.gate)};
    SmallVector<OpFoldResult> sizes = {batch, hidden}, strides(2, b.getIndexAttr(1));
    return {tensor::ExtractSliceOp::create(b, term.tensor, offsets, sizes, strides), identity};
  }

  /// A generic over batch x hidden that overwrites `destination`. The body works on compute types (a mask is true or
  /// false) in the order of `terms`.
  Value elementwise(ImplicitLocOpBuilder &b, ArrayRef<Term> terms, Value destination,
                    function_ref<Value(ImplicitLocOpBuilder &, ArrayRef<Value>)> body) const {
    SmallVector<Value> inputs;
    SmallVector<AffineMap> maps;
    for (const Term &term : terms) {
      auto [tensor, map] = read(b, term);
      inputs.push_back(tensor);
      maps.push_back(map);
    }
    maps.push_back(b.getMultiDimIdentityMap(2));
    SmallVector<utils::IteratorType> iterators(2, utils::IteratorType::parallel);
    return linalg::GenericOp::create(b, destination.getType(), inputs, destination, maps, iterators,
                                     [&](OpBuilder &nested, Location loc, ValueRange elements) {
                                       ImplicitLocOpBuilder inner(loc, nested);
                                       SmallVector<Value> x;
                                       for (Value value : elements.drop_back()) {
                                         bool isMask = value.getType().isInteger(8);
                                         Type type = isMask ? Type(inner.getI1Type()) : value.getType();
                                         x.push_back(toCompute(inner, loc, value, type));
                                       }
                                       Value result = toStorage(inner, loc, body(inner, x), element);
                                       linalg::YieldOp::create(inner, result);
                                     })
        .getResult(0);
  }

  Value emptyState(ImplicitLocOpBuilder &b) const { return emptyTensor(b, b.getLoc(), {batch, hidden}, element); }
};

/// The computation of one step: the next states from the input's product (batch x gates*hidden) and the states, each
/// written over `destinations`.
using Step = std::function<SmallVector<Value>(ImplicitLocOpBuilder &, Value, ValueRange, ValueRange)>;

Value add(ImplicitLocOpBuilder &b, Value left, Value right) { return arith::AddFOp::create(b, left, right); }
Value mul(ImplicitLocOpBuilder &b, Value left, Value right) { return arith::MulFOp::create(b, left, right); }
Value oneMinus(ImplicitLocOpBuilder &b, Value x) {
  return arith::SubFOp::create(b, scalarConstant(b, b.getLoc(), x.getType(), 1), x);
}

/// What a lowering knows about one of the operators: how many gates and which activations, and its step.
template <typename OpTy> struct LowerRecurrent : OnnxLowering<OpTy> {
  using OnnxLowering<OpTy>::OnnxLowering;
  using OnnxLowering<OpTy>::type;
  using Adaptor = typename OpTy::Adaptor;

  static constexpr bool isLSTM = std::is_same_v<OpTy, LSTMOp>, isGRU = std::is_same_v<OpTy, GRUOp>;
  static constexpr int64_t kGates = isLSTM ? 4 : isGRU ? 3 : 1;

  static SmallVector<ActivationKind> defaults() {
    if (isLSTM)
      return {ActivationKind::Sigmoid, ActivationKind::Tanh, ActivationKind::Tanh};
    if (isGRU)
      return {ActivationKind::Sigmoid, ActivationKind::Tanh};
    return {ActivationKind::Tanh};
  }

  LogicalResult matchAndRewrite(OpTy op, Adaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Direction d;
    d.count = op.getDirection() == "bidirectional" ? 2 : 1;
    d.gates = kGates;
    d.batchFirst = op.getLayout() == 1;
    d.element = type(op.getX()).getElementType();
    d.compute = computeType(d.element);
    readExtents(b, op, adaptor, d);
    SmallVector<ActivationKind> kinds = defaults();
    FailureOr<SmallVector<CellActivation>> activations = readActivations(op, kinds, d.count);
    if (failed(activations))
      return failure();

    Value mask = makeMask(b, op, adaptor, d);
    Value sequence;
    if (op.getY()) {
      SmallVector<OpFoldResult> sizes = {d.steps, b.getIndexAttr(d.count), d.batch, d.hidden};
      if (d.batchFirst)
        sizes = {d.batch, d.steps, b.getIndexAttr(d.count), d.hidden};
      sequence = emptyTensor(b, b.getLoc(), sizes, d.element);
    }
    SmallVector<SmallVector<Value>> last(isLSTM ? 2 : 1); // per state and direction
    for (d.index = 0; d.index < d.count; ++d.index) {
      d.reverse = d.index == 1 || op.getDirection() == "reverse";
      d.activations = ArrayRef(*activations).slice(d.index * kinds.size(), kinds.size());
      SmallVector<Value> states = {d.initialState(b, adaptor.getInitialH())};
      if constexpr (isLSTM)
        states.push_back(d.initialState(b, adaptor.getInitialC()));
      SmallVector<Value> results = runDirection(b, op, adaptor, d, states, mask, sequence);
      for (auto [list, state] : llvm::zip(last, results))
        list.push_back(state);
      sequence = results.size() > last.size() ? results.back() : Value();
    }
    SmallVector<Value> replacements;
    if (op.getY())
      replacements.push_back(sequence);
    if (op.getYH())
      replacements.push_back(joinStates(b, d, last[0]));
    if constexpr (isLSTM)
      if (op.getYC())
        replacements.push_back(joinStates(b, d, last[1]));
    for (auto [replacement, result] : llvm::zip(replacements, op->getResults()))
      replacement = castTensor(b, b.getLoc(), replacement, OnnxLowering<OpTy>::stored(result));
    rewriter.replaceOp(op, replacements);
    return success();
  }

  /// Fills in the extents of `d`; what the analysis does not know of the operands' agreement is checked by the run.
  void readExtents(ImplicitLocOpBuilder &b, OpTy op, Adaptor adaptor, Direction &d) const {
    Location loc = b.getLoc();
    Shape x = this->shape(op.getX()), r = this->shape(op.getR());
    if (d.batchFirst)
      std::swap(x[0], x[1]);
    d.steps = sizeOf(b, loc, adaptor.getX(), d.batchFirst ? 1 : 0);
    d.batch = sizeOf(b, loc, adaptor.getX(), d.batchFirst ? 0 : 1);
    Dim hidden = r[2];
    d.hidden = sizeOf(b, loc, adaptor.getR(), 2);
    if (op.getHiddenSize()) {
      hidden = int64_t(*op.getHiddenSize());
      d.hidden = b.getIndexAttr(hidden.get());
    }
    OpFoldResult input = sizeOf(b, loc, adaptor.getX(), 2), count = b.getIndexAttr(d.count);
    auto check = [&](Value value, Value lowered, bool followsLayout, SmallVector<Dim> dims,
                     SmallVector<OpFoldResult> sizes) {
      if (!value)
        return;
      if (followsLayout && d.batchFirst) {
        std::swap(dims[0], dims[1]);
        std::swap(sizes[0], sizes[1]);
      }
      requireExtents(b, loc, lowered, this->shape(value), dims, sizes);
    };
    Dim many = d.count, gates = hidden * kGates;
    OpFoldResult columns = d.times(b, kGates);
    check(op.getR(), adaptor.getR(), false, {many, gates, hidden}, {count, columns, d.hidden});
    check(op.getW(), adaptor.getW(), false, {many, gates, x[2]}, {count, columns, input});
    check(op.getB(), adaptor.getB(), false, {many, gates * 2}, {count, d.times(b, 2 * kGates)});
    check(op.getSequenceLens(), adaptor.getSequenceLens(), false, {x[1]}, {d.batch});
    check(op.getInitialH(), adaptor.getInitialH(), true, {many, x[1], hidden}, {count, d.batch, d.hidden});
    if constexpr (isLSTM) {
      check(op.getInitialC(), adaptor.getInitialC(), true, {many, x[1], hidden}, {count, d.batch, d.hidden});
      check(op.getP(), adaptor.getP(), false, {many, hidden * 3}, {count, d.times(b, 3)});
    }
  }

  /// steps x batch of bools: whether the step lies before the sequence's end. Null where all sequences have all steps.
  static Value makeMask(ImplicitLocOpBuilder &b, OpTy op, Adaptor adaptor, const Direction &d) {
    if (!op.getSequenceLens())
      return Value();
    std::optional<SmallVector<int64_t>> lengths = getConstantIntegers(op.getSequenceLens());
    std::optional<int64_t> steps = constantSize(d.steps);
    if (lengths && steps && llvm::all_of(*lengths, [&](int64_t length) { return length >= *steps; }))
      return Value();
    Value empty = emptyTensor(b, b.getLoc(), {d.steps, d.batch}, storageType(b.getI1Type()));
    SmallVector<AffineMap> maps = {AffineMap::get(2, 0, b.getAffineDimExpr(1)), b.getMultiDimIdentityMap(2)};
    SmallVector<utils::IteratorType> iterators(2, utils::IteratorType::parallel);
    return linalg::GenericOp::create(b, empty.getType(), adaptor.getSequenceLens(), empty, maps, iterators,
                                     [](OpBuilder &nested, Location loc, ValueRange elements) {
                                       ImplicitLocOpBuilder s(loc, nested);
                                       Value step =
                                           arith::IndexCastOp::create(s, s.getI32Type(), linalg::IndexOp::create(s, 0));
                                       Value runs =
                                           arith::CmpIOp::create(s, arith::CmpIPredicate::slt, step, elements[0]);
                                       linalg::YieldOp::create(s, toStorage(s, loc, runs, s.getI1Type()));
                                     })
        .getResult(0);
  }

  /// The states after the last step, then the sequence where there is one.
  static SmallVector<Value> runDirection(ImplicitLocOpBuilder &b, OpTy op, Adaptor adaptor, const Direction &d,
                                         ArrayRef<Value> states, Value mask, Value sequence) {
    OpFoldResult columns = d.times(b, d.gates);
    Value w = d.parameter(b, op.getW(), adaptor.getW(), 0, d.gates);
    SmallVector<Value> biases, stateBiases;
    if (op.getB()) {
      biases.push_back(d.parameter(b, op.getB(), adaptor.getB(), 0, d.gates));
      (addsStateBias(op) ? stateBiases : biases).push_back(d.parameter(b, op.getB(), adaptor.getB(), d.gates, d.gates));
    }
    Value z = d.inputProduct(b, adaptor.getX(), w, biases);
    Step step = makeStep(b, op, adaptor, d, stateBiases);

    auto index = [&](int64_t value) -> Value { return arith::ConstantIndexOp::create(b, value); };
    SmallVector<Value> carried(states);
    if (sequence)
      carried.push_back(sequence);
    Value first = index(0), end = asIndex(b, b.getLoc(), d.steps), one = index(1);
    Value lastStep = asIndex(b, b.getLoc(), subtractSizes(b, b.getLoc(), d.steps, b.getIndexAttr(1)));
    auto loop = scf::ForOp::create(
        b, first, end, one, carried, [&](OpBuilder &nested, Location loc, Value iteration, ValueRange values) {
          ImplicitLocOpBuilder inner(loc, nested);
          Value t = d.reverse ? Value(arith::SubIOp::create(inner, lastStep, iteration)) : iteration;
          Value now = sliceStep(inner, z, t, {d.batch, columns});
          ValueRange before = values.take_front(states.size());
          SmallVector<Value> destinations(before);
          if (mask)
            for (Value &destination : destinations)
              destination = d.emptyState(inner);
          SmallVector<Value> after = step(inner, now, before, destinations);
          Value shown = after[0];
          if (mask) {
            Value active = sliceStep(inner, mask, t, {d.batch});
            shown = applyMask(inner, d, active, after, before);
          }
          if (sequence)
            after.push_back(insertStep(inner, d, shown, values.back(), t));
          scf::YieldOp::create(inner, after);
        });
    return SmallVector<Value>(loop.getResults());
  }

  /// Keeps the states of sequences that have ended; returns what the sequence of results shows.
  static Value applyMask(ImplicitLocOpBuilder &b, const Direction &d, Value active, MutableArrayRef<Value> after,
                         ValueRange before) {
    Term mask = {active};
    Value shown = d.elementwise(b, {mask, {after[0]}}, d.emptyState(b),
                                [&](ImplicitLocOpBuilder &inner, ArrayRef<Value> x) -> Value {
                                  Value zero = scalarConstant(inner, inner.getLoc(), x[1].getType(), 0);
                                  return arith::SelectOp::create(inner, x[0], x[1], zero);
                                });
    for (auto [state, old] : llvm::zip(after, before))
      state =
          d.elementwise(b, {mask, {state}, {old}}, old, [](ImplicitLocOpBuilder &inner, ArrayRef<Value> x) -> Value {
            return arith::SelectOp::create(inner, x[0], x[1], x[2]);
          });
    return shown;
  }

  static Value sliceStep(ImplicitLocOpBuilder &b, Value tensor, Value t, ArrayRef<OpFoldResult> shape) {
    auto type = RankedTensorType::get(staticShape(shape), cast<RankedTensorType>(tensor.getType()).getElementType());
    SmallVector<OpFoldResult> offsets(shape.size() + 1, b.getIndexAttr(0)), sizes = {b.getIndexAttr(1)};
    SmallVector<OpFoldResult> strides(shape.size() + 1, b.getIndexAttr(1));
    offsets[0] = t;
    llvm::append_range(sizes, shape);
    return tensor::ExtractSliceOp::create(b, type, tensor, offsets, sizes, strides);
  }

  static Value insertStep(ImplicitLocOpBuilder &b, const Direction &d, Value state, Value sequence, Value t) {
    OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1), direction = b.getIndexAttr(d.index);
    OpFoldResult batch = d.batch, hidden = d.hidden, step = t;
    SmallVector<OpFoldResult> strides(4, one);
    if (d.batchFirst)
      return tensor::InsertSliceOp::create(b, state, sequence, {zero, step, direction, zero}, {batch, one, one, hidden},
                                           strides);
    return tensor::InsertSliceOp::create(b, state, sequence, {step, direction, zero, zero}, {one, one, batch, hidden},
                                         strides);
  }

  static Value joinStates(ImplicitLocOpBuilder &b, const Direction &d, ArrayRef<Value> states) {
    SmallVector<OpFoldResult> sizes = {b.getIndexAttr(states.size()), d.batch, d.hidden};
    if (d.batchFirst)
      std::swap(sizes[0], sizes[1]);
    if (states.size() == 1)
      return buildReshape(b, b.getLoc(), states[0], sizes);
    Value result = emptyTensor(b, b.getLoc(), sizes, d.element);
    for (auto [index, state] : llvm::enumerate(states)) {
      SmallVector<OpFoldResult> offsets(3, b.getIndexAttr(0)), strides(3, b.getIndexAttr(1));
      offsets[d.batchFirst ? 1 : 0] = b.getIndexAttr(index);
      result = tensor::InsertSliceOp::create(b, state, result, offsets, d.stateSizes(b), strides);
    }
    return result;
  }

  //===-- The cells ---------------------------------------------------------------------------------------------===//

  /// Whether R's biases belong to the product of the state: the reset gate scales them.
  static bool addsStateBias(OpTy op) {
    if constexpr (isGRU)
      return op.getLinearBeforeReset() != 0;
    return false;
  }

  static Step makeStep(ImplicitLocOpBuilder &b, OpTy op, Adaptor adaptor, const Direction &d,
                       SmallVector<Value> biases) {
    if constexpr (isLSTM)
      return makeLSTMStep(b, op, adaptor, d);
    else if constexpr (isGRU)
      return makeGRUStep(b, op, adaptor, d, biases);
    else
      return makeRNNStep(b, op, adaptor, d);
  }

  static Step makeRNNStep(ImplicitLocOpBuilder &b, OpTy op, Adaptor adaptor, const Direction &d) {
    Value r = d.parameter(b, op.getR(), adaptor.getR(), 0, 1);
    return [&d, r](ImplicitLocOpBuilder &b, Value z, ValueRange states, ValueRange destinations) {
      Value p = d.stateProduct(b, states[0], r, {});
      return SmallVector<Value>{
          d.elementwise(b, {{z}, {p}}, destinations[0], [&](ImplicitLocOpBuilder &inner, ArrayRef<Value> x) {
            return d.activations[0].emit(inner, add(inner, x[0], x[1]));
          })};
    };
  }

  /// Gates z, r, h. r scales the state before its product with R, or after it (linear_before_reset).
  static Step makeGRUStep(ImplicitLocOpBuilder &b, OpTy op, Adaptor adaptor, const Direction &d,
                          SmallVector<Value> biases) {
    bool after = addsStateBias(op);
    Value r = d.parameter(b, op.getR(), adaptor.getR(), 0, after ? d.gates : 2);
    Value candidate = after ? Value() : d.parameter(b, op.getR(), adaptor.getR(), 2, 1);
    return [&d, r, candidate, biases](ImplicitLocOpBuilder &b, Value z, ValueRange states, ValueRange destinations) {
      const CellActivation &f = d.activations[0], &g = d.activations[1];
      Value h = states[0], p = d.stateProduct(b, h, r, biases);
      auto mix = [&](ImplicitLocOpBuilder &inner, Value update, Value next, Value old) {
        return add(inner, mul(inner, oneMinus(inner, update), next), mul(inner, update, old));
      };
      if (!candidate)
        return SmallVector<Value>{d.elementwise(
            b, {d.gate(z, 0), d.gate(p, 0), d.gate(z, 1), d.gate(p, 1), d.gate(z, 2), d.gate(p, 2), {h}},
            destinations[0], [&](ImplicitLocOpBuilder &inner, ArrayRef<Value> x) {
              Value update = f.emit(inner, add(inner, x[0], x[1])), reset = f.emit(inner, add(inner, x[2], x[3]));
              return mix(inner, update, g.emit(inner, add(inner, x[4], mul(inner, reset, x[5]))), x[6]);
            })};
      Value scaled = d.elementwise(b, {d.gate(z, 1), d.gate(p, 1), {h}}, d.emptyState(b),
                                   [&](ImplicitLocOpBuilder &inner, ArrayRef<Value> x) {
                                     return mul(inner, f.emit(inner, add(inner, x[0], x[1])), x[2]);
                                   });
      Value q = d.stateProduct(b, scaled, candidate, {});
      return SmallVector<Value>{d.elementwise(b, {d.gate(z, 0), d.gate(p, 0), d.gate(z, 2), {q}, {h}}, destinations[0],
                                              [&](ImplicitLocOpBuilder &inner, ArrayRef<Value> x) {
                                                Value update = f.emit(inner, add(inner, x[0], x[1]));
                                                return mix(inner, update, g.emit(inner, add(inner, x[2], x[3])), x[4]);
                                              })};
    };
  }

  /// Gates i, o, f, c; peepholes i, o, f.
  static Step makeLSTMStep(ImplicitLocOpBuilder &b, OpTy op, Adaptor adaptor, const Direction &d) {
    Value r = d.parameter(b, op.getR(), adaptor.getR(), 0, d.gates);
    SmallVector<Value> peepholes;
    for (int64_t gate = 0; op.getP() && gate < 3; ++gate)
      peepholes.push_back(d.parameter(b, op.getP(), adaptor.getP(), gate, 1));
    bool couples = op.getInputForget() != 0;
    return [&d, r, peepholes, couples](ImplicitLocOpBuilder &b, Value z, ValueRange states, ValueRange destinations) {
      const CellActivation &f = d.activations[0], &g = d.activations[1], &h = d.activations[2];
      Value p = d.stateProduct(b, states[0], r, {});
      auto sum = [&](ImplicitLocOpBuilder &inner, ArrayRef<Value> x, Value cell, Value peephole) {
        Value result = add(inner, x[0], x[1]);
        return peephole ? add(inner, result, mul(inner, peephole, cell)) : result;
      };
      SmallVector<Term> terms = {{states[1]},  d.gate(z, 0), d.gate(p, 0), d.gate(z, 3),
                                 d.gate(p, 3), d.gate(z, 2), d.gate(p, 2)};
      bool peeps = !peepholes.empty();
      if (peeps)
        llvm::append_range(terms, SmallVector<Term>{{peepholes[0]}, {peepholes[2]}});
      Value cell = d.elementwise(b, terms, destinations[1], [&](ImplicitLocOpBuilder &inner, ArrayRef<Value> x) {
        Value input = f.emit(inner, sum(inner, x.slice(1, 2), x[0], peeps ? x[7] : Value()));
        Value forget =
            couples ? oneMinus(inner, input) : f.emit(inner, sum(inner, x.slice(5, 2), x[0], peeps ? x[8] : Value()));
        Value next = g.emit(inner, add(inner, x[3], x[4]));
        return add(inner, mul(inner, forget, x[0]), mul(inner, input, next));
      });
      terms = {{cell}, d.gate(z, 1), d.gate(p, 1)};
      if (peeps)
        terms.push_back({peepholes[1]});
      Value state = d.elementwise(b, terms, destinations[0], [&](ImplicitLocOpBuilder &inner, ArrayRef<Value> x) {
        Value output = f.emit(inner, sum(inner, x.slice(1, 2), x[0], peeps ? x[3] : Value()));
        return mul(inner, output, h.emit(inner, x[0]));
      });
      return SmallVector<Value>{state, cell};
    };
  }
};
} // namespace

namespace onnx_aot::onnx {
void populateRecurrentChecks(TypeConverter &converter, RewritePatternSet &patterns);

void populateRecurrentToLinalg(TypeConverter &converter, RewritePatternSet &patterns) {
  populateRecurrentChecks(converter, patterns);
  patterns.add<LowerRecurrent<RNNOp>, LowerRecurrent<GRUOp>, LowerRecurrent<LSTMOp>>(converter, patterns.getContext());
}
} // namespace onnx_aot::onnx
