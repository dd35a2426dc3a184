//===- RecurrentOps.cpp - shapes of the recurrent operators -------------------------------------------------------===//
#include "dialects/onnx/recurrent/Recurrent.h"
#include "dialects/onnx/recurrent/RecurrentActivations.h"

using namespace mlir;
using namespace onnx_aot::onnx;

namespace {
/// What the results' shapes are made of.
struct CellShape {
  Dim steps, batch, directions, hidden;
  bool batchFirst = false;

  std::optional<Shape> sequence() const {
    return batchFirst ? Shape{batch, steps, directions, hidden} : Shape{steps, directions, batch, hidden};
  }
  std::optional<Shape> state() const {
    return batchFirst ? Shape{batch, directions, hidden} : Shape{directions, batch, hidden};
  }
};
} // namespace

/// Takes over `given` where it says more than `dim`; false where the two disagree.
static bool unify(Dim &dim, Dim given) {
  if (dim.isKnown() && given.isKnown())
    return dim.get() == given.get();
  if (dim.isUnknown() || given.isKnown())
    dim = given;
  return true;
}

/// Checks what the three operators have in common, over `gates` gates.
template <typename OpTy>
static FailureOr<CellShape> inferCell(OpTy op, ShapeContext &ctx, int64_t gates, ArrayRef<ActivationKind> defaults) {
  auto fail = [&](const Twine &reason) -> FailureOr<CellShape> {
    op.emitOpError(reason);
    return failure();
  };
  StringRef direction = op.getDirection();
  if (direction != "forward" && direction != "reverse" && direction != "bidirectional") // (C3)
    return fail("direction must be forward, reverse or bidirectional, not '" + direction + "'");
  if (op.getLayout() != 0 && op.getLayout() != 1) // (C3)
    return fail("layout must be 0 or 1");
  CellShape cell;
  cell.batchFirst = op.getLayout() == 1;
  cell.directions = direction == "bidirectional" ? 2 : 1;
  if (op.getHiddenSize())
    cell.hidden = Dim(int64_t(*op.getHiddenSize()));
  if (failed(readActivations(op, defaults, cell.directions.get()))) // (C4)
    return failure();

  // Each operand's dims, in the order of layout 0, against those of the operators' definition.
  auto agrees = [&](Value value, bool followsLayout, ArrayRef<Dim *> dims, ArrayRef<int64_t> factors) {
    std::optional<Shape> shape = value ? ctx.shape(value) : std::nullopt;
    if (!shape)
      return true;
    if (shape->size() != dims.size())
      return false;
    if (followsLayout && cell.batchFirst)
      std::swap((*shape)[0], (*shape)[1]);
    for (auto [given, dim, factor] : llvm::zip(*shape, dims, factors)) {
      if (given.isKnown() && given.get() % factor != 0)
        return false;
      if (!unify(*dim, given.floorDiv(factor)))
        return false;
    }
    return true;
  };
  Dim input;
  Dim *d = &cell.directions, *h = &cell.hidden, *batch = &cell.batch;
  if (!agrees(op.getX(), true, {&cell.steps, batch, &input}, {1, 1, 1})) // (C1)
    return fail("X must have rank 3");
  if (!agrees(op.getR(), false, {d, h, h}, {1, gates, 1})) // (C1), (C3)
    return fail("the shape of R does not agree with direction and hidden_size");
  if (!agrees(op.getW(), false, {d, h, &input}, {1, gates, 1})) // (C1)
    return fail("the shape of W does not agree with X and R");
  if (!agrees(op.getB(), false, {d, h}, {1, 2 * gates})) // (C1)
    return fail("the shape of B does not agree with R");
  if (!agrees(op.getSequenceLens(), false, {batch}, {1})) // (C2)
    return fail("sequence_lens must have one element per batch");
  if (!agrees(op.getInitialH(), true, {d, batch, h}, {1, 1, 1})) // (C2)
    return fail("the shape of initial_h does not agree with X and R");
  if constexpr (std::is_same_v<OpTy, LSTMOp>) {
    if (!agrees(op.getInitialC(), true, {d, batch, h}, {1, 1, 1})) // (C2)
      return fail("the shape of initial_c does not agree with X and R");
    if (!agrees(op.getP(), false, {d, h}, {1, 3})) // (C1)
      return fail("the shape of P does not agree with R");
  }
  return cell;
}

template <typename OpTy>
static LogicalResult infer(OpTy op, ShapeContext &ctx, SmallVectorImpl<ResultShape> &results, int64_t gates,
                           ArrayRef<ActivationKind> defaults) {
  FailureOr<CellShape> cell = inferCell(op, ctx, gates, defaults);
  if (failed(cell))
    return failure();
  Type element = ctx.elementType(op.getX());
  if (op.getY())
    results.emplace_back(element, cell->sequence());
  if (op.getYH())
    results.emplace_back(element, cell->state());
  if constexpr (std::is_same_v<OpTy, LSTMOp>)
    if (op.getYC())
      results.emplace_back(element, cell->state());
  return success();
}

LogicalResult RNNOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  return infer(*this, ctx, results, 1, {ActivationKind::Tanh});
}

LogicalResult GRUOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  return infer(*this, ctx, results, 3, {ActivationKind::Sigmoid, ActivationKind::Tanh});
}

LogicalResult LSTMOp::inferResults(ShapeContext &ctx, SmallVectorImpl<ResultShape> &results) {
  return infer(*this, ctx, results, 4, {ActivationKind::Sigmoid, ActivationKind::Tanh, ActivationKind::Tanh});
}
